import AsyncAlgorithms
import Crypto
import Foundation
import GRDB
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOSSL
import Ports
import ServiceLifecycle
import SimulatedSQLite
import SimulatedWorld
import SimulationKernel
import Testing

/// Libraries as they are, in virtual time: each does what it does in reality, and the same again from the same seed.
///
/// They run side by side, as Swift Testing runs tests: each simulation has its own thread.
@Suite struct LibraryTests {
    /// Runs a script on a host with ports, twice; the notes of both runs are the same.
    private func run(
        epoch: Duration = .seconds(1_767_225_600),
        _ script: @escaping @Sendable (SimulatedPorts, Notes) async throws -> Void
    ) throws -> [String] {
        func once() throws -> ([String], TraceDigest) {
            let simulation = Simulation(seed: 7, options: .init(epoch: epoch))
            let network = try Network(simulation)
            let notes = Notes()
            try network.host("server") { notes.server = $0 }
            let host = try network.host("client") { ports in
                try await Task.sleep(for: .milliseconds(1))
                try await script(ports, notes)
                notes.isDone = true
            }
            let outcome = try simulation.run(for: .seconds(3600))
            #expect(outcome.stopReason == .finished, "\(outcome)")
            #expect(outcome.violationCount == 0, "\(outcome)")
            #expect(notes.isDone, "\(String(describing: host.exit))")
            return (notes.all, outcome.digest)
        }
        // BoringSSL keeps a generator for each thread, which its first use on that thread seeds.
        let (first, second) = (try onItsOwnThread(once), try onItsOwnThread(once))
        #expect(first.0 == second.0)
        #expect(first.1 == second.1)
        return first.0
    }

    @Test func asyncAlgorithmsKeepVirtualTime() throws {
        let notes = try run { _, notes in
            let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
            let start = ContinuousClock.now
            Task {
                for value in 0..<6 {
                    continuation.yield(value)
                    try await Task.sleep(for: .milliseconds(value == 3 ? 500 : 50))
                }
                continuation.finish()
            }
            for await value in stream.debounce(for: .milliseconds(200)) {
                notes.add("\(value) after \(start.duration(to: .now))")
            }
            for await _ in AsyncTimerSequence(interval: .seconds(60), clock: .continuous).prefix(2) {}
            notes.add("timer after \(start.duration(to: .now))")
            for await (left, right) in zip([1, 2].async, ["a", "b"].async) { notes.add("\(left)\(right)") }
        }
        #expect(notes == ["3 after 0.35 seconds", "5 after 0.75 seconds", "timer after 120.75 seconds", "1a", "2b"])
    }

    // Tests that use the main actor say so: each is alone in the process while it runs, whatever runs beside it.
    @Test(arguments: 0..<8) func theMainActorIsForRunsThatSaySo(_ number: Int) throws {
        let simulation = Simulation(seed: 1, options: .init(usesMainActor: true))
        let outcome = try simulation.run {
            try await Task.sleep(for: .seconds(1))
            return await MainActor.run { number }
        }
        #expect(try outcome.get() == number)
        let other = try Simulation(seed: 1).run { await MainActor.run {} }
        #expect(other.violations.first?.kind == .sharedMainActor)
    }

    @Test func keysComeFromTheSeed() throws {
        // BoringSSL draws a byte when the process first uses it, to see whether the system answers: not in a run.
        _ = P256.Signing.PrivateKey()
        let notes = try run { _, notes in
            let key = P256.Signing.PrivateKey()
            notes.add(key.rawRepresentation.map { String($0, radix: 16) }.joined())
            let sealed = try AES.GCM.seal(Data("meter".utf8), using: SymmetricKey(size: .bits256))
            notes.add("\(Data(sealed.nonce).count)")
            notes.add(Insecure.MD5.hash(data: Data("a".utf8)).description)
        }
        #expect(notes.count == 3)
    }

    @Test func servicesEndGracefully() throws {
        let notes = try run { _, notes in
            let service = Sleeper(notes: notes)
            let group = ServiceGroup(
                configuration: .init(services: [.init(service: service)], logger: Logger(label: "tested")))
            let running = Task { try await group.run() }
            try await Task.sleep(for: .seconds(10))
            await group.triggerGracefulShutdown()
            try await running.value
            notes.add("over")
        }
        #expect(notes == ["begins", "ends gracefully", "over"])
    }

