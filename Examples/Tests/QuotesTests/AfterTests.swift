import Quotes
import Testing
import WindkanalTesting

/// The same claims in virtual time: to the nanosecond, for many seeds, in milliseconds; and some that sleeps cannot make.
@Suite struct AfterTests {
    @Test(.simulated(seeds: .count(50)))
    func aQuoteIsKeptForItsLifetimeAndNotLonger() async throws {
        let calls = Counter()
        let client = QuoteClient(lifetime: .seconds(5)) { _ in
            try await Task.sleep(for: .milliseconds(Int.random(in: 1...500)))
            calls.increase()
            return 7
        }
        _ = try await client.quote(of: "SWFT")
        try await Task.sleep(for: .seconds(5) - .nanoseconds(1))
        _ = try await client.quote(of: "SWFT")
        #expect(calls.count == 1)
        try await Task.sleep(for: .nanoseconds(1))
        _ = try await client.quote(of: "SWFT")
        #expect(calls.count == 2)
    }

    @Test(.simulated(seeds: .count(100), sometimes: ["the longest pause is nearly reached"]))
    func aSlowServerIsGivenUpAfterItsTimeoutsAndPauses() async throws {
        let client = QuoteClient(timeout: .seconds(2), attemptsMax: 3) { _ in
            try await Task.sleep(for: .seconds(3600))
            return 7
        }
        let began = ContinuousClock.now
        await #expect(throws: QuoteError.tooSlow) { try await client.quote(of: "SWFT") }
        // Three timeouts of 2 s; pauses of 100 to 200 and of 200 to 400 ms.
        let elapsed = began.duration(to: .now)
        #expect(elapsed >= .milliseconds(6_300) && elapsed <= .milliseconds(6_600))
        sometimes("the longest pause is nearly reached", elapsed > .milliseconds(6_500))
        // Who was asked and did not answer is not waited for any more.
        #expect(await leaks() == [])
    }

    @Test(.simulated(seeds: .count(100)))
    func manyWhoWantToKnowAskOnce() async throws {
        let calls = Counter()
        let client = QuoteClient { _ in
            calls.increase()
            try await Task.sleep(for: .milliseconds(50))
            return 7
        }
        let answers = Counter()
        for _ in 0..<10 {
            Task {
                try await Task.sleep(for: .milliseconds(Int.random(in: 0..<50)))
                if try await client.quote(of: "SWFT") == 7 { answers.increase() }
            }
        }
        always("the server is asked once") { calls.count <= 1 }
        await eventually("everybody has an answer", within: .milliseconds(100)) { answers.count == 10 }
    }

    /// Who no longer wants to know takes nothing from those who do, wherever they were.
    @Test func cancellingOneWhoWaitsLeavesTheOthersTheirAnswer() throws {
        let suspensions = try withCancellationSweep { impatient in
            let client = QuoteClient { _ in
                try await Task.sleep(for: .seconds(1))
                return 7
            }
            let patient = Task { try await client.quote(of: "SWFT") }
            await impatient { try await client.quote(of: "SWFT") }
            let answer = try await patient.value
            #expect(answer == 7)
            let keptAnswer = try await client.quote(of: "SWFT")
            #expect(keptAnswer == 7)
        }
        #expect(suspensions > 0)
    }

    /// Beside simulated tests belongs one that says whether they are.
    @Test func theKernelControlsTheClient() throws {
        try assertControlled {
            let client = QuoteClient { _ in
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...500)))
                throw QuoteError.refused
            }
            _ = try? await client.quote(of: "SWFT")
        }
    }
}
