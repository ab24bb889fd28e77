import Foundation
import XCTest

/// What pipes and terminals are given.
final class PipeTests: XCTestCase {
    // The reader takes a line and goes: no message, no signal, and no status but that of the work itself.
    func testAReaderThatGoesLeavesNoTrace() throws {
        let line = try CommandLine()
        try line.writeSmallScenario("s.json")
        for command in [
            "activities", "--help", "manual", "--experimental-dump-help", "--generate-completion-script bash", "doctor",
            "run s.json --journal-path /dev/null", "run s.json --seeds 1...4 --journal-path /dev/null",
            "compare s.json",
            "activities --json",
        ] {
            // Who reads nothing at all is gone before the first line.
            for reader in ["head -1", "true"] {
                let ended = try line.shell(
                    "windkanal \(command) 2>errors | \(reader) >/dev/null; echo ${PIPESTATUS[0]}")
                XCTAssertEqual(ended.output, "0\n", "\(command) | \(reader)")
                XCTAssertFalse(try line.text("errors").contains("written"), "\(command) | \(reader)")
            }
            let both = try line.shell("windkanal \(command) 2>&1 | true; echo ${PIPESTATUS[0]}")
            XCTAssertEqual(both.output, "0\n", command)
        }
    }

    func testColoursAreForcedIntoPipesAndKeptOutOfThem() throws {
        let line = try CommandLine()
        for (environment, isColored) in [
            ([:], false), (["CLICOLOR_FORCE": "1"], true), (["CLICOLOR_FORCE": "1", "NO_COLOR": "1"], false),
        ] as [([String: String], Bool)] {
            let doctor = try line.windkanal("doctor", environment: environment)
            XCTAssertEqual(doctor.output.contains("\u{1b}["), isColored, "\(environment)")
            try line.writeSmallScenario("s.json")
            let run = try line.windkanal("run", "s.json", "--journal-path", "/dev/null", environment: environment)
            XCTAssertEqual(run.errors.contains("\u{1b}[32m"), isColored, "\(environment)")
            // The last line is for programs, whatever people see.
            XCTAssertFalse(run.output.contains("\u{1b}"))
        }
    }

    // A terminal gets a line that is written over itself, with rate and time; what ends soon gets none.
    func testLongWorkShowsProgressOnATerminal() throws {
        let line = try CommandLine()
        try XCTSkipIf(try line.shell("command -v python3").status != 0, "there is no python3 here to make a terminal")
        try line.writeSmallScenario("s.json")
        func onTerminal(_ arguments: String) throws -> String {
            // It is ended after three seconds: a sweep of that length takes longer on every machine.
            let terminal = "import pty, sys; pty.spawn(sys.argv[1:])"
            let words = "timeout --foreground -s INT 3 windkanal \(arguments)"
            return try line.shell("python3 -c '\(terminal)' \(words)", environment: ["TERM": "xterm"]).output
        }
        let long = try onTerminal("run s.json --seeds 1...1000000")
        XCTAssertNotNil(long.firstMatch(of: /\r\x1b\[K  \d+ of 1000000 seeds, [\d.]+ a second, [\dhmin ]+ left/), long)
        XCTAssertFalse(try onTerminal("validate s.json").contains(" left"))
    }
}