    @Test func asyncChannelsCarryBothDirections() throws {
        let notes = try run { ports, notes in
            let server = try #require(notes.server)
            let listener = try await server.listen(Endpoint("server", 0), options: .init()) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let wrapped = try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    Task {
                        try await wrapped.executeThenClose { inbound, outbound in
                            for try await buffer in inbound { try await outbound.write(buffer) }
                        }
                    }
                }
            }.get()
            let channel = try await ports.dial(listener.endpoint, options: .init()) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.get()
            let wrapped = try await channel.eventLoop.submit {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }.get()
            try await wrapped.executeThenClose { inbound, outbound in
                for word in ["one", "two", "three"] {
                    try await outbound.write(ByteBuffer(string: word))
                    var iterator = inbound.makeAsyncIterator()
                    if let buffer = try await iterator.next() { notes.add(String(buffer: buffer)) }
                    break
                }
            }
        }
        #expect(notes == ["one"])
    }

    // Ten streams on one connection, each with a body larger than a window.
    @Test func http2CarriesManyStreams() throws {
        let notes = try run { ports, notes in
            let server = try #require(notes.server)
            let listener = try await server.listen(Endpoint("server", 0), options: .init()) { channel in
                channel.configureHTTP2Pipeline(mode: .server) { stream in
                    stream.eventLoop.makeCompletedFuture {
                        try stream.pipeline.syncOperations.addHandlers([
                            HTTP2FramePayloadToHTTP1ServerCodec(), Answerer(),
                        ])
                    }
                }.map { _ in }
            }.get()
            let channel = try await ports.dial(listener.endpoint, options: .init()) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.get()
            let multiplexer = try await channel.configureHTTP2Pipeline(mode: .client) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.get()
            var answers: [EventLoopFuture<Int>] = []
            for _ in 0..<10 {
                let answer = channel.eventLoop.makePromise(of: Int.self)
                answers.append(answer.futureResult)
                let stream = channel.eventLoop.makePromise(of: (any Channel).self)
                multiplexer.createStreamChannel(promise: stream) { stream in
                    stream.eventLoop.makeCompletedFuture {
                        try stream.pipeline.syncOperations.addHandlers([
                            HTTP2FramePayloadToHTTP1ClientCodec(httpProtocol: .http), Asker(answer),
                        ])
                    }
                }
                _ = try await stream.futureResult.get()
            }
            for answer in answers { notes.add("\(try await answer.get()) bytes") }
            try await channel.close()
        }
        #expect(notes == Array(repeating: "100000 bytes", count: 10))
    }

    @Test func aRouterAnswersOverTheHTTP1ChannelOfHummingbird() throws {
        let notes = try run { ports, notes in
            let server = try #require(notes.server)
            let router = Router()
            router.get("/flats/:flat") { _, context in "flat \(context.parameters.get("flat") ?? "?")" }
            let responder = router.buildResponder()
            let logger = Logger(label: "tested")
            let http = HTTP1Channel(
                responder: { request, writer, channel in
                    let response =
                        try await responder.respond(
                            to: request,
                            context: BasicRequestContext(
                                source: ApplicationRequestContextSource(channel: channel, logger: logger)))
                    let body = try await writer.writeHead(response.head)
                    try await response.body.write(body)
                })
            let listener = try await server.listen(Endpoint("server", 0), options: .init()) { channel in
                http.setup(channel: channel, logger: logger).map { value in
                    Task { await http.handle(value: value, logger: logger) }
                    return
                }
            }.get()
            let answer = ports.eventLoop.makePromise(of: String.self)
            let channel = try await ports.dial(listener.endpoint, options: .init()) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(answer))
                }
            }.get()
            try await channel.writeAndFlush(
                ByteBuffer(string: "GET /flats/SD7 HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n"))
            let text = try await answer.futureResult.get()
            notes.add(text.hasPrefix("HTTP/1.1 200 OK") ? "200" : text)
            notes.add(String(text.suffix(8)))
        }
        #expect(notes == ["200", "flat SD7"])
    }

    // Whether it is closed or just let go.
    @Test(arguments: [true, false]) func aDatabaseQueueWorksOnASimulatedDisk(_ closes: Bool) throws {
        let simulation = Simulation(seed: 7)
        let outcome = try simulation.run {
            let vfs = SQLiteVFS(Disk(try simulation.stream("disk")), wall: { 1_767_225_600_000 })
            let location = vfs.location("data.db", sleep: { _ in })
            var configuration = Configuration()
            configuration.label = "tested"
            let queue = try DatabaseQueue(
                path: "file:/data.db?vfs=\(location.vfs ?? "")", configuration: configuration)
            try queue.write { database in
                try database.execute(sql: "CREATE TABLE reading (value)")
                try database.execute(sql: "INSERT INTO reading VALUES (21.5)")
            }
            let value = try queue.read { try Double.fetchOne($0, sql: "SELECT value FROM reading") }
            if closes { try queue.close() }
            return value
        }
        #expect(try outcome.get() == 21.5, "\(outcome)")
        #expect(outcome.violationCount == 0, "\(outcome)")
    }
}

/// What a thread is to do, and what came of it.
private final class Errand<Value>: @unchecked Sendable {
    let body: () throws -> Value
    var result: Result<Value, any Error>?
    let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping () throws -> Value) { self.body = body }
}

/// Runs something on a new thread and waits for it.
private func onItsOwnThread<Value>(_ body: @escaping () throws -> Value) throws -> Value {
    let box = Errand(body)
    let thread = Thread {
        box.result = Result { try box.body() }
        box.done.signal()
    }
    thread.stackSize = 8 << 20
    thread.start()
    box.done.wait()
    return try #require(box.result).get()
}

/// What a script noted, on the simulation's thread.
private final class Notes: @unchecked Sendable {
    private(set) var all: [String] = []
    var server: SimulatedPorts?
    var isDone = false

    func add(_ note: String) { all.append(note) }
}

private struct Sleeper: Service {
    let notes: Notes

    func run() async throws {
        notes.add("begins")
        try? await gracefulShutdown()
        notes.add("ends gracefully")
    }
}

/// All that comes until the end.
private final class Collector: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    private var text = ""
    private let promise: EventLoopPromise<String>

    init(_ promise: EventLoopPromise<String>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { text += String(buffer: unwrapInboundIn(data)) }
    func channelInactive(context: ChannelHandlerContext) { promise.succeed(text) }
}

/// Answers each request of an HTTP/2 stream with 100,000 bytes.
private final class Answerer: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        let head = HTTPResponseHead(version: .http2, status: .ok)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(repeating: 1, count: 100_000)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

/// Sends one request over an HTTP/2 stream and counts the bytes of its answer.
private final class Asker: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart
    private var bytes = 0
    private let answer: EventLoopPromise<Int>

    init(_ answer: EventLoopPromise<Int>) { self.answer = answer }

    func channelActive(context: ChannelHandlerContext) {
        let head = HTTPRequestHead(version: .http2, method: .GET, uri: "/", headers: ["host": "server"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: break
        case .body(let buffer): bytes += buffer.readableBytes
        case .end: answer.succeed(bytes)
        }
    }
}
