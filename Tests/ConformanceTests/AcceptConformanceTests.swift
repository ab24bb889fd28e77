import NIOCore
import Ports
import XCTest

/// When a service accepts, how many may wait until it does, and what it reads of a connection that is gone by then: the same
/// scripts against kernel sockets and against the simulation.
final class AcceptConformanceTests: XCTestCase {
    /// A service that notes what it sees of each connection.
    private struct Service {
        let listener: any Listener
        let seen: Observations
        /// Succeeds when the first connection was accepted, and when it was closed.
        let accepted: EventLoopFuture<any Channel>
        let closed: EventLoopFuture<Void>
    }

    private static func listen(
        _ stage: Stage, backlog: Int = 128, onActive: @escaping @Sendable (any Channel) -> Void = { _ in }
    ) async throws -> Service {
        let seen = Observations()
        let accepted = stage.server.eventLoop.makePromise(of: (any Channel).self)
        var options = ListenOptions()
        options.backlog = backlog
        let listener = try await stage.server.listen(Endpoint(stage.serverName, 0), options: options) { channel in
            channel.eventLoop.makeCompletedFuture {
                let observer = Observer(
                    seen,
                    onActive: { channel in
                        onActive(channel)
                        accepted.succeed(channel)
                    })
                try channel.pipeline.syncOperations.addHandler(observer)
                channel.closeFuture.whenComplete { _ in seen.add("closed") }
            }
        }.get()
        let closed = accepted.futureResult.flatMap { $0.closeFuture }
        return Service(listener: listener, seen: seen, accepted: accepted.futureResult, closed: closed)
    }

    private static func dial(
        _ stage: Stage, _ service: Service, timeout: TimeAmount = .seconds(10), _ seen: Observations = Observations()
    ) async throws -> any Channel {
        var options = DialOptions()
        options.timeout = timeout
        return try await stage.client.dial(service.listener.endpoint, options: options) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(Observer(seen))
                channel.closeFuture.whenComplete { _ in seen.add("closed") }
            }
        }.get()
    }

    private func assertOnAllArms<Value: Sendable & Equatable>(
        _ expected: Value, line: UInt = #line, _ script: @escaping @Sendable (Stage) async throws -> Value
    ) throws {
        for arm in Arm.allCases { XCTAssertEqual(try arm.run(script), expected, "\(arm)", line: line) }
    }

    // The machine answers, not the service: who dials is connected while nobody accepts.
    func testADialSucceedsBeforeTheServiceAccepts() throws {
        try assertOnAllArms([[], ["active"]]) { stage in
            let service = try await Self.listen(stage)
            await stage.pauseServer()
            let channel = try await Self.dial(stage, service)
            let before = service.seen.all
            stage.resumeServer()
            _ = try await service.accepted.get()
            let after = service.seen.all
            try await channel.close()
            try await service.listener.close().get()
            return [before, after]
        }
    }

    // The acknowledgement of the handshake alone lets the service accept: no data need come.
    func testTheAcknowledgementAloneLetsTheServiceAccept() throws {
        try assertOnAllArms(["active", "inactive", "closed"]) { stage in
            let service = try await Self.listen(stage)
            let channel = try await Self.dial(stage, service)
            _ = try await service.accepted.get()
            try await channel.close()
            try await service.closed.get()
            try await service.listener.close().get()
            return service.seen.all
        }
    }

    // Data and the end of the stream may be there before the service accepts: it reads them all the same.
    func testWhatCameBeforeTheServiceAcceptsIsRead() throws {
        try assertOnAllArms(["active", "10 bytes", "inactive", "closed"]) { stage in
            let service = try await Self.listen(stage)
            await stage.pauseServer()
            let channel = try await Self.dial(stage, service)
            try await channel.writeAndFlush(ByteBuffer.bytes(10))
            try await channel.close()
            stage.resumeServer()
            try await service.closed.get()
            try await service.listener.close().get()
            return service.seen.all
        }
    }

    // As on Linux, a backlog of two takes three; the machine answers no more until the service accepts.
    func testABacklogTakesOneMoreThanItSays() throws {
        try assertOnAllArms(3) { stage in
            let service = try await Self.listen(stage, backlog: 2)
            await stage.pauseServer()
            var channels: [any Channel] = []
            for _ in 0..<5 {
                // A SYN that vanishes is repeated after a second only.
                guard let channel = try? await Self.dial(stage, service, timeout: .milliseconds(300)) else { break }
                channels.append(channel)
            }
            let waiting = channels.count
            stage.resumeServer()
            _ = try await service.accepted.get()
            let late = try await Self.dial(stage, service)
            for channel in channels + [late] { try await channel.close() }
            try await service.listener.close().get()
            return waiting
        }
    }

    // A reset does not take back what has arrived: it is read first, and then the error is told.
    func testDataThatHasArrivedIsDeliveredBeforeAReset() throws {
        try assertOnAllArms(["active", "1000 bytes", "error reset", "inactive", "closed"]) { stage in
            let service = try await Self.listen(stage) { channel in
                // The client's byte stays unread: closing resets the connection.
                channel.setOption(.autoRead, value: false).whenSuccess {
                    channel.writeAndFlush(ByteBuffer.bytes(1000), promise: nil)
                }
            }
            let seen = Observations()
            let channel = try await Self.dial(stage, service, seen)
            try await channel.setOption(.autoRead, value: false).get()
            try await channel.writeAndFlush(ByteBuffer.bytes(1))
            let other = try await service.accepted.get()
            // What both have sent has arrived when they close.
            try await Task.sleep(for: .milliseconds(100))
            try await other.close()
            try await channel.closeFuture.get()
            try await service.listener.close().get()
            return seen.all
        }
    }
}
