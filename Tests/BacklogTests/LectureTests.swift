import Foundation
import XCTest

@testable import Backlog

/// The lecture's backlog, as it is kept in the project.
final class LectureTests: XCTestCase {
    private let root: URL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func backlog() throws -> (hypotheses: [Hypothesis], problems: [HypothesisProblem]) {
        try BacklogFolder(root.appending(path: "hypotheses").path).read()
    }

    func testTheLecturesHypothesesAndLearningsAreThereInBothLanguages() throws {
        let (hypotheses, problems) = try backlog()
        XCTAssertEqual(problems, [])
        let lecture = hypotheses.filter { $0.name.prefixMatch(of: /h[123]-/) != nil }
        XCTAssertEqual(lecture.map(\.name), ["h1-device-latency", "h2-vm-failure", "h3-database-unreachable"])
        for hypothesis in lecture {
            XCTAssertEqual(hypothesis.original?.language, "German")
            XCTAssertFalse(hypothesis.learnings.isEmpty)
            for learning in hypothesis.learnings {
                XCTAssertEqual(learning.original?.language, "German", learning.text)
            }
        }
    }

    func testEveryLearningsScenarioBelongsToAHypothesis() throws {
        let files = try FileManager.default.contentsOfDirectory(
            atPath: root.appending(path: "scenarios/learnings").path)
        let shown = Set(
            try backlog().hypotheses.flatMap { hypothesis in
                (hypothesis.learnings.flatMap(\.experiments) + hypothesis.experiments.map(\.file)).map {
                    $0.split(separator: "/").last
                }
            })
        for file in files {
            XCTAssertTrue(
                shown.contains(file[...]),
                "no hypothesis names \(file): add it to 'shown-by' of a learning, in hypotheses/")
        }
    }

    func testAnExperimentFindsItsHypothesis() throws {
        let folder = BacklogFolder(root.appending(path: "hypotheses").path)
        let scenario = root.appending(path: "scenarios/smoke/device-latency.json").path
        let found = try folder.destination(of: scenario, in: nil)
        XCTAssertEqual(found.hypothesis.name, "h1-device-latency")
        XCTAssertEqual(found.file, "../scenarios/smoke/device-latency.json")
        // The plan names profiles: that of the file counts as named, and another stays what was asked for.
        XCTAssertEqual(found.profile("pipelined", isOfFile: true, isAsked: false), "pipelined")
        XCTAssertEqual(found.profile("naive", isOfFile: false, isAsked: true), "naive")
        let several = try folder.destination(
            of: root.appending(path: "scenarios/smoke/several-devices.json").path, in: nil)
        XCTAssertNil(several.profile("pipelined", isOfFile: true, isAsked: true))
        XCTAssertThrowsError(try folder.destination(of: "nowhere.json", in: nil)) { error in
            XCTAssertTrue(
                "\(error)".contains("write it under the 'experiments' of one, or name one with --hypothesis"),
                "\(error)")
        }
        let chosen = try folder.destination(of: root.appending(path: "x/y.json").path, in: "h2-vm-failure")
        XCTAssertEqual(chosen.file, "../x/y.json")
    }
}
