import ArgumentParser
import Documents
import Foundation
import HTTP
import HTTPTypes
import NIOCore
import Ports
import SocketWorld

extension Suite {
    /// What the fault proxy costs without toxics: CPU time and memory of its own process, which has none of the interposed functions.
    static let proxy = Suite(
        name: "proxy",
        benchmarks: [
            Benchmark("proxy.request", "us") {
                try ProxyBench.run { try await $0.microsecondsPerRequest(connections: 32, requests: 100_000) }
            },
            Benchmark("proxy.request.latency", "us") {
                try ProxyBench.run {
                    try await $0.microsecondsPerRequest(
                        connections: 32, requests: 50_000,
                        toxics: "{\"type\":\"latency\",\"attributes\":{\"latency\":1}}")
                }
            },
            Benchmark("proxy.bulk", "CPU-s/GB") {
                try ProxyBench.run { try await $0.secondsPerGigabyte(bytes: 2 << 30) }
            },
            Benchmark("proxy.connection", "KiB") {
                try ProxyBench.run { try await $0.kibibytesPerConnection(connections: 9900) }
            },
            Benchmark("proxy.accepts", "1/CPU-s") { try ProxyBench.run { try await $0.acceptsPerSecond(count: 4000) } },
        ])
}

/// A fault proxy in a process of its own, with a server behind it and clients before it in this one.
private final class ProxyBench: Sendable {
    /// What the server does with a connection.
    private enum Service {
        /// Answers each request, whose length is known, with an HTTP answer.
        case answering
        /// Sends so many bytes.
        case sending(Int)
    }

    private static let request: ByteBuffer = ByteBuffer(
        string: "GET /measurements HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")
    private static let response: ByteBuffer = ByteBuffer(
        string: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
            + String(repeating: "x", count: 100))

    private let child: ProxyProcess
    private let sockets: LazySockets
    private let client: HTTPClient

    private init() async throws {
        allowManyFiles()
        child = try ProxyProcess()
        sockets = LazySockets()
        client = try await HTTPClient.make(sockets.ports)
    }

    /// Measures with a proxy of its own, which ends in any case.
    static func run(_ body: @escaping @Sendable (ProxyBench) async throws -> Double) throws -> Double {
        let loop = LazySockets().eventLoop
        let promise = loop.makePromise(of: Double.self)
        promise.completeWithTask {
            let bench = try await ProxyBench()
            defer { bench.child.end() }
            return try await body(bench)
        }
        return try promise.futureResult.wait()
    }

    // MARK: Figures

    func microsecondsPerRequest(connections: Int, requests: Int, toxics: String = "") async throws -> Double {
        let port = try await makeProxy(.answering, toxics: toxics)
        let perConnection = requests / connections
        // Once to warm up, then measured.
        for round in 0..<2 {
            let count = round == 0 ? perConnection / 10 : perConnection
            let start = child.cpuSeconds
            try await EventLoopFuture.andAllSucceed(
                (0..<connections).map { _ in ask(port, times: count) }, on: sockets.eventLoop
            ).get()
            if round == 1 { return (child.cpuSeconds - start) * 1e6 / Double(count * connections) }
        }
        return 0
    }

    func secondsPerGigabyte(bytes: Int) async throws -> Double {
        let port = try await makeProxy(.sending(bytes))
        let start = child.cpuSeconds
        try await connect(port) { loop in
            let done = loop.makePromise(of: Void.self)
            return (Receiver(bytes: bytes, done: done), done.futureResult)
        }.get()
        return (child.cpuSeconds - start) / (Double(bytes) / 1e9)
    }

    func kibibytesPerConnection(connections: Int) async throws -> Double {
        let port = try await makeProxy(.answering)
        let before = child.residentKibibytes
        // A request each: what a connection has needed once counts.
        for _ in 0..<connections / 100 {
            try await EventLoopFuture.andAllSucceed(
                (0..<100).map { _ in ask(port, times: 1, stays: true) }, on: sockets.eventLoop
            ).get()
        }
        return (child.residentKibibytes - before) / Double(connections / 100 * 100)
    }

    func acceptsPerSecond(count: Int) async throws -> Double {
        let port = try await makeProxy(.answering)
        try await EventLoopFuture.andAllSucceed((0..<32).map { _ in ask(port, times: 1) }, on: sockets.eventLoop).get()
        let start = child.cpuSeconds
        for _ in 0..<count / 32 {
            try await EventLoopFuture.andAllSucceed((0..<32).map { _ in ask(port, times: 1) }, on: sockets.eventLoop)
                .get()
        }
        return Double(count / 32 * 32) / (child.cpuSeconds - start)
    }

    // MARK: Parts

    private func makeProxy(_ service: Service, toxics: String = "") async throws -> Int {
        let listener = try await sockets.ports.listen(Endpoint("127.0.0.1", 0), options: ListenOptions(backlog: 4096)) {
            channel in
            channel.eventLoop.makeCompletedFuture {
                switch service {
                case .answering:
                    let answering = Answering(bytes: Self.request.readableBytes, answer: Self.response)
                    try channel.pipeline.syncOperations.addHandler(answering)
                case .sending(let bytes): try channel.pipeline.syncOperations.addHandler(Sending(bytes: bytes))
                }
            }
        }.get()
        let body =
            "{\"name\":\"bench\",\"listen\":\"127.0.0.1:0\",\"upstream\":\"\(listener.endpoint)\",\"toxics\":[\(toxics)]}"
        var request = HTTPRequest(method: .post, scheme: "http", authority: nil, path: "/proxies")
        request.authority = "\(child.api)"
        let response = try await client.send(request, body: ByteBuffer(string: body), to: child.api)
        let answer = try JSONReader.read(response.body.readableBytesView)
        guard let listen = answer["listen"]?.string, let port = listen.split(separator: ":").last.flatMap({ Int($0) })
        else {
            throw ValidationError("the proxy answered \(JSONWriter.write(answer))")
        }
        return port
    }

