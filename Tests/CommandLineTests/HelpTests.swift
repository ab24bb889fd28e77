import Documents
import Foundation
import XCTest

@testable import Manual

/// What the command says of itself.
final class HelpTests: XCTestCase {
    private func commands() throws -> [CommandDescription] {
        let root = try XCTUnwrap(try CommandLine().dump()["command"].flatMap(CommandDescription.init))
        func all(_ command: CommandDescription) -> [CommandDescription] {
            [command] + command.subcommands.flatMap(all)
        }
        return all(root)
    }

    private func examples(_ command: CommandDescription) -> [String] {
        let lines = command.discussion.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(of: "Examples:") else { return [] }
        return lines[(start + 1)...].prefix { $0.hasPrefix("  ") }.map { $0.drop { $0 == " " } }
            .filter { !$0.hasPrefix("#") }.map(String.init)
    }

    func testHelpHasExamplesAtEveryLevel() throws {
        let commands = try commands()
        XCTAssertGreaterThan(commands.count, 12)
        for command in commands {
            XCTAssertFalse(
                examples(command).isEmpty, "\(command.path) shows no example: add 'Examples:' to its discussion")
        }
    }

    // An example with an option that there is not is worse than none: every word of each is looked up.
    func testEveryExampleIsACommandLineThatTheParserKnows() throws {
        let commands = try commands()
        for command in commands {
            for example in examples(command) {
                let words = example.split(separator: "|")[0].split(separator: ">")[0].split(separator: " ").map(
                    String.init)
                XCTAssertEqual(words.first, "windkanal", example)
                let meant = commands.filter { words.starts(with: $0.path.split(separator: " ").map(String.init)) }
                    .max { $0.path.count < $1.path.count }
                let known = try XCTUnwrap(meant)
                let names = known.arguments.flatMap(\.names)
                for word in words where word.hasPrefix("--") {
                    XCTAssertTrue(names.contains(word), "\(known.path) has no option '\(word)': \(example)")
                }
                XCTAssertTrue(known.subcommands.isEmpty, "no command is named in: \(example)")
                XCTAssertLessThanOrEqual(example.count, 78, "breaks on a narrow terminal: \(example)")
            }
        }
    }

    // Asked of the parser's own words, and not of what the page makes of them.
    func testTheManualPageHasEveryCommandAndEveryOption() throws {
        let line = try CommandLine()
        let page = try line.windkanal("manual")
        XCTAssertEqual(page.status, 0)
        let plain = page.output.replacing("\\-", with: "-")
        var count = 0
        func check(_ command: Value, _ parents: [String]) {
            let words = parents + [command["commandName"]?.string ?? ""]
            let subcommands = (command["subcommands"]?.array ?? []).filter { $0["commandName"] != "help" }
            for subcommand in subcommands { check(subcommand, words) }
            guard subcommands.isEmpty else { return }
            XCTAssertTrue(plain.contains(".SS \"\(words.joined(separator: " "))\"\n"), "\(words)")
            for argument in command["arguments"]?.array ?? [] where argument["shouldDisplay"] == true {
                for name in argument["names"]?.array ?? [] where name["kind"] == "long" {
                    count += 1
                    let text = "--\(name["name"]?.string ?? "")"
                    XCTAssertNotNil(plain.firstRange(of: "\\fB\(text)") ?? plain.firstRange(of: ", \(text)"), text)
                }
            }
        }
        check(try line.dump()["command"] ?? .null, [])
        XCTAssertGreaterThan(count, 80)
        for command in try commands() {
            for example in examples(command) where command.subcommands.isEmpty {
                XCTAssertTrue(plain.contains(example.replacing("\"", with: "\\(dq")), "\(command.path): \(example)")
            }
        }
        for entry in CommandReference.exitStatuses + CommandReference.environment + CommandReference.files {
            XCTAssertTrue(plain.contains(".TP\n\\fB\(entry.name)\\fR\n"), entry.name)
        }
        let version = try line.windkanal("--version").output.split(separator: "\n")[0]
        XCTAssertTrue(plain.contains("\"\(version)\""))
    }

    func testTheManualPageIsOneThatFormattersTakeWithoutAComplaint() throws {
        let line = try CommandLine()
        try XCTSkipIf(try line.shell("command -v groff").status != 0, "there is no groff here")
        let ended = try line.shell("windkanal manual | groff -ww -man -Tutf8 2>&1 >/dev/null")
        XCTAssertEqual(ended.output, "")
        XCTAssertEqual(ended.status, 0)
    }

