import Documents
import FaultProxy
import Faults
import NIOCore
import NIOPosix
import Ports
import SimulatedWorld
import SimulationKernel
import SocketWorld
import XCTest

/// Each toxic in the simulation and in the proxy: the same bytes, the same end, and the same times within 5 % or 10 ms.
///
/// What it prints is the table of docs/proxy.md.
final class ToxicConformanceTests: ProxyTestCase {
    /// What is sent through which toxics; times are milliseconds since the connection was there.
    private struct Script: Sendable {
        let name: String
        let toxics: [String]
        var isUpstream: Bool = false
        var pieces: [(time: Int64, bytes: Int)] = [(0, 1000), (50, 1000), (100, 1000)]
        /// When the sender ends its direction.
        var end: Int64 = 150
        /// When nothing more is expected.
        var horizon: Int64 = 1000
    }

    /// What the receiver saw.
    private struct Observation: Sendable, Equatable {
        var bytes: Int = 0
        var first: Double?
        /// When half of what came had come.
        var half: Double?
        var last: Double?
        var end: Double?
        var kind: String = "none"

        var times: [Double?] { [first, half, last, end] }

        /// The same, and at the same times.
        func agrees(with other: Observation) -> Bool {
            guard bytes == other.bytes, kind == other.kind else { return false }
            return zip(times, other.times).allSatisfy { left, right in
                guard let left, let right else { return left == nil && right == nil }
                return abs(left - right) <= max(10, 0.05 * left)
            }
        }

        func row() -> String {
            let texts = times.map { time in time.map { "\(Int($0.rounded()))" } ?? "–" }
            return "\(bytes) | \(texts.joined(separator: " / ")) \(kind)"
        }
    }

