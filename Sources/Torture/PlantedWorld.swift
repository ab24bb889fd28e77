import NIOCore
import Ports
import SimulatedWorld
import SimulationKernel

/// Two hosts, a network and a disk beside the torture's hosts, in which hash order decides something that leaves no other mark:
/// the number of events, bytes and draws of others stays the same.
struct PlantedWorld {
    private let simulation: Simulation
    private let network: Network
    private let leak: Leak

    /// Adds the hosts to a simulation that has not run.
    init(_ simulation: Simulation, _ leak: Leak) throws {
        self.simulation = simulation
        self.leak = leak
        network = try Network(simulation)
        let (leak, network) = (leak, network)
        try network.host("planted-server") { ports in
            _ = try await ports.listen(Endpoint("planted-server", 80), options: .init()) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.get()
        }
        try network.host("planted-client") { ports in
            try await Task.sleep(for: .seconds(1))
            let channel = try await ports.dial(Endpoint("planted-server", 80), options: .init()) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.get()
            try await channel.writeAndFlush(ByteBuffer(bytes: leak == .payload ? Self.inHashOrder : Self.bytes))
            try await Self.plant(leak, simulation, network)
        }
    }

    private static let bytes: [UInt8] = Array(0..<16)

    /// The bytes in an order that differs between processes.
    private static var inHashOrder: [UInt8] {
        Array(Set(bytes.map { "flat \($0)" })).compactMap { $0.split(separator: " ").last.flatMap { UInt8($0) } }
    }

    private static func plant(_ leak: Leak, _ simulation: Simulation, _ network: Network) async throws {
        switch leak {
        case .streamDraws:
            var stream = try simulation.stream("planted")
            for _ in 0..<(inHashOrder[0] + 1) { _ = stream.next() }
        case .diskBytes:
            let disk = Disk(RandomStream(seed: 1))
            let file = try disk.open("planted", creates: true)
            try inHashOrder.withUnsafeBytes { try disk.write(file, $0, at: 0) }
        case .linkOptions:
            let rate = 1_000_000 + UInt64(inHashOrder[0])
            try network.link(from: "planted-server", to: "planted-client").setOptions(
                .init(latency: .fixed(.milliseconds(1)), bytesPerSecond: rate))
        case .payload, .hashOrder, .address, .wallClock, .cpuTime, .realThread, .dispatch, .realSleep, .blockedThread,
            .stuckThread:
            break
        }
    }
}
