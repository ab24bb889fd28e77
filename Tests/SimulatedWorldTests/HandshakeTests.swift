import NIOCore
import Ports
import SimulatedWorld
import SimulationKernel
import XCTest

/// How connections come about, and what becomes of those that do not.
final class HandshakeTests: XCTestCase {
    private static let tenMilliseconds = Link.Options(latency: .fixed(.milliseconds(10)))

    // Ten milliseconds each way: asked at 1 ms, answered at 21, acknowledged at 31.
    func testAServiceAcceptsWhenTheAcknowledgementHasCome() throws {
        try NetworkScript.run(link: Self.tenMilliseconds, greeting: 5) { script in
            try await script.dial()
            try await Task.sleep(for: .seconds(1))
            XCTAssertEqual(script.server.activeAt, [0.031])
            XCTAssertEqual(script.client.received.map(\.at), [0.041])
        }
    }

    // Linux keeps the connection in SYN_RECV: it repeats its answer after 1 s, which the client acknowledges again.
    func testAServiceDoesNotAcceptWhileTheAcknowledgementIsCut() throws {
        try NetworkScript.run(link: Self.tenMilliseconds, greeting: 5) { script in
            let link = try script.link()
            script.simulation.schedule(after: .milliseconds(15)) { _ in link.cut() }
            script.simulation.schedule(after: .milliseconds(500)) { _ in link.heal() }
            try await script.dial()
            try await Task.sleep(for: .milliseconds(400))
            XCTAssertEqual(script.server.activeAt, [])
            XCTAssertTrue(script.network.report().joined().contains("server:80 SYN_RECV"), "\(script.network.report())")
            try await Task.sleep(for: .seconds(5))
            // The answer is repeated at 1.011, comes at 1.021, and is acknowledged at 1.031.
            XCTAssertEqual(script.server.activeAt, [1.031])
        }
    }

    func testAServiceDoesNotAcceptWhileTheAcknowledgementIsHeld() throws {
        try NetworkScript.run(link: Self.tenMilliseconds, greeting: 5) { script in
            let link = try script.link()
            script.simulation.schedule(after: .milliseconds(15)) { _ in link.hold() }
            script.simulation.schedule(after: .milliseconds(700)) { _ in link.release() }
            try await script.dial()
            try await Task.sleep(for: .seconds(5))
            XCTAssertEqual(script.server.activeAt, [0.711])
        }
    }

    // The service is killed with the attempt half open and its answer on hold: what comes is the reset, and the caller is told.
    func testAResetThatComesBeforeTheAnswerRefusesTheAttempt() throws {
        try NetworkScript.run(link: Self.tenMilliseconds) { script in
            let link = try script.link("server", "client")
            script.simulation.schedule(after: .milliseconds(5)) { _ in link.hold() }
            script.simulation.schedule(after: .milliseconds(50)) { _ in
                try? script.network.killProcess(of: "server")
            }
            script.simulation.schedule(after: .milliseconds(100)) { _ in link.release() }
            do {
                try await script.dial()
                XCTFail("it is connected")
            } catch {
                XCTAssertEqual(error as? DialError, .refused(Endpoint("server", 80)))
                XCTAssertEqual(script.seconds, 0.111)
            }
        }
    }

    // The first data proves the same: the server, which never heard the acknowledgement, accepts when it comes.
    func testTheFirstDataTakesThePlaceOfALostAcknowledgement() throws {
        try NetworkScript.run(link: Self.tenMilliseconds) { script in
            let link = try script.link()
            script.simulation.schedule(after: .milliseconds(15)) { _ in link.cut() }
            script.simulation.schedule(after: .milliseconds(100)) { _ in link.heal() }
            let channel = try await script.dial()
            XCTAssertEqual(script.seconds, 0.021)
            channel.writeAndFlush(ByteBuffer(string: "now"), promise: nil)
            try await Task.sleep(for: .seconds(5))
            // Sent into the cut at 0.021, and again at 0.221.
            XCTAssertEqual(script.server.activeAt, [0.231])
            XCTAssertEqual(script.server.receivedBytes, 3)
        }
    }

