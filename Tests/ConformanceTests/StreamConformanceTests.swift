import NIOCore
import Ports
import XCTest

/// The same scripts against kernel sockets and against the simulation: the same observations, event by event.
final class StreamConformanceTests: XCTestCase {
    /// What both ends of a connection saw.
    struct Seen: Equatable, Sendable {
        var client: [String]
        var server: [String]
    }

    /// Makes the handler of one end.
    struct Maker: Sendable {
        let make: @Sendable (Observations) -> Observer
    }

    /// Runs a script with one connection and waits until both ends are closed.
    private func observe(
        _ arm: Arm,
        halfClosure: Bool = false,
        server: Maker = Maker { Observer($0) },
        client: Maker = Maker { Observer($0) },
        script: @escaping @Sendable (any Channel) async throws -> Void = { _ in }
    ) throws -> Seen {
        try arm.run { stage in
            let serverSeen = Observations()
            let clientSeen = Observations()
            let accepted = stage.server.eventLoop.makePromise(of: (any Channel).self)
            let listener = try await stage.server.listen(Endpoint(stage.serverName, 0), options: .init()) { channel in
                channel.closeFuture.whenComplete { _ in serverSeen.add("closed") }
                return channel.setOption(.allowRemoteHalfClosure, value: halfClosure).flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(server.make(serverSeen))
                    accepted.succeed(channel)
                }
            }.get()
            let channel = try await stage.client.dial(listener.endpoint, options: .init()) { channel in
                channel.setOption(.allowRemoteHalfClosure, value: halfClosure).flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(client.make(clientSeen))
                    channel.closeFuture.whenComplete { _ in clientSeen.add("closed") }
                }
            }.get()
            try await script(channel)
            let other = try await accepted.futureResult.get()
            try await channel.closeFuture.get()
            try await other.closeFuture.get()
            try await listener.close().get()
            return Seen(client: clientSeen.all, server: serverSeen.all)
        }
    }

    private func assertSame(
        _ expected: Seen, _ name: String = #function, line: UInt = #line, _ observe: (Arm) throws -> Seen
    ) throws {
        for arm in Arm.allCases { XCTAssertEqual(try observe(arm), expected, "\(arm)", line: line) }
    }

    func testDataInPiecesArrivesInOrderAndIsAnswered() throws {
        try assertSame(
            Seen(
                client: ["active", "30 bytes", "inactive", "closed"],
                server: ["active", "30 bytes", "inactive", "closed"])
        ) { arm in
            try observe(
                arm, server: Maker { seen in Observer(seen, onData: { $0.writeAndFlush($1, promise: nil) }) },
                client: Maker { seen in
                    let total = Total()
                    return Observer(
                        seen,
                        onData: { channel, buffer in
                            total.bytes += buffer.readableBytes
                            if total.bytes == 30 { channel.close(promise: nil) }
                        })
                }
            ) { channel in
                for _ in 0..<3 { try await channel.writeAndFlush(ByteBuffer.bytes(10)) }
            }
        }
    }

    func testAServerThatClosesFirstIsSeenAsTheEndOfTheStream() throws {
        try assertSame(
            Seen(client: ["active", "5 bytes", "inactive", "closed"], server: ["active", "inactive", "closed"])
        ) { arm in
            try observe(
                arm,
                server: Maker { seen in
                    Observer(
                        seen,
                        onActive: { channel in
                            channel.writeAndFlush(ByteBuffer.bytes(5), promise: nil)
                            channel.close(promise: nil)
                        })
                })
        }
    }

    func testHalfClosureKeepsTheOtherDirectionOpen() throws {
        try assertSame(
            Seen(
                client: ["active", "outputClosed", "7 bytes", "inactive", "closed"],
                server: ["active", "9 bytes", "inputClosed", "inactive", "closed"])
        ) { arm in
            try observe(
                arm, halfClosure: true,
                server: Maker { seen in
                    Observer(
                        seen,
                        onEvent: { channel, event in
                            guard case .inputClosed? = event as? ChannelEvent else { return }
                            channel.writeAndFlush(ByteBuffer.bytes(7), promise: nil)
                            channel.close(mode: .output, promise: nil)
                        })
                }
            ) { channel in
                try await channel.writeAndFlush(ByteBuffer.bytes(9))
                try await channel.close(mode: .output)
            }
        }
    }

    // Closing with data that nobody read is a reset, on both arms.
    func testClosingWithUnreadDataResetsThePeer() throws {
        try assertSame(
            Seen(client: ["active", "error reset", "inactive", "closed"], server: ["active", "inactive", "closed"])
        ) { arm in
            try observe(
                arm,
                server: Maker { seen in
                    Observer(
                        seen,
                        onActive: { channel in
                            channel.setOption(.autoRead, value: false).whenSuccess {
                                _ = channel.eventLoop.scheduleTask(in: .milliseconds(100)) {
                                    channel.close(promise: nil)
                                }
                            }
                        })
                }
            ) { channel in
                try await channel.writeAndFlush(ByteBuffer.bytes(1000))
            }
        }
    }

    func testAWriteAfterCloseFails() throws {
        for arm in Arm.allCases {
            let seen = try observe(arm) { channel in
                try await channel.close()
                do {
                    try await channel.writeAndFlush(ByteBuffer.bytes(1))
                    XCTFail("\(arm): the write succeeded")
                } catch {
                    XCTAssertEqual(error as? ChannelError, .ioOnClosedChannel, "\(arm)")
                }
                do {
                    try await channel.close()
                    XCTFail("\(arm): the second close succeeded")
                } catch {
                    XCTAssertEqual(error as? ChannelError, .alreadyClosed, "\(arm)")
                }
            }
            XCTAssertEqual(seen.client, ["active", "inactive", "closed"], "\(arm)")
            XCTAssertEqual(seen.server, ["active", "inactive", "closed"], "\(arm)")
        }
    }

    // Promises of bytes that were handed to the system must not fail when the channel closes right behind them.
    func testWhatWasWrittenBeforeTheCloseArrives() throws {
        try assertSame(
            Seen(
                client: ["active", "inactive", "closed"], server: ["active", "100000 bytes", "inactive", "closed"])
        ) { arm in
            try observe(arm) { channel in
                try await channel.writeAndFlush(ByteBuffer.bytes(100_000))
                try await channel.close()
            }
        }
    }

    // A reader that does not read must stop the writer, and let it go on when it reads again.
    func testASlowReaderStopsTheWriter() throws {
        for arm in Arm.allCases {
            let (stopped, received) = try arm.run { stage -> (Bool, Int) in
                let total = Total()
                let accepted = stage.server.eventLoop.makePromise(of: (any Channel).self)
                let listener = try await stage.server.listen(Endpoint(stage.serverName, 0), options: .init()) {
                    channel in
                    channel.setOption(.autoRead, value: false).flatMapThrowing {
                        let observer = Observer(Observations(), onData: { total.bytes += $1.readableBytes })
                        try channel.pipeline.syncOperations.addHandler(observer)
                        accepted.succeed(channel)
                    }
                }.get()
                let channel = try await stage.client.dial(listener.endpoint, options: .init()) {
                    $0.eventLoop.makeSucceededVoidFuture()
                }.get()
                let other = try await accepted.futureResult.get()
                let written = channel.eventLoop.makePromise(of: Void.self)
                channel.writeAndFlush(ByteBuffer.bytes(20_000_000), promise: written)
                try await Task.sleep(for: .milliseconds(300))
                let stopped = !channel.isWritable && total.bytes == 0
                try await other.setOption(.autoRead, value: true).get()
                try await written.futureResult.get()
                try await channel.close()
                try await other.closeFuture.get()
                try await listener.close().get()
                return (stopped, total.bytes)
            }
            XCTAssertTrue(stopped, "\(arm)")
            XCTAssertEqual(received, 20_000_000, "\(arm)")
        }
    }

    func testAPortWhereNobodyListensRefuses() throws {
        for arm in Arm.allCases {
            let error = try arm.run { stage -> (any Error)? in
                let listener = try await stage.server.listen(Endpoint(stage.serverName, 0), options: .init()) {
                    $0.eventLoop.makeSucceededVoidFuture()
                }.get()
                try await listener.close().get()
                do {
                    let channel = try await stage.client.dial(listener.endpoint, options: .init()) {
                        $0.eventLoop.makeSucceededVoidFuture()
                    }.get()
                    try await channel.close()
                    return nil
                } catch {
                    return error
                }
            }
            guard case .refused? = error as? DialError else { return XCTFail("\(arm): \(String(describing: error))") }
        }
    }

    func testAPortThatIsTakenCannotBeListenedOn() throws {
        for arm in Arm.allCases {
            let error = try arm.run { stage -> (any Error)? in
                let listener = try await stage.server.listen(Endpoint(stage.serverName, 0), options: .init()) {
                    $0.eventLoop.makeSucceededVoidFuture()
                }.get()
                do {
                    _ = try await stage.server.listen(listener.endpoint, options: .init()) {
                        $0.eventLoop.makeSucceededVoidFuture()
                    }.get()
                    return nil
                } catch {
                    try await listener.close().get()
                    return error
                }
            }
            guard case .inUse? = error as? ListenError else { return XCTFail("\(arm): \(String(describing: error))") }
        }
    }

    func testAnUnknownNameIsSaidToBeUnknown() throws {
        for arm in Arm.allCases {
            let error = try arm.run { stage -> (any Error)? in
                do {
                    _ = try await stage.client.dial(Endpoint("no-such-host.invalid", 80), options: .init()) {
                        $0.eventLoop.makeSucceededVoidFuture()
                    }.get()
                    return nil
                } catch {
                    return error
                }
            }
            XCTAssertEqual(error as? DialError, .unknownHost("no-such-host.invalid"), "\(arm)")
        }
    }

    func testAHundredConnectionsAtOnceAreServed() throws {
        for arm in Arm.allCases {
            let bytes = try arm.run { stage -> Int in
                let listener = try await stage.server.listen(Endpoint(stage.serverName, 0), options: .init()) {
                    channel in
                    channel.eventLoop.makeCompletedFuture {
                        let echo = Observer(Observations(), onData: { $0.writeAndFlush($1, promise: nil) })
                        try channel.pipeline.syncOperations.addHandler(echo)
                    }
                }.get()
                let total = Total()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 1...100 {
                        group.addTask {
                            let done = stage.client.eventLoop.makePromise(of: Void.self)
                            let channel = try await stage.client.dial(listener.endpoint, options: .init()) { channel in
                                channel.eventLoop.makeCompletedFuture {
                                    let own = Total()
                                    let observer = Observer(
                                        Observations(),
                                        onData: {
                                            own.bytes += $1.readableBytes
                                            total.bytes += $1.readableBytes
                                            if own.bytes == number * 100 { done.succeed(()) }
                                        })
                                    try channel.pipeline.syncOperations.addHandler(observer)
                                }
                            }.get()
                            try await channel.writeAndFlush(ByteBuffer.bytes(number * 100))
                            try await done.futureResult.get()
                            try await channel.close()
                        }
                    }
                    try await group.waitForAll()
                }
                try await listener.close().get()
                return total.bytes
            }
            XCTAssertEqual(bytes, 505_000, "\(arm)")
        }
    }
}

/// Bytes counted on one event loop.
final class Total: @unchecked Sendable {
    var bytes: Int = 0
}
