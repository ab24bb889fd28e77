import Foundation
import Testing
import WindkanalTesting

@Suite(.enabled(if: Fixture.folder != nil, "these fail on purpose"))
struct FailingTests {
    @Test(.simulated(seeds: .count(20), sweep: Fixture.options))
    func expectationFailsForSomeSeeds() async throws {
        try await Fixture.rolls { #expect($0 != 0) }
    }

    @Test(.simulated(seeds: .count(20), sweep: Fixture.options))
    func requirementFailsForSomeSeeds() async throws {
        let number = Int.random(in: 0..<4)
        try await Task.sleep(for: .seconds(1))
        try #require(number != 0)
    }

    @Test(.simulated(seeds: .count(3), sweep: Fixture.options))
    func deadlocks() async { await Fixture.waitsForNobody() }

    @Test(.simulated(seeds: .count(2), sweep: Fixture.options))
    func throwsAnError() async throws { throw CocoaError(.fileNoSuchFile) }

    @Test(.simulated(seeds: .count(2), sweep: Fixture.options))
    func sleepsInReality() async { usleep(1) }

    @Test(.simulated(seeds: .count(2), sweep: Fixture.options))
    func isNotReadyInTime() async {
        await eventually("it is ready", within: .seconds(5)) { false }
    }

    @Test(.simulated(seeds: .count(5), sometimes: ["a retry"], sweep: Fixture.options))
    func neverRetries() async throws { try await Task.sleep(for: .seconds(1)) }

    @Test(.simulated(seeds: .count(5), sweep: Fixture.options))
    func knownIssuesAreNoFailures() async throws {
        try await Task.sleep(for: .seconds(1))
        withKnownIssue { #expect(Bool(false)) }
    }

    @Test func trialFails() throws {
        try assertHolds(Fixture.FailsForTwo(), seeds: .count(3), options: Fixture.options)
    }

    @Test func cancellationDoesHarm() throws {
        try withCancellationSweep { task in
            var isLocked = false
            await task {
                isLocked = true
                try await Task.sleep(for: .seconds(1))
                isLocked = false
            }
            #expect(!isLocked)
        }
    }

    @Test func isNotControlled() throws {
        try assertControlled { _ = (0..<10).reduce(0, +) }
    }
}
