import NIOCore
import Ports
import SimulatedWorld
import SimulationKernel
import XCTest

/// A server that notes what it accepts and reads, and a client, on a network of their own.
struct NetworkScript: @unchecked Sendable {
    let simulation: Simulation
    let network: Network
    let server: Side
    let client: Side

    /// One host: the ports of its present incarnation, and what its channels saw.
    final class Side: @unchecked Sendable {
        fileprivate(set) var ports: SimulatedPorts?
        fileprivate(set) var host: Simulation.Host?
        var channels: [any Channel] = []
        /// When each channel became active, in seconds of virtual time.
        var activeAt: [Double] = []
        /// When data arrived, in seconds, and how much.
        var received: [(at: Double, bytes: Int)] = []
        var errors: [String] = []

        var receivedBytes: Int { received.reduce(0) { $0 + $1.bytes } }

        func living() throws -> SimulatedPorts { try XCTUnwrap(ports) }
    }

    /// Runs `body` beside a server that listens on port 80, greets with so many bytes, and is configured on its event loop
    /// for each accepted channel; and beside a client.
    @discardableResult
    static func run(
        seed: Seed = 1, link: Link.Options = .standard, backlog: Int = 256, greeting: Int = 0,
        configure: @escaping @Sendable (any Channel) -> Void = { _ in },
        _ body: @escaping (NetworkScript) async throws -> Void
    ) throws -> Outcome<Void> {
        let simulation = Simulation(seed: seed)
        let network = try Network(simulation, defaultLink: link)
        let script = NetworkScript(simulation: simulation, network: network, server: Side(), client: Side())
        script.server.host = try network.host("server") { ports in
            script.server.ports = ports
            _ = try await ports.listen(Endpoint("server", 80), options: .init(backlog: backlog)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    configure(channel)
                    try channel.pipeline.syncOperations.addHandler(
                        Noter(script.server, script, greeting: greeting))
                }
            }.get()
        }
        script.client.host = try network.host("client") { script.client.ports = $0 }
        let outcome = try simulation.run {
            try await Task.sleep(for: .milliseconds(1))
            try await body(script)
        }
        XCTAssertEqual(outcome.stopReason, .finished, "\(outcome)")
        try outcome.get()
        return outcome
    }

    /// Connects the client; its channel notes what it sees.
    @discardableResult
    func dial(timeout: TimeAmount = .seconds(300), autoRead: Bool = true) async throws -> any Channel {
        try await client.living().dial(Endpoint("server", 80), options: .init(timeout: timeout)) { channel in
            channel.setOption(.autoRead, value: autoRead).flatMapThrowing {
                try channel.pipeline.syncOperations.addHandler(Noter(client, self, greeting: 0))
            }
        }.get()
    }

    /// Virtual seconds since the run began.
    var seconds: Double { Double(simulation.now.nanoseconds) / 1e9 }

    func link(_ source: String = "client", _ target: String = "server") throws -> Link {
        try network.link(from: source, to: target)
    }

    /// Notes what happens on a channel.
    private final class Noter: ChannelInboundHandler, @unchecked Sendable {
        typealias InboundIn = ByteBuffer
        private let side: Side
        private let script: NetworkScript
        private let greeting: Int

        init(_ side: Side, _ script: NetworkScript, greeting: Int) {
            self.side = side
            self.script = script
            self.greeting = greeting
        }

        func channelActive(context: ChannelHandlerContext) {
            side.channels.append(context.channel)
            side.activeAt.append(script.seconds)
            guard greeting > 0 else { return }
            context.writeAndFlush(NIOAny(ByteBuffer(repeating: 0x67, count: greeting)), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            side.received.append((script.seconds, unwrapInboundIn(data).readableBytes))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            side.errors.append("\(error)")
        }
    }
}
