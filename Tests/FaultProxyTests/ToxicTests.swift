import Documents
import Glibc
import NIOPosix
import Randomness
import XCTest

@testable import FaultProxy

/// What each toxic does to connections on sockets: bytes, ends and times.
final class ToxicTests: ProxyTestCase {
    /// The times are lower bounds less a timer's grain; what is above them may be a busy machine.
    private func expect(
        _ milliseconds: Double, atLeast least: Double, below most: Double, file: StaticString = #filePath,
        line: UInt = #line
    ) {
        XCTAssertGreaterThanOrEqual(milliseconds, least - 1, file: file, line: line)
        XCTAssertLessThan(milliseconds, most, file: file, line: line)
    }

    func testWithoutToxicsBytesAndEndsPassAtOnceBothWays() throws {
        let (client, server) = try connect(makeProxy())
        let bytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for (from, to) in [(client, server), (server, client)] {
            let sender = Thread { from.send(bytes) }
            sender.start()
            XCTAssertEqual(to.receive(count: bytes.count), bytes)
        }
        client.endOutput()
        XCTAssertEqual(server.receive(), .end)
        // Half of it goes on: Toxiproxy loses the answer here.
        server.send("answer")
        XCTAssertEqual(client.receive(), .data("answer"))
        server.close()
        XCTAssertEqual(client.receive(), .end)
    }

    func testLatencyDelaysItsOwnDirectionOnly() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("latency", #""latency":200"#)
        expect(
            milliseconds {
                client.send("up")
                XCTAssertEqual(server.receive(), .data("up"))
            }, atLeast: 0, below: 150)
        expect(
            milliseconds {
                server.send("down")
                XCTAssertEqual(client.receive(), .data("down"))
            }, atLeast: 200, below: 700)
    }

    func testLatencyIsAPipeAndTwoAddUp() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("latency", #""latency":150"#, stream: "upstream")
        try expect(
            "POST", "/proxies/p/toxics", #"{"type":"latency","stream":"upstream","attributes":{"latency":150}}"#,
            is: 200)
        // Ten pieces, 20 ms from each other, take 300 ms and not ten times that.
        let sender = Thread {
            for _ in 0..<10 {
                client.send("x")
                usleep(20_000)
            }
        }
        let time = milliseconds {
            sender.start()
            XCTAssertEqual(server.receive(count: 10).count, 10)
        }
        expect(time, atLeast: 480, below: 1200)
    }

    func testChangesReachWhatLatencyHolds() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("latency", #""latency":60000"#)
        server.send("held")
        XCTAssertEqual(client.receive(within: .milliseconds(100)), .nothing)
        try removeToxic()
        XCTAssertEqual(client.receive(), .data("held"))
    }

    func testBandwidthSendsSoMuchASecond() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("bandwidth", #""rate":100"#)
        // 50 KB at 100 KB a second.
        let time = milliseconds {
            server.send([UInt8](repeating: 1, count: 50_000))
            XCTAssertEqual(client.receive(count: 50_000).count, 50_000)
        }
        expect(time, atLeast: 500, below: 1000)
    }

    // A sender must feel it: a proxy that took everything in would say that it was sent.
    func testBandwidthSlowsTheSenderDown() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("bandwidth", #""rate":1"#)
        var sent = 0
        _ = fcntl(server.descriptor, F_SETFL, fcntl(server.descriptor, F_GETFL) | O_NONBLOCK)
        let piece = [UInt8](repeating: 1, count: 65_536)
        let end = ContinuousClock.now + .milliseconds(500)
        while ContinuousClock.now < end {
            let count = Glibc.send(server.descriptor, piece, piece.count, Int32(MSG_NOSIGNAL))
            if count > 0 { sent += count } else { usleep(1000) }
        }
        XCTAssertLessThan(sent, 16 << 20, "all of it was taken in")
        XCTAssertNotEqual(client.receive(within: .milliseconds(1)), .end)
    }

