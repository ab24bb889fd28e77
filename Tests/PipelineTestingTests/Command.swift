import Foundation

/// The command, as its users run it.
enum Command {
    static var root: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }

    /// Runs a scenario of the repository and gives the line of its verdict.
    static func verdict(of scenario: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = Bundle.main.bundleURL.appending(path: "windkanal")
        process.arguments =
            ["run", root.appending(path: scenario).path, "--journal-path", "/dev/null"] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.split(separator: "\n").last { $0.contains("verdict ") }.map(String.init) ?? text
    }

    /// The scenario of hypothesis 1, and that of hypothesis 3.
    static let smoke: [String] = ["scenarios/smoke/device-latency.json", "scenarios/smoke/database-unreachable.json"]
}
