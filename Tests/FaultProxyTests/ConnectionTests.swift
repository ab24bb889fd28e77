import Documents
import Glibc
import NIOCore
import NIOPosix
import XCTest

@testable import FaultProxy

/// What becomes of connections when proxies, peers and toxics change.
final class ConnectionTests: ProxyTestCase {
    func testToxicsStartWithTheConnectionAndReachThoseThatLive() throws {
        let port = try makeProxy()
        let (before, serverBefore) = try connect(port)
        try addToxic("timeout", #""timeout":0"#)
        let (after, serverAfter) = try connect(port)
        for (client, server) in [(before, serverBefore), (after, serverAfter)] {
            server.send("x")
            XCTAssertEqual(client.receive(within: .milliseconds(60)), .nothing)
        }
        try expect("POST", "/proxies/p/toxics/t", #"{"toxicity":0}"#, is: 200)
        for (client, server) in [(before, serverBefore), (after, serverAfter)] {
            server.send("y")
            XCTAssertEqual(client.receive(), .data("y"))
        }
    }

    func testAProxyIsMadeWithItsToxicsOrNotAtAll() throws {
        let refused = try ask(
            "POST", "/proxies", #"{"name":"q","listen":"127.0.0.1:0","upstream":"u:1","toxics":[{"type":"nonsense"}]}"#)
        XCTAssertEqual(refused.status, 400)
        XCTAssertEqual(try ask("GET", "/proxies/q").status, 404)
        let port = try makeProxy(more: #","toxics":[{"type":"timeout","name":"t"}]"#)
        let (client, server) = try connect(port)
        server.send("x")
        XCTAssertEqual(client.receive(within: .milliseconds(60)), .nothing)
        // Clients send null for none.
        XCTAssertEqual(
            try ask("POST", "/proxies", #"{"name":"r","listen":"127.0.0.1:0","upstream":"u:1","toxics":null}"#).status,
            201)
    }

    func testAllToxicsAreReplacedInOneTurn() throws {
        let port = try makeProxy()
        let (client, server) = try connect(port)
        try addToxic("latency", #""latency":60000"#)
        server.send("held")
        let answer = try ask(
            "PUT", "/proxies/p/toxics", #"[{"type":"noop"},{"type":"limit_data","attributes":{"bytes":6}}]"#)
        XCTAssertEqual(answer.status, 200, answer.body)
        XCTAssertEqual(answer.value?.array?.count, 2)
        server.send("1234567890")
        XCTAssertEqual(client.receiveAll().bytes, Array("held123456".utf8))
        let refused = try ask("PUT", "/proxies/p/toxics", #"[{"type":"noop"},{"type":"noop"}]"#)
        XCTAssertEqual(refused.status, 409)
        XCTAssertEqual(try ask("GET", "/proxies/p/toxics").value?.array?.count, 2)
    }

    func testAChangeOfPlaceClosesConnectionsAndTheSamePlaceDoesNot() throws {
        let port = try makeProxy()
        let (client, server) = try connect(port)
        try addToxic("noop")
        try expect(
            "POST", "/proxies/p", #"{"listen":"localhost:\#(port)","upstream":"127.0.0.1:\#(listener.port)"}"#, is: 200)
        server.send("x")
        XCTAssertEqual(client.receive(), .data("x"))
        let other = try TestListener()
        let moved = try ask("POST", "/proxies/p", #"{"upstream":"127.0.0.1:\#(other.port)"}"#)
        XCTAssertEqual(client.receive(), .end)
        XCTAssertEqual(server.receive(), .end)
        XCTAssertEqual(try self.port(of: moved), port)
        XCTAssertEqual(moved.value?["toxics"]?.array?.count, 1)
        let again = try TestSocket(connectingTo: port)
        try other.accept().send("other")
        XCTAssertEqual(again.receive(), .data("other"))
        // Port 0 always is another place.
        let elsewhere = try ask("POST", "/proxies/p", #"{"listen":"127.0.0.1:0"}"#)
        XCTAssertNotEqual(try self.port(of: elsewhere), port)
        XCTAssertEqual(again.receive(), .end)
    }

    func testDisablingAndDeletingCloseEverythingAtOnce() throws {
        for (method, body) in [("POST", #"{"enabled":false}"#), ("DELETE", nil)] as [(String, String?)] {
            let (client, server) = try connect(makeProxy(method))
            try expect(
                "POST", "/proxies/\(method)/toxics", #"{"type":"latency","attributes":{"latency":60000}}"#, is: 200)
            server.send("lost")
            usleep(20_000)
            _ = try ask(method, "/proxies/\(method)", body)
            XCTAssertNotEqual(client.receive(), .nothing)
            XCTAssertNotEqual(server.receive(), .nothing)
        }
    }

    func testAFailedRestartLeavesTheProxyDisabledWithItsNewFields() throws {
        _ = try makeProxy()
        let taken = try makeProxy("q")
        let answer = try ask("POST", "/proxies/p", #"{"listen":"127.0.0.1:\#(taken)"}"#)
        XCTAssertEqual(answer.status, 500)
        let shown = try ask("GET", "/proxies/p")
        XCTAssertEqual(shown.value?["enabled"], false)
        XCTAssertEqual(shown.value?["listen"], .string("127.0.0.1:\(taken)"))
    }

    func testAServerThatIsNotThereClosesTheClientAndLeavesTheProxy() throws {
        let gone = try TestListener().port
        let port = try makeProxy(upstream: gone)
        XCTAssertEqual(try TestSocket(connectingTo: port).receive(), .end)
        XCTAssertEqual(try ask("GET", "/proxies/p").value?["enabled"], true)
        XCTAssertTrue(try ask("GET", "/metrics").body.contains(#"toxiproxy_proxy_failed_dials_total{proxy="p"} 1"#))
    }

    func testWhatIsSentBeforeTheServerIsThereArrivesWithItsEnd() throws {
        let client = try TestSocket(connectingTo: makeProxy())
        client.send("early")
        client.endOutput()
        let server = try listener.accept()
        XCTAssertEqual(server.receive(), .data("early"))
        XCTAssertEqual(server.receive(), .end)
        server.send("late")
        server.close()
        XCTAssertEqual(client.receive(), .data("late"))
        XCTAssertEqual(client.receive(), .end)
    }

    // Where one side is gone, what the other still sends reaches nobody: the connection must end and not stay for ever.
    func testAResetOfOneSideEndsTheOther() throws {
        let port = try makeProxy()
        let (client, server) = try connect(port)
        client.reset()
        XCTAssertEqual(server.receive(), .end)
        let (other, otherServer) = try connect(port)
        otherServer.send("last")
        otherServer.reset()
        let (_, end) = other.receiveAll()
        XCTAssertEqual(end, .end)
        other.close()
        try wait("no connection is left") { try ask("GET", "/proxies/p/connections").value == [] }
    }

    func testDataThatIsHeldArrivesAfterItsSenderIsGone() throws {
        let (client, server) = try connect(makeProxy())
        try addToxic("latency", #""latency":150"#)
        server.send("testament")
        server.close()
        client.endOutput()
        XCTAssertEqual(client.receive(), .data("testament"))
        XCTAssertEqual(client.receive(), .end)
    }

    // Toxiproxy waits here for the client to read, with the proxy's lock held: its most reported mistake.
    func testNothingHangsBecauseAPeerDoesNotRead() throws {
        let port = try makeProxy()
        let (client, server) = try connect(port)
        for (type, attributes) in [("latency", #""latency":1"#), ("bandwidth", #""rate":100000"#), ("timeout", "")] {
            try addToxic(type, attributes)
            let sender = Thread { server.send([UInt8](repeating: 0, count: 20 << 20)) }
            if type == "latency" { sender.start() }
            usleep(50_000)
            let time = try milliseconds {
                try expect("GET", "/proxies", is: 200)
                try removeToxic()
                try expect("POST", "/proxies/p/toxics", #"{"type":"noop"}"#, is: 200)
                try expect("POST", "/reset", is: 204)
            }
            XCTAssertLessThan(time, 1500, type)
        }
        try expect("POST", "/proxies/p", #"{"enabled":false}"#, is: 200)
        _ = client.receiveAll()
    }

    // A dial that hangs must not keep other clients, or the API, waiting; a full queue of a listener is such a dial.
    func testADialThatHangsKeepsNobodyElseWaiting() throws {
        _ = try makeProxy("hole", more: #","toxics":[{"type":"black_hole"}]"#)
        let hole = try port(of: ask("GET", "/proxies/hole"))
        let port = try makeProxy(upstream: hole)
        let waiting = try (0..<3).map { _ in try TestSocket(connectingTo: port) }
        XCTAssertEqual(waiting[0].receive(within: .milliseconds(50)), .nothing)
        let time = try milliseconds { try expect("DELETE", "/proxies/p", is: 204) }
        XCTAssertLessThan(time, 1000)
        for client in waiting { XCTAssertNotEqual(client.receive(), .nothing) }
    }

    func testABlackHoleAnswersNoAttemptUntilItIsTakenAway() throws {
        let port = try makeProxy()
        let (client, server) = try connect(port)
        try addToxic("black_hole")
        XCTAssertThrowsError(try TestSocket(connectingTo: port, timeout: .milliseconds(300)))
        // Connections that live are none of its business.
        server.send("x")
        XCTAssertEqual(client.receive(), .data("x"))
        try expect("POST", "/proxies/p/toxics/t", #"{"toxicity":0.5}"#, is: 400)
        try expect("POST", "/proxies/p/toxics/t", #"{"toxicity":0}"#, is: 200)
        let (after, serverAfter) = try connect(port)
        serverAfter.send("y")
        XCTAssertEqual(after.receive(), .data("y"))
        XCTAssertTrue(listener.isLeftAlone(for: .milliseconds(50)), "its own fillers are nobody's clients")
    }

    func testAToxicForSomePeersSparesTheOthers() throws {
        let port = try makeProxy()
        try addToxic("timeout", more: #","peers":["127.0.0.2","10.0.0.0/8"]"#)
        XCTAssertEqual(try ask("GET", "/proxies/p/toxics/t").value?["peers"], ["127.0.0.2", "10.0.0.0/8"])
        let (hit, hitServer) = try connect(port, from: "127.0.0.2")
        let (spared, sparedServer) = try connect(port, from: "127.0.0.3")
        hitServer.send("x")
        sparedServer.send("x")
        XCTAssertEqual(spared.receive(), .data("x"))
        XCTAssertEqual(hit.receive(within: .milliseconds(60)), .nothing)
        let shown = try ask("GET", "/proxies/p/connections").value?.array ?? []
        XCTAssertEqual(shown.map { $0["toxics"] }, [["t"], []])
    }

    func testEachToxicTellsWhatItHit() throws {
        let port = try makeProxy()
        try addToxic("latency", #""latency":1"#)
        for _ in 0..<3 {
            let (client, server) = try connect(port)
            server.send("x")
            XCTAssertEqual(client.receive(), .data("x"))
            server.close()
            XCTAssertEqual(client.receive(), .end)
        }
        // Three pieces and three ends, on connections that are over or not.
        try expect(
            "GET", "/proxies/p/hits", is: 200,
            #"[{"name":"t","type":"latency","stream":"downstream","connections":3,"pieces":6}]"#)
        XCTAssertTrue(
            try ask("GET", "/metrics").body.contains(
                #"toxiproxy_toxic_pieces_total{direction="downstream",proxy="p",toxic="t",type="latency"} 6"#))
    }

    // Half of a hundred connections, drawn once each: a neighbour's change flips nothing, and 0 is nobody.
    func testToxicityIsDrawnOnceForAConnection() throws {
        let port = try makeProxy()
        let pairs = try (0..<60).map { _ in try connect(port) }
        try addToxic("timeout", more: #","toxicity":0.5"#)
        func spared(_ text: String) -> [Bool] {
            for (_, server) in pairs { server.send(text) }
            usleep(100_000)
            return pairs.map { $0.client.receive(within: .zero) == .data(text) }
        }
        let first = spared("1")
        let count = first.filter(\.self).count
        XCTAssertTrue((15...45).contains(count), "\(count)")
        try expect("POST", "/proxies/p/toxics", #"{"type":"noop","name":"n"}"#, is: 200)
        XCTAssertEqual(spared("2"), first)
        try expect("DELETE", "/proxies/p/toxics/n", is: 204)
        XCTAssertEqual(spared("3"), first)
        try expect("POST", "/proxies/p/toxics/t", #"{"toxicity":0}"#, is: 200)
        XCTAssertEqual(spared("4"), first.map { _ in true })
        try expect("POST", "/proxies/p/toxics/t", #"{"toxicity":0.5}"#, is: 200)
        XCTAssertEqual(spared("5"), first)
    }

    func testProxiesOutliveTheServerAsAConfiguration() async throws {
        let changes = Changes()
        let first = try await startAnother(onChange: { changes.add($0) })
        let port = try makeProxy(of: first)
        _ = try ask("POST", "/proxies/p/toxics", #"{"type":"limit_data","attributes":{"bytes":3}}"#, of: first)
        _ = try ask("POST", "/proxies", #"{"name":"off","upstream":"u:1","listen":":0","enabled":false}"#, of: first)
        await first.shutDown()
        let configuration = try XCTUnwrap(changes.last)
        let second = try await startAnother(configuration: configuration)
        XCTAssertEqual(try ask("GET", "/proxies/off", of: second).value?["enabled"], false)
        let (client, server) = try connect(port)
        server.send("12345")
        XCTAssertEqual(client.receiveAll().bytes, Array("123".utf8))
        await second.shutDown()
        do {
            _ = try await startAnother(configuration: [["name": "x"]])
            XCTFail("a proxy without an upstream was taken")
        } catch {
            XCTAssertEqual("\(error)", "missing required field: upstream at proxy 1")
        }
    }

    private final class Changes: @unchecked Sendable {
        private let lock = NSLock()
        private var all: [Value] = []

        var last: Value? { lock.withLock { all.last } }
        func add(_ value: Value) { lock.withLock { all.append(value) } }
    }

    func testALateAnswerIs503AndNobodyWaits() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let late = await FaultProxyServer.within(.milliseconds(20), on: loop) {
            try? await Task.sleep(for: .milliseconds(200))
            return 1
        }
        XCTAssertNil(late)
        let soon = await FaultProxyServer.within(.seconds(5), on: loop) { 1 }
        XCTAssertEqual(soon, 1)
    }
}
