import Faults
import NIOCore
import Ports
import SimulatedWorld
import SimulationKernel
import XCTest

final class LinkTests: XCTestCase {
    /// Runs a script on a client next to an echo server.
    private func run(
        seed: Seed = 1, link: Link.Options = .standard,
        _ script: @escaping (Simulation, Network, SimulatedPorts) async throws -> Void
    ) throws -> Outcome<Void> {
        let simulation = Simulation(seed: seed)
        let network = try Network(simulation, defaultLink: link)
        try network.host("server") { ports in
            _ = try await ports.listen(Endpoint("server", 80), options: .init()) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Echo())
                }
            }.get()
        }
        var clientPorts: SimulatedPorts?
        try network.host("client") { clientPorts = $0 }
        let outcome = try simulation.run {
            try await Task.sleep(for: .milliseconds(1))
            guard let clientPorts else { throw CancellationError() }
            try await script(simulation, network, clientPorts)
        }
        XCTAssertEqual(outcome.stopReason, .finished)
        try outcome.get()
        return outcome
    }

    private func connect(_ ports: SimulatedPorts, timeout: TimeAmount = .seconds(300)) async throws -> Client {
        let client = Client()
        let options = DialOptions(timeout: timeout)
        let channel = try await ports.dial(Endpoint("server", 80), options: options) { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(client.handler) }
        }.get()
        client.channel = channel
        return client
    }

    /// Sends and waits for the echo; the virtual time that it took.
    private func roundTrip(_ simulation: Simulation, _ client: Client, bytes: Int = 10) async throws -> Duration {
        let start = simulation.now
        try await client.roundTrip(bytes: bytes)
        return start.duration(to: simulation.now)
    }

    // Ten bytes go and come back in 14 ms; who watches sees both, and the run is the one that nobody watches.
    func testWatchedPacketsAreSeenAndChangeNothing() throws {
        var seen: [PacketSighting] = []
        func run(isWatched: Bool) throws -> Outcome<Void> {
            try self.run(link: .init(latency: .fixed(.milliseconds(7)))) { simulation, network, ports in
                if isWatched { network.watchPackets { seen.append($0) } }
                let client = try await self.connect(ports)
                _ = try await self.roundTrip(simulation, client)
            }
        }
        let watched = try run(isWatched: true)
        XCTAssertEqual(watched.digest, try run(isWatched: false).digest)
        XCTAssertEqual(seen.map(\.source), ["client", "server"])
        XCTAssertEqual(seen.map(\.contents.readableBytes), [10, 10])
        XCTAssertEqual(seen.map { ($0.arrival ?? 0) - $0.sent }, [7_000_000, 7_000_000])
        XCTAssertEqual(Set(seen.map(\.connection)).count, 1)
    }

    func testLatencyIsExact() throws {
        _ = try run(link: .init(latency: .fixed(.milliseconds(7)))) { simulation, _, ports in
            let start = simulation.now
            let client = try await self.connect(ports)
            XCTAssertEqual(start.duration(to: simulation.now), .milliseconds(14))
            let time = try await self.roundTrip(simulation, client)
            XCTAssertEqual(time, .milliseconds(14))
        }
    }

    // 10 MB over 1 MB/s, sent as fast as the window allows: ten seconds and the latencies.
    func testBandwidthIsExact() throws {
        _ = try run { simulation, network, ports in
            try network.link(from: "client", to: "server").setOptions(
                .init(latency: .fixed(.milliseconds(1)), bytesPerSecond: 1_000_000))
            let client = try await self.connect(ports)
            let time = try await self.roundTrip(simulation, client, bytes: 10_000_000)
            XCTAssertGreaterThanOrEqual(time, .seconds(10))
            XCTAssertLessThan(time, .milliseconds(10_100))
        }
    }

    // A cut loses what is sent; TCP repeats it after 0.2, 0.6, 1.4, 3.0, 6.2 s, so healing after 2 s shows at 3.0 s.
    func testDataSentDuringACutArrivesWithTheNextRepetition() throws {
        _ = try run { simulation, network, ports in
            let client = try await self.connect(ports)
            try network.partition("client", "server")
            simulation.schedule(after: .seconds(2)) { _ in try? network.heal("client", "server") }
            let time = try await self.roundTrip(simulation, client)
            XCTAssertEqual(time, .milliseconds(3002))
        }
    }

    func testAOneWayCutStopsTheAnswersOnly() throws {
        _ = try run { simulation, network, ports in
            let client = try await self.connect(ports)
            try network.link(from: "server", to: "client").cut()
            simulation.schedule(after: .milliseconds(300)) { _ in try? network.link(from: "server", to: "client").heal()
            }
            let time = try await self.roundTrip(simulation, client)
            // The answer is sent at 1 ms, repeated at 201 and 601 ms.
            XCTAssertEqual(time, .milliseconds(602))
        }
    }

    func testAHoldKeepsEverythingUntilTheRelease() throws {
        _ = try run { simulation, network, ports in
            let client = try await self.connect(ports)
            try network.link(from: "client", to: "server").hold()
            simulation.schedule(after: .seconds(2)) { _ in try? network.link(from: "client", to: "server").release() }
            let time = try await self.roundTrip(simulation, client)
            XCTAssertEqual(time, .milliseconds(2002))
        }
    }

    func testAHeldLinkKeepsConnectionAttemptsToo() throws {
        _ = try run { simulation, network, ports in
            let link = try network.link(from: "client", to: "server")
            link.hold()
            simulation.schedule(after: .milliseconds(2500)) { _ in link.release() }
            let start = simulation.now
            _ = try await self.connect(ports)
            XCTAssertEqual(start.duration(to: simulation.now), .milliseconds(2502))
        }
    }

    // Repetitions end after 924.6 s, as on Linux.
    func testAConnectionThatIsNeverAnsweredTimesOut() throws {
        _ = try run { simulation, network, ports in
            let client = try await self.connect(ports)
            let start = simulation.now
            try network.partition("client", "server")
            client.send(bytes: 1)
            try await client.closed()
            XCTAssertEqual(client.error, "timed out")
            XCTAssertEqual(start.duration(to: simulation.now), .milliseconds(924_600))
        }
    }

    // SYNs are repeated after 1, 3, 7, 15, 31 and 63 s and given up after 127 s.
    func testAConnectionAttemptThatIsNeverAnsweredTimesOut() throws {
        _ = try run { simulation, network, ports in
            try network.partition("client", "server")
            let start = simulation.now
            do {
                _ = try await self.connect(ports)
                XCTFail("connected")
            } catch {
                guard case .timedOut? = error as? DialError else { return XCTFail("\(error)") }
            }
            XCTAssertEqual(start.duration(to: simulation.now), .seconds(127))
            do {
                _ = try await self.connect(ports, timeout: .seconds(10))
                XCTFail("connected")
            } catch {
                XCTAssertEqual(error as? DialError, .timedOut(Endpoint("server", 80), after: .seconds(10)))
            }
            XCTAssertEqual(start.duration(to: simulation.now), .seconds(137))
        }
    }

    func testAHealedLinkAnswersTheNextSYN() throws {
        _ = try run { simulation, network, ports in
            try network.partition("client", "server")
            simulation.schedule(after: .seconds(2)) { _ in try? network.heal("client", "server") }
            let start = simulation.now
            _ = try await self.connect(ports)
            XCTAssertEqual(start.duration(to: simulation.now), .milliseconds(3002))
        }
    }

    // Loss shows as delay: nothing is lost, repeated or out of order within the stream.
    func testLossDelaysAndLosesNothing() throws {
        _ = try run(seed: 3, link: .init(latency: .fixed(.milliseconds(1)), loss: Ratio(1, outOf: 5))) {
            simulation, _, ports in
            let client = try await self.connect(ports)
            var slow = 0
            for _ in 0..<100 {
                let time = try await self.roundTrip(simulation, client)
                if time >= .milliseconds(200) { slow += 1 }
            }
            // 1 - 0.8 x 0.8 = 36 % of round trips lose a packet.
            XCTAssertTrue((20...50).contains(slow), "\(slow) of 100 were slow")
        }
    }

    // The client does not learn of a crash until it sends; then the restarted server knows nothing and resets.
    func testAConnectionIsHalfOpenAfterACrash() throws {
        _ = try run { simulation, _, ports in
            let client = try await self.connect(ports)
            simulation.host(named: "server")?.crash()
            try await Task.sleep(for: .seconds(3600))
            XCTAssertTrue(client.isOpen)
            client.send(bytes: 1)
            try await Task.sleep(for: .seconds(1))
            XCTAssertTrue(client.isOpen)
            simulation.host(named: "server")?.start()
            try await client.closed()
            XCTAssertEqual(client.error, "reset")
        }
    }

    func testAServerThatRestartedResetsAtOnce() throws {
        _ = try run { simulation, _, ports in
            let client = try await self.connect(ports)
            simulation.host(named: "server")?.restart()
            try await Task.sleep(for: .seconds(1))
            let start = simulation.now
            client.send(bytes: 1)
            try await client.closed()
            XCTAssertEqual(client.error, "reset")
            XCTAssertEqual(start.duration(to: simulation.now), .milliseconds(2))
            XCTAssertEqual(client.channel?.remoteAddress?.port, 80)
        }
    }

    // With a toxic on the link and a full window, nothing is sent twice and nothing is lost.
    func testAFullWindowBehindAToxicKeepsEveryByte() throws {
        _ = try run { simulation, network, ports in
            let link = try network.link(from: "client", to: "server")
            try link.setToxic(Toxic("slow", .bandwidth(bytesPerSecond: 1_000_000)))
            let client = try await self.connect(ports)
            let time = try await self.roundTrip(simulation, client, bytes: 3_000_000)
            XCTAssertGreaterThanOrEqual(time, .seconds(3))
            XCTAssertLessThan(time, .milliseconds(3300))
        }
    }

    func testAPausedServerAnswersLater() throws {
        _ = try run { simulation, _, ports in
            let client = try await self.connect(ports)
            let server = simulation.host(named: "server")
            server?.pause()
            simulation.schedule(after: .seconds(20)) { _ in server?.resume() }
            let time = try await self.roundTrip(simulation, client)
            XCTAssertEqual(time, .milliseconds(20_001))
        }
    }

    func testNamesPortsAndBlackHoles() throws {
        _ = try run { simulation, network, ports in
            network.failResolution(of: "server")
            do {
                _ = try await self.connect(ports)
                XCTFail("resolved")
            } catch {
                XCTAssertEqual(error as? DialError, .unknownHost("server"))
            }
            network.restoreResolution(of: "server")
            try network.setBlackHole(host: "server", port: 80, true)
            do {
                _ = try await self.connect(ports, timeout: .seconds(5))
                XCTFail("connected")
            } catch {
                XCTAssertEqual(error as? DialError, .timedOut(Endpoint("server", 80), after: .seconds(5)))
            }
            try network.setBlackHole(host: "server", port: 80, false)
            try network.delayAccept(host: "server", port: 80, by: .seconds(4))
            let client = try await self.connect(ports)
            let time = try await self.roundTrip(simulation, client)
            // Connected by the system at once, served when the service accepts.
            XCTAssertEqual(time, .milliseconds(4002))
        }
    }

    // A toxic on a living connection: it acts at once, changes, and what it held comes when it goes.
    func testToxicsActOnLivingConnections() throws {
        _ = try run { simulation, network, ports in
            let link = try network.link(from: "server", to: "client")
            let client = try await self.connect(ports)
            let plain = try await self.roundTrip(simulation, client)
            XCTAssertEqual(plain, .milliseconds(2))
            try link.setToxic(Toxic("lag", .latency(latency: .seconds(3), jitter: .zero)))
            let late = try await self.roundTrip(simulation, client)
            XCTAssertEqual(late, .milliseconds(3002))
            try link.setToxic(Toxic("lag", .latency(latency: .seconds(1), jitter: .zero)))
            try link.setToxic(Toxic("slow", .bandwidth(bytesPerSecond: 1000)))
            let both = try await self.roundTrip(simulation, client, bytes: 50)
            XCTAssertEqual(both, .milliseconds(1052))
            link.removeToxic("slow")
            simulation.schedule(after: .milliseconds(500)) { _ in link.removeToxic("lag") }
            let removed = try await self.roundTrip(simulation, client)
            XCTAssertEqual(removed, .milliseconds(501))
        }
    }

    func testAResetToxicResetsBothEnds() throws {
        _ = try run { simulation, network, ports in
            try network.link(from: "client", to: "server").setToxic(Toxic("rst", .resetPeer(after: .milliseconds(100))))
            let client = try await self.connect(ports)
            try await Task.sleep(for: .seconds(1))
            XCTAssertTrue(client.isOpen, "an idle connection is left alone")
            let start = simulation.now
            client.send(bytes: 5)
            try await client.closed()
            XCTAssertEqual(client.error, "reset")
            XCTAssertEqual(start.duration(to: simulation.now), .milliseconds(100))
        }
    }

    func testALimitToxicClosesTheConnection() throws {
        _ = try run { simulation, network, ports in
            try network.link(from: "server", to: "client").setToxic(Toxic("limit", .limitData(bytes: 100)))
            let client = try await self.connect(ports)
            _ = try await self.roundTrip(simulation, client, bytes: 60)
            client.send(bytes: 60)
            try await client.closed()
            XCTAssertNil(client.error)
            try await Task.sleep(for: .seconds(1))
            XCTAssertEqual(network.openConnections, 0)
        }
    }

    func testACutLinkDrawsNoRandomNumbers() throws {
        func times(cut: Bool) throws -> [Duration] {
            var times: [Duration] = []
            _ = try run(seed: 9, link: .init(latency: .uniform(min: .milliseconds(1), max: .milliseconds(50)))) {
                simulation, network, ports in
                let client = try await self.connect(ports)
                let link = try network.link(from: "client", to: "server")
                if cut {
                    link.cut()
                    simulation.schedule(after: .milliseconds(100)) { _ in link.heal() }
                }
                // Sent into the cut, and repeated once: the draw is that of the repetition.
                _ = try await self.roundTrip(simulation, client)
                for _ in 0..<20 { times.append(try await self.roundTrip(simulation, client)) }
            }
            return times
        }
        XCTAssertEqual(try times(cut: true), try times(cut: false))
    }

    func testARefusingPortRefusesUntilItDoesNot() throws {
        _ = try run { _, network, ports in
            try network.setRefusing(host: "server", port: 80, true)
            do {
                _ = try await self.connect(ports)
                XCTFail("connected")
            } catch {
                XCTAssertEqual(error as? DialError, .refused(Endpoint("server", 80)))
            }
            try network.setRefusing(host: "server", port: 80, false)
            _ = try await self.connect(ports)
        }
    }

    func testImpossibleThingsAreNamed() throws {
        func assertError(_ expected: NetworkError, line: UInt = #line, _ body: () throws -> Void) {
            XCTAssertThrowsError(try body(), line: line) { XCTAssertEqual($0 as? NetworkError, expected, line: line) }
        }
        _ = try run { simulation, network, _ in
            assertError(.unknownHost("nobody")) { _ = try network.link(from: "client", to: "nobody") }
            assertError(.unknownHost("nobody")) { try network.partition("nobody", "client") }
            assertError(.notListening(host: "server", port: 81)) {
                try network.setBlackHole(host: "server", port: 81, true)
            }
            let link = try network.link(from: "client", to: "server")
            for (options, problem) in [
                (Link.Options(latency: .fixed(.seconds(-1))), "negative"),
                (Link.Options(latency: .fixed(.zero), bytesPerSecond: 0), "hold() or cut()"),
                (Link.Options(latency: .fixed(.zero), loss: Ratio(2, outOf: 1)), "above 1"),
                (Link.Options(latency: .fixed(.zero), queueBytesMax: 0), "queue"),
            ] {
                XCTAssertThrowsError(try link.setOptions(options)) { error in
                    XCTAssertTrue("\(error)".contains(problem) && "\(error)".contains("client→server"), "\(error)")
                }
            }
            XCTAssertThrowsError(try link.setToxic(Toxic("t", .timeout(.seconds(-1)))))
            XCTAssertThrowsError(try network.host("server") { _ in }) { error in
                XCTAssertEqual(error as? SimulationError, .duplicateHost("server"))
            }
        }
        XCTAssertThrowsError(try Network(Simulation(seed: 1), defaultLink: .init(latency: .fixed(.seconds(-1)))))
    }

    // The server has closed and its answers are lost: the client's machine repeats the byte after 0.2, 0.6, 1.4, 3.0 s,
    // and the first repetition after the link is healed is answered with a reset.
    func testALostResetIsAnsweredAgainWhenDataIsRepeated() throws {
        _ = try run { simulation, network, ports in
            let client = try await self.connect(ports)
            let back = try network.link(from: "server", to: "client")
            back.cut()
            simulation.host(named: "server")?.crash()
            simulation.host(named: "server")?.start()
            let start = simulation.now
            client.send(bytes: 1)
            try await Task.sleep(for: .seconds(2))
            XCTAssertTrue(client.isOpen)
            back.heal()
            try await client.closed()
            XCTAssertEqual(client.error, "reset")
            XCTAssertEqual(start.duration(to: simulation.now), .milliseconds(3003))
        }
    }

    // The same without end: the client's machine gives up when it would if nothing arrived.
    func testDataThatIsNeverAnsweredTimesOutAlthoughItArrives() throws {
        _ = try run { simulation, network, ports in
            let client = try await self.connect(ports)
            try network.link(from: "server", to: "client").cut()
            simulation.host(named: "server")?.restart()
            let start = simulation.now
            client.send(bytes: 1)
            try await client.closed()
            XCTAssertEqual(client.error, "timed out")
            XCTAssertEqual(start.duration(to: simulation.now).components.seconds, 924)
        }
    }

    // A run that ends in the middle of everything: living, half-open and half-made connections. Handlers that outlived
    // it would keep their channels and all that these hold, seed after seed.
    func testNothingIsLeftWhenARunEndsInTheMiddle() throws {
        weak var handler: Client.Handler?
        weak var network: Network?
        func once() throws {
            _ = try run { simulation, simulated, ports in
                network = simulated
                let client = try await self.connect(ports)
                handler = try await client.channel?.pipeline.handler(type: Client.Handler.self).get()
                let other = try await self.connect(ports)
                other.send(bytes: 2_000_000)
                try await Task.sleep(for: .milliseconds(10))
                simulation.host(named: "server")?.crash()
                _ = ports.dial(Endpoint("server", 80), options: .init()) { $0.eventLoop.makeSucceededVoidFuture() }
                try await Task.sleep(for: .milliseconds(500))
                XCTAssertNotNil(handler)
                // Two, and one that is being made.
                XCTAssertEqual(simulated.openConnections, 3)
                XCTAssertEqual(simulated.openChannels, 4)
            }
        }
        try once()
        XCTAssertNil(handler)
        XCTAssertNil(network)
    }

    func testNothingIsLeftWhenAllIsClosed() throws {
        _ = try run { simulation, network, ports in
            for _ in 0..<50 {
                let client = try await self.connect(ports)
                _ = try await self.roundTrip(simulation, client)
                try await client.close()
            }
            try await Task.sleep(for: .seconds(1))
            XCTAssertEqual(network.openConnections, 0)
        }
    }
}

