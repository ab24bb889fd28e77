import Foundation
import XCTest

/// The arrows of docs/architecture.md, read from the import lines.
///
/// The build checks that an import is a declared dependency; this checks that the declaration is an allowed one.
final class ArchitectureTests: XCTestCase {
    /// What each target may import: system libraries, packages and targets below it.
    private let allowed: [String: Set<String>] = [
        "Durations": [],
        "Randomness": ["Durations"],
        "SimulationKernel": ["CSystemSeam", "Randomness", "_Concurrency"],
        "Documents": ["CLibYAML"],
        "Experiments": ["Documents", "Durations"],
        "Activities": [
            "CProcess", "Dispatch", "Documents", "Experiments", "Glibc", "HTTP", "HTTPTypes", "NIOCore",
            "NIOHTTPCompression", "Ports", "Synchronization",
        ],
        "Measurements": ["Documents", "Glibc"],
        "Pipeline": ["Documents", "Durations", "HTTP", "HTTPTypes", "Measurements", "NIOCore", "Ports", "SQLite"],
        "MeasurementServer": [
            "Documents", "Durations", "HTTP", "HTTPTypes", "Measurements", "NIOCore", "Ports", "Randomness",
        ],
        "PipelineTestbed": [
            "Activities", "Documents", "Durations", "Experiments", "Faults", "HTTP", "HTTPTypes", "MeasurementServer",
            "Measurements", "NIOCore", "Pipeline", "Ports", "Randomness", "SQLite", "SimulatedSQLite",
            "SimulatedTestbed", "SimulatedWorld", "SimulationKernel", "Synchronization", "Testbed",
        ],
        "Fuzzing": ["Documents", "Experiments", "Randomness"],
        "Faults": ["Documents", "Durations", "NIOCore", "Randomness"],
        "Ports": ["Glibc", "NIOCore"],
        "SQLite": ["CSQLite", "Ports"],
        "SimulatedCluster": ["Durations", "Randomness", "SimulationKernel"],
        "SimulatedSQLite": ["CSQLite", "Ports", "SimulatedWorld"],
        "SimulatedWorld": ["Dispatch", "Faults", "Glibc", "NIOCore", "Ports", "Randomness", "SimulationKernel"],
        "HTTP": ["FoundationEssentials", "Glibc", "HTTPTypes", "NIOCore", "NIOHTTP1", "Ports"],
        "SocketWorld": ["Glibc", "NIOCore", "NIOPosix", "NIOSSL", "Ports", "Synchronization"],
        "Sessions": [
            "Activities", "Dispatch", "Documents", "Experiments", "Glibc", "HTTP", "HTTPTypes", "NIOCore",
            "SocketWorld", "Synchronization",
        ],
        "Probing": [
            "Activities", "Documents", "Durations", "Experiments", "HTTPTypes", "Measurements", "NIOCore", "NIOSSL",
            "Ports", "SocketWorld",
        ],
        "Testbed": ["Documents", "Experiments", "Faults", "Ports", "Randomness"],
        "SimulatedTestbed": [
            "Faults", "Glibc", "Ports", "Randomness", "SimulatedSQLite", "SimulatedWorld", "SimulationKernel",
            "Testbed",
        ],
        "TraceFiles": ["FoundationEssentials"],
        "first-run": ["SimulationKernel"],
        "Torture": [
            "Dispatch", "Faults", "Foundation", "Glibc", "HTTP", "HTTPTypes", "Measurements", "NIOCore", "Pipeline",
            "Ports",
            "Randomness", "SQLite", "SimulatedCluster", "SimulatedSQLite", "SimulatedWorld", "SimulationKernel",
        ],
        "windkanal": [
            "Activities", "ArgumentParser", "Dispatch", "Documents", "Experiments", "Faults", "Glibc", "Measurements",
            "Pipeline", "PipelineTestbed", "Probing", "Randomness", "Sessions", "SimulationKernel", "Testbed",
            "TraceFiles",
        ],
        "lab": [
            "ArgumentParser", "CSystemSeam", "Documents", "Experiments", "Foundation", "Fuzzing", "HTTP", "HTTPTypes",
            "Measurements", "NIOCore", "Pipeline", "PipelineTestbed", "Ports", "Randomness", "SimulatedCluster",
            "SimulatedSQLite", "SimulatedWorld", "SimulationKernel", "Testbed", "Torture", "TraceFiles",
        ],
    ]

    private var root: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }

    func testEveryImportFollowsAnAllowedArrow() throws {
        let sources = root.appending(path: "Sources")
        let targets = try FileManager.default.contentsOfDirectory(atPath: sources.path).filter { !$0.hasPrefix("C") }
        XCTAssertEqual(Set(targets), Set(allowed.keys), "a target without a row, or a row without a target")
        let pattern =
            /^(?:@\w+(?:\([^)]*\))? +)*(?:(?:public|package|internal|private|fileprivate) +)?import +(?:(?:struct|class|enum|protocol|func|var|let|typealias) +)?(\w+)/
        for target in targets {
            let folder = sources.appending(path: target)
            let files =
                FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.allObjects as? [URL]
            for file in files ?? [] where file.pathExtension == "swift" {
                for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                    guard let match = try pattern.firstMatch(in: line) else { continue }
                    let module = String(match.1)
                    XCTAssertTrue(
                        allowed[target]?.contains(module) ?? false,
                        "\(target)/\(file.lastPathComponent) imports \(module), which no arrow allows")
                }
            }
        }
    }

    // The README's example must be the program that runs.
    func testTheReadmeShowsTheExampleThatRuns() throws {
        let example = try String(contentsOf: root.appending(path: "Sources/first-run/main.swift"), encoding: .utf8)
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        XCTAssertTrue(readme.contains("```swift\n\(example)```"), "README.md and Sources/first-run/main.swift differ")
    }

    // One file may know the runtime's unfinished interface, and one the executors that it needs.
    func testTheRuntimesUnfinishedInterfaceIsNamedInTheExecutionFolderOnly() throws {
        let sources = root.appending(path: "Sources")
        let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)?.allObjects as? [URL]
        let users = try (files ?? []).filter { $0.pathExtension == "swift" }
            .filter { try String(contentsOf: $0, encoding: .utf8).contains("@_spi(") }
            .map(\.lastPathComponent).sorted()
        XCTAssertEqual(users, ["RuntimeSeam.swift", "ThreadExecutor.swift"])
    }
}
