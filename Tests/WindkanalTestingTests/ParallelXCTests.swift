import WindkanalXCTest
import XCTest

/// The same in XCTest, where `swift test --parallel` gives each test a process of its own.
final class ParallelXCTests: XCTestCase {
    private func sleeps() throws {
        let trial = CodeTrial("parallel") { _ in
            for _ in 0..<20 { try await Task.sleep(for: .milliseconds(Int.random(in: 1...1000))) }
        }
        let first = try assertHolds(trial, seeds: .count(20))
        let second = try assertHolds(trial, seeds: .count(20))
        XCTAssertEqual(first.runs.map(\.digest), second.runs.map(\.digest))
    }

    func testASweep() throws { try sleeps() }
    func testAnotherSweepBesideIt() throws { try sleeps() }

    // On the process' main thread the main actor needs no word, while no other simulation runs.
    @MainActor
    func testTheMainActorOnTheMainThread() throws {
        let elapsed = try withVirtualTime {
            let began = ContinuousClock.now
            await MainActor.run { MainActor.assertIsolated() }
            try await Task.sleep(for: .seconds(5))
            return began.duration(to: .now)
        }
        XCTAssertEqual(elapsed, .seconds(5))
    }

    // An asynchronous test runs on a thread of the pool; a simulation has that thread while it runs.
    func testASimulationInAnAsynchronousTest() async throws {
        await Task.yield()
        let elapsed = try withVirtualTime {
            let began = ContinuousClock.now
            try await Task.sleep(for: .seconds(5))
            return began.duration(to: .now)
        }
        await Task.yield()
        XCTAssertEqual(elapsed, .seconds(5))
    }
}
