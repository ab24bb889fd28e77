import Documents
import Foundation
import HTTP
import HTTPTypes
import NIOCore
import NIOPosix
import Ports
import SocketWorld
import Synchronization
import XCTest

@testable import Activities
@testable import Experiments
@testable import Sessions

/// Whole runs, as the command makes them.
final class SessionTests: XCTestCase {
    private var folder: URL = URL(filePath: "/tmp")

    override func setUpWithError() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "windkanal-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws { try FileManager.default.removeItem(at: folder) }

    private func write(_ value: Value, _ name: String) throws -> String {
        let path = folder.appending(path: name).path
        try Files.write(JSONWriter.write(value), to: path)
        return path
    }

    private func experiment(_ path: String, _ arguments: Value, more: Value.Object = [:]) -> Value {
        let object: Value.Object = [
            "title": "t", "description": "d",
            "method": [
                [
                    "type": "action", "name": "a",
                    "provider": ["type": "process", "path": .string(path), "arguments": arguments],
                ]
            ],
        ]
        return .object(object.merging(more))
    }

    private func session(settings: Value = .object([:])) -> ExperimentSession {
        ExperimentSession(
            console: ConsoleRecorder(.quiet), environment: ["PATH": "/usr/bin:/bin"],
            settings: Settings(value: settings))
    }

    private func request(_ experiment: Value) throws -> ExperimentSession.Request {
        var request = ExperimentSession.Request(source: try write(experiment, "e.json"))
        request.journalPath = folder.appending(path: "journal.json").path
        return request
    }

    private func journal() throws -> Value {
        try JSONReader.read(Files.read(folder.appending(path: "journal.json").path))
    }

