import Documents
import Foundation
import XCTest

@testable import Activities
@testable import Experiments
@testable import Sessions

/// What runs write: found out before they begin, and whole.
final class OutputTests: XCTestCase {
    private var folder: URL = URL(filePath: "/tmp")

    override func setUpWithError() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "windkanal-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws { try FileManager.default.removeItem(at: folder) }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private func text(_ name: String) throws -> String {
        String(decoding: try Files.read(path(name)), as: UTF8.self)
    }

    func testAFileTakesThePlaceOfTheOldOneAndLeavesNothingBeside() throws {
        try Files.write("old", to: path("j"))
        let file = try OutputFile(path("j"))
        XCTAssertEqual(try text("j"), "old", "looking changes nothing")
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), ["j"])
        try file.write("new")
        XCTAssertEqual(try text("j"), "new")
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), ["j"])
        XCTAssertThrowsError(try OutputFile(path("no/such/j")))
        XCTAssertThrowsError(try OutputFile(folder.path))
        XCTAssertThrowsError(try OutputFile(""))
        XCTAssertThrowsError(try OutputFile("/dev/full")) { XCTAssertTrue("\($0)".contains("/dev/full"), "\($0)") }
        try OutputFile("/dev/null").write("nobody reads it")
    }

    func testALinkIsWrittenThroughAndAFileKeepsItsMode() throws {
        try Files.write("old", to: path("file"))
        XCTAssertEqual(chmod(path("file"), 0o600), 0)
        try FileManager.default.createSymbolicLink(atPath: path("link"), withDestinationPath: path("file"))
        try OutputFile(path("link")).write("new")
        XCTAssertEqual(try text("file"), "new")
        let attributes = try FileManager.default.attributesOfItem(atPath: path("file"))
        XCTAssertEqual(attributes[.posixPermissions] as? Int, 0o600)
        XCTAssertEqual(try FileManager.default.destinationOfSymbolicLink(atPath: path("link")), path("file"))
    }

    private func request() throws -> ExperimentSession.Request {
        let experiment: Value = [
            "title": "t", "description": "d",
            "method": [
                [
                    "type": "action", "name": "act",
                    "provider": ["type": "process", "path": "touch", "arguments": [.string(path("acted"))]],
                ]
            ],
        ]
        try Files.write(JSONWriter.write(experiment), to: path("e.json"))
        return ExperimentSession.Request(source: path("e.json"))
    }

    private func run(_ request: ExperimentSession.Request) async -> Int32 {
        await ExperimentSession(
            console: ConsoleRecorder(.quiet), environment: ["PATH": "/usr/bin:/bin"],
            settings: Settings(value: .object([:]))
        ).run(request)
    }

    func testNothingIsDoneWhereTheResultCannotBeWritten() async throws {
        for change in [
            { $0.journalPath = "/dev/full" }, { $0.eventsPath = "/no/such/folder/events" },
            { [folder] in $0.journalPath = folder.path },
        ] as [(inout ExperimentSession.Request) -> Void] {
            var request = try request()
            request.journalPath = path("j")
            change(&request)
            let status = await run(request)
            XCTAssertEqual(status, 1)
            XCTAssertFalse(Files.exists(path("acted")))
        }
    }

    func testEventsAreTheReferencesOneALine() async throws {
        var request = try request()
        request.journalPath = path("j")
        request.referenceEventsPath = path("events")
        let status = await run(request)
        XCTAssertEqual(status, 0)
        let events = try text("events").split(separator: "\n").map { try JSONReader.read($0.utf8) }
        XCTAssertEqual(
            events.map { $0["type"] },
            [
                "run-started", "method-started", "activity-started", "activity-completed", "method-completed",
                "rollbacks-started", "rollbacks-completed", "run-finished",
            ])
        XCTAssertEqual(events[3]["status"], "succeeded")
        XCTAssertEqual(events[3]["output"]?["status"], 0)
        XCTAssertEqual(events[7]["status"], "completed")
        for event in events {
            XCTAssertTrue(event["timestamp"]?.string?.hasSuffix("+00:00") ?? false, JSONWriter.write(event))
        }
    }

    func testAllEventsAreWrittenWithTheirTime() async throws {
        var request = try request()
        request.journalPath = path("j")
        request.eventsPath = path("events")
        let status = await run(request)
        XCTAssertEqual(status, 0)
        let events = try text("events").split(separator: "\n").map { try JSONReader.read($0.utf8) }
        XCTAssertEqual(
            events.map { $0["event"] },
            [
                "plan", "run-begins", "phase-begins", "activity-begins", "activity-ended", "phase-ended",
                "rollbacks-decided", "phase-begins", "phase-ended", "run-ended", "verdict",
            ])
        for event in events {
            XCTAssertEqual(event.object?.keys.prefix(2), ["event", "time"])
            XCTAssertTrue(event["time"]?.string?.hasSuffix("+00:00") ?? false, JSONWriter.write(event))
        }
    }

    func testASweepThatIsCancelledKeepsWhatItHas() async throws {
        let script = """
            seed=$1
            while [ $seed -le $2 ]; do
                echo '{"event":"seed","verdict":"held","success":true,"seed":'$seed'}'
                [ $seed = 3 ] && exec sleep 600
                seed=$((seed + 1))
            done
            """
        let sweep = SeedSweep(
            path: "/bin/sh", environment: ["PATH": "/usr/bin:/bin"], workers: 1, seedTimeout: .seconds(600))
        let began = ContinuousClock.now
        let task = Task {
            await sweep.run(1...9) {
                ["-c", script, "sh", "\($0.lowerBound)", "\($0.upperBound)"]
            } progress: { _ in
            }
        }
        try await Task.sleep(for: .milliseconds(500))
        task.cancel()
        let summary = await task.value
        XCTAssertEqual(summary.results.keys.sorted(), [1, 2, 3])
        XCTAssertEqual(summary.crashes, [:], "what was cut short has not crashed")
        XCTAssertLessThan(began.duration(to: .now), .seconds(20))
    }
}
