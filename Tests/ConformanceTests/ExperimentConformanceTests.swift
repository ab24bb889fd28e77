import Activities
import Documents
import Experiments
import HTTP
import HTTPTypes
import NIOCore
import NIOPosix
import Ports
import Sessions
import SimulatedWorld
import SimulationKernel
import SocketWorld
import XCTest

/// The runner on a real clock, with real programs and sockets, and in virtual time: the same journals, times aside.
final class ExperimentConformanceTests: XCTestCase {
    /// Where the fixtures' servers listen.
    private static let port: String = "127.0.0.1:18980"

    func testEveryFixtureGivesTheSameJournalInVirtualTime() throws {
        let fixtures = try Self.fixtures()
        XCTAssertGreaterThan(fixtures.count, 100)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { try? group.syncShutdownGracefully() }
        let ports = RealPorts(eventLoop: group.next())
        let server = try Self.wait(group) {
            try await HTTPServer.start(ports, at: Endpoint("127.0.0.1", 0), responder: Self.responder)
        }
        for (name, document) in fixtures {
            let real = try Self.wait(group) {
                await Self.journal(
                    of: document, at: server.endpoint.port,
                    RealActivityProviders(environment: ["PATH": "/usr/bin:/bin"]))
            }
            let simulated = try Self.simulate(document)
            XCTAssertEqual(real, simulated, name)
        }
        try Self.wait(group) { await server.shutDown() }
    }

    // Sixty activities with a minute's pause each: an hour, in a few hundred events.
    func testAnHourOfPausesIsAnHourOfVirtualTime() throws {
        let action: Value = [
            "type": "action", "name": "wait", "pauses": ["after": 60],
            "provider": ["type": "process", "path": "true"],
        ]
        let document: Value = [
            "title": "t", "description": "d", "method": .array(Array(repeating: action, count: 60)),
        ]
        let simulation = Simulation(seed: 1)
        let outcome = try simulation.run {
            await Self.journal(of: document, at: 80, SimulatedPrograms(http: nil))
        }
        XCTAssertTrue(try outcome.get().contains("\"completed\""))
        XCTAssertEqual(outcome.virtualTime, .seconds(3600))
        XCTAssertLessThan(outcome.events + outcome.jobs, 2_000)
    }

    // MARK: Arms

    private static func simulate(_ document: Value) throws -> String {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        let box = Box()
        try network.host("experimenter") { ports in
            box.ports = ports
            _ = try await HTTPServer.start(ports, at: Endpoint("experimenter", 18_980), responder: responder)
        }
        let outcome = try simulation.run {
            try await Task.sleep(for: .milliseconds(1))
            guard let ports = box.ports else { return "" }
            return await journal(of: document, at: 18_980, SimulatedPrograms(http: HTTPActivityProvider(ports)))
        }
        return try outcome.get()
    }

    /// Runs an experiment and gives its journal as a text without times and places.
    private static func journal(of document: Value, at port: Int, _ providers: any ActivityProviders) async -> String {
        let text = JSONWriter.write(document).replacingOccurrences(of: Self.port, with: "127.0.0.1:\(port)")
        guard let value = try? JSONReader.read(text.utf8) else { return "" }
        var options = RunOptions()
        options.hypothesisFrequency = .milliseconds(100)
        let run = ExperimentRun(
            Experiment(Document(value: value), origin: "fixture"), options: options,
            environment: RunEnvironment(
                clock: ContinuousClock(), wallTime: { .zero }, providers: providers, platform: "p", node: "n"))
        do {
            let journal = JSONWriter.write(timeless(try await run.run().value), .indented(2))
            return journal.replacingOccurrences(of: "127.0.0.1:\(port)", with: Self.port)
        } catch {
            return "no journal: \(error)".replacingOccurrences(of: "127.0.0.1:\(port)", with: Self.port)
        }
    }

    private static func timeless(_ value: Value) -> Value {
        switch value {
        case .object(let object):
            var result = Value.Object()
            for (name, member) in object where !["start", "end", "duration", "Date"].contains(name) {
                result[name] = timeless(member)
            }
            return .object(result)
        case .array(let array): return .array(array.map(timeless))
        default: return value
        }
    }

    private static func wait<Result: Sendable>(
        _ group: MultiThreadedEventLoopGroup, _ body: @escaping @Sendable () async throws -> Result
    ) throws -> Result {
        let promise = group.next().makePromise(of: Result.self)
        promise.completeWithTask(body)
        return try promise.futureResult.wait()
    }

