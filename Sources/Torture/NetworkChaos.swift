import Faults
import NIOCore
import Ports
import SimulatedWorld
public import SimulationKernel

/// Random faults of a network and its hosts under connections whose every byte is checked.
///
/// Clients stream a pattern to servers that send it back; hosts crash, pause and restart, links are cut, held, slowed and lossy, toxics
/// come and go, ports refuse and vanish. Whatever comes back must be the pattern, in order; when all is healed, a new connection of
/// each client must carry its bytes there and back.
public struct NetworkChaos: Sendable {
    /// Clients, each on a host of its own; they share two servers.
    public var clients: Int
    /// Virtual time with faults.
    public var duration: Duration

    /// What is made wrong, to see that it is noticed.
    public var sabotage: Sabotage?

    /// A mistake of the network's.
    public enum Sabotage: Sendable, CaseIterable {
        /// A link swallows bytes in the middle of streams.
        case swallowsBytes
        /// The links stay as they are when all is to be healed.
        case neverHeals
    }

    /// Describes a run; by default four clients for a minute, and nothing planted.
    public init(clients: Int = 4, duration: Duration = .seconds(60), sabotage: Sabotage? = nil) {
        self.clients = clients
        self.duration = duration
        self.sabotage = sabotage
    }

    /// What a run came to.
    public struct Result: Sendable {
        /// Bytes that came back.
        public var bytes: Int = 0
        /// Connections that were made.
        public var connections: Int = 0
        /// Faults that were applied.
        public var faults: Int = 0
        /// Clients whose last connection, when all was healed, carried everything there and back.
        public var healed: Int = 0
        /// The first byte that was wrong, in words.
        public var corruption: String?
    }

    private static let servers = 2

    /// What is wrong with a run, in words; nil when nothing is.
    public func problem(_ outcome: Outcome<Void>, _ result: Result) -> String? {
        if let corruption = result.corruption { return corruption }
        if outcome.stopReason != .finished { return "\(outcome)" }
        if result.healed < clients { return "\(clients - result.healed) client(s) could not begin anew" }
        return nil
    }

