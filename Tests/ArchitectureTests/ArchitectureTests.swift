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
            "Ports", "Synchronization",
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
        "FaultProxy": [
            "Documents", "Faults", "Glibc", "HTTP", "HTTPTypes", "NIOCore", "NIOPosix", "Ports", "Randomness",
            "SocketWorld", "Synchronization",
        ],
        "Ports": ["Glibc", "NIOCore"],
        "SQLite": ["CSQLite", "Ports"],
        "SimulatedCluster": ["Durations", "Randomness", "SimulationKernel"],
        "SimulatedSQLite": ["CSQLite", "Ports", "SimulatedWorld"],
        "SimulatedWorld": ["Dispatch", "Faults", "Glibc", "NIOCore", "Ports", "Randomness", "SimulationKernel"],
        "HTTP": ["FoundationEssentials", "Glibc", "HTTPTypes", "NIOCore", "Ports"],
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
        "SimulationTesting": ["Documents", "Glibc", "SimulationKernel"],
        "WindkanalTesting": ["SimulationKernel", "SimulationTesting", "Testing"],
        "WindkanalXCTest": ["SimulationTesting", "XCTest"],
        "TestbedTesting": ["SimulatedTestbed", "SimulatedWorld", "SimulationTesting"],
        "PipelineTesting": [
            "Activities", "Documents", "Experiments", "Pipeline", "PipelineTestbed", "ReportPages", "Reports",
            "SimulationTesting",
            "Testbed",
        ],
        // No Foundation: the command links it.
        "Reports": ["Documents", "Experiments", "Synchronization", "Testbed"],
        "ReportPages": ["Mustache", "Reports"],
        "windkanal-report": ["Foundation", "ReportPages", "Reports"],
        "TraceFiles": ["FoundationEssentials"],
        "Backlog": ["Activities", "Documents", "Glibc", "Sessions"],
        "Manual": ["Documents"],
        "Diagnosis": ["Activities", "Documents", "Glibc", "Sessions", "SimulationKernel"],
        "first-run": ["SimulationKernel"],
        "Torture": [
            "Dispatch", "Faults", "Foundation", "Glibc", "HTTP", "HTTPTypes", "Measurements", "NIOCore", "Pipeline",
            "Ports",
            "Randomness", "SQLite", "SimulatedCluster", "SimulatedSQLite", "SimulatedWorld", "SimulationKernel",
        ],
        "windkanal": [
            "Activities", "ArgumentParser", "Backlog", "Diagnosis", "Dispatch", "Documents", "Experiments", "Faults",
            "Glibc", "Manual", "Measurements", "Pipeline", "PipelineTestbed", "Probing", "Randomness", "Reports",
            "Sessions",
            "SimulationKernel", "Synchronization", "Testbed", "TraceFiles",
        ],
        "windkanal-services": [
            "Activities", "ArgumentParser", "Documents", "Experiments", "FaultProxy", "Glibc", "NIOCore", "NIOPosix",
            "Ports", "Randomness", "Sessions", "Synchronization",
        ],
        "lab": [
            "ArgumentParser", "CSystemSeam", "Documents", "Experiments", "Foundation", "Fuzzing", "HTTP", "HTTPTypes",
            "Measurements", "NIOCore", "Pipeline", "PipelineTestbed", "Ports", "Randomness", "SimulatedCluster",
            "SimulatedSQLite",
            "SimulatedWorld", "SimulationKernel", "SocketWorld", "Testbed", "Torture", "TraceFiles",
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

    // What runs for real must not carry the functions that simulations replace.
    func testWhatRunsForRealReachesNoSimulation() {
        var reached: Set<String> = ["windkanal-services"]
        var open = ["windkanal-services"]
        while let target = open.popLast() {
            for module in allowed[target] ?? [] where reached.insert(module).inserted { open.append(module) }
        }
        XCTAssertTrue(reached.contains("FaultProxy"))
        XCTAssertEqual(reached.filter { $0.hasPrefix("Simulat") || $0 == "CSystemSeam" }, [])
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
