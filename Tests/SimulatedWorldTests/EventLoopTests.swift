import NIOCore
import Ports
import SimulatedWorld
import SimulationKernel
import XCTest

/// What NIO's own handlers and bridges rely on.
final class EventLoopTests: XCTestCase {
    /// Runs a script on a host with the host's ports.
    private func run(_ script: @escaping (Simulation, SimulatedPorts) async throws -> Void) throws {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        try network.host("server") { ports in
            _ = try await ports.listen(Endpoint("server", 80), options: .init()) { channel in
                channel.eventLoop.makeSucceededVoidFuture()
            }.get()
        }
        let host = try network.host("client") { ports in
            try await Task.sleep(for: .milliseconds(1))
            try await script(simulation, ports)
            simulation.stop("done")
        }
        let outcome = try simulation.run(for: .seconds(10_000))
        XCTAssertEqual(outcome.stopReason, .stopped("done"), "\(String(describing: host.exit))")
    }

    func testTasksRunInTheirOrderAndScheduledOnesOnTime() throws {
        try run { simulation, ports in
            let loop = ports.eventLoop
            let log = Log()
            let start = simulation.now
            loop.execute {
                log.entries.append("first")
                loop.execute { log.entries.append("third") }
            }
            loop.execute { log.entries.append("second") }
            let scheduled = loop.scheduleTask(in: .seconds(5)) { log.entries.append("scheduled") }
            let cancelled = loop.scheduleTask(in: .seconds(4)) { log.entries.append("cancelled") }
            cancelled.cancel()
            try await scheduled.futureResult.get()
            XCTAssertEqual(log.entries, ["first", "second", "third", "scheduled"])
            XCTAssertEqual(start.duration(to: simulation.now), .seconds(5))
        }
    }

    // Each loop is strict although all share one thread: code outside it must hop, as in production.
    func testALoopIsEnteredOnlyByItsOwnWork() throws {
        try run { _, ports in
            XCTAssertFalse(ports.eventLoop.inEventLoop)
            let inside = try await ports.eventLoop.submit { ports.eventLoop.inEventLoop }.get()
            XCTAssertTrue(inside)
        }
    }

    func testAnIdleStateHandlerFiresExactlyOnTime() throws {
        try run { simulation, ports in
            let promise = ports.eventLoop.makePromise(of: Void.self)
            let channel = try await ports.dial(Endpoint("server", 80), options: .init()) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(IdleStateHandler(readTimeout: .seconds(30)))
                    try channel.pipeline.syncOperations.addHandler(IdleNoter(promise))
                }
            }.get()
            let start = simulation.now
            try await promise.futureResult.get()
            XCTAssertEqual(start.duration(to: simulation.now), .seconds(30))
            try await channel.close()
        }
    }

    func testAnAsyncChannelCarriesBothDirections() throws {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        try network.host("server") { ports in
            _ = try await ports.listen(Endpoint("server", 80), options: .init()) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let wrapped = try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    _ = Task {
                        try await wrapped.executeThenClose { inbound, outbound in
                            for try await buffer in inbound { try await outbound.write(buffer) }
                        }
                    }
                }
            }.get()
        }
        var echoed = ""
        try network.host("client") { ports in
            try await Task.sleep(for: .milliseconds(1))
            let wrapped = Box<NIOAsyncChannel<ByteBuffer, ByteBuffer>>()
            _ = try await ports.dial(Endpoint("server", 80), options: .init()) { channel in
                channel.eventLoop.makeCompletedFuture {
                    wrapped.value = try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                }
            }.get()
            guard let channel = wrapped.value else { return }
            echoed = try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: "hello"))
                for try await buffer in inbound { return String(buffer: buffer) }
                return "nothing"
            }
            simulation.stop("done")
        }
        _ = try simulation.run(for: .seconds(100))
        XCTAssertEqual(echoed, "hello")
    }
}

private final class Log: @unchecked Sendable {
    var entries: [String] = []
}

private final class Box<Value>: @unchecked Sendable {
    var value: Value?
}

private final class IdleNoter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let promise: EventLoopPromise<Void>

    init(_ promise: EventLoopPromise<Void>) {
        self.promise = promise
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { promise.succeed(()) }
    }
}