    // The answer to the SYN is sent six times in 63 s; then the server forgets, and never accepts.
    func testAHalfOpenConnectionIsForgotten() throws {
        try NetworkScript.run(link: Self.tenMilliseconds) { script in
            let link = try script.link()
            script.simulation.schedule(after: .milliseconds(15)) { _ in link.cut() }
            try await script.dial()
            try await Task.sleep(for: .seconds(62))
            XCTAssertTrue(script.network.report().joined().contains("SYN_RECV"))
            try await Task.sleep(for: .seconds(3))
            XCTAssertFalse(script.network.report().joined().contains("SYN_RECV"))
            XCTAssertEqual(script.server.activeAt, [])
        }
    }

    // As on Linux, a backlog of four takes five; who finds it full asks again, and times out.
    func testABacklogHoldsWithManyAttemptsAtOnce() throws {
        for pausesServer in [false, true] {
            try NetworkScript.run(backlog: 4) { script in
                try await Task.sleep(for: .milliseconds(100))
                if pausesServer {
                    script.server.host?.pause()
                } else {
                    try script.network.delayAccept(host: "server", port: 80, by: .seconds(30))
                }
                let connected = await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<200 {
                        group.addTask { (try? await script.dial(timeout: .seconds(10))) != nil }
                    }
                    return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                XCTAssertEqual(connected, 5, "paused: \(pausesServer)")
            }
        }
    }

    func testAListenerThatClosesResetsWhoWasNotAccepted() throws {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        var listener: (any Listener)?
        try network.host("server") { ports in
            listener = try await ports.listen(Endpoint("server", 80), options: .init()) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.get()
            try network.delayAccept(host: "server", port: 80, by: .seconds(30))
        }
        var closedAfter: Duration?
        try network.host("client") { ports in
            try await Task.sleep(for: .seconds(1))
            let channel = try await ports.dial(Endpoint("server", 80), options: .init()) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.get()
            try await Task.sleep(for: .seconds(1))
            let start = simulation.now
            try await listener?.close().get()
            try await channel.closeFuture.get()
            closedAfter = start.duration(to: simulation.now)
        }
        _ = try simulation.run(for: .seconds(60))
        XCTAssertEqual(closedAfter, .milliseconds(1))
    }

    // 28,232 local ports: Linux's ip_local_port_range. A closed one rests for a minute before it is used again.
    func testLocalPortsRunOutByName() throws {
        try NetworkScript.run(backlog: 100_000) { script in
            var ports: Set<Int> = []
            var first: (any Channel)?
            for _ in 32_768...60_999 {
                let channel = try await script.dial()
                if first == nil { first = channel }
                ports.insert(channel.localAddress?.port ?? 0)
            }
            XCTAssertEqual(ports.count, 28_232)
            let expected = DialError.noPortLeft(Endpoint("server", 80))
            do {
                try await script.dial()
                XCTFail("connected")
            } catch { XCTAssertEqual(error as? DialError, expected) }
            XCTAssertTrue("\(expected)".contains("EADDRNOTAVAIL"))
            try await first?.close()
            try await script.server.channels.first?.close()
            try await Task.sleep(for: .seconds(59))
            do {
                try await script.dial()
                XCTFail("the port rests in TIME_WAIT")
            } catch { XCTAssertEqual(error as? DialError, expected) }
            try await Task.sleep(for: .seconds(2))
            let again = try await script.dial()
            XCTAssertEqual(again.localAddress?.port, first?.localAddress?.port)
        }
    }

    // Names are those of the domain name system: without regard to case, and with or without the final dot.
    func testNamesAreFoundAsADomainNameIs() throws {
        try NetworkScript.run { script in
            for name in ["SERVER", "server.", "Server."] {
                let channel = try await script.client.living().dial(Endpoint(name, 80), options: .init()) {
                    $0.eventLoop.makeSucceededVoidFuture()
                }.get()
                XCTAssertTrue(channel.isActive, name)
            }
        }
    }

    func testAConnectionThatWasResetBeforeItWasAcceptedIsAcceptedAndFails() throws {
        try NetworkScript.run { script in
            try script.network.delayAccept(host: "server", port: 80, by: .seconds(2))
            let channel = try await script.dial()
            try await channel.writeAndFlush(ByteBuffer(string: "early"))
            try await Task.sleep(for: .milliseconds(100))
            resetConnection(channel)
            try await Task.sleep(for: .seconds(5))
            XCTAssertEqual(script.server.receivedBytes, 5)
            XCTAssertEqual(script.server.errors.count, 1)
            XCTAssertEqual(script.network.openConnections, 0)
        }
    }
}
