import Radio
import SimulationKernel
import XCTest

final class RadioTests: XCTestCase {
    /// What a run came to.
    private struct Exchange {
        var heard: [String] = []
        var collisions = 0
        var swallowed = 0
        var digest: TraceDigest?
    }

    /// Two stations send ten messages each, every so many ms; a third one listens, and may crash.
    private func exchange(
        seed: Seed = 1, every milliseconds: (Int, Int), noise: Ratio = .zero, crashAt: Duration? = nil
    ) throws -> Exchange {
        let simulation = Simulation(seed: seed)
        let radio = Radio(simulation, airtimeMilliseconds: 20, noise: noise)
        var result = Exchange()
        try radio.addStation("listener") { station in
            for await message in station.messages { result.heard.append(message) }
        }
        for (name, pause) in [("a", milliseconds.0), ("b", milliseconds.1)] {
            try radio.addStation(name) { station in
                for number in 0..<10 {
                    station.send("\(name)\(number)")
                    try await Task.sleep(for: .milliseconds(pause))
                }
            }
        }
        if let crashAt {
            let listener = simulation.host(named: "listener")
            simulation.schedule(after: crashAt) { _ in listener?.crash() }
            simulation.schedule(after: crashAt + .milliseconds(500)) { _ in listener?.start() }
        }
        let outcome = try simulation.run(for: .seconds(5))
        XCTAssertEqual(outcome.stopReason, .finished)
        XCTAssertEqual(outcome.abandonedTasks, 0, "somebody still listens")
        (result.collisions, result.swallowed, result.digest) = (radio.collisions, radio.swallowed, outcome.digest)
        return result
    }

    func testWhoSpeaksAtOnceIsNotHeard() throws {
        let together = try exchange(every: (100, 100))
        XCTAssertEqual(together.heard, [])
        XCTAssertEqual(together.collisions, 10)
        // Out of step, they meet now and then.
        let apart = try exchange(every: (100, 130))
        XCTAssertGreaterThan(apart.heard.count, 10)
        XCTAssertEqual(apart.heard.count + 2 * apart.collisions, 20)
    }

    func testNoiseFollowsFromTheSeedAndIsInTheDigest() throws {
        let noise = Ratio(1, outOf: 3)
        let first = try exchange(every: (100, 130), noise: noise)
        XCTAssertGreaterThan(first.swallowed, 0)
        let again = try exchange(every: (100, 130), noise: noise)
        XCTAssertEqual(again.heard, first.heard)
        XCTAssertEqual(again.digest, first.digest)
        XCTAssertNotEqual(try exchange(seed: 2, every: (100, 130), noise: noise).digest, first.digest)
    }

    func testAStationThatIsDownHearsNothing() throws {
        let whole = try exchange(every: (100, 130))
        let crashed = try exchange(every: (100, 130), crashAt: .milliseconds(300))
        // From 300 ms on it is down for half a second; what was said meanwhile is not said again.
        XCTAssertEqual(
            whole.heard, ["a1", "b1", "a2", "b2", "a3", "a5", "b4", "a6", "b5", "a7", "b6", "a8", "b8", "b9"])
        XCTAssertEqual(crashed.heard, ["a1", "b1", "a2", "b2", "a8", "b8", "b9"])
    }
}