    func testBandwidthZeroStallsAndLosesNothing() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("bandwidth", #""rate":0"#)
        server.send("stalled")
        server.close()
        XCTAssertEqual(client.receive(within: .milliseconds(150)), .nothing)
        try removeToxic()
        XCTAssertEqual(client.receive(), .data("stalled"))
        XCTAssertEqual(client.receive(), .end)
    }

    func testSlowCloseDelaysTheEndAlone() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("slow_close", #""delay":200"#)
        let time = milliseconds {
            server.send("x")
            server.close()
            XCTAssertEqual(client.receive(within: .milliseconds(150)), .data("x"))
            XCTAssertEqual(client.receive(), .end)
        }
        expect(time, atLeast: 200, below: 700)
    }

    func testTimeoutDropsEverythingAndClosesAfterATime() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("timeout", #""timeout":200"#)
        server.send("dropped")
        let time = milliseconds { XCTAssertEqual(client.receive(), .end) }
        expect(time, atLeast: 150, below: 800)
        XCTAssertEqual(server.receive(), .end)
    }

    func testATimeoutWithoutEndClosesWhenItIsRemovedAndLetsTheOtherDirectionFlow() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("timeout", #""timeout":0"#)
        server.send("dropped")
        XCTAssertEqual(client.receive(within: .milliseconds(100)), .nothing)
        client.send("up")
        XCTAssertEqual(server.receive(), .data("up"))
        try removeToxic()
        XCTAssertEqual(client.receive(), .end)
        XCTAssertEqual(server.receive(), .end)
    }

    func testResetClosesATimeout() throws {
        let (client, _) = try connect(makeProxy())
        try addToxic("timeout", #""timeout":0"#)
        try expect("POST", "/reset", is: 204)
        XCTAssertEqual(client.receive(), .end)
    }

    // Toxiproxy sets it at the connection's start: those that live get an end instead.
    func testResetPeerResetsBothSidesOfALivingConnection() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("reset_peer", #""timeout":100"#, stream: "upstream")
        XCTAssertEqual(client.receive(within: .milliseconds(50)), .nothing)
        client.send("x")
        let time = milliseconds { XCTAssertEqual(client.receive(), .reset) }
        expect(time, atLeast: 90, below: 700)
        XCTAssertEqual(server.receive(), .reset)
    }

    // Toxiproxy resets connections that the toxic spared, too.
    func testResetPeerSparesWhatItsToxicitySpares() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("reset_peer", #""timeout":0"#, stream: "upstream", more: #","toxicity":0"#)
        client.send("x")
        XCTAssertEqual(server.receive(), .data("x"))
        client.close()
        XCTAssertEqual(server.receive(), .end)
    }

    func testSlicerCutsAndPauses() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("slicer", #""average_size":100,"size_variation":20,"delay":20000"#)
        server.send([UInt8](repeating: 7, count: 1000))
        var sizes: [Int] = []
        let time = milliseconds {
            while sizes.reduce(0, +) < 1000, case .data(let text) = client.receive() { sizes.append(text.utf8.count) }
        }
        XCTAssertEqual(sizes.reduce(0, +), 1000)
        XCTAssertGreaterThan(sizes.count, 6, "\(sizes)")
        expect(time, atLeast: 120, below: 1000)
    }

    func testLimitDataPassesSoManyBytesAndClosesWithAnEnd() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("limit_data", #""bytes":70000"#)
        // What came too much must not become a reset, which would throw away what has arrived.
        let sender = Thread { server.send([UInt8](repeating: 7, count: 1_000_000)) }
        sender.start()
        let (bytes, end) = client.receiveAll()
        XCTAssertEqual(bytes.count, 70_000)
        XCTAssertEqual(end, .end)
    }

    // What the other direction's toxics hold when one closes the connection was sent before, and arrives.
    func testAClosedConnectionDeliversWhatTheOtherDirectionHolds() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("latency", #""latency":200"#)
        try expect(
            "POST", "/proxies/p/toxics", #"{"type":"limit_data","stream":"upstream","attributes":{"bytes":1}}"#, is: 200
        )
        server.send("held")
        usleep(50_000)
        client.send("x")
        XCTAssertEqual(server.receive(), .data("x"))
        XCTAssertEqual(server.receive(), .end)
        XCTAssertEqual(client.receive(), .data("held"))
        XCTAssertEqual(client.receive(), .end)
    }

    func testLimitDataOfZeroClosesAtTheFirstByte() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("limit_data", stream: "upstream")
        XCTAssertEqual(client.receive(within: .milliseconds(50)), .nothing)
        client.send("x")
        XCTAssertEqual(client.receive(), .end)
        XCTAssertEqual(server.receive(), .end)
    }

