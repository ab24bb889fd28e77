import SimulationKernel
import XCTest

final class MisuseTests: XCTestCase {
    private func assertError(
        _ expected: SimulationError, line: UInt = #line, _ body: () throws -> Void
    ) {
        XCTAssertThrowsError(try body(), line: line) { error in
            XCTAssertEqual(error as? SimulationError, expected, line: line)
            XCTAssertFalse("\(error)".isEmpty, line: line)
        }
    }

    func testASecondRunIsRefused() throws {
        let simulation = Simulation(seed: 1)
        _ = try simulation.run {}
        assertError(.alreadyRan) { _ = try simulation.run {} }
    }

    func testARunWithinARunIsRefused() throws {
        let outcome = try Simulation(seed: 1).run { _ = try Simulation(seed: 2).run {} }
        assertError(.nestedRun) { try outcome.get() }
    }

    func testAStreamLabelUsedTwiceIsRefused() throws {
        let simulation = Simulation(seed: 1)
        _ = try simulation.stream("latency")
        assertError(.duplicateStream("latency")) { _ = try simulation.stream("latency") }
    }

    func testAHostNameUsedTwiceIsRefused() throws {
        let simulation = Simulation(seed: 1)
        try simulation.addHost("poller")
        assertError(.duplicateHost("poller")) { try simulation.addHost("poller") }
    }

    func testSleepingInThePastIsRefusedOnTheVirtualClock() throws {
        let outcome = try Simulation(seed: 1).run {
            try await Task.sleep(for: .seconds(2))
            try await Task.sleep(until: VirtualInstant(nanoseconds: 1_000_000_000), clock: .virtual)
        }
        let past = SimulationError.sleepInThePast(
            deadline: VirtualInstant(nanoseconds: 1_000_000_000), now: VirtualInstant(nanoseconds: 2_000_000_000))
        assertError(past) { try outcome.get() }
        XCTAssertTrue("\(past)".contains("ContinuousClock"), "the remedy is named: \(past)")
    }

    func testANegativeSleepIsRefusedOnTheVirtualClock() throws {
        let outcome = try Simulation(seed: 1).run {
            try await Task.sleep(for: .seconds(2))
            try await Task.sleep(for: .seconds(-1), clock: .virtual)
        }
        XCTAssertThrowsError(try outcome.get()) { error in
            guard case .sleepInThePast? = error as? SimulationError else { return XCTFail("\(error)") }
        }
    }

    func testARunForANegativeTimeIsRefused() throws {
        assertError(.invalidOptions("a run for -1.0 seconds; it must not be negative")) {
            _ = try Simulation(seed: 1).run(for: .seconds(-1))
        }
    }

    func testImpossibleOptionsAreRefusedByName() throws {
        let cases: [(Simulation.Options, String)] = [
            (.init(budget: .init(virtualTime: .zero)), "virtual time"),
            (.init(budget: .init(virtualTime: .seconds(Int64.max))), "virtual time"),
            (.init(budget: .init(events: 0)), "events"),
            (.init(epoch: .seconds(-1)), "epoch"),
            (.init(budget: .init(wallTime: .seconds(-1))), "real time"),
            (.init(policy: .pct(depth: 0, steps: 10)), "PCT"),
            (.init(recording: .init(entries: 0)), "recording"),
            (
                .init(
                    guards: .init(
                        strict: true, blockLimit: .seconds(2), fatalBlockLimit: .seconds(1),
                        foreignWorkLimit: .seconds(1), recordsTaskOrigins: true)), "block limit"
            ),
        ]
        for (options, text) in cases {
            XCTAssertThrowsError(try Simulation(seed: 1, options: options).run {}) { error in
                guard case .invalidOptions(let problem)? = error as? SimulationError else { return XCTFail("\(error)") }
                XCTAssertTrue(problem.contains(text), problem)
            }
        }
    }
}
