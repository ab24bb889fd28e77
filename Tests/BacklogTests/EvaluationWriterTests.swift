import Documents
import Foundation
import XCTest

@testable import Backlog

/// What is recorded is added, and nothing else changes.
final class EvaluationWriterTests: XCTestCase {
    private var evaluation: Evaluation {
        var evaluation = Evaluation(
            date: "2026-01-02T03:04:05Z", file: "../scenarios/a.json", profile: "naive", verdict: "refuted")
        evaluation.seeds = "7"
        evaluation.digest = "00ff"
        evaluation.options = "--var a=\"b: c\" # no comment"
        return evaluation
    }

    private let head: String = """
        # by hand
        title: t   # a remark

        statement: >-
          two
          lines
        binds: [{metric: m, bound: b}]

        """

    private func read(_ text: String) throws -> Hypothesis {
        try Hypothesis.read(text, path: "h.yaml") { _ in true }
    }

    // The lines before and behind are those that were there: the text is the old one with a piece put in.
    private func check(_ text: String, file: StaticString = #filePath, line: UInt = #line) throws {
        let before = try read(text)
        let result = try EvaluationWriter(text).adding(evaluation)
        var expected = before.evaluations
        expected.append(evaluation)
        XCTAssertEqual(try read(result).evaluations, expected, result, file: file, line: line)
        // What is there behind the first new line is what was there behind the last old one before it.
        let start = String(zip(text, result).prefix { $0 == $1 }.map(\.0))
        XCTAssertTrue(result.hasSuffix(text.dropFirst(start.count)), result, file: file, line: line)
        // And once more, onto what was written.
        let twice = try EvaluationWriter(result).adding(evaluation)
        XCTAssertEqual(try read(twice).evaluations.count, expected.count + 1, twice, file: file, line: line)
    }

    func testHandWrittenTextSurvivesWhateverItsForm() throws {
        let element =
            "  - date: d # day\n    experiment: a\n    verdict: held\n    learning: >-\n      so\n\n      and so\n"
        for text in [
            head, head + "evaluations:\n", head + "evaluations:   # none yet\n# the end",
            head + "evaluations:\n" + element,
            head + "evaluations:\n" + element + "\n# about what follows\nobserve: [x]\n# the end\n",
            head + "evaluations:\n" + element.replacing("\n  ", with: "\n").dropFirst(2) + "observe:\n- x\n",
            head + "evaluations:\nobserve: [x]\n", head + "evaluations: # a\n\n  # b\n",
            "evaluations:\n" + element + head, head.replacing("\n", with: "\r\n"),
            // Lines that end in two ways stay as they are.
            head.replacing("binds", with: "observe: [y]\r\nbinds") + "evaluations:\n" + element + "\r\n# the end\r\n",
        ] { try check(text) }
    }

    func testAnEmptyListInBracketsGivesWay() throws {
        let result = try EvaluationWriter(head + "evaluations: []  # none\nobserve: [x]\n").adding(evaluation)
        XCTAssertEqual(try read(result).evaluations, [evaluation])
        XCTAssertEqual(try read(result).observations, ["x"])
        XCTAssertTrue(result.contains("evaluations:  # none\n"), result)
    }

    // What cannot be added to is left alone, and the message has what is to be written by hand.
    func testAFormThatNothingCanBeAddedToIsRefused() {
        let text = head + "evaluations: [{date: d, experiment: a, verdict: held}]\n"
        XCTAssertThrowsError(try EvaluationWriter(text).adding(evaluation)) { error in
            XCTAssertTrue(
                "\(error)".contains("add by hand:\nevaluations:\n  - date: \"2026-01-02T03:04:05Z\"\n"), "\(error)")
        }
    }

    func testRecordingChangesTheFileAsItIsNowAndKeepsItsMode() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "backlog-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "h.yaml")
        try Data(head.utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file.path)
        let hypothesis = try BacklogFolder.hypothesis(at: file.path)
        // Somebody writes while the run goes on.
        try Data((head + "observe: [meanwhile]\n").utf8).write(to: file)
        try BacklogFolder.record(evaluation, in: hypothesis)
        let now = try BacklogFolder.hypothesis(at: file.path)
        XCTAssertEqual(now.observations, ["meanwhile"])
        XCTAssertEqual(now.evaluations, [evaluation])
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
        XCTAssertEqual(mode, 0o640)
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), ["h.yaml"])
    }

    // Eight at once: each waits for the others, and none overwrites another.
    func testNothingIsLostWhenManyRecordAtOnce() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "backlog-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "h.yaml")
        try Data(head.utf8).write(to: file)
        let hypothesis = try BacklogFolder.hypothesis(at: file.path)
        let evaluation = evaluation
        await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<5 { try BacklogFolder.record(evaluation, in: hypothesis) } } }
        }
        XCTAssertEqual(try BacklogFolder.hypothesis(at: file.path).evaluations.count, 40)
    }
}
