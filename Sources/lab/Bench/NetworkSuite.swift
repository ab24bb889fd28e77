import CSystemSeam
import HTTP
import HTTPTypes
import NIOCore
import Ports
import SimulatedWorld
import SimulationKernel

extension Suite {
    /// What messages cost: as byte streams, through a channel's pipeline, as HTTP.
    static let network = Suite(
        name: "network",
        benchmarks: [2, 20, 200, 1000].flatMap { hosts in
            [(1, "1B"), (64, "64B"), (1024, "1KB")].map { bytes, name in
                Benchmark("network.stream.\(hosts)x\(name)", "msg/CPU-s") {
                    try StreamEcho(hosts: hosts, idleHosts: 0, bytes: bytes, messages: 1_000_000).run()
                }
            }
        } + [
            Benchmark("network.stream.20x64B.idle10k", "msg/CPU-s") {
                try StreamEcho(hosts: 20, idleHosts: 10_000, bytes: 64, messages: 1_000_000).run()
            },
            Benchmark("network.async.20x1B", "msg/CPU-s") { try AsyncEcho(hosts: 20, messages: 1_000_000).run() },
            Benchmark("network.async.1000x1B", "msg/CPU-s") { try AsyncEcho(hosts: 1000, messages: 1_000_000).run() },
            Benchmark("network.nio-async.20x1B", "msg/CPU-s") {
                try AsyncChannelEcho(hosts: 20, messages: 400_000).run()
            },
            Benchmark("network.channel.20x1B", "msg/CPU-s") {
                try PipelineEcho(hosts: 20, messages: 400_000).run()
            },
            Benchmark("network.poll", "us") { try Polls(count: 50_000).run() },
        ])
}

/// Pairs of hosts that send and echo over byte streams, 1 ms each way.
private struct StreamEcho {
    let hosts: Int
    /// Hosts more, each with links to and from its neighbour, that do nothing.
    let idleHosts: Int
    let bytes: Int
    let messages: Int

    func run() throws -> Double {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        let message = ByteBuffer(repeating: 0x61, count: bytes)
        var left = messages
        var start: UInt64 = 0
        var cost = 0.0
        for host in 0..<hosts { try network.host("host-\(host)") { _ in } }
        for host in 0..<idleHosts {
            try network.host("idle-\(host)") { _ in }
            if host > 0 {
                _ = try network.link(from: "idle-\(host - 1)", to: "idle-\(host)")
                _ = try network.link(from: "idle-\(host)", to: "idle-\(host - 1)")
            }
        }
        let streams = Streams()
        _ = try simulation.run {
            try await Task.sleep(for: .milliseconds(1))
            for pair in 0..<hosts / 2 {
                _ = network.acceptStreams(host: "host-\(2 * pair)", port: 7) { stream in
                    streams.all.append(stream)
                    stream.onData = { [unowned stream] in stream.send($0) }
                }
            }
            start = seam_thread_cpu()
            for pair in 0..<hosts / 2 {
                network.connectStream(from: "host-\(2 * pair + 1)", to: "host-\(2 * pair)", port: 7) { stream in
                    guard let stream else { return }
                    streams.all.append(stream)
                    stream.onData = { [unowned stream] in
                        left -= 2
                        if left > 0 { return stream.send($0) }
                        cost = Double(seam_thread_cpu() - start)
                        simulation.stop("measured")
                    }
                    stream.send(message)
                }
            }
            try await Task.sleep(for: .seconds(80_000))
        }
        return try perSecond(messages, cost)
    }

    private final class Streams {
        var all: [ByteStream] = []
    }
}

/// The same by tasks that await each message, as a user writes it: for each message, one task goes on.
private struct AsyncEcho {
    let hosts: Int
    let messages: Int

    func run() throws -> Double {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        let counter = MessageCounter(left: messages, simulation: simulation)
        for pair in 0..<hosts / 2 {
            try network.host("host-\(2 * pair)") { _ in }
            try network.host("host-\(2 * pair + 1)") { _ in }
        }
        _ = try simulation.run {
            try await Task.sleep(for: .milliseconds(1))
            counter.start = seam_thread_cpu()
            for pair in 0..<hosts / 2 {
                _ = network.acceptStreams(host: "host-\(2 * pair)", port: 7) { stream in
                    let echo = Unchecked(stream)
                    Task { while let buffer = await echo.value.read() { echo.value.send(buffer) } }
                }
                network.connectStream(from: "host-\(2 * pair + 1)", to: "host-\(2 * pair)", port: 7) { stream in
                    guard let stream else { return }
                    let client = Unchecked(stream)
                    Task {
                        client.value.send(ByteBuffer(repeating: 0x61, count: 1))
                        while let buffer = await client.value.read(), counter.note() { client.value.send(buffer) }
                    }
                }
            }
            try await Task.sleep(for: .seconds(80_000))
        }
        return try perSecond(messages, counter.cost)
    }

    private struct Unchecked: @unchecked Sendable {
        let value: ByteStream

