import Documents
import Experiments
import MeasurementServer
import Pipeline
import SimulatedWorld
import SimulationKernel
import XCTest

@testable import PipelineTestbed

/// The ledger and the storms, against mistakes of their own.
final class LedgerTests: XCTestCase {
    private func assertEachReadingIsInOneClass(_ audit: LedgerAudit, line: UInt = #line) {
        XCTAssertEqual(
            audit.read,
            audit.stored + audit.pending + audit.lost.count + audit.recovered + audit.notKept + audit.readable
                + audit.unexpected.count, audit.text, line: line)
    }

    // The poller's disk is full for 200 s: devices measure every minute, and the server shows the latest alone.
    func testWhatWasReadAndCouldNotBeKeptHasAClass() throws {
        func activity(_ type: String, _ module: String, _ function: String, _ arguments: Value, after: Int) -> Value {
            [
                "type": .string(type), "name": .string(function), "pauses": ["after": .integer(after)],
                "provider": [
                    "type": "python", "module": .string(module), "func": .string(function), "arguments": arguments,
                ],
            ]
        }
        let document: Value = [
            "title": "t", "description": "d",
            "method": [
                activity("action", "windkanal.disk", "fill", ["service": "poller", "free": 0], after: 200),
                activity("action", "windkanal.disk", "heal", ["service": "poller"], after: 100),
                activity("probe", "windkanal.ledger", "not_kept", [:], after: 0),
                activity("probe", "windkanal.ledger", "audit", [:], after: 0),
            ],
            "extensions": [
                [
                    "name": "windkanal", "warm-up": 60, "duration": 400,
                    "landscape": ["flats": 2, "rooms": 2, "persistence": [:]],
                ]
            ],
        ]
        let experiment = Experiment(Document(value: document), origin: "")
        let scenario = try XCTUnwrap(try Scenario(of: experiment))
        let result = try ScenarioRun(experiment, in: scenario, options: RunOptions()).run()
        let audit = try XCTUnwrap(result.audit)
        assertEachReadingIsInOneClass(audit)
        // Two flats of two rooms with their channels; in 200 s each channel is measured three times, and the last is still shown.
        XCTAssertGreaterThanOrEqual(audit.notKept, 8)
        XCTAssertEqual(audit.lost, [])
        XCTAssertTrue(audit.text.contains("\(audit.notKept) not kept"), audit.text)
        let told = try XCTUnwrap(result.journal).run.map(\.output)
        XCTAssertEqual(told[2].integer, audit.notKept)
        XCTAssertEqual(told[3]["not_kept"]?.integer, audit.notKept)
        XCTAssertGreaterThan(told[3]["read"]?.integer ?? 0, audit.notKept)
    }

    func testStormsGoOverMoreThanOnePartition() {
        let partitions = MeasurementServer.flatNames(PipelineStorm.flats).map {
            TopicPartition.of(key: $0, topic: "measurements", partitions: Persistence().partitions)
        }
        XCTAssertGreaterThan(Set(partitions).count, 1)
    }

    // A disk that is not what it claims to be changes what a storm says.
    func testEveryWayInWhichTheDiskCouldBeTooFriendlyIsNoticed() throws {
        XCTAssertEqual(PipelineStorm.DiskCheck.all.map(\.sabotage), DiskSabotage.allCases)
        for check in PipelineStorm.DiskCheck.all {
            let (isLostOnTheRightDisk, isLostOnThisDisk) = try check.run(seed: 1)
            XCTAssertEqual(isLostOnTheRightDisk, !check.variant.isSafe, check.sabotage.rawValue)
            XCTAssertEqual(isLostOnThisDisk, check.variant.isSafe, check.sabotage.rawValue)
        }
    }

    func testEveryReadingOfAStormIsInOneClass() throws {
        for seed in [3, 7] as [Seed] { assertEachReadingIsInOneClass(try PipelineStorm(seed: seed).run().audit) }
    }
}