    private let scripts: [Script] = [
        Script(name: "noop", toxics: [#"{"type":"noop"}"#]),
        Script(name: "latency 200", toxics: [#"{"type":"latency","attributes":{"latency":200}}"#]),
        Script(
            name: "latency 200, upstream", toxics: [#"{"type":"latency","attributes":{"latency":200}}"#],
            isUpstream: true),
        Script(
            name: "latency 120, twice",
            toxics: [
                #"{"type":"latency","name":"a","attributes":{"latency":120}}"#,
                #"{"type":"latency","name":"b","attributes":{"latency":120}}"#,
            ]),
        Script(
            name: "bandwidth 100", toxics: [#"{"type":"bandwidth","attributes":{"rate":100}}"#],
            pieces: [(0, 25_000), (10, 15_000)]),
        Script(
            name: "bandwidth 100, latency 100",
            toxics: [
                #"{"type":"bandwidth","attributes":{"rate":100}}"#, #"{"type":"latency","attributes":{"latency":100}}"#,
            ], pieces: [(0, 25_000), (10, 15_000)]),
        Script(name: "bandwidth 0", toxics: [#"{"type":"bandwidth","attributes":{"rate":0}}"#], horizon: 400),
        Script(name: "slow_close 300", toxics: [#"{"type":"slow_close","attributes":{"delay":300}}"#]),
        Script(
            name: "timeout 300", toxics: [#"{"type":"timeout","attributes":{"timeout":300}}"#], pieces: [(100, 1000)],
            end: 900),
        Script(
            name: "reset_peer 300", toxics: [#"{"type":"reset_peer","attributes":{"timeout":300}}"#],
            pieces: [(50, 1000)], end: 900),
        Script(
            name: "slicer 500, 50 ms",
            toxics: [#"{"type":"slicer","attributes":{"average_size":500,"size_variation":0,"delay":50000}}"#],
            pieces: [(0, 4000)]),
        Script(name: "limit_data 2500", toxics: [#"{"type":"limit_data","attributes":{"bytes":2500}}"#]),
        Script(
            name: "limit_time 300", toxics: [#"{"type":"limit_time","attributes":{"time":300}}"#],
            pieces: [(0, 1000), (200, 1000), (400, 1000)], end: 500),
        Script(name: "packet_loss 1", toxics: [#"{"type":"packet_loss","attributes":{"loss_rate":1}}"#]),
        Script(
            name: "latency 200, toxicity 0", toxics: [#"{"type":"latency","toxicity":0,"attributes":{"latency":200}}"#]),
    ]

    func testEveryToxicIsTheSameInTheSimulationAndInTheProxy() async throws {
        print(
            "| toxic | simulation: bytes | first / half / last / end (ms) | proxy: bytes | first / half / last / end (ms) |"
        )
        print("|---|---|---|---|---|")
        for script in scripts {
            let simulated = try simulate(script)
            var real = Observation()
            // A busy machine may be late once; one that is late three times is something else.
            for _ in 0..<3 {
                real = try await relay(script)
                if simulated.agrees(with: real) { break }
            }
            print("| \(script.name) | \(simulated.row()) | \(real.row()) |")
            XCTAssertTrue(simulated.agrees(with: real), "\(script.name): \(simulated) and \(real)")
        }
    }

    func testTheComparisonNoticesADifference() {
        let left = Observation(bytes: 1, first: 100, half: 100, last: 300, end: 400, kind: "end")
        var right = left
        right.last = 314
        XCTAssertTrue(left.agrees(with: right))
        right.last = 316
        XCTAssertFalse(left.agrees(with: right))
        right.last = nil
        XCTAssertFalse(left.agrees(with: right))
        right = left
        right.kind = "reset"
        XCTAssertFalse(left.agrees(with: right))
    }

    // MARK: The two arms

    private func simulate(_ script: Script) throws -> Observation {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation, defaultLink: Link.Options(latency: .fixed(.zero)))
        let ports = SimulatedEnds()
        try network.host("server") { ports.server = $0 }
        try network.host("client") { ports.client = $0 }
        let (source, target) = script.isUpstream ? ("client", "server") : ("server", "client")
        for toxic in script.toxics {
            let document = try XCTUnwrap(JSONReader.read(toxic.utf8).object)
            try network.link(from: source, to: target).setToxic(try Toxic(document))
        }
        return try simulation.run {
            try await Task.sleep(for: .milliseconds(1))
            guard let server = ports.server, let client = ports.client else { throw CancellationError() }
            return try await Self.play(script, client: client, server: server, at: Endpoint("server", 7)) {
                _ in Endpoint("server", 7)
            }
        }.get()
    }

    private final class SimulatedEnds: @unchecked Sendable {
        var server: (any Ports)?
        var client: (any Ports)?
    }

    private func relay(_ script: Script) async throws -> Observation {
        let ports = RealPorts(eventLoop: MultiThreadedEventLoopGroup.singleton.next())
        let stream = script.isUpstream ? "upstream" : "downstream"
        let toxics = script.toxics.map { String($0.dropLast()) + #","stream":"\#(stream)"}"# }.joined(separator: ",")
        let proxies = self
        let observation = try await Self.play(script, client: ports, server: ports, at: Endpoint("127.0.0.1", 0)) {
            server in
            Endpoint(
                "127.0.0.1", try proxies.makeProxy("c", upstream: server.port, more: #","toxics":[\#(toxics)]"#))
        }
        try expect("DELETE", "/proxies/c", is: 204)
        return observation
    }

    // MARK: The script's two ends

    private static func play(
        _ script: Script, client: any Ports, server: any Ports, at endpoint: Endpoint,
        through: (Endpoint) throws -> Endpoint
    ) async throws -> Observation {
        let start = StartBox()
        let observed = client.eventLoop.makePromise(of: Observation.self)
        let initializer: @Sendable (any Channel, Bool) -> EventLoopFuture<Void> = { channel, isSender in
            channel.setOption(.allowRemoteHalfClosure, value: true).flatMapThrowing {
                let handler: any ChannelHandler =
                    isSender ? Sender(script, start) : Receiver(script, start, observed)
                try channel.pipeline.syncOperations.addHandler(handler)
            }
        }
        let listener = try await server.listen(endpoint, options: ListenOptions()) {
            initializer($0, !script.isUpstream)
        }.get()
        let target = try through(listener.endpoint)
        let channel = try await client.dial(target, options: DialOptions()) { initializer($0, script.isUpstream) }.get()
        let observation = try await observed.futureResult.get()
        try? await channel.close()
        try await listener.close().get()
        return observation
    }

    /// When the sender began.
    private final class StartBox: @unchecked Sendable {
        private let lock = NSLock()
        private var time: NIODeadline?

        var value: NIODeadline? { lock.withLock { time } }
        func set(_ time: NIODeadline) { lock.withLock { self.time = time } }
    }

    private final class Sender: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let script: Script
        private let start: StartBox

        init(_ script: Script, _ start: StartBox) {
            self.script = script
            self.start = start
        }

        func channelActive(context: ChannelHandlerContext) {
            let loop = context.eventLoop
            let begin = loop.now
            start.set(begin)
            for (time, bytes) in script.pieces {
                loop.assumeIsolatedUnsafeUnchecked().scheduleTask(deadline: begin + .milliseconds(time)) { [self] in
                    context.writeAndFlush(wrapOutboundOut(ByteBuffer(repeating: 7, count: bytes)), promise: nil)
                }
            }
            loop.assumeIsolatedUnsafeUnchecked().scheduleTask(deadline: begin + .milliseconds(script.end)) {
                context.close(mode: .output, promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private final class Receiver: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let script: Script
        private let start: StartBox
        private let observed: EventLoopPromise<Observation>
        private var arrivals: [(time: NIODeadline, bytes: Int)] = []
        private var isOver: Bool = false

        init(_ script: Script, _ start: StartBox, _ observed: EventLoopPromise<Observation>) {
            self.script = script
            self.start = start
            self.observed = observed
        }

        func channelActive(context: ChannelHandlerContext) {
            let loop = context.eventLoop
            loop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: .milliseconds(script.horizon)) { [self] in
                finish("none", loop.now)
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            arrivals.append((context.eventLoop.now, unwrapInboundIn(data).readableBytes))
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard case ChannelEvent.inputClosed? = event as? ChannelEvent else { return }
            finish("end", context.eventLoop.now)
        }

        func channelInactive(context: ChannelHandlerContext) { finish("end", context.eventLoop.now) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            finish("reset", context.eventLoop.now)
            context.close(promise: nil)
        }

        private func finish(_ kind: String, _ now: NIODeadline) {
            guard !isOver else { return }
            isOver = true
            let begin = start.value ?? now
            func milliseconds(_ time: NIODeadline?) -> Double? { time.map { Double(($0 - begin).nanoseconds) / 1e6 } }
            var observation = Observation(kind: kind)
            observation.bytes = arrivals.reduce(0) { $0 + $1.bytes }
            observation.first = milliseconds(arrivals.first?.time)
            observation.last = milliseconds(arrivals.last?.time)
            var sum = 0
            let half = arrivals.first { arrival in
                sum += arrival.bytes
                return 2 * sum >= observation.bytes
            }
            observation.half = milliseconds(half?.time)
            if kind != "none" { observation.end = milliseconds(now) }
            observed.succeed(observation)
        }
    }
}