private final class Echo: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(data, promise: nil)
    }
}

/// The client's end: counts echoes, notes how the connection ended.
private final class Client: @unchecked Sendable {
    var channel: (any Channel)?
    private(set) var error: String?
    private(set) var isOpen: Bool = true
    private var expected: Int = 0
    private var waiter: CheckedContinuation<Void, any Error>?

    struct Ended: Error {}

    var handler: Handler { Handler(self) }

    func send(bytes: Int) {
        channel?.writeAndFlush(ByteBuffer(repeating: 0x61, count: bytes), promise: nil)
    }

    func roundTrip(bytes: Int) async throws {
        expected = bytes
        send(bytes: bytes)
        try await withCheckedThrowingContinuation { waiter = $0 }
    }

    func close() async throws {
        try await channel?.close()
    }

    func closed() async throws {
        try await channel?.closeFuture.get()
    }

    final class Handler: ChannelInboundHandler, @unchecked Sendable {
        typealias InboundIn = ByteBuffer
        private let client: Client

        init(_ client: Client) {
            self.client = client
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            client.expected -= unwrapInboundIn(data).readableBytes
            guard client.expected == 0, let waiter = client.waiter else { return }
            client.waiter = nil
            waiter.resume()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let error = error as? IOError {
                client.error =
                    error.errnoCode == ECONNRESET ? "reset" : error.errnoCode == ETIMEDOUT ? "timed out" : "?"
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            client.isOpen = false
            client.waiter?.resume(throwing: Ended())
            client.waiter = nil
        }
    }
}
