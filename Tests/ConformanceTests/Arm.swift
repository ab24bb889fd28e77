import Dispatch
import NIOCore
import NIOPosix
import Ports
import SimulatedWorld
import SimulationKernel
import SocketWorld
import XCTest

/// One side of a conformance test: kernel sockets on loopback, or the simulation.
enum Arm: CaseIterable {
    case sockets
    case simulation
}

/// What a script runs with.
struct Stage: Sendable {
    let server: any Ports
    let client: any Ports
    /// The name that the client reaches the server by.
    let serverName: String
    /// Stops the server's process in the middle of everything, while its machine goes on to answer; and lets it go on.
    let pauseServer: @Sendable () async -> Void
    let resumeServer: @Sendable () -> Void
}

extension Arm {
    /// Runs a script in this arm.
    func run<Value: Sendable>(_ script: @escaping @Sendable (Stage) async throws -> Value) throws -> Value {
        switch self {
        case .sockets: try runOnSockets(script)
        case .simulation: try runInSimulation(script)
        }
    }

    private func runOnSockets<Value: Sendable>(
        _ script: @escaping @Sendable (Stage) async throws -> Value
    ) throws -> Value {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        defer { try? group.syncShutdownGracefully() }
        let serverLoop = group.next()
        let gate = DispatchSemaphore(value: 0)
        let stage = Stage(
            server: RealPorts(eventLoop: serverLoop), client: RealPorts(eventLoop: group.next()),
            serverName: "127.0.0.1",
            pauseServer: {
                await withCheckedContinuation { stopped in
                    serverLoop.execute {
                        stopped.resume()
                        // A script that fails before it lets the server go on must not keep it for ever.
                        _ = gate.wait(timeout: .now() + 10)
                    }
                }
            },
            resumeServer: { gate.signal() })
        let promise = group.next().makePromise(of: Value.self)
        promise.completeWithTask { try await script(stage) }
        return try promise.futureResult.wait()
    }

    private func runInSimulation<Value: Sendable>(
        _ script: @escaping @Sendable (Stage) async throws -> Value
    ) throws -> Value {
        // After the certificates of fixtures/tls were made.
        let simulation = Simulation(seed: 1, options: .init(epoch: .seconds(1_800_000_000)))
        let network = try Network(simulation)
        let ports = PortsBox()
        ports.serverHost = try network.host("server") { ports.server = $0 }
        try network.host("client") { ports.client = $0 }
        return try simulation.run {
            try await Task.sleep(for: .milliseconds(1))
            guard let server = ports.server, let client = ports.client else { throw CancellationError() }
            return try await script(
                Stage(
                    server: server, client: client, serverName: "server",
                    pauseServer: { ports.serverHost?.pause() }, resumeServer: { ports.serverHost?.resume() }))
        }.get()
    }
}

private final class PortsBox: @unchecked Sendable {
    var server: SimulatedPorts?
    var client: SimulatedPorts?
    var serverHost: Simulation.Host?
}

/// What a channel showed, in words; data that came in several pieces is one entry.
final class Observations: @unchecked Sendable {
    private let lock = NSLock()
    private var entries: [String] = []
    private var data: Int = 0

    func add(_ entry: String) {
        lock.withLock {
            endData()
            entries.append(entry)
        }
    }

    func add(bytes: Int) {
        lock.withLock { data += bytes }
    }

    var all: [String] {
        lock.withLock {
            endData()
            return entries
        }
    }

    private func endData() {
        if data > 0 { entries.append("\(data) bytes") }
        data = 0
    }
}

/// Notes everything that happens on a channel, and can answer.
final class Observer: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let observations: Observations
    let onActive: (any Channel) -> Void
    let onData: (any Channel, ByteBuffer) -> Void
    let onEvent: (any Channel, Any) -> Void

    init(
        _ observations: Observations, onActive: @escaping (any Channel) -> Void = { _ in },
        onData: @escaping (any Channel, ByteBuffer) -> Void = { _, _ in },
        onEvent: @escaping (any Channel, Any) -> Void = { _, _ in }
    ) {
        self.observations = observations
        self.onActive = onActive
        self.onData = onData
        self.onEvent = onEvent
    }

    func channelActive(context: ChannelHandlerContext) {
        observations.add("active")
        onActive(context.channel)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        observations.add("inactive")
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        observations.add(bytes: buffer.readableBytes)
        onData(context.channel, buffer)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent { observations.add("\(event)") }
        onEvent(context.channel, event)
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError {
            observations.add("error \(error.errnoCode == ECONNRESET ? "reset" : "\(error.errnoCode)")")
        } else {
            observations.add("error")
        }
        context.fireErrorCaught(error)
    }
}

extension ByteBuffer {
    /// So many bytes.
    static func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 0x61, count: count) }
}
