import XCTest

@testable import Backlog

/// What a file of the backlog must be.
final class HypothesisReaderTests: XCTestCase {
    private func problems(_ text: String, exists: Bool = true) -> [String] {
        do {
            _ = try Hypothesis.read(text, path: "hypotheses/h.yaml") { _ in exists }
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    private let sound: String = """
        title: t
        statement: s
        binds:
          - {metric: age, bound: below 20 s, share: every flat}
        experiments:
          - file: ../scenarios/a.json
            expect: held
        rollback: take it back
        """

    func testASoundFileIsRead() throws {
        let hypothesis = try Hypothesis.read(sound, path: "hypotheses/h.yaml") { _ in true }
        XCTAssertEqual(hypothesis.name, "h")
        XCTAssertEqual(hypothesis.bindings, [.init(metric: "age", bound: "below 20 s", share: "every flat")])
        XCTAssertEqual(hypothesis.experiments.map(hypothesis.command), ["windkanal run scenarios/a.json --record"])
        XCTAssertEqual(hypothesis.rollback, ["take it back"])
    }

    // One problem a line, all in one pass, in the file's order, each with its line and what to do.
    func testEverythingThatIsWrongIsToldAtOnceWithLineAndRemedy() {
        let text = """
            title: [1]
            binds: []
            experimets: []
            experiments:
              - expect: perhaps
              - file: ../a.json
                profile: {}
            learnings:
              - shown-by: [1]
            evaluations:
              - date: 2026-01-01
                experiment: ../a.json
                verdict: good
                unknown: 1
            """
        let found = problems(text)
        let expected = [
            ":1: 'statement' is missing; say in a sentence", ":1: 'title' is a list, not a text; write it on one line",
            ":1: experiments are planned, and nothing says how they are taken back; 'rollback' lists",
            ":2: nothing is bound; 'binds' lists", ":3: 'experimets' is not known here; known are 'title'",
            ":5: 'file' is missing; name", ":5: 'perhaps' is not a verdict; verdicts are held",
            ":7: 'profile' is an object, not a text", ":9: 'text' is missing",
            ":9: 'shown-by' lists a number where a text is expected", ":13: 'good' is not a verdict",
            ":14: 'unknown' is not known here",
        ]
        for words in expected {
            XCTAssertTrue(
                found.contains { $0.hasPrefix("hypotheses/h.yaml\(words)") },
                "\(words)\n\(found.joined(separator: "\n"))")
        }
        XCTAssertEqual(found.count, expected.count, found.joined(separator: "\n"))
    }

    func testAFileThatIsNotThereIsNamedUnlessTheExperimentWaits() {
        XCTAssertEqual(
            problems(sound, exists: false),
            [
                "hypotheses/h.yaml:6: there is no file 'scenarios/a.json'; correct the path, which is relative to this file, "
                    + "or say with 'waits-for' what is missing"
            ])
        XCTAssertEqual(problems(sound + "\n", exists: true), [])
        let waiting = sound.replacing("expect: held", with: "waits-for: a cluster")
        XCTAssertEqual(problems(waiting, exists: false), [])
    }

    func testWhatIsNotYAMLIsToldWithItsLine() {
        let found = problems("title: t\nstatement: a: b\n")
        XCTAssertEqual(found.count, 1)
        XCTAssertTrue(found[0].hasPrefix("hypotheses/h.yaml:2: this is not YAML: "), found[0])
        XCTAssertTrue(problems("- a")[0].contains("the file holds a list, not names with values"))
        XCTAssertTrue(problems("")[0].contains("the file holds null"))
    }

    // The station is never written down, so it cannot be out of date.
    func testTheStationFollowsFromWhatTheFileHolds() throws {
        func stage(_ text: String) throws -> Stage {
            try Hypothesis.read(text, path: "h.yaml") { _ in true }.stage
        }
        let begun = "title: t\nstatement: s\nbinds: [{metric: m, bound: b}]\n"
        XCTAssertEqual(try stage(begun), .hypothesis)
        let rollback = begun + "rollback: r\n"
        XCTAssertEqual(try stage(rollback + "experiments: [{file: a, waits-for: w}]\n"), .planning)
        let planned = rollback + "experiments: [{file: a, profile: p}, {file: b, waits-for: w}]\n"
        XCTAssertEqual(try stage(planned), .experiment)
        // Another profile's verdict says nothing of this one.
        XCTAssertEqual(
            try stage(planned + "evaluations: [{date: d, experiment: a, verdict: held}]\n"), .experiment)
        let evaluated = "evaluations: [{date: d, experiment: ./a, profile: p, verdict: held}]\n"
        XCTAssertEqual(try stage(planned + evaluated), .evaluation)
        // One that has been run speaks for itself alone.
        XCTAssertEqual(
            try stage(rollback + "experiments: [{file: a, profile: p}, {file: b}]\n" + evaluated), .experiment)
    }

    func testPathsLoseTheStepsThatLeadNowhere() {
        XCTAssertEqual(Hypothesis.withoutDots("hypotheses/../scenarios/./a.json"), "scenarios/a.json")
        XCTAssertEqual(Hypothesis.withoutDots("../a"), "../a")
        XCTAssertEqual(Hypothesis.withoutDots("/a/../b"), "/b")
        XCTAssertEqual(BacklogFolder.relative("/x/scenarios/a.json", to: "/x/hypotheses/h.yaml"), "../scenarios/a.json")
        XCTAssertEqual(BacklogFolder.relative("/x/a.json", to: "/x/h.yaml"), "a.json")
    }
}
