import Documents
import Foundation
import XCTest

/// Reports as the command writes them.
final class ReportCommandTests: XCTestCase {
    private var folder: URL = URL(filePath: "/tmp")

    override func setUpWithError() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "windkanal-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let scenario: Value = [
            "title": "Two flats", "description": "d",
            "steady-state-hypothesis": [
                "title": "It is reachable",
                "probes": [
                    [
                        "type": "probe", "name": "is-reachable", "tolerance": 200,
                        "provider": ["type": "http", "url": "http://gateway:8080/health"],
                    ]
                ],
            ],
            "method": [
                [
                    "type": "action", "name": "cut-the-server-off", "pauses": ["after": 30],
                    "provider": [
                        "type": "python", "module": "windkanal.network", "func": "cut",
                        "arguments": ["service": "measurement-server"],
                    ],
                ]
            ],
            "extensions": [
                [
                    "name": "windkanal", "warm-up": 10, "duration": 80, "landscape": ["flats": 2, "rooms": 1],
                    "bound": ["age": "per-flat-last-success", "seconds": 15, "binds": true],
                ]
            ],
        ]
        try Data(JSONWriter.write(scenario).utf8).write(to: folder.appending(path: "s.json"))
    }

    override func tearDownWithError() throws { try FileManager.default.removeItem(at: folder) }

    /// Runs the command in the folder.
    @discardableResult
    private func windkanal(_ arguments: String...) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = Bundle.main.bundleURL.appending(path: "windkanal")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ["PATH": "/usr/bin:/bin"]
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // Small enough for the pipes' own room.
        process.waitUntilExit()
        func text(_ pipe: Pipe) -> String {
            String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
        return (process.terminationStatus, text(output), text(errors))
    }

    private func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
    }

    func testARunWritesAllItsReports() throws {
        let ended = try windkanal(
            "run", "s.json", "--quiet", "--report-path", "r.html", "--series-path", "r.csv", "--junit-path", "r.xml",
            "--markdown-path", "r.md")
        XCTAssertEqual(ended.status, 1, ended.errors)
        let page = try text("r.html")
        XCTAssertTrue(page.contains("id=\"verdict\">refuted<"))
        XCTAssertTrue(page.contains("network.cut service=measurement-server"))
        XCTAssertTrue(page.contains("windkanal run s.json --seed 1"), "the replay line has where results go")
        XCTAssertEqual(try text("r.csv").split(separator: "\r\n").count, 71)
        XCTAssertTrue(try text("r.xml").contains("<property name=\"verdict\" value=\"refuted\"/>"))
        XCTAssertTrue(try text("r.md").hasPrefix("## ❌ Two flats\n"))
    }

    func testEqualSeedsMakeEqualPagesAndSoDoTheirEvents() throws {
        try windkanal("run", "s.json", "--quiet", "--report-path", "1.html", "--events", "e.jsonl")
        try windkanal("run", "s.json", "--report-path", "2.html")
        try windkanal("report", "e.jsonl", "--report-path", "3.html")
        XCTAssertEqual(try text("1.html"), try text("2.html"))
        XCTAssertEqual(try text("1.html"), try text("3.html"))
        try windkanal("run", "s.json", "--quiet", "--seed", "2", "--report-path", "4.html")
        XCTAssertNotEqual(try text("1.html"), try text("4.html"))
    }

    func testASweepHasItsSeedsAndItsWorst() throws {
        try windkanal(
            "run", "s.json", "--seeds", "1...3", "--quiet", "--report-path", "r.html", "--series-path", "r.csv")
        XCTAssertEqual(try text("r.csv").split(separator: "\r\n").count, 4)
        let page = try text("r.html")
        XCTAssertTrue(page.contains("id=\"worst\""))
        XCTAssertTrue(page.contains("Of 3 seeds: 3 refuted."), "no verdicts")
    }

    func testAComparisonHasEveryProfile() throws {
        try windkanal("compare", "s.json", "--quiet", "--report-path", "r.html", "--markdown-path", "r.md")
        let page = try text("r.html")
        for profile in ["naive", "bulkhead", "adaptive", "pipelined"] {
            XCTAssertTrue(page.contains("<td>\(profile)</td>"), profile)
        }
        XCTAssertEqual(try text("r.md").split(separator: "\n").count { $0.hasPrefix("| s | ") }, 4)
    }

    func testWhyTellsOfTheFirstViolation() throws {
        try windkanal("run", "s.json", "--quiet", "--events", "e.jsonl")
        let story = try windkanal("why", "e.jsonl")
        XCTAssertEqual(story.status, 0, story.errors)
        XCTAssertTrue(story.output.hasPrefix("“Two flats”: refuted.\nAt "), story.output)
        XCTAssertTrue(story.output.contains("begins network.cut service=measurement-server"), story.output)
        XCTAssertLessThanOrEqual(story.output.split(separator: "\n").count, 10)
        let journal = try windkanal("why", "journal.json")
        XCTAssertTrue(journal.output.hasPrefix("“Two flats”: completed"), journal.output)
    }

    func testWhatCannotBeWrittenOrReadIsSaidFirst() throws {
        let nowhere = try windkanal("run", "s.json", "--quiet", "--report-path", "nowhere/r.html")
        XCTAssertEqual(nowhere.status, 1)
        XCTAssertTrue(nowhere.errors.contains("nothing was done, since a report cannot be written: "), nowhere.errors)
        XCTAssertFalse(FileManager.default.fileExists(atPath: folder.appending(path: "journal.json").path))
        XCTAssertEqual(try windkanal("report", "s.json").status, 2)
        let noEvents = try windkanal("report", "s.json", "--series-path", "s.csv")
        XCTAssertEqual(noEvents.status, 1)
        XCTAssertTrue(noEvents.errors.contains("s.json: line 1 is no event: it has no member 'event'"), noEvents.errors)
        XCTAssertTrue(try windkanal("why", "s.json").errors.contains("is neither a journal nor the events of a run"))
        XCTAssertTrue(try windkanal("why", "nothing").errors.contains("nothing"))
    }
}
