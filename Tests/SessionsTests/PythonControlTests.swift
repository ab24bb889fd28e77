import Documents
import Foundation
import XCTest

@testable import Activities
@testable import Experiments
@testable import Sessions

/// Controls as the user's Python calls them.
final class PythonControlTests: XCTestCase {
    private var folder: URL = URL(filePath: "/tmp")

    override func setUpWithError() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "windkanal-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws { try FileManager.default.removeItem(at: folder) }

    private static let modules: String = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "fixtures/python").path

    private static func control(_ name: String, level: Int, more: Value.Object = [:]) -> Value {
        let object: Value.Object = [
            "name": .string(name),
            "provider": [
                "type": "python", "module": "changing_control", "arguments": ["level": .integer(level)],
            ],
        ]
        return .object(object.merging(more))
    }

    private func activity(_ name: String, _ line: String) -> Value {
        [
            "type": "action", "name": .string(name),
            "provider": ["type": "process", "path": "echo", "arguments": .string(line)],
        ]
    }

    private func run(
        _ method: [Value], controls: [Value], settings: Value = .object([:]), files: [String] = []
    ) async throws -> (status: Int32, journal: Value) {
        let experiment: Value = [
            "title": "t", "description": "d", "configuration": ["word": "old"], "controls": .array(controls),
            "steady-state-hypothesis": [
                "title": "h",
                "probes": [
                    [
                        "type": "probe", "name": "look", "tolerance": 0,
                        "provider": ["type": "process", "path": "true"],
                    ]
                ],
            ],
            "method": .array(method), "rollbacks": [activity("undo", "undone")],
        ]
        let source = folder.appending(path: "e.json").path
        try Files.write(JSONWriter.write(experiment), to: source)
        var request = ExperimentSession.Request(source: source)
        request.journalPath = folder.appending(path: "journal.json").path
        request.controlFiles = files
        request.redacts = false
        let session = ExperimentSession(
            console: ConsoleRecorder(.quiet),
            environment: [
                "PATH": "/usr/bin:/bin", "PYTHONPATH": Self.modules, "PYTHONDONTWRITEBYTECODE": "1",
            ], settings: Settings(value: settings))
        let status = await session.run(request)
        guard Files.exists(request.journalPath) else { return (status, .null) }
        return (status, try JSONReader.read(Files.read(request.journalPath)))
    }

    func testAControlChangesTheExperimentItsConfigurationAndTheJournal() async throws {
        let (status, journal) = try await run(
            [activity("broken", "plain"), activity("b", "${word}")], controls: [Self.control("c", level: 1)])
        XCTAssertEqual(status, 0)
        let entries = try XCTUnwrap(journal["run"]?.array)
        // The hypothesis' probe and the second activity add to the word, the first cannot.
        XCTAssertEqual(entries[0]["output"]?["stdout"], "changed old+\n")
        XCTAssertEqual(entries[1]["output"]?["stdout"], "old++\n")
        XCTAssertEqual(entries[1]["seen"], "b")
        XCTAssertEqual(entries[2], "the end of the method")
        XCTAssertEqual(journal["steady_states"]?["before"]?["count"], 1)
        XCTAssertEqual(journal["experiment"]?["steady-state-hypothesis"]?["title"], "asked")
        XCTAssertEqual(journal["calls"], ["configure 1 []", "before experiment 1 True"])
    }

    func testControlsOfSettingsAndFilesAreCalledFromTheReadingOn() async throws {
        let settings: Value = [
            "controls": [
                "quiet": ["provider": ["type": "python", "module": "changing_control"]],
                "missing": ["provider": ["type": "python", "module": "nowhere_at_all"]],
            ]
        ]
        let file = folder.appending(path: "controls.yaml").path
        try Files.write(
            "more:\n  scope: after\n  provider: {type: python, module: changing_control}\n", to: file)
        let (status, journal) = try await run([activity("a", "x")], controls: [], settings: settings, files: [file])
        XCTAssertEqual(status, 0)
        XCTAssertEqual(journal["experiment"]?["title"], "t, loaded, loaded")
        XCTAssertEqual(
            journal["calls"],
            [
                "loading e.json", "configure 0 ['controls']", "configure 0 ['controls']",
                "before experiment 0 True",
            ])
    }

    func testAControlEndsTheRunAsTheReferencesOwnExceptionSays() async throws {
        let (status, journal) = try await run(
            [activity("last", "x"), activity("never", "x")], controls: [Self.control("c", level: 1)])
        XCTAssertEqual(status, 1)
        XCTAssertEqual(journal["status"], "interrupted")
        XCTAssertEqual(journal["run"]?.array?.count, 2, "the activity, and what the control added")
        XCTAssertEqual(journal["rollbacks"], [])
    }

    func testAControlMayFindItselfInvalid() async throws {
        let (status, journal) = try await run(
            [activity("a", "x")], controls: [Self.control("c", level: 1, more: ["surplus": true])])
        XCTAssertEqual(status, 1)
        XCTAssertEqual(journal, .null)
    }
}