        init(_ value: ByteStream) {
            self.value = value
        }
    }
}

/// The same through NIO's bridge to async code, `NIOAsyncChannel`.
private struct AsyncChannelEcho {
    let hosts: Int
    let messages: Int

    private typealias Bridge = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Carries the bridge out of the channel's initialiser, on the simulation's thread.
    private final class BridgeBox: @unchecked Sendable {
        var bridge: Bridge?
    }

    func run() throws -> Double {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        let counter = MessageCounter(left: messages, simulation: simulation)
        for pair in 0..<hosts / 2 {
            try network.host("server-\(pair)") { ports in
                _ = try await ports.listen(Endpoint("server-\(pair)", 7), options: .init()) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let bridge = try Bridge(wrappingChannelSynchronously: channel)
                        _ = Task {
                            try await bridge.executeThenClose { inbound, outbound in
                                for try await buffer in inbound { try await outbound.write(buffer) }
                            }
                        }
                    }
                }.get()
            }
            try network.host("client-\(pair)") { ports in
                try await Task.sleep(for: .milliseconds(1))
                let box = BridgeBox()
                _ = try await ports.dial(Endpoint("server-\(pair)", 7), options: .init()) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        box.bridge = try Bridge(wrappingChannelSynchronously: channel)
                    }
                }.get()
                try await box.bridge?.executeThenClose { inbound, outbound in
                    try await outbound.write(ByteBuffer(repeating: 0x61, count: 1))
                    for try await buffer in inbound {
                        guard counter.note() else { return }
                        try await outbound.write(buffer)
                    }
                }
            }
        }
        _ = try simulation.run {
            counter.start = seam_thread_cpu()
            try await Task.sleep(for: .seconds(80_000))
        }
        return try perSecond(messages, counter.cost)
    }
}

/// The same through NIO channels: a handler at each end.
private struct PipelineEcho {
    let hosts: Int
    let messages: Int

    func run() throws -> Double {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        let counter = MessageCounter(left: messages, simulation: simulation)
        for pair in 0..<hosts / 2 {
            try network.host("server-\(pair)") { ports in
                _ = try await ports.listen(Endpoint("server-\(pair)", 7), options: .init()) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(EchoHandler(nil))
                    }
                }.get()
            }
            try network.host("client-\(pair)") { ports in
                try await Task.sleep(for: .milliseconds(1))
                let channel = try await ports.dial(Endpoint("server-\(pair)", 7), options: .init()) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(EchoHandler(counter))
                    }
                }.get()
                try await channel.writeAndFlush(ByteBuffer(repeating: 0x61, count: 1))
            }
        }
        _ = try simulation.run {
            counter.start = seam_thread_cpu()
            try await Task.sleep(for: .seconds(80_000))
        }
        return try perSecond(messages, counter.cost)
    }
}

/// A run ended before it had measured anything.
private struct Unmeasured: Error {}

private func perSecond(_ messages: Int, _ nanoseconds: Double) throws -> Double {
    guard nanoseconds > 0 else { throw Unmeasured() }
    return Double(messages) / nanoseconds * 1e9
}

private final class MessageCounter: @unchecked Sendable {
    var left: Int
    var start: UInt64 = 0
    var cost: Double = 0
    let simulation: Simulation

    init(left: Int, simulation: Simulation) {
        self.left = left
        self.simulation = simulation
    }

    /// One message came, and one was sent for it; false, and the end of the run, when there were enough.
    func note() -> Bool {
        left -= 2
        if left > 0 { return true }
        cost = Double(seam_thread_cpu() - start)
        simulation.stop("measured")
        return false
    }
}

private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let counter: MessageCounter?

    init(_ counter: MessageCounter?) {
        self.counter = counter
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let counter, !counter.note() { return }
        context.writeAndFlush(data, promise: nil)
    }
}

/// One client that polls one server on one connection: CPU time for a request and its response.
private struct Polls {
    let count: Int

    func run() throws -> Double {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        let body = String(repeating: "a", count: 200)
        try network.host("server") { ports in
            let responder = HTTPResponder.immediate { _, _ in HTTPReply(.ok, text: body, type: "application/json") }
            _ = try await HTTPServer.start(ports, at: Endpoint("server", 80), responder: responder)
        }
        let done = MessageCounter(left: 0, simulation: simulation)
        try network.host("client") { [count] ports in
            try await Task.sleep(for: .milliseconds(1))
            let client = try await HTTPClient.make(ports)
            let request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/flats/7/measurements")
            for _ in 0..<count / 10 { _ = try await client.send(request, to: Endpoint("server", 80)) }
            let start = seam_thread_cpu()
            for _ in 0..<count { _ = try await client.send(request, to: Endpoint("server", 80)) }
            done.cost = nanosecondsPer(count, since: start) / 1000
            simulation.stop("measured")
        }
        _ = try simulation.run(for: .seconds(80_000))
        guard done.cost > 0 else { throw Unmeasured() }
        return done.cost
    }
}
