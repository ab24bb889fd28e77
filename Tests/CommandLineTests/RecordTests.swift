import Documents
import Foundation
import XCTest

/// The backlog from the command line: begin, run, record, look.
final class RecordTests: XCTestCase {
    private func line() throws -> CommandLine {
        let line = try CommandLine()
        XCTAssertEqual(try line.windkanal("new", "scenario", "slow").status, 0)
        let created = try line.windkanal("new", "hypothesis", "meters")
        XCTAssertEqual(created.output, "hypotheses/meters.yaml\n")
        XCTAssertTrue(created.errors.contains("windkanal backlog"), created.errors)
        return line
    }

    private func plan(_ line: CommandLine, _ experiments: String) throws -> String {
        let text =
            try line.text("hypotheses/meters.yaml")
            + "rollback: none is needed  # by hand\nexperiments:\n\(experiments)\n"
        try Data(text.utf8).write(to: line.folder.appending(path: "hypotheses/meters.yaml"))
        return text
    }

    private func evaluations(_ line: CommandLine) throws -> [Value] {
        try YAMLReader.readDocument(try line.text("hypotheses/meters.yaml")).value["evaluations"]?.array ?? []
    }

    func testTheCycleFromABeginningToAnEvaluation() throws {
        let line = try line()
        XCTAssertTrue(try line.windkanal("backlog").output.contains("HYPOTHESIS  believed"))
        let text = try plan(
            line,
            "  - {file: ../scenarios/slow.yaml, profile: naive, expect: refuted}\n  - file: ../scenarios/slow.yaml")
        XCTAssertTrue(try line.windkanal("backlog").output.contains("slow naive  not run yet, refuted expected"))
        let naive = try line.windkanal("run", "scenarios/slow.yaml", "--profile", "naive", "--record")
        XCTAssertEqual(naive.status, 1)
        XCTAssertTrue(naive.errors.contains("Recorded in hypotheses/meters.yaml"), naive.errors)
        // The file's own profile, asked for by name, is the plan's experiment without one.
        let own = try line.windkanal("run", "scenarios/slow.yaml", "--profile", "pipelined", "--record", "--seed", "9")
        XCTAssertEqual(own.status, 0)
        let found = try evaluations(line)
        XCTAssertEqual(found.map { $0["verdict"] }, ["refuted", "held"])
        XCTAssertEqual(found.map { $0["profile"] }, ["naive", nil])
        XCTAssertEqual(found.map { $0["seed"] }, [1, 9])
        XCTAssertEqual(found.map { $0["experiment"] }, ["../scenarios/slow.yaml", "../scenarios/slow.yaml"])
        // Digests are the runs' own, and the build says which program it was.
        let digest = try XCTUnwrap(own.output.firstMatch(of: /digest ([0-9a-f]{32})/)?.1)
        XCTAssertEqual(found[1]["digest"], .string(String(digest)))
        XCTAssertNotNil(found[1]["build"]?.string?.wholeMatch(of: /windkanal [\d.]+ (debug|release) [0-9a-f]{16}/))
        XCTAssertEqual(found[0]["build"], found[1]["build"])
        // The machine's day, and not the simulation's.
        XCTAssertFalse(found[0]["date"]?.string?.hasPrefix("2026-01-01T00") ?? true)
        XCTAssertTrue(try line.text("hypotheses/meters.yaml").hasPrefix(text))
        let board = try line.windkanal("backlog")
        XCTAssertEqual(board.status, 0)
        XCTAssertTrue(board.output.contains("slow naive  refuted, as expected"), board.output)
        XCTAssertTrue(board.output.contains("2 evaluations have none"), board.output)
    }

    func testASweepIsRecordedOnceWithItsCounts() throws {
        let line = try line()
        _ = try plan(line, "  - {file: ../scenarios/slow.yaml, profile: naive, seeds: 1...4, expect: refuted}")
        let ended = try line.windkanal(
            "run", "scenarios/slow.yaml", "--profile", "naive", "--seeds", "1...4", "--record", "--hypothesis", "meters"
        )
        XCTAssertEqual(ended.status, 1)
        // Who looks at the seed again does not mean to record it.
        let replay = "replay: windkanal run scenarios/slow.yaml --profile naive --seed 1\n"
        XCTAssertTrue(ended.output.contains(replay), ended.output)
        let found = try evaluations(line)
        XCTAssertEqual(found.count, 1)
        XCTAssertEqual(found.first?["seeds"], "1...4")
        XCTAssertEqual(found.first?["counts"], ["refuted": 4])
        XCTAssertEqual(found.first?["failing-seed"], 1)
        XCTAssertTrue(try line.windkanal("backlog").output.contains("slow naive 1...4  refuted, as expected"))
    }