    func testLimitTimeLetsDataPassUntilItCuts() throws {
        let port = try makeProxy()
        try addToxic("limit_time", #""time":300"#)
        let (client, server) = try connect(port)
        let time = milliseconds {
            server.send("before")
            XCTAssertEqual(client.receive(), .data("before"))
            XCTAssertEqual(client.receive(), .end)
        }
        expect(time, atLeast: 250, below: 900)
    }

    func testPacketLossLosesPiecesAndPassesTheEnd() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("packet_loss", #""loss_rate":0.5"#)
        for index in 0..<40 {
            server.send("\(Character(Unicode.Scalar(UInt8(48 + index))))")
            usleep(2000)
        }
        server.close()
        let (bytes, end) = client.receiveAll()
        XCTAssertEqual(end, .end)
        XCTAssertGreaterThan(bytes.count, 5)
        XCTAssertLessThan(bytes.count, 35)
        XCTAssertEqual(bytes, bytes.sorted())
    }

    func testNoopPassesEverything() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("noop")
        server.send("x")
        server.close()
        XCTAssertEqual(client.receive(), .data("x"))
        XCTAssertEqual(client.receive(), .end)
    }

    // A piece is at most 32 KiB, as Toxiproxy's: packet loss and limits count by it.
    func testToxicsWorkOnPiecesOf32KiB() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("noop")
        server.send([UInt8](repeating: 1, count: 100 * 1024))
        XCTAssertEqual(client.receive(count: 100 * 1024).count, 100 * 1024)
        let pieces = try XCTUnwrap(ask("GET", "/proxies/p/hits").value?.array?.first?["pieces"]?.integer)
        XCTAssertGreaterThanOrEqual(pieces, 4)
    }

    // NIO reads the first bytes of a channel into a small buffer: that must cut no piece, and keep none back.
    func testTheFirstPieceIsWholeWhateverItsSize() throws {
        let port = try makeProxy()
        try addToxic("latency", #""latency":1"#)
        var expected = 0
        for size in [1, 255, 256, 257, 512, 20_000] {
            let (client, server) = try connect(port)
            server.send([UInt8](repeating: 7, count: size))
            XCTAssertEqual(client.receive(count: size).count, size)
            server.close()
            XCTAssertEqual(client.receive(), .end)
            expected += 2
            try wait("\(size) bytes were one piece, and an end") {
                try ask("GET", "/proxies/p/hits").value?.array?.first?["pieces"] == .integer(expected)
            }
        }
    }

    // The same seed, proxy and number of the connection give the same draws, whatever came between.
    func testTheSeedRepeatsEachConnectionsDraws() async throws {
        func spared(of proxy: FaultProxyServer) throws -> [Bool] {
            let port = try makeProxy(
                more: #","toxics":[{"name":"t","type":"timeout","toxicity":0.5}]"#, of: proxy)
            return try (0..<24).map { _ in
                let (client, server) = try connect(port)
                server.send("x")
                return client.receive(within: .milliseconds(60)) == .data("x")
            }
        }
        var results: [[Bool]] = []
        for seed: Seed in [11, 11, 12] {
            let proxy = try await startAnother(seed: seed)
            results.append(try spared(of: proxy))
            await proxy.shutDown()
        }
        XCTAssertEqual(results[0], results[1])
        XCTAssertNotEqual(results[0], results[2])
        XCTAssertEqual(Set(results[0]), [true, false])
    }
}
