import Foundation
import SimulationKernel
import XCTest

@testable import Diagnosis

/// `windkanal doctor` finds what is wrong: each check is shown something broken.
final class DiagnosisTests: XCTestCase {
    private var surroundings: Diagnosis.Surroundings {
        var surroundings = Diagnosis.Surroundings(environment: ["PATH": "/usr/bin:/bin", "HOME": "/nowhere"])
        surroundings.folder = FileManager.default.temporaryDirectory.path
        surroundings.program = Bundle.main.bundleURL.appending(path: "windkanal").path
        return surroundings
    }

    private func entries(_ change: (inout Diagnosis.Surroundings) -> Void = { _ in }) async -> [Diagnosis.Entry] {
        var surroundings = surroundings
        change(&surroundings)
        return await Diagnosis(surroundings).run()
    }

    func testWhereEverythingWorksNothingIsBroken() async {
        let entries = await entries()
        XCTAssertNotEqual(Diagnosis.state(of: entries), .broken)
        for name in [
            "machine", "interposition", "executor", "task layout", "repetition", "journals", "temporary files",
            "processes",
            "ports",
        ] { XCTAssertEqual(entries.first { $0.name == name }?.state, .fine, "\(name): \(entries)") }
        for entry in entries { XCTAssertEqual(entry.remedy == nil, entry.state == .fine, entry.name) }
    }

    func testWhatIsBrokenIsNamedWithWhatToDo() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "doctor-\(UUID().uuidString)")
        let settings = folder.appending(path: ".chaostoolkit/settings.yaml")
        try FileManager.default.createDirectory(
            at: settings.deletingLastPathComponent(), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("a: b: c".utf8).write(to: settings)
        for (name, state, words, change) in [
            ("journals", .limited, "/nowhere", { $0.folder = "/nowhere" }),
            ("temporary files", .limited, "set TMPDIR", { $0.temporaryFolder = "/proc" }),
            ("processes", .limited, "No such file", { $0.program = "/nowhere/windkanal" }),
            ("processes", .limited, "it ended with 1", { $0.program = "/bin/false" }),
            // An address of documentation, which no machine has.
            ("ports", .limited, "bind", { $0.address = 0xc000_0201 }),
            ("python", .limited, "'/nowhere/python'", { $0.environment["WINDKANAL_PYTHON"] = "/nowhere/python" }),
            ("python", .limited, "does not run", { $0.environment["WINDKANAL_PYTHON"] = "/bin/false" }),
            ("settings", .limited, "settings cannot be read", { $0.environment["HOME"] = folder.path }),
            ("repetition", .broken, "was not the same", { $0.simulate = { _ in UUID().uuidString } }),
            // What does not follow from the seed is not repeated either.
            ("repetition", .broken, "was not the same", { $0.simulate = { _ in "constant" } }),
            ("repetition", .broken, "a simulation failed", { $0.simulate = { _ in throw SimulationError.nestedRun } }),
            (
                "interposition", .broken, "link the Swift runtime dynamically",
                {
                    $0.parts = {
                        [
                            PlatformPart(
                                name: "interposition",
                                problem: "x is not interposed; link the Swift runtime dynamically")
                        ]
                    }
                }
            ),
        ] as [(String, Diagnosis.State, String, (inout Diagnosis.Surroundings) -> Void)] {
            let entries = await entries(change)
            let entry = try XCTUnwrap(entries.first { $0.name == name && $0.state == state }, "\(name): \(entries)")
            XCTAssertTrue("\(entry.text) \(entry.remedy ?? "")".contains(words), "\(entry)")
            XCTAssertNotNil(entry.remedy)
            XCTAssertEqual(Diagnosis.state(of: entries), state, name)
        }
    }

    // A doctor who leaves things behind is none.
    func testNothingIsLeftBehind() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "doctor-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        _ = await entries {
            $0.folder = folder.path
            $0.temporaryFolder = folder.path
        }
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), [])
    }
}