    /// Runs the chaos from one seed.
    ///
    /// - Throws: ``SimulationError`` when the run cannot begin.
    public func run(seed: Seed) throws -> (Outcome<Void>, Result) {
        let simulation = Simulation(seed: seed)
        let network = try Network(simulation)
        let tally = Tally()
        for number in 0..<Self.servers {
            try network.host("server-\(number)") { ports in
                _ = try await ports.listen(Endpoint("server-\(number)", 7), options: .init(backlog: 16)) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Echo())
                    }
                }.get()
            }
        }
        for number in 0..<clients {
            try network.host("client-\(number)") { ports in
                var round = 0
                while true {
                    round += 1
                    // Until what the faults left behind is over.
                    while tally.isSettling { try await Task.sleep(for: .seconds(1)) }
                    await Self.connect(ports, "server-\((number + round) % Self.servers)", tally)
                    try await Task.sleep(for: .milliseconds(100))
                }
            }
        }
        if sabotage == .swallowsBytes {
            let toxic = Toxic("swallows", .packetLoss(rate: Ratio(1, outOf: 20), correlation: .zero))
            for number in 0..<Self.servers {
                try network.link(from: "client-0", to: "server-\(number)").setToxic(toxic)
            }
        }
        var random = try simulation.stream("chaos")
        let outcome = try simulation.run {
            let end = simulation.now.advanced(by: duration)
            while simulation.now < end {
                try await simulation.clock.sleep(for: random.duration(.exponential(mean: .milliseconds(400))))
                try strike(network, simulation, &random)
                tally.result.faults += 1
            }
            if sabotage != .neverHeals { try heal(network, simulation) }
            tally.isSettling = true
            // Half-open connections and retransmissions end; then everybody begins anew.
            try await Task.sleep(for: .seconds(1000))
            tally.isSettling = false
            tally.isHealed = true
            try await Task.sleep(for: .seconds(60))
        }
        tally.result.healed = tally.healedHosts.count
        return (outcome, tally.result)
    }

    private static func connect(_ ports: SimulatedPorts, _ server: String, _ tally: Tally) async {
        let checker = Checker(tally, Simulation.Host.current?.name ?? "")
        let dialled = ports.dial(Endpoint(server, 7), options: .init(timeout: .seconds(5))) { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(checker) }
        }
        guard let channel = try? await dialled.get() else { return }
        tally.result.connections += 1
        for piece in 0..<Checker.pieces {
            guard let bytes = Checker.pattern.getSlice(at: piece * Checker.pieceBytes, length: Checker.pieceBytes),
                (try? await channel.writeAndFlush(bytes)) != nil
            else { break }
        }
        try? await Task.sleep(for: .seconds(20))
        try? await channel.close()
    }

    // MARK: Faults

    private func hostNames() -> [String] {
        (0..<clients).map { "client-\($0)" } + (0..<Self.servers).map { "server-\($0)" }
    }

    private func strike(_ network: Network, _ simulation: Simulation, _ random: inout RandomStream) throws {
        let names = hostNames()
        let client = "client-\(random.index(below: clients))"
        let server = "server-\(random.index(below: Self.servers))"
        let link =
            random.chance(Ratio(1, outOf: 2))
            ? try network.link(from: client, to: server) : try network.link(from: server, to: client)
        let host = simulation.host(named: names[random.index(below: names.count)])
        switch random.index(below: 14) {
        case 0: link.cut()
        case 1: link.heal()
        case 2: link.hold()
        case 3: link.release()
        case 4:
            try link.setOptions(.init(latency: .uniform(min: .zero, max: .milliseconds(50)), loss: Ratio(1, outOf: 10)))
        case 5:
            try link.setOptions(
                .init(
                    latency: .fixed(.milliseconds(1)), bytesPerSecond: 1 << UInt64(8 + random.index(below: 16)),
                    queueBytesMax: 20_000))
        case 6: try link.setToxic(Toxic("slow", .latency(latency: .milliseconds(200), jitter: .milliseconds(150))))
        case 7:
            try link.setToxic(
                Toxic("slices", .slicer(averageSize: 700, sizeVariation: 300, delay: .milliseconds(1))))
        case 8: try link.setToxic(Toxic("end", .timeout(.milliseconds(2500)), toxicity: Ratio(1, outOf: 2)))
        case 9: try link.setToxic(Toxic("reset", .resetPeer(after: .milliseconds(500)), toxicity: Ratio(1, outOf: 2)))
        case 10: for name in ["slow", "slices", "end", "reset"] { link.removeToxic(name) }
        case 11: host?.restart()
        case 12: host?.state == .paused ? host?.resume() : host?.pause()
        default:
            // Nobody may listen there now.
            try? network.setRefusing(host: server, port: 7, random.chance(Ratio(1, outOf: 2)))
            try? network.setBlackHole(host: server, port: 7, random.chance(Ratio(1, outOf: 4)))
        }
    }

    private func heal(_ network: Network, _ simulation: Simulation) throws {
        for name in hostNames() {
            simulation.host(named: name)?.resume()
            simulation.host(named: name)?.start()
        }
        for client in 0..<clients {
            for server in 0..<Self.servers {
                for (source, target) in [
                    ("client-\(client)", "server-\(server)"), ("server-\(server)", "client-\(client)"),
                ] {
                    let link = try network.link(from: source, to: target)
                    link.heal()
                    link.release()
                    try link.setOptions(.standard)
                    for name in ["slow", "slices", "end", "reset"] { link.removeToxic(name) }
                }
                try? network.setRefusing(host: "server-\(server)", port: 7, false)
                try? network.setBlackHole(host: "server-\(server)", port: 7, false)
            }
        }
    }
}

/// Counts on the simulation's thread.
private final class Tally: @unchecked Sendable {
    var result: NetworkChaos.Result = .init()
    /// All faults are over, and so is what they left behind.
    var isHealed: Bool = false
    /// All faults are over; half-open connections and retransmissions end.
    var isSettling: Bool = false
    var healedHosts: Set<String> = []
}

private final class Echo: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(data, promise: nil)
    }
}

/// Checks that what comes back is what was sent, from the first byte on.
private final class Checker: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    static let pieces: Int = 10
    static let pieceBytes: Int = 7_001

    private let tally: Tally
    private let host: String
    private var position: Int = 0
    private var beganHealed: Bool = false

    init(_ tally: Tally, _ host: String) {
        self.tally = tally
        self.host = host
        beganHealed = tally.isHealed
    }

    static let pattern: ByteBuffer = ByteBuffer(
        bytes: (0..<pieces * pieceBytes).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        let expected = Self.pattern.getSlice(at: position, length: buffer.readableBytes)
        if buffer != expected, tally.result.corruption == nil {
            tally.result.corruption =
                "\(buffer.readableBytes) bytes from \(position) on of a connection of \(host) are others"
        }
        position += buffer.readableBytes
        tally.result.bytes += buffer.readableBytes
        if position == Self.pieces * Self.pieceBytes, beganHealed { tally.healedHosts.insert(host) }
    }
}