    // MARK: Fixtures

    /// Experiments whose activities both arms can perform: requests to the fixtures' server and a few programs.
    private static func fixtures() throws -> [(name: String, document: Value)] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "fixtures/chaostoolkit/edge")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
        return files.compactMap { file in
            guard let data = try? Data(contentsOf: file) else { return nil }
            let value =
                file.pathExtension == "json"
                ? try? JSONReader.read(data)
                : try? YAMLReader.readDocument(String(decoding: data, as: UTF8.self)).value
            guard let value, value.object != nil, providers(in: value).allSatisfy(canSimulate) else { return nil }
            return (file.lastPathComponent, value)
        }
    }

    private static func providers(in value: Value) -> [Value] {
        switch value {
        case .object(let object): (object["provider"].map { [$0] } ?? []) + object.values.flatMap(providers)
        case .array(let array): array.flatMap(providers)
        default: []
        }
    }

    private static func canSimulate(_ provider: Value) -> Bool {
        switch provider["type"]?.string {
        case "http":
            guard let url = provider["url"]?.string else { return true }
            return !url.contains("/slow/") && (url.contains(port) || !url.contains("://"))
        case "process":
            guard let path = provider["path"]?.string else { return true }
            guard SimulatedPrograms.known.contains(path) else { return false }
            switch provider["arguments"] {
            case .string(let line)?: return !line.contains { "'\"$;|&<>\\*`~#()".contains($0) }
            case .array?, .object?, nil: return !(JSONWriter.write(provider["arguments"] ?? .null).contains("\\"))
            default: return true
            }
        case "python": return false
        default: return true
        }
    }

    /// What the fixtures' server answers.
    private static let responder: HTTPResponder = .immediate { request, body in
        let path = (request.path ?? "/").prefix { $0 != "?" }
        let parts = path.split(separator: "/")
        if parts.first == "status", parts.count == 2, let code = Int(parts[1]) {
            return HTTPReply(HTTPResponse(status: .init(code: code)), body: ByteBuffer(string: "status \(code)"))
        }
        if path == "/json" {
            return HTTPReply(.ok, text: "{\"foo\": [{\"baz\": \"hello\"}], \"n\": 3}", type: "application/json")
        }
        if path == "/echo" {
            let text = "\(request.method) \(request.path ?? "") \(String(buffer: body))"
            return HTTPReply(.ok, text: text, type: "text/plain")
        }
        return HTTPReply(.ok, text: "OK", type: "text/plain")
    }
}

private final class Box: @unchecked Sendable {
    var ports: SimulatedPorts?
}

/// A few programs in virtual time.
private struct SimulatedPrograms: ActivityProviders {
    let http: HTTPActivityProvider?
    static let known: Set<String> = ["echo", "true", "false", "sleep"]

    func perform(_ call: ActivityCall) async throws(ActivityError) -> Value {
        switch call {
        case .http(let call):
            guard let http else { throw .failed("no network") }
            return try await http.perform(call)
        case .process(let call): return try await perform(call)
        case .python: throw .failed("no Python")
        }
    }

    private func perform(_ call: ProcessCall) async throws(ActivityError) -> Value {
        guard Self.known.contains(call.path) else { throw .unexpected("'\(call.path)' cannot be found") }
        var words: [String] = []
        switch call.arguments {
        case .none: break
        case .shell(let line): words = line.split(separator: " ").map(String.init)
        case .list(let list): words = list
        }
        if call.path == "sleep" {
            let asked = Duration.seconds(Double(words.first ?? "0") ?? 0)
            do {
                try await Task.sleep(for: min(asked, call.timeout ?? asked))
            } catch {
                throw .interrupted
            }
            if let timeout = call.timeout, timeout < asked {
                throw .failed("process activity took too long to complete")
            }
        }
        let output = call.path == "echo" ? words.joined(separator: " ") + "\n" : ""
        return ["status": call.path == "false" ? 1 : 0, "stdout": .string(output), "stderr": ""]
    }

    func locate(program: String) -> String? { Self.known.contains(program) ? "/bin/\(program)" : nil }
    func problems(of functions: [PythonFunction]) async -> [ActivityProblem?] { functions.map { _ in nil } }
}