    // A line that begins with a full stop would be taken for a command, and vanish.
    func testNothingThatPeopleWriteIsACommandOfTheFormatter() throws {
        let dump: Value = [
            "command": [
                "commandName": "x", "abstract": ".TH x", "discussion": "'so\n\\fB\n\n  .SH y\n  z",
                "subcommands": [
                    [
                        "commandName": "y",
                        "arguments": [["kind": "option", "names": [["kind": "long", "name": "a-b"]]]],
                    ]
                ],
            ]
        ]
        let page = try XCTUnwrap(ManualPage(dump: dump, version: "x 1")?.roff)
        for words in ["\\&'so\n", "\\(rsfB\n", ".nf\n  .SH y\n  z\n.fi", "\\fB\\-\\-a\\-b\\fR", ".SS \"x y\""] {
            XCTAssertTrue(page.contains(words), "\(words)\n\(page)")
        }
        XCTAssertNil(ManualPage(dump: ["other": 1], version: "x"))
    }

    func testCompletionsAreMadeForEachShellAndItTakesThem() throws {
        let line = try CommandLine()
        for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
            let script = try line.windkanal("--generate-completion-script", shell)
            XCTAssertEqual(script.status, 0)
            for word in ["backlog", "doctor", "--seeds", "--record"] {
                XCTAssertTrue(
                    script.output.contains(word.replacing("--", with: shell == "fish" ? "" : "--")), "\(shell): \(word)"
                )
            }
            try Data(script.output.utf8).write(to: line.folder.appending(path: "script"))
            guard try line.shell("command -v \(shell)").status == 0 else { continue }
            let ended = try line.shell("\(shell) \(check) script")
            XCTAssertEqual(ended.status, 0, ended.errors)
        }
    }

    // bash itself, asked as the Tab key asks.
    func testBashCompletesCommandsAndOptions() throws {
        let line = try CommandLine()
        let ended = try line.shell(
            """
            source <(windkanal --generate-completion-script bash)
            COMP_WORDS=(windkanal back); COMP_CWORD=1; COMP_LINE='windkanal back'; COMP_POINT=14
            COMP_TYPE=9; _windkanal windkanal back windkanal; echo "${COMPREPLY[@]}"
            COMP_WORDS=(windkanal run --rec); COMP_CWORD=2; COMP_LINE='windkanal run --rec'; COMP_POINT=19
            COMPREPLY=(); _windkanal windkanal --rec run; echo "${COMPREPLY[@]}"
            """)
        XCTAssertEqual(ended.output, "backlog\n--record\n", ended.errors)
    }

    func testExitStatusesAreWhatTheDocumentationSays() throws {
        let line = try CommandLine()
        try Data("{}".utf8).write(to: line.folder.appending(path: "empty.json"))
        for (arguments, status) in [
            (["--help"], 0), (["--version"], 0), (["help", "run"], 0), (["doctor", "--quiet"], 0), (["manual"], 0),
            (["validate", "empty.json"], 1), (["run", "nowhere.json"], 1), (["nothing"], 2), (["run"], 2),
            (["run", "empty.json", "--seeds", "x"], 2), (["run", "empty.json", "--record"], 2),
            (["run", "empty.json", "--hypothesis", "h"], 2), (["backlog"], 2), (["backlog", "nowhere"], 1),
            (["new", "scenario", "a b"], 2), (["trace", "diff", "a", "b"], 2),
        ] {
            let ended = try line.run(arguments: arguments)
            XCTAssertEqual(ended.status, Int32(status), "\(arguments): \(ended.errors)")
            XCTAssertEqual(ended.errors.isEmpty, status == 0, "\(arguments): \(ended.errors)")
        }
        let documentation = try String(contentsOf: CommandLine.root.appending(path: "docs/command.md"), encoding: .utf8)
        let rows = documentation.split(separator: "\n").filter { $0.hasPrefix("| `") }
        for command in try commands() where command.subcommands.isEmpty {
            let words = command.path.split(separator: " ").dropFirst()
            XCTAssertTrue(
                rows.contains { $0.contains("`\(words.joined(separator: " "))`") || $0.contains("`\(words[1])`") },
                "docs/command.md has no row for \(command.path)")
        }
        for entry in CommandReference.exitStatuses + CommandReference.environment {
            XCTAssertTrue(
                documentation.contains("| `\(entry.name.replacing(", ", with: "`, `"))` | \(entry.meaning) |"),
                "docs/command.md lacks: | `\(entry.name)` | \(entry.meaning) |")
        }
    }
}