    // A real experiment has a verdict, and neither a seed nor a digest.
    func testARealExperimentIsRecordedToo() throws {
        let line = try line()
        _ = try plan(line, "  - file: ../real.json")
        let real: Value = [
            "title": "t", "description": "d",
            "method": [["type": "action", "name": "a", "provider": ["type": "process", "path": "true"]]],
        ]
        try Data(JSONWriter.write(real).utf8).write(to: line.folder.appending(path: "real.json"))
        XCTAssertEqual(try line.windkanal("run", "real.json", "--record", "--var", "password:str=hidden").status, 0)
        let found = try evaluations(line)
        XCTAssertEqual(found.first?["verdict"], "untested")
        XCTAssertNil(found.first?["seed"])
        // What changes a verdict is kept, and no secret with it.
        XCTAssertEqual(found.first?["options"], "--var password")
        XCTAssertFalse(try line.text("hypotheses/meters.yaml").contains("hidden"))
    }

    // Nothing is run whose result nobody could keep.
    func testWhereItCannotBeRecordedNothingIsRun() throws {
        let line = try line()
        func refusal(_ arguments: String...) throws -> String {
            let ended = try line.run(arguments: ["run", "scenarios/slow.yaml", "--record"] + arguments)
            XCTAssertEqual(ended.status, 2)
            XCTAssertEqual(ended.output, "")
            XCTAssertFalse(FileManager.default.fileExists(atPath: line.folder.appending(path: "journal.json").path))
            return ended.errors
        }
        XCTAssertTrue(
            try refusal().contains("no hypothesis of 'hypotheses' plans 'scenarios/slow.yaml'; write it under"))
        XCTAssertTrue(try refusal("--hypothesis", "other").contains("hypotheses/other.yaml: the file cannot be read"))
        _ = try plan(line, "  - file: ../scenarios/slow.yaml\n    expect: good")
        let broken = try refusal()
        XCTAssertTrue(broken.contains("but some cannot be read"), broken)
        XCTAssertNotNil(
            broken.firstMatch(of: /hypotheses\/meters.yaml:\d+: 'good' is not a verdict; verdicts are/), broken)
        XCTAssertEqual(try line.windkanal("backlog").status, 1)
    }

    func testAnInterruptedRunIsNotRecordedAndSaysWhatWasDone() throws {
        let line = try line()
        _ = try plan(line, "  - file: ../real.json")
        let real: Value = [
            "title": "t", "description": "d",
            "method": [
                [
                    "type": "action", "name": "wait",
                    "provider": ["type": "process", "path": "sleep", "arguments": ["30"]],
                ]
            ],
            "rollbacks": [
                [
                    "type": "action", "name": "undo",
                    "provider": ["type": "process", "path": "touch", "arguments": "undone"],
                ]
            ],
        ]
        try Data(JSONWriter.write(real).utf8).write(to: line.folder.appending(path: "real.json"))
        let ended = try line.shell(
            "timeout --foreground -s INT 2 windkanal run real.json --record --rollback-strategy always; echo $?")
        XCTAssertTrue(ended.errors.contains("nothing is recorded in hypotheses/meters.yaml"), ended.errors)
        XCTAssertTrue(try evaluations(line).isEmpty)
        XCTAssertTrue(FileManager.default.fileExists(atPath: line.folder.appending(path: "undone").path), ended.errors)
        XCTAssertTrue(ended.errors.contains("Rolled back: 'undo'"), ended.errors)
        // The reference's strategy plays none then: what was done is told, and how it would have been taken back.
        let left = try line.shell("timeout --foreground -s INT 2 windkanal run real.json")
        let words =
            "Left in place is what these actions did: 'wait'; --rollback-strategy always would have played 'undo'"
        XCTAssertTrue(left.errors.contains(words), left.errors)
    }

    func testWhatIsThereIsNotWrittenOver() throws {
        let line = try line()
        let before = try line.text("scenarios/slow.yaml")
        let ended = try line.windkanal("new", "scenario", "slow")
        XCTAssertEqual(ended.status, 2)
        XCTAssertTrue(ended.errors.contains("'scenarios/slow.yaml' is there already"), ended.errors)
        XCTAssertEqual(try line.text("scenarios/slow.yaml"), before)
    }

    func testAScaffoldedScenarioValidatesAndRuns() throws {
        let line = try line()
        let valid = try line.windkanal("validate", "scenarios/slow.yaml")
        XCTAssertEqual(valid.status, 0)
        XCTAssertFalse(valid.errors.contains("WARNING"), valid.errors)
        XCTAssertEqual(try line.windkanal("run", "scenarios/slow.yaml").status, 0)
    }

    func testTheBacklogIsAPage() throws {
        let line = try line()
        XCTAssertEqual(try line.windkanal("backlog", "--html", "b.html").status, 0)
        XCTAssertTrue(try line.text("b.html").contains("The system does its work although something fails"))
        let objects = try line.windkanal("backlog", "--json").output.split(separator: "\n").map {
            try JSONReader.read($0.utf8)
        }
        XCTAssertEqual(objects.map { $0["stage"] }, ["hypothesis"])
    }
}
