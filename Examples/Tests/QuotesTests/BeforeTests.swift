import Foundation
import Quotes
import Testing

/// How such a client is usually tested: with sleeps, and hope.
///
/// These are kept to be read, and are no gate: each takes seconds, and each fails on a busy machine. A sleep of a second is not over after
/// a second when two cores do the work of twenty: `FLAKY=1 swift test --filter BeforeTests` under load fails every few runs, at a
/// different line each time. Larger tolerances make it rarer, slower, and blind: what these cannot see is a client that keeps a quote
/// for 5.4 s. AfterTests.swift has the same claims, exact and in milliseconds.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["FLAKY"] != nil, "they sleep, and fail on a busy machine"))
struct BeforeTests {
    @Test func aQuoteIsKeptForItsLifetime() async throws {
        let calls = Counter()
        let client = QuoteClient(lifetime: .seconds(1)) { _ in
            calls.increase(); return 7
        }
        _ = try await client.quote(of: "SWFT")
        // Close to the end of its lifetime, but not too close: the machine may be slow.
        try await Task.sleep(for: .milliseconds(800))
        _ = try await client.quote(of: "SWFT")
        #expect(calls.count == 1)
        try await Task.sleep(for: .milliseconds(300))
        _ = try await client.quote(of: "SWFT")
        #expect(calls.count == 2)
    }

    @Test func aSlowServerIsGivenUp() async throws {
        let client = QuoteClient(timeout: .milliseconds(200), attemptsMax: 2) { _ in
            try await Task.sleep(for: .seconds(10))
            return 7
        }
        let began = ContinuousClock.now
        await #expect(throws: QuoteError.tooSlow) { try await client.quote(of: "SWFT") }
        // Twice 200 ms, and a pause of 100 to 200 ms: anything between 500 and 600 ms is right. Who would write that?
        #expect(began.duration(to: .now) < .milliseconds(900))
    }

    @Test func manyWhoWantToKnowAskOnce() async throws {
        let calls = Counter()
        let client = QuoteClient { _ in
            calls.increase()
            try await Task.sleep(for: .milliseconds(50))
            return 7
        }
        await withTaskGroup { group in
            for _ in 0..<10 { group.addTask { _ = try? await client.quote(of: "SWFT") } }
            // All ten must have asked within 50 ms.
        }
        #expect(calls.count == 1)
    }
}
