import Documents
import Faults
import SimulatedTestbed
import SimulationKernel
import Testbed
import XCTest

/// Schedules, invariants and runs.
final class SimulatedRunTests: XCTestCase {
    private func options(_ seconds: Int, recovery: Int = 10, stops: Bool = true) -> SimulatedRun.Options {
        var options = SimulatedRun.Options()
        options.duration = .seconds(seconds)
        options.recovery = .seconds(recovery)
        options.stopsAtViolation = stops
        return options
    }

    private func run(
        _ schedule: [String], _ options: SimulatedRun.Options,
        invariants: @escaping (PingDeployment, SimulatedDeployment) -> [any Invariant] = { _, _ in [] }
    ) throws -> (SimulatedRun.Result, PingDeployment) {
        let ping = PingDeployment()
        let schedule = FaultSchedule(try schedule.map { try ScheduledFault(line: $0) })
        let run = SimulatedRun(ping.deployment, seed: 1, options: options, schedule: schedule)
        let result = try run.run { world in
            ping.watch(world)
            return invariants(ping, world)
        }
        return (result, ping)
    }

    func testFaultsBeginAtTheirTimesAndAtTheirMarksAndEndInTime() throws {
        let (result, _) = try run(
            [
                "at 5 for 3 network.cut service=server", "at 10 service.crash service=server down=1",
                "on server.started#2 +0.5 for 2 network.hold service=client",
            ], options(20))
        XCTAssertEqual(
            result.faults.map { "\($0.fault)" },
            [
                "network.cut service=server", "service.crash service=server down=1", "network.hold service=client",
            ])
        XCTAssertEqual(result.faults.map(\.since), [.seconds(5), .seconds(10), .milliseconds(11_500)])
        XCTAssertEqual(result.faults.map(\.until), [.seconds(8), .seconds(10), .milliseconds(13_500)])
        XCTAssertEqual(result.marks, ["server.started": 2])
        XCTAssertTrue(result.holds)
    }

    func testAFaultThatCannotBeAppliedIsAProblemAndNoRunHoldsWithIt() throws {
        let (result, _) = try run(["at 5 network.cut service=server other=nobody"], options(10))
        XCTAssertEqual(result.problems.count, 1)
        XCTAssertTrue(result.problems[0].contains("there is no machine 'nobody'"), result.problems[0])
        XCTAssertFalse(result.holds)
    }

    func testAViolationHasItsTimeItsEntitiesAndTheHistoryThatLedThere() throws {
        let (result, _) = try run(["at 5 for 10 network.cut service=server"], options(20)) { ping, world in
            [
                Always("the server answers within two seconds") {
                    let last = ping.answers["server"]?.last ?? .zero
                    guard world.elapsed - last > .seconds(2) else { return nil }
                    return InvariantFinding("the last answer was at \(last)", entities: ["client"])
                }
            ]
        }
        XCTAssertFalse(result.holds)
        let violation = try XCTUnwrap(result.violations.first)
        XCTAssertEqual(result.violations.count, 1)
        XCTAssertEqual(violation.time, .seconds(7))
        XCTAssertEqual(violation.entities, ["client"])
        XCTAssertTrue(violation.history.contains { $0.contains("begins network.cut service=server") })
        XCTAssertTrue(violation.history.contains { $0.contains("client: not answered: ") }, "\(violation)")
        // The first violation ends the run.
        XCTAssertLessThan(result.virtualTime, .seconds(8))
    }

    func testWhatMustHappenAfterHealingHasItsTimeAndNoMore() throws {
        func run(within limit: Duration) throws -> SimulatedRun.Result {
            try self.run(["at 5 network.cut service=server"], options(10, recovery: 20)) { ping, world in
                [
                    Eventually("the server answers again", within: limit) {
                        let last = ping.answers["server"]?.last ?? .zero
                        return last > .seconds(10) ? nil : InvariantFinding("no answer since \(last)")
                    }
                ]
            }.0
        }
        XCTAssertTrue(try run(within: .seconds(10)).holds)
        let late = try run(within: .milliseconds(10))
        XCTAssertEqual(late.violations.count, 0, "the check a second later finds it met")
        let never = try self.run([], options(5, recovery: 5)) { _, _ in
            [Eventually("never", within: .seconds(3)) { InvariantFinding("not yet") }]
        }.0
        XCTAssertEqual(never.violations.map(\.time), [.seconds(8)])
    }

    func testASeedAndAScheduleGiveOneDigest() throws {
        func digest(seed: Seed) throws -> TraceDigest {
            let ping = PingDeployment(replicas: 2)
            var random = RandomStream(seed: seed)
            let schedule = Nemesis(against: ping.deployment.names).schedule(&random)
            XCTAssertGreaterThan(schedule.faults.count, 10)
            let read = try FaultSchedule(.array(schedule.faults.map { .string("\($0)") }))
            return try SimulatedRun(ping.deployment, seed: seed, options: options(240), schedule: read)
                .run { _ in [] }.digest
        }
        XCTAssertEqual(try digest(seed: 3), try digest(seed: 3))
        XCTAssertNotEqual(try digest(seed: 3), try digest(seed: 4))
    }

    // Many deployments one after the other: whoever watches must not keep what is watched.
    func testARunKeepsNothingBehindItsEnd() throws {
        weak var kept: SimulatedDeployment?
        let ping = PingDeployment()
        _ = try SimulatedRun(ping.deployment, seed: 1, options: options(5)).run { world in
            kept = world
            return [Always("fine") { world.elapsed < .zero ? InvariantFinding("") : nil }]
        }
        XCTAssertNil(kept)
    }

    // An end that is planned and does not come is forgotten with the run: a sweep of storms grew by each of them.
    func testEndsThatDidNotComeKeepNothingBehindTheRun() throws {
        weak var kept: SimulatedProcess?
        let schedule = try FaultSchedule(
            lines: """
                at 1 service.crash_starting service=server seconds=0.1
                at 1 service.cut_power service=server operation=1000000
                """)
        let result = try SimulatedRun(PingDeployment().deployment, seed: 1, options: options(5), schedule: schedule)
            .run { world in
                kept = world.process(named: "server")
                XCTAssertNotNil(kept)
                return []
            }
        XCTAssertEqual(result.faults.count, 2)
        XCTAssertNil(kept)
    }
}
