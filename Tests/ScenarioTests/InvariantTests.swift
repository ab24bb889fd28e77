import Documents
import Experiments
import Faults
import Testbed
import XCTest

@testable import PipelineTestbed

/// A scenario's verdict is its journal and its invariants.
final class InvariantTests: XCTestCase {
    private func experiment(_ method: Value = [], _ scenario: Value.Object) -> Experiment {
        let document: Value = [
            "title": "t", "description": "d", "method": method,
            "extensions": [.object((["name": "windkanal"] as Value.Object).merging(scenario))],
        ]
        return Experiment(Document(value: document), origin: "")
    }

    private func run(_ method: Value = [], _ scenario: Value.Object) throws -> ScenarioRun.Result {
        let experiment = experiment(method, scenario)
        let scenario = try XCTUnwrap(try Scenario(of: experiment))
        return try ScenarioRun(experiment, in: scenario, options: RunOptions()).run()
    }

    func testAScenarioThatLosesReadingsIsRefutedWithoutAnyProbe() throws {
        let scenario: Value.Object = [
            "warm-up": 30, "duration": 200,
            "landscape": ["flats": 3, "persistence": ["sender": "memory", "acks": "all"]],
            // What the poller has in memory while the broker is away is gone with it.
            "faults": [
                "at 60 for 60 network.cut service=broker other=poller", "at 100 service.crash service=poller",
            ],
            "recovery": 60,
        ]
        let lost = try run([], scenario)
        XCTAssertEqual(lost.verdict(strict: false), "refuted")
        XCTAssertFalse(lost.isSuccess(strict: false))
        let violation = try XCTUnwrap(lost.violations.first)
        XCTAssertEqual(violation.invariant, "no acknowledged reading is lost")
        XCTAssertTrue(violation.history.contains { $0.contains("begins network.cut service=broker other=poller") })
        XCTAssertTrue(violation.history.contains { $0.contains("poller is killed") }, "\(violation)")
        // The reference's own fields stay as they are.
        XCTAssertEqual(lost.journal?.status, .completed)
        XCTAssertEqual(lost.journal?.deviated, false)
        var kept = scenario
        kept["landscape"] = ["flats": 3, "persistence": ["sender": "outbox"]]
        let sound = try run([], kept)
        XCTAssertEqual(sound.violations, [])
        XCTAssertTrue(sound.isSuccess(strict: false))
    }

    // What was kept for a broker without its volume was measured by a wall clock that ran 80 minutes behind, and then right again.
    func testAWallClockThatJumpsDoesNotShortenWhatTheOutboxKeeps() throws {
        let result = try run(
            [],
            [
                "warm-up": 30, "duration": 400, "recovery": 150,
                "landscape": ["flats": 3, "persistence": ["sender": "outbox", "retains-after-ack": 3600]],
                "faults": [
                    "at 40 for 190 network.cut service=storage", "at 50 for 70 clock.step service=poller seconds=-4853",
                    "at 200 disk.lose service=broker",
                ],
            ])
        XCTAssertEqual(result.violations, [])
        XCTAssertEqual(result.audit?.lost.count, 0)
        XCTAssertEqual(result.faults.map(\.impact.verdict), [.hit, .hit, .hit])
    }

    // Whoever sends waits for the disk himself; when one flat's poll waited for all that was sent, it stood still for minutes.
    func testASlowDiskMakesNobodyWaitForLongerThanItsOwnWrites() throws {
        let result = try run(
            [],
            [
                "warm-up": 30, "duration": 400, "recovery": 150, "invariants": ["nothing-lost", "fresh"],
                "landscape": [
                    "flats": 18, "rooms": 3, "poller": ["profile": "adaptive"],
                    "persistence": ["sender": "outbox", "retains-after-ack": 3600, "partitions": 4],
                ],
                "faults": [
                    "at 60 for 127 network.cut service=poller other=broker", "at 120 disk.lose service=broker",
                    "at 187 for 60 disk.slow service=poller seconds=3",
                ],
            ])
        XCTAssertEqual(result.violations, [])
        let slow = try XCTUnwrap(result.faults.last)
        XCTAssertLessThanOrEqual(slow.impact.hits, 60 / 3 * 2 + 1, "two write, each after the other")
    }

    func testABoundRefutesWhenItBindsAndOnlyOutsideOfItsSettlingTimes() throws {
        func run(_ bound: Value.Object) throws -> ScenarioRun.Result {
            try self.run(
                [],
                [
                    "warm-up": 30, "duration": 180, "recovery": 60, "landscape": ["flats": 3],
                    "faults": ["at 60 for 30 network.cut service=poller other=measurement-server"],
                    "bound": .object((["age": "per-flat-last-success", "seconds": 15] as Value.Object).merging(bound)),
                ])
        }
        let told = try run([:])
        XCTAssertEqual(told.verdict(strict: false), "untested")
        XCTAssertTrue(told.boundLine.contains("told, not binding"), told.boundLine)
        let binding = try run(["binds": true])
        XCTAssertEqual(binding.verdict(strict: false), "refuted")
        XCTAssertEqual(binding.violations.first?.entities.count, 1)
        XCTAssertEqual(try run(["settle": 5]).verdict(strict: false), "refuted")
        // It begins at 60 and ends at 90; connections that were cut are made anew until then.
        XCTAssertEqual(try run(["settle": 60]).verdict(strict: false), "held")
        XCTAssertEqual(try run(["settle": 5, "binds": false]).verdict(strict: false), "untested")
    }