    func testTheLastFileOfVariablesWinsAndReplacesTargetsOfSecretsAsAWhole() async throws {
        var request = try request(
            experiment(
                "echo", ["${a} ${s}"],
                more: [
                    "configuration": ["a": "file"], "secrets": ["t": ["s": "plain", "other": "plain"]],
                ]))
        request.redacts = false
        for (name, text) in [
            ("one.json", #"{"configuration": {"a": "one"}, "secrets": {"t": {"s": "one", "other": "one"}}}"#),
            ("two.json", #"{"configuration": {"a": "two"}, "secrets": {"t": {"s": "two"}, "unknown": {"x": "y"}}}"#),
        ] {
            try request.options.variables.read(file: text, name: name)
        }
        let status = await session().run(request)
        XCTAssertEqual(status, 0)
        XCTAssertEqual(try journal()["run"]?.array?.first?["output"]?["stdout"], "two two\n")
        var reader = ConfigurationReader(variables: request.options.variables, environment: [:])
        XCTAssertEqual(try reader.secrets(["t": ["s": "plain", "other": "plain"]]), ["t": ["s": "two"]])
        reader = ConfigurationReader(variables: Variables(), environment: [:])
        XCTAssertEqual(try reader.secrets(["t": ["s": "plain"]]), ["t": ["s": "plain"]])
    }

    func testChannelsHearOfTheirEventsWithoutSecrets() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let heard = Heard()
        let server = try await HTTPServer.start(
            RealPorts(eventLoop: group.next()), at: Endpoint("127.0.0.1", 0),
            responder: .immediate { request, body in
                heard.add(request.path ?? "", String(buffer: body))
                return HTTPReply(.ok, text: "")
            })
        func channel(_ path: String, _ events: Value?) -> Value {
            var channel: Value.Object = [
                "type": "http", "url": .string("http://127.0.0.1:\(server.endpoint.port)/\(path)"),
            ]
            channel["events"] = events
            return .object(channel)
        }
        let settings: Value = [
            "notifications": [
                channel("all", nil), channel("empty", []), channel("failed", ["run-failed"]),
            ]
        ]
        let fine = try request(experiment("true", [], more: ["secrets": ["t": ["s": "hidden-word"]]]))
        let fineStatus = await session(settings: settings).run(fine)
        XCTAssertEqual(fineStatus, 0)
        let broken = try request(
            experiment(
                "true", [],
                more: [
                    "method": [
                        ["type": "action", "name": "a", "provider": ["type": "http", "url": "nowhere"]]
                    ]
                ]))
        let brokenStatus = await session(settings: settings).run(broken)
        XCTAssertEqual(brokenStatus, 1)
        await server.shutDown()
        try await group.shutdownGracefully()
        let all = heard.all
        func names(_ path: String) -> [String] {
            all.filter { $0.path == "/\(path)" }.compactMap { try? JSONReader.read($0.body.utf8)["name"]?.string }
        }
        XCTAssertEqual(names("all"), ["run-started", "run-completed", "run-started", "run-failed"])
        XCTAssertEqual(names("empty"), names("all"))
        XCTAssertEqual(names("failed"), ["run-failed"])
        XCTAssertFalse(all.contains { $0.body.contains("hidden-word") })
        XCTAssertNotNil(try JSONReader.read(try XCTUnwrap(all.first).body.utf8)["ts"]?.number)
    }

    func testASweepTriesAllSeedsAndNamesThoseThatCrash() async throws {
        // Writes a line for each seed and ends at the seventh.
        let script = """
            seed=$1
            while [ $seed -le $2 ]; do
                [ $seed = 7 ] && exit 3
                echo '{"event":"seed","verdict":"held","success":true,"seed":'$seed'}'
                seed=$((seed + 1))
            done
            """
        let sweep = SeedSweep(
            path: "/bin/sh", environment: ["PATH": "/usr/bin:/bin"], workers: 2, seedTimeout: .seconds(60))
        let summary = await sweep.run(1...30) {
            ["-c", script, "sh", "\($0.lowerBound)", "\($0.upperBound)"]
        } progress: {
            _ in
        }
        XCTAssertEqual(summary.results.keys.sorted(), (1...30).filter { $0 != 7 })
        XCTAssertEqual(summary.crashes.keys.sorted(), [7])
        XCTAssertTrue(summary.crashes[7]?.contains("ended with 3") ?? false)
    }

    func testAResultIsReadAsItWasWritten() throws {
        for seed in [0, 7, UInt64.max] {
            let result = SeedResult(
                seed: seed, verdict: "refuted", isSuccess: false, details: ["digest": "0a1b", "seed": 5])
            let read = try XCTUnwrap(SeedResult(line: Array(result.line.utf8)))
            XCTAssertEqual(read.seed, seed)
            XCTAssertEqual(read.verdict, "refuted")
            XCTAssertFalse(read.isSuccess)
            XCTAssertEqual(read.details["digest"], "0a1b")
        }
        for line in ["", "verdict held seed 3 success true", #"{"event":"verdict","seed":3}"#] {
            XCTAssertNil(SeedResult(line: Array(line.utf8)), line)
        }
    }

    func testASeedThatHangsIsBlamedAlone() async throws {
        let script = """
            seed=$1
            while [ $seed -le $2 ]; do
                [ $seed = 3 ] && exec sleep 600
                echo '{"event":"seed","verdict":"held","success":true,"seed":'$seed'}'
                seed=$((seed + 1))
            done
            """
        let sweep = SeedSweep(
            path: "/bin/sh", environment: ["PATH": "/usr/bin:/bin"], workers: 1, seedTimeout: .milliseconds(200))
        let summary = await sweep.run(1...5) {
            ["-c", script, "sh", "\($0.lowerBound)", "\($0.upperBound)"]
        } progress: {
            _ in
        }
        XCTAssertEqual(summary.results.keys.sorted(), [1, 2, 4, 5])
        XCTAssertEqual(summary.crashes.keys.sorted(), [3])
    }

    func testChunksCoverAllSeedsUpToTheLargest() {
        for (seeds, workers) in [(1...1, 2), (1...20, 2), (5...1000, 3), (UInt64.max - 30...UInt64.max, 2)] {
            let chunks = SeedSweep.chunks(of: seeds, workers: workers)
            XCTAssertEqual(chunks.first?.lowerBound, seeds.lowerBound)
            XCTAssertEqual(chunks.last?.upperBound, seeds.upperBound)
            for (chunk, next) in zip(chunks, chunks.dropFirst()) {
                XCTAssertEqual(chunk.upperBound + 1, next.lowerBound)
            }
            XCTAssertGreaterThanOrEqual(chunks.count, min(workers, Int(seeds.upperBound - seeds.lowerBound) + 1))
        }
    }
}

private final class Heard: Sendable {
    private let list: Mutex<[(path: String, body: String)]> = Mutex([])
    var all: [(path: String, body: String)] { list.withLock { $0 } }
    func add(_ path: String, _ body: String) { list.withLock { $0.append((path, body)) } }
}
