import Documents
import Foundation
import Glibc
import XCTest

@testable import PipelineTestbed

/// The command as people and programs meet it.
final class CommandTests: XCTestCase {
    private var folder: URL = URL(filePath: "/tmp")

    override func setUpWithError() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "windkanal-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws { try FileManager.default.removeItem(at: folder) }

    /// What came of a command.
    private struct Ended {
        let status: Int32
        let output: String
        let errors: String

        var lines: [Substring] { output.split(separator: "\n") }
    }

    /// A command that runs, in a folder of its own.
    private func start(_ arguments: [String], environment: [String: String] = [:]) throws -> Process {
        let process = Process()
        process.executableURL = Bundle.main.bundleURL.appending(path: "windkanal")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        process.standardOutput = FileHandle(forWritingAtPath: try file("output"))
        process.standardError = FileHandle(forWritingAtPath: try file("errors"))
        try process.run()
        return process
    }

    /// A new file to be written to.
    private func file(_ name: String) throws -> String {
        let path = folder.appending(path: name).path
        try Data().write(to: URL(filePath: path))
        return path
    }

    private func wait(for process: Process) throws -> Ended {
        process.waitUntilExit()
        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
        }
        return Ended(status: process.terminationStatus, output: try text("output"), errors: try text("errors"))
    }

    private func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Ended {
        try wait(for: try start(arguments, environment: environment))
    }

    private func write(_ value: Value, _ name: String) throws {
        try Data(JSONWriter.write(value).utf8).write(to: folder.appending(path: name))
    }

    /// A scenario that takes so many virtual seconds.
    private func scenario(_ seconds: Int, pause: Int = 1) -> Value {
        [
            "title": "t", "description": "d",
            "method": [
                [
                    "type": "probe", "name": "p", "pauses": ["after": .integer(pause)],
                    "provider": ["type": "http", "url": "http://gateway:8080/ready"],
                ]
            ],
            "extensions": [
                [
                    "name": "windkanal", "warm-up": 10, "duration": .integer(seconds),
                    "landscape": ["flats": 2, "rooms": 1, "persistence": [:]],
                ]
            ],
        ]
    }

    private let real: Value = [
        "title": "t", "description": "d",
        "method": [["type": "action", "name": "a", "provider": ["type": "process", "path": "true"]]],
    ]

    func testItSaysItsNameAndVersion() throws {
        let ended = try run("--version")
        XCTAssertEqual(ended.status, 0)
        XCTAssertNotNil(ended.output.wholeMatch(of: /windkanal \d+\.\d+\.\d+\n/), ended.output)
    }

    // It wrote no file, and said nothing of it.
    func testEventsOfManySeedsAreRefusedAndNotForgotten() throws {
        let ended = try run("run", "e.json", "--seeds", "1...2", "--events", "events.jsonl")
        XCTAssertEqual(ended.status, 2)
        XCTAssertTrue(ended.errors.contains("--events takes one seed"), ended.errors)
    }

    func testSeedsTheWrongWayRoundAreExplained() throws {
        for (seeds, words) in [
            ("5...1", "the first, 5, is larger than the last, 1; seeds look like 1...1000"), ("5", "no three dots"),
            ("a...3", "'a' is not a seed"), ("1...99999999999", "more than 10000000 seeds"),
        ] {
            let ended = try run("run", "e.json", "--seeds", seeds)
            XCTAssertEqual(ended.status, 2)
            XCTAssertTrue(ended.errors.contains(words), ended.errors)
        }
    }

    // Every line of the output is an object, and the last one is the verdict.
    func testJSONIsJSONAlone() throws {
        try write(real, "real.json")
        try write(scenario(20), "scenario.json")
        let broken: Value = ["title": "t"]
        try write(broken, "broken.json")
        for (arguments, last) in [
            (["run", "real.json", "--json"], "verdict"), (["run", "scenario.json", "--json"], "verdict"),
            (["run", "scenario.json", "--json", "--seeds", "1...2"], "verdict"),
            (["compare", "scenario.json", "--json"], "row"), (["validate", "real.json", "--json"], "validated"),
            (["validate", "broken.json", "--json"], "validated"),
            (["--json", "validate", "scenario.json"], "validated"),
            (["activities", "--json"], "activity"),
        ] {
            let ended = try wait(for: try start(arguments))
            let objects = try ended.lines.map { try JSONReader.read($0.utf8) }
            XCTAssertTrue(objects.allSatisfy { $0["event"]?.string != nil }, "\(arguments)")
            XCTAssertEqual(objects.last?["event"], .string(last), "\(arguments): \(ended.errors)")
        }
    }

    // Before the experiment begins, in its middle, and behind its end.
    func testASignalEndsASimulationWithAVerdictAndAJournal() throws {
        for (signal, seconds, pause) in [
            (SIGINT, 600_000, 500_000), (SIGTERM, 600_000, 1), (SIGQUIT, 600_000, 500_000),
        ] {
            try write(scenario(seconds, pause: pause), "long.json")
            let process = try start(["run", "long.json", "--journal-path", "j.json"])
            Thread.sleep(forTimeInterval: 1.5)
            kill(process.processIdentifier, signal)
            let ended = try wait(for: process)
            XCTAssertEqual(ended.status, 1)
            XCTAssertTrue(
                ended.lines.last?.hasPrefix("verdict interrupted status ") ?? false, ended.output + ended.errors)
            let journal = try JSONReader.read(Data(contentsOf: folder.appending(path: "j.json")))
            XCTAssertNotNil(journal["status"]?.string)
        }
    }

    func testASignalEndsASweepAndAComparisonWithWhatTheyHave() throws {
        try write(scenario(100_000, pause: 90_000), "long.json")
        for arguments in [["run", "long.json", "--seeds", "1...1000"], ["compare", "long.json"]] {
            let process = try start(arguments)
            Thread.sleep(forTimeInterval: 2)
            kill(process.processIdentifier, SIGINT)
            let ended = try wait(for: process)
            XCTAssertEqual(ended.status, 1)
            XCTAssertTrue(ended.lines.last?.hasPrefix("verdict interrupted ") ?? false, ended.output + ended.errors)
            XCTAssertFalse(ended.errors.contains("crash"), ended.errors)
        }
    }

    func testOneLogHasOneClock() throws {
        try write(scenario(20), "scenario.json")
        let ended = try run("run", "scenario.json", environment: ["TZ": "UTC"])
        let stamp = /\[2026-01-01 00:00:\d\d (INFO|WARNING)\] .*/
        for line in ended.errors.split(separator: "\n") { XCTAssertNotNil(line.wholeMatch(of: stamp), String(line)) }
        XCTAssertGreaterThan(ended.errors.split(separator: "\n").count, 8)
    }

    /// What is written to a terminal.
    private func onTerminal(_ environment: [String: String]) throws -> String {
        try write(real, "real.json")
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let command = Bundle.main.bundleURL.appending(path: "windkanal").path
        process.arguments = [
            "python3", "-c", "import pty, sys; pty.spawn(sys.argv[1:])", command, "validate", "real.json",
        ]
        process.currentDirectoryURL = folder
        process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: try file("terminal"))
        try process.run()
        process.waitUntilExit()
        let text = String(decoding: try Data(contentsOf: folder.appending(path: "terminal")), as: UTF8.self)
        XCTAssertTrue(text.contains("look valid"), text)
        return text
    }

    func testTerminalsThatWantNoColorsGetNone() throws {
        XCTAssertTrue(try onTerminal(["TERM": "xterm"]).contains("\u{1b}[32m"))
        XCTAssertFalse(try onTerminal(["TERM": "xterm", "NO_COLOR": "1"]).contains("\u{1b}[3"))
        XCTAssertFalse(try onTerminal(["TERM": "dumb"]).contains("\u{1b}"))
    }

    func testAgentsGetOneReport() throws {
        try write(real, "real.json")
        let ran = try run("run", "real.json", "--output", "agent", "--events-file", "events")
        let report = try JSONReader.read(ran.output.utf8)
        XCTAssertEqual(report["schema"], "chaostoolkit/agent/run/v1")
        XCTAssertEqual(report["outcome"], "passed")
        XCTAssertEqual(report["conclusive"], false)
        XCTAssertTrue(report["events_path"]?.string?.hasSuffix("/events") ?? false)
        let missing = try run("run", "nowhere.json", "--output", "agent")
        XCTAssertEqual(missing.status, 1)
        XCTAssertEqual(try JSONReader.read(missing.output.utf8)["error"]?["stage"], "load")
        let valid = try run("validate", "real.json", "--output", "agent")
        XCTAssertEqual(try JSONReader.read(valid.output.utf8)["valid"], true)
    }

    func testSurroundingsThatAreNotThereAreNamed() throws {
        try write(real, "real.json")
        let settings = try run("run", "real.json", "--settings", "nowhere.yaml")
        XCTAssertEqual(settings.status, 0)
        XCTAssertTrue(settings.errors.contains("there is no settings file 'nowhere.yaml'"), settings.errors)
        let certificates = try run("probe", "--url", "https://127.0.0.1:1", "--flat", "SD0", "--ca-file", "nowhere.pem")
        XCTAssertEqual(certificates.status, 2)
        XCTAssertTrue(certificates.errors.contains("--ca-file nowhere.pem: No such file"), certificates.errors)
        try Data("no certificate".utf8).write(to: folder.appending(path: "empty.pem"))
        let empty = try run("probe", "--url", "https://127.0.0.1:1", "--flat", "SD0", "--ca-file", "empty.pem")
        XCTAssertTrue(empty.errors.contains("holds no certificate"), empty.errors)
    }

    func testAnOutputThatTakesNothingIsToldOf() throws {
        let process = Process()
        process.executableURL = Bundle.main.bundleURL.appending(path: "windkanal")
        process.arguments = ["activities"]
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
        process.standardError = FileHandle(forWritingAtPath: try file("errors"))
        try process.run()
        process.waitUntilExit()
        XCTAssertEqual(process.terminationStatus, 1)
        let errors = String(decoding: try Data(contentsOf: folder.appending(path: "errors")), as: UTF8.self)
        XCTAssertEqual(errors, "windkanal: the output cannot be written: No space left on device\n")
    }
}
