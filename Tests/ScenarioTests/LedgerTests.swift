import Documents
import Experiments
import MeasurementServer
import Measurements
import Pipeline
import SimulatedWorld
import SimulationKernel
import XCTest

@testable import PipelineTestbed

/// The ledger, against mistakes of its own.
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

    private struct Held: StoredReadings, LoggedReadings, OutboxContents {
        var logged: [LoggedReading] = []
        var committed: [String: [TopicPartition: Int64]] = [:]

        func all() throws(PersistenceError) -> [Reading] { [] }
        func contents() throws(PersistenceError) -> LogContents { LogContents(records: logged, committed: committed) }
        func appends() throws(PersistenceError) -> [PartitionAppends] { [] }
        func readings() throws(PersistenceError) -> [Reading] { [] }
    }

    // That another group has not got a reading yet does not bring it to the storage; that another has got it does not lose it.
    func testAReadingWaitsForTheGroupThatBringsItToTheStorage() {
        let ledger = Ledger { 0 }
        let partition = TopicPartition("measurements", 1)
        let readings = (0..<4).map { number in
            Reading(
                Reading.Identity(flat: "SD0", room: "1", channel: "t", milliseconds: 1_700_000_000_000 + number),
                value: 1)
        }
        ledger.noteAttempt(readings)
        ledger.noteAcknowledgement(readings)
        var held = Held()
        held.logged = readings.enumerated().map {
            LoggedReading(partition: partition, offset: Int64($0), time: 0, reading: $1)
        }
        held.committed = [Ingester.group: [partition: 2], "behind": [partition: 0], "ahead": [partition: 4]]
        let audit = ledger.audit(stored: held, logged: held, outbox: held)
        XCTAssertEqual(audit.lost, readings.prefix(2).map(\.id))
        XCTAssertEqual(audit.inBroker, 2)
        XCTAssertEqual(audit.waitingByGroup, [Ingester.group: 2, "behind": 4])
        XCTAssertTrue(audit.text.contains("in the broker at 1@0"), audit.text)
        // A group that has committed nothing yet waits for all.
        held.committed = ["ahead": [partition: 4]]
        XCTAssertEqual(ledger.audit(stored: nil, logged: held, outbox: nil).waitingByGroup, [Ingester.group: 4])
        XCTAssertEqual(ledger.audit(stored: nil, logged: nil, outbox: nil).lost.count, 4)
    }
}