    // The window of a device's schedule is a fault that begins and ends, whoever asked for it.
    func testWindowsOfDeviceSchedulesAreSettlingTimesToo() throws {
        let put: Value = [
            [
                "type": "action", "name": "late",
                "provider": [
                    "type": "http", "method": "PUT",
                    "url": "http://measurement-server:8080/_windkanal/devices/SD1/schedule",
                    "headers": ["Content-Type": "application/json"],
                    "arguments": ["from": 30, "to": 60, "fault": ["type": "reset"]],
                ],
            ]
        ]
        func run(settle: Int) throws -> ScenarioRun.Result {
            try self.run(
                put,
                [
                    "warm-up": 30, "duration": 180, "landscape": ["flats": 3],
                    "bound": ["age": "per-flat-last-success", "seconds": 15, "settle": .integer(settle)],
                ])
        }
        XCTAssertEqual(try run(settle: 2).verdict(strict: false), "refuted")
        let settled = try run(settle: 30)
        XCTAssertEqual(settled.verdict(strict: false), "held")
        XCTAssertEqual(settled.faults.map { "\($0.fault.kind) \($0.impact.verdict)" }, ["custom hit"])
    }

    func testAFaultThatHitNothingIsToldAndFailsARunThatRequiresImpact() throws {
        let result = try run(
            [],
            [
                "warm-up": 20, "duration": 60, "recovery": 20, "landscape": ["flats": 2],
                "faults": [
                    "at 25 for 5 network.cut service=poller other=measurement-server",
                    "at 30 network.reset service=experimenter",
                ],
            ])
        XCTAssertEqual(result.missed.map { "\($0.fault)" }, ["network.reset service=experimenter"])
        XCTAssertTrue(result.isSuccess(strict: false))
        XCTAssertFalse(result.isSuccess(strict: false, requiresImpact: true))
    }

    func testSchedulesThatCannotBePlayedAreRefusedWithTheirPlace() throws {
        let cases: [(Value, String)] = [
            (
                ["at 5 network.cut service=storage"],
                "faults/0 cannot be applied: the argument 'service' of network.cut names"
            ),
            (
                ["at 5 network.cutt service=poller"],
                "faults is no fault schedule: fault 1: there is no fault 'network.cutt'"
            ),
            (
                ["on nothing network.cut service=poller"],
                "faults/0 waits for the mark 'nothing', which no service reaches"
            ),
            (["at 5 disk.fill service=poller"], "names the service with a disk 'poller', but there is none"),
        ]
        for (faults, message) in cases {
            XCTAssertThrowsError(try Scenario(of: experiment([], ["landscape": ["flats": 2], "faults": faults]))) {
                XCTAssertTrue("\($0)".contains(message), "\($0)")
            }
        }
        XCTAssertThrowsError(
            try Scenario(of: experiment([], ["landscape": ["flats": 2], "invariants": ["arrival", "x"]]))
        ) { error in
            XCTAssertTrue("\(error)".contains("invariants/0 needs a landscape with 'persistence'"), "\(error)")
            XCTAssertTrue("\(error)".contains("invariants/1 is one of nothing-lost"), "\(error)")
        }
    }

    func testEveryServiceCanBeHitTheMeasurementServerAndTheGatewayToo() throws {
        let scenario = try XCTUnwrap(try Scenario(of: experiment([], ["landscape": ["flats": 2, "persistence": [:]]])))
        let names = PipelineMap(scenario).names
        let services = ["broker", "gateway", "ingester", "measurement-server", "poller", "storage"]
        XCTAssertEqual(names.processes, services)
        XCTAssertEqual(names.hosts, (services + ["experimenter"]).sorted())
        XCTAssertEqual(names.disks, ["broker", "poller", "storage"])
        let result = try run(
            [],
            [
                "warm-up": 20, "duration": 100, "recovery": 40, "landscape": ["flats": 2, "persistence": [:]],
                "faults": .array(
                    services.enumerated().map { .string("at \(25 + 2 * $0) service.crash service=\($1)") }),
                "invariants": ["nothing-lost", "arrival", "complete", "fresh", "answers", "durable"],
            ])
        XCTAssertEqual(result.verdict(strict: false), "held", "\(result.violations)")
        XCTAssertEqual(result.faults.prefix(6).map(\.impact.verdict), Array(repeating: .hit, count: 6))
    }
}
