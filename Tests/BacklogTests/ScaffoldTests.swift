import Documents
import Experiments
import Pipeline
import PipelineTestbed
import XCTest

@testable import Backlog

/// What `windkanal new` writes can be used as it is.
final class ScaffoldTests: XCTestCase {
    func testAScenarioFromTheScaffoldIsValidAndHolds() async throws {
        let scaffold = try Scaffold(.scenario, named: "slow-meters")
        let experiment = Experiment(try YAMLReader.readDocument(scaffold.text), origin: scaffold.file)
        let scenario = try XCTUnwrap(try Scenario(of: experiment))
        let findings = await ScenarioRun.findings(experiment, in: scenario, environment: [:], variables: Variables())
        XCTAssertEqual(findings, [])
        let result = try ScenarioRun(experiment, in: scenario, options: RunOptions()).run()
        XCTAssertEqual(result.verdict(strict: false), "held")
        // And it is no scenario that holds whatever runs in it.
        var naive = scenario
        try naive.use(.naive)
        XCTAssertEqual(
            try ScenarioRun(experiment, in: naive, options: RunOptions()).run().verdict(strict: false), "refuted")
    }

    func testAHypothesisFromTheScaffoldIsOneAndAnEvaluationCanBeRecorded() throws {
        let scaffold = try Scaffold(.hypothesis, named: "slow-meters")
        let hypothesis = try Hypothesis.read(scaffold.text, path: "hypotheses/\(scaffold.file)") { _ in false }
        XCTAssertEqual(hypothesis.stage, .hypothesis)
        let evaluation = Evaluation(date: "d", file: "a.json", profile: nil, verdict: "held")
        XCTAssertTrue(try EvaluationWriter(scaffold.text).adding(evaluation).hasPrefix(scaffold.text))
    }

    // What the comments offer is right, too: with their '#' taken away they are read.
    func testWhatTheScaffoldsCommentsOfferCanBeUsed() throws {
        let text = Scaffold.hypothesis.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let names = ["# experiments:", "# rollback:", "# learnings:", "#   "]
            return names.contains { line.hasPrefix($0) } ? line.dropFirst(2) : line
        }.joined(separator: "\n")
        let hypothesis = try Hypothesis.read(text, path: "hypotheses/h.yaml") {
            $0 == "scenarios/smoke/device-latency.json"
        }
        XCTAssertEqual(hypothesis.stage, .experiment)
        XCTAssertEqual(hypothesis.learnings.count, 1)
    }

    func testNamesThatCannotBeFilesAreRefusedWithAnExample() {
        for name in ["", "../x", "a b", "-x", "x/y", "ä"] {
            XCTAssertThrowsError(try Scaffold(.scenario, named: name), name) { error in
                XCTAssertTrue("\(error)".contains("as in slow-meters"), "\(error)")
            }
        }
    }
}
