import Documents
import XCTest

@testable import Experiments

/// The report for agents, against what the reference's rules make of the same journals.
final class AgentReportTests: XCTestCase {
    private func report(_ journal: Value.Object) -> Value {
        let whole: Value.Object = [
            "status": "completed", "deviated": false, "experiment": ["title": "t", "dry": .null],
            "steady_states": ["before": .null, "after": .null, "during": []], "run": [], "rollbacks": [],
        ]
        return AgentReport.ofRun(
            .object(whole.merging(journal)), source: "/e.json", journalPath: "/j.json", eventsPath: nil, status: 0)
    }

    private func state(_ met: Bool, status: Value = "succeeded") -> Value {
        [
            "steady_state_met": .bool(met),
            "probes": [
                [
                    "activity": ["name": "p", "tolerance": 1], "status": status, "tolerance_met": .bool(met),
                    "output": 1,
                ]
            ],
        ]
    }

    private func states(before: Value = .null, during: [Value] = [], after: Value = .null) -> Value {
        ["before": before, "during": .array(during), "after": after]
    }

    private let hypothesis: Value = ["title": "t", "steady-state-hypothesis": ["probes": [["name": "p"]]]]

    func testTheOutcomeIsTheLeastTrustworthyThatApplies() {
        let cases: [(Value.Object, String, Bool)] = [
            (["steady_states": states(before: state(true), after: state(true))], "passed", true),
            (["steady_states": states(before: state(true), after: state(false))], "deviated", true),
            (
                ["steady_states": states(before: state(true), during: [state(false)], after: state(true))], "deviated",
                true
            ),
            (["steady_states": states(before: state(false))], "baseline-not-met", false),
            (["steady_states": states(before: state(false, status: "failed"))], "probe-error", false),
            (["status": "aborted", "steady_states": states(before: state(true))], "aborted", false),
            (["status": "interrupted", "steady_states": states(before: state(true))], "interrupted", false),
        ]
        for (journal, outcome, isConclusive) in cases {
            let report = report(journal.merging(["experiment": hypothesis]))
            XCTAssertEqual(report["outcome"], .string(outcome))
            XCTAssertEqual(report["conclusive"], .bool(isConclusive), outcome)
            XCTAssertEqual(report["warnings"], [], outcome)
        }
    }

    func testWhatWeakensAnOutcomeIsNamed() {
        let entry: Value = [
            "activity": ["name": "cut"], "status": "failed",
            "exception": ["x\n", "chaoslib.exceptions.ActivityFailed: no\n"],
        ]
        let report = report([
            "experiment": ["title": "t", "dry": "pause", "rollbacks": [["name": "heal"], ["name": "more"]]],
            "run": [entry], "rollbacks": [entry],
        ])
        XCTAssertEqual(
            report["warnings"]?.array?.map { $0["code"] },
            [
                "dry-run", "no-steady-state-hypothesis", "method-activity-failed", "rollbacks-not-played",
                "rollback-failed",
            ])
        XCTAssertEqual(report["conclusive"], false)
        XCTAssertEqual(
            report["method"]?["failed"], [["name": "cut", "error": "chaoslib.exceptions.ActivityFailed: no"]])
        XCTAssertEqual(report["verdict"], "The run completed without evaluating a steady state.")
    }

    func testWhatInterruptedARunIsTold() {
        let report = report([
            "status": "interrupted", "experiment": hypothesis,
            "interruption": ["kind": "signal", "name": "SIGTERM", "reason": "received SIGTERM"],
        ])
        XCTAssertEqual(report["interrupted_by"]?["name"], "SIGTERM")
        XCTAssertEqual(report["verdict"], "The run was interrupted before it completed: received SIGTERM")
    }

    func testLongOutputsAreLeftToTheJournal() {
        XCTAssertEqual(AgentReport.bounded("short"), ["output": "short"])
        let long = AgentReport.bounded(.string(String(repeating: "x", count: 5000)))
        XCTAssertEqual(long, ["output_truncated": true, "output_size": 5002])
    }
}
