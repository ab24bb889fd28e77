import Documents
import Foundation
import XCTest

/// The command, run in a folder of its own.
final class CommandLine {
    /// What came of a command.
    struct Ended {
        let status: Int32
        let output: String
        let errors: String
    }

    let folder: URL
    /// The project.
    static let root: URL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let program: String = Bundle.main.bundleURL.appending(path: "windkanal").path

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "windkanal-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Runs a program and waits for its end.
    func run(
        _ program: String = CommandLine.program, arguments: [String], environment: [String: String] = [:]
    ) throws -> Ended {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ["PATH": "/usr/bin:/bin", "HOME": folder.path].merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let paths = ["output", "errors"].map { folder.appending(path: ".\($0)").path }
        for path in paths { try Data().write(to: URL(filePath: path)) }
        process.standardOutput = FileHandle(forWritingAtPath: paths[0])
        process.standardError = FileHandle(forWritingAtPath: paths[1])
        try process.run()
        process.waitUntilExit()
        let texts = try paths.map { String(decoding: try Data(contentsOf: URL(filePath: $0)), as: UTF8.self) }
        return Ended(
            status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: texts[0], errors: texts[1])
    }

    /// Runs the command.
    func windkanal(_ arguments: String..., environment: [String: String] = [:]) throws -> Ended {
        try run(arguments: arguments, environment: environment)
    }

    /// Runs a line of the shell, in which `windkanal` is the command.
    func shell(_ line: String, environment: [String: String] = [:]) throws -> Ended {
        let path = Bundle.main.bundleURL.path
        return try run(
            "/bin/bash", arguments: ["-c", line],
            environment: environment.merging(["PATH": "\(path):/usr/bin:/bin"]) { $1 })
    }

    /// Writes a scenario of two flats that takes a few milliseconds.
    func writeSmallScenario(_ name: String) throws {
        let scenario: Value = [
            "title": "t", "description": "d",
            "steady-state-hypothesis": [
                "title": "h",
                "probes": [
                    [
                        "type": "probe", "name": "p", "tolerance": 200,
                        "provider": ["type": "http", "url": "http://gateway:8080/health"],
                    ]
                ],
            ],
            "method": [],
            "extensions": [
                ["name": "windkanal", "warm-up": 10, "duration": 20, "landscape": ["flats": 2, "rooms": 1]]
            ],
        ]
        try Data(JSONWriter.write(scenario).utf8).write(to: folder.appending(path: name))
    }

    /// What the parser says of the command.
    func dump() throws -> Value {
        try JSONReader.read(try windkanal("--experimental-dump-help").output.utf8)
    }

    /// What a file of the folder holds.
    func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
    }
}