    private func ask(_ port: Int, times: Int, stays: Bool = false) -> EventLoopFuture<Void> {
        connect(port) { loop in
            let done = loop.makePromise(of: Void.self)
            let asking = Asking(
                Self.request, answerBytes: Self.response.readableBytes, times: times, stays: stays, done: done)
            return (asking, done.futureResult)
        }
    }

    private func connect(
        _ port: Int, _ make: @escaping @Sendable (any EventLoop) -> (any ChannelHandler, EventLoopFuture<Void>)
    ) -> EventLoopFuture<Void> {
        let loop = sockets.eventLoop
        return loop.flatSubmit { [sockets] in
            let (handler, done) = make(loop)
            let box = NIOLoopBound(handler, eventLoop: loop)
            return sockets.ports.dial(Endpoint("127.0.0.1", port), options: DialOptions()) { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(box.value) }
            }.flatMap { _ in done }
        }
    }
}

/// The proxy's process.
private final class ProxyProcess: @unchecked Sendable {
    private let process: Process = Process()
    /// Where its API listens.
    let api: Endpoint

    init() throws {
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "windkanal-services")
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            throw ValidationError("\(program.path) is missing: build the product windkanal-services first")
        }
        let output = Pipe()
        process.executableURL = program
        process.arguments = ["proxy", "--port", "0", "--seed", "1"]
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let text = try JSONReader.read(line.utf8)["api"]?.string,
            let port = text.split(separator: ":").last.flatMap({ Int($0) })
        else {
            process.terminate()
            throw ValidationError("the proxy said \(line)")
        }
        api = Endpoint("127.0.0.1", port)
    }

    func end() {
        process.terminate()
        process.waitUntilExit()
    }

    /// CPU time of the whole process, in ticks of 10 ms.
    var cpuSeconds: Double {
        guard let text = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8),
            let name = text.lastIndex(of: ")")
        else { return 0 }
        // Behind the name, user and system time are the twelfth and thirteenth field.
        let fields = text[text.index(after: name)...].split(separator: " ")
        return ((Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Memory that is really there.
    var residentKibibytes: Double {
        guard let text = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/statm", encoding: .utf8) else {
            return 0
        }
        return (Double(text.split(separator: " ")[1]) ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE))) / 1024
    }
}

/// Each connection takes two of the files that a process may have open.
private func allowManyFiles() {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

// MARK: Handlers

/// Asks so often, one request after the other.
private final class Asking: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: ByteBuffer
    private let answerBytes: Int
    private var missing: Int
    private var left: Int
    private let stays: Bool
    private let done: EventLoopPromise<Void>

    init(_ request: ByteBuffer, answerBytes: Int, times: Int, stays: Bool, done: EventLoopPromise<Void>) {
        self.request = request
        self.answerBytes = answerBytes
        missing = answerBytes
        left = times
        self.stays = stays
        self.done = done
    }

    func channelActive(context: ChannelHandlerContext) { context.writeAndFlush(wrapOutboundOut(request), promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        missing -= unwrapInboundIn(data).readableBytes
        guard missing <= 0 else { return }
        missing = answerBytes
        left -= 1
        if left > 0 { return context.writeAndFlush(wrapOutboundOut(request), promise: nil) }
        done.succeed(())
        if !stays { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { if left > 0 { done.fail(ChannelError.eof) } }
}

/// Answers whenever a whole request has come.
private final class Answering: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let bytes: Int
    private let answer: ByteBuffer
    private var missing: Int

    init(bytes: Int, answer: ByteBuffer) {
        self.bytes = bytes
        self.answer = answer
        missing = bytes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        missing -= unwrapInboundIn(data).readableBytes
        guard missing <= 0 else { return }
        missing = bytes
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
    }
}

/// Sends as fast as it can.
private final class Sending: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let piece: ByteBuffer = ByteBuffer(repeating: 7, count: 256 * 1024)
    private var left: Int

    init(bytes: Int) {
        left = bytes
    }

    func channelActive(context: ChannelHandlerContext) { send(context) }
    func channelWritabilityChanged(context: ChannelHandlerContext) { send(context) }

    private func send(_ context: ChannelHandlerContext) {
        while left > 0, context.channel.isWritable {
            left -= Self.piece.readableBytes
            context.writeAndFlush(wrapOutboundOut(Self.piece), promise: nil)
        }
    }
}

/// Waits for so many bytes.
private final class Receiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var missing: Int
    private let done: EventLoopPromise<Void>

    init(bytes: Int, done: EventLoopPromise<Void>) {
        missing = bytes
        self.done = done
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        missing -= unwrapInboundIn(data).readableBytes
        guard missing <= 0 else { return }
        done.succeed(())
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { if missing > 0 { done.fail(ChannelError.eof) } }
}
