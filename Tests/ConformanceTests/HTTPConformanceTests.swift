import HTTP
import HTTPTypes
import NIOCore
import Ports
import SocketWorld
import XCTest

/// HTTP over kernel sockets and over simulated links: the same results.
final class HTTPConformanceTests: XCTestCase {
    private var options: HTTPClient.Options {
        var options = HTTPClient.Options.standard
        options.firstByte = .milliseconds(400)
        options.total = .milliseconds(800)
        return options
    }

    /// Runs a script with a server and a client in both arms.
    private func onBothArms(
        server: HTTPServer.Options = .standard, client: HTTPClient.Options? = nil, responder: HTTPResponder,
        _ script: @escaping @Sendable (Arm, HTTPClient, Endpoint) async throws -> Void
    ) throws {
        let clientOptions = client ?? options
        for arm in Arm.allCases {
            try arm.run { stage in
                let server = try await HTTPServer.start(
                    stage.server, at: Endpoint(stage.serverName, 0), options: server, responder: responder)
                let client = try await HTTPClient.make(stage.client, options: clientOptions)
                try await script(arm, client, server.endpoint)
                await client.shutDown()
                await server.shutDown()
            }
        }
    }

    /// A server that answers with raw bytes, whatever it is asked.
    private func onBothArms(
        raw answer: String, thenClose: Bool,
        _ script: @escaping @Sendable (Arm, HTTPClient, Endpoint) async throws -> Void
    ) throws {
        let options = options
        for arm in Arm.allCases {
            try arm.run { stage in
                let listener = try await stage.server.listen(Endpoint(stage.serverName, 0), options: .init()) {
                    channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = Observer(
                            Observations(),
                            onData: { channel, _ in
                                channel.writeAndFlush(ByteBuffer(string: answer), promise: nil)
                                if thenClose { channel.close(promise: nil) }
                            })
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }.get()
                let client = try await HTTPClient.make(stage.client, options: options)
                try await script(arm, client, listener.endpoint)
                await client.shutDown()
                try await listener.close().get()
            }
        }
    }

    func testRequestsAndResponsesCrossWhole() throws {
        let responder = HTTPResponder.immediate { request, body in
            var reply = HTTPReply(.ok, text: "\(request.method) \(request.path ?? "") \(body.readableBytes)")
            reply.response.headerFields[.eTag] = request.headerFields[.ifNoneMatch] ?? "none"
            return reply
        }
        try onBothArms(responder: responder) { arm, client, endpoint in
            var request = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/flats/7?x=1")
            request.headerFields[.ifNoneMatch] = "abc"
            let (response, body) = try await client.send(request, body: ByteBuffer.bytes(300_000), to: endpoint)
            XCTAssertEqual(response.status, .ok, "\(arm)")
            XCTAssertEqual(response.headerFields[.eTag], "abc", "\(arm)")
            XCTAssertEqual(String(buffer: body), "POST /flats/7?x=1 300000", "\(arm)")
        }
    }

    // Compressed answers arrive as they were before; what is damaged is a named failure, and not half an answer.
    func testCompressedAnswersAreReadAndDamagedOnesAreNamed() throws {
        let body: [UInt8] = [
            0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0,
        ]
        let responder = HTTPResponder.immediate { request, _ in
            XCTAssertEqual(request.headerFields[.acceptEncoding], "deflate, gzip")
            var bytes = body
            if request.path == "/damaged" { bytes[12] ^= 1 }
            var reply = HTTPReply(.ok, text: "")
            reply.response.headerFields[.contentEncoding] = "gzip"
            reply.body = ByteBuffer(bytes: bytes)
            return reply
        }
        var decoding = options
        decoding.decompresses = true
        try onBothArms(client: decoding, responder: responder) { arm, client, endpoint in
            let (_, body) = try await client.send(get("/"), to: endpoint)
            XCTAssertEqual(String(buffer: body), "hello", "\(arm)")
            do {
                _ = try await client.send(get("/damaged"), to: endpoint)
                XCTFail("half an answer, \(arm)")
            } catch {
                XCTAssertTrue("\(error)".contains("the compressed body is damaged"), "\(arm): \(error)")
            }
        }
    }

    // An answer larger than every buffer must arrive whole although the connection closes behind it.
    func testALongAnswerArrivesWholeBeforeTheClose() throws {
        let text = String(repeating: "a", count: 8_000_000)
        var patient = options
        patient.total = .seconds(20)
        try onBothArms(client: patient, responder: .immediate { _, _ in HTTPReply(.ok, text: text) }) {
            arm, client, endpoint in
            var request = get("/")
            request.headerFields[.connection] = "close"
            let (_, body) = try await client.send(request, to: endpoint)
            XCTAssertEqual(body.readableBytes, 8_000_000, "\(arm)")
        }
    }

    // One connection serves many requests, and as many as the pool may have serve requests at once.
    func testConnectionsAreKeptAndLimited() throws {
        let counter = Counter()
        let responder = HTTPResponder.asynchronous { _, _ in
            await counter.enter()
            try? await Task.sleep(for: .milliseconds(20))
            await counter.leave()
            return HTTPReply(.noContent)
        }
        var limited = options
        limited.connectionsMax = 3
        try onBothArms(client: limited, responder: responder) { arm, client, endpoint in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<12 { group.addTask { _ = try await client.send(get("/"), to: endpoint) } }
                try await group.waitForAll()
            }
            let most = await counter.most
            XCTAssertEqual(most, 3, "\(arm)")
        }
    }

    // As many connections as the pool may have, however many requests they serve.
    func testConnectionsServeManyRequests() throws {
        var limited = options
        limited.connectionsMax = 2
        let responder = HTTPResponder.asynchronous { _, _ in
            try? await Task.sleep(for: .milliseconds(5))
            return HTTPReply(.noContent)
        }
        for arm in Arm.allCases {
            let accepted = try arm.run { [limited] stage in
                let accepted = Accepted()
                let server = try await HTTPServer.start(
                    CountingPorts(ports: stage.server, accepted: accepted), at: Endpoint(stage.serverName, 0),
                    responder: responder)
                let client = try await HTTPClient.make(stage.client, options: limited)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<12 { group.addTask { _ = try await client.send(get("/"), to: server.endpoint) } }
                    try await group.waitForAll()
                }
                await client.shutDown()
                await server.shutDown()
                return accepted.count
            }
            XCTAssertEqual(accepted, 2, "\(arm)")
        }
    }

    func testAnAnswerThatIsLateIsATimeOutOfItsPhase() throws {
        let responder = HTTPResponder.asynchronous { _, _ in
            try? await Task.sleep(for: .seconds(2))
            return HTTPReply(.ok)
        }
        try onBothArms(responder: responder) { arm, client, endpoint in
            await assertFailure(.timedOut(.waiting), arm) {
                try await client.send(get("/"), to: endpoint)
            }
        }
    }

    func testAnAnswerThatStopsInTheMiddleIsATimeOutWhileReceiving() throws {
        try onBothArms(raw: "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", thenClose: false) {
            arm, client, endpoint in
            await assertFailure(.timedOut(.receiving), arm) {
                try await client.send(get("/"), to: endpoint)
            }
        }
    }

    func testAServerThatClosesWithoutAnAnswerIsNamed() throws {
        try onBothArms(raw: "", thenClose: true) { arm, client, endpoint in
            await assertFailure(.closed(.waiting), arm) {
                try await client.send(get("/"), to: endpoint)
            }
        }
    }

    func testAServerThatClosesInTheMiddleOfABodyIsNamed() throws {
        try onBothArms(raw: "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", thenClose: true) {
            arm, client, endpoint in
            await assertFailure(.closed(.receiving), arm) { try await client.send(get("/"), to: endpoint) }
        }
    }

    func testWhatIsNoHTTPIsNamed() throws {
        try onBothArms(raw: "HELLO\r\n\r\n", thenClose: false) { arm, client, endpoint in
            do {
                _ = try await client.send(get("/"), to: endpoint)
                XCTFail("\(arm)")
            } catch {
                guard case .malformed? = error as? HTTPFailure else { return XCTFail("\(arm): \(error)") }
            }
        }
    }

    func testABodyBeyondTheLimitIsRefused() throws {
        var small = options
        small.bodyBytesMax = 1000
        let responder = HTTPResponder.immediate { _, _ in HTTPReply(.ok, text: String(repeating: "a", count: 2000)) }
        try onBothArms(client: small, responder: responder) { arm, client, endpoint in
            await assertFailure(.bodyTooLarge(limit: 1000), arm) {
                try await client.send(get("/"), to: endpoint)
            }
        }
    }

    func testTheServersLimitsAreAnswered() throws {
        var server = HTTPServer.Options.standard
        server.bodyBytesMax = 1000
        server.headerBytesMax = 500
        try onBothArms(server: server, responder: .immediate { _, _ in HTTPReply(.ok) }) { arm, client, endpoint in
            var long = get("/")
            long.headerFields[.cookie] = String(repeating: "a", count: 600)
            let (tooLong, _) = try await client.send(long, to: endpoint)
            XCTAssertEqual(tooLong.status.code, 431, "\(arm)")
            let post = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/")
            let (tooLarge, _) = try await client.send(post, body: ByteBuffer.bytes(1500), to: endpoint)
            XCTAssertEqual(tooLarge.status.code, 413, "\(arm)")
        }
    }

    func testACancelledRequestEndsAtOnce() throws {
        let responder = HTTPResponder.asynchronous { _, _ in
            try? await Task.sleep(for: .seconds(1))
            return HTTPReply(.ok)
        }
        try onBothArms(responder: responder) { arm, client, endpoint in
            let task = Task { () -> HTTPFailure? in
                do {
                    _ = try await client.send(get("/"), to: endpoint)
                    return nil
                } catch {
                    return error as? HTTPFailure
                }
            }
            try await Task.sleep(for: .milliseconds(100))
            task.cancel()
            let failure = await task.value
            XCTAssertEqual(failure, .cancelled(.waiting), "\(arm)")
        }
    }

    // Two requests close together share a connection; the third comes after the server has closed it.
    func testAnIdleConnectionIsClosedByTheServer() throws {
        var options = HTTPServer.Options.standard
        options.idle = .milliseconds(150)
        for arm in Arm.allCases {
            let counts = try arm.run { [options] stage in
                let accepted = Accepted()
                let server = try await HTTPServer.start(
                    CountingPorts(ports: stage.server, accepted: accepted), at: Endpoint(stage.serverName, 0),
                    options: options, responder: .immediate { _, _ in HTTPReply(.ok) })
                let client = try await HTTPClient.make(stage.client)
                var counts: [Int] = []
                for pause in [0, 400, 0] {
                    _ = try await client.send(get("/"), to: server.endpoint)
                    counts.append(accepted.count)
                    try await Task.sleep(for: .milliseconds(pause))
                }
                await client.shutDown()
                await server.shutDown()
                return counts
            }
            XCTAssertEqual(counts, [1, 1, 2], "\(arm)")
        }
    }

    // The server's answer has begun when its side is reset: by closing with data that it has not read.
    func testAResetInTheMiddleOfABodyIsNamed() throws {
        let options = options
        for arm in Arm.allCases {
            try arm.run { stage in
                let listener = try await stage.server.listen(Endpoint(stage.serverName, 0), options: .init()) {
                    channel in
                    channel.setOption(.autoRead, value: false).flatMapThrowing {
                        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"
                        let handler = Observer(
                            Observations(),
                            onActive: { channel in
                                channel.writeAndFlush(ByteBuffer(string: answer), promise: nil)
                                _ = channel.eventLoop.scheduleTask(in: .milliseconds(150)) {
                                    channel.close(promise: nil)
                                }
                            })
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }.get()
                let client = try await HTTPClient.make(stage.client, options: options)
                await assertFailure(.reset(.receiving), arm) { try await client.send(get("/"), to: listener.endpoint) }
                await client.shutDown()
                try await listener.close().get()
            }
        }
    }

    func testARequestThatIsNoHTTPIsAnsweredWith400() throws {
        for arm in Arm.allCases {
            let answer = try arm.run { stage -> String in
                let server = try await HTTPServer.start(
                    stage.server, at: Endpoint(stage.serverName, 0), responder: .immediate { _, _ in HTTPReply(.ok) })
                let text = Text()
                let channel = try await stage.client.dial(server.endpoint, options: .init()) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let observer = Observer(Observations(), onData: { text.value += String(buffer: $1) })
                        try channel.pipeline.syncOperations.addHandler(observer)
                    }
                }.get()
                try await channel.writeAndFlush(ByteBuffer(string: "HELLO WORLD\r\n\r\n"))
                try await channel.closeFuture.get()
                await server.shutDown()
                return text.value
            }
            XCTAssertTrue(answer.hasPrefix("HTTP/1.1 400 Bad Request"), "\(arm): \(answer)")
        }
    }

    func testPipelinedRequestsAreAnsweredInOrder() throws {
        for arm in Arm.allCases {
            let answer = try arm.run { stage -> String in
                let responder = HTTPResponder.asynchronous { request, _ in
                    if request.path == "/slow" { try? await Task.sleep(for: .milliseconds(50)) }
                    return HTTPReply(.ok, text: request.path ?? "")
                }
                let server = try await HTTPServer.start(
                    stage.server, at: Endpoint(stage.serverName, 0), responder: responder)
                let text = Text()
                let channel = try await stage.client.dial(server.endpoint, options: .init()) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let observer = Observer(Observations(), onData: { text.value += String(buffer: $1) })
                        try channel.pipeline.syncOperations.addHandler(observer)
                    }
                }.get()
                let requests = "GET /slow HTTP/1.1\r\nhost: a\r\n\r\nGET /fast HTTP/1.1\r\nhost: a\r\n\r\n"
                try await channel.writeAndFlush(ByteBuffer(string: requests))
                try await Task.sleep(for: .milliseconds(300))
                try await channel.close()
                await server.shutDown()
                return text.value
            }
            let parts = answer.components(separatedBy: "HTTP/1.1 200 OK").dropFirst()
            XCTAssertEqual(parts.map { String($0.suffix(5)) }, ["/slow", "/fast"], "\(arm): \(answer)")
        }
    }

    // The second request breaks a limit while the first is answered: its refusal comes in its turn.
    func testARefusalOfAPipelinedRequestComesInItsTurn() throws {
        let tooLong = "GET / HTTP/1.1\r\nhost: a\r\ncookie: \(String(repeating: "a", count: 600))\r\n\r\n"
        for (second, status) in [
            (tooLong, "431 Request Header Fields Too Large"), ("NONSENSE\r\n\r\n", "400 Bad Request"),
        ] {
            for arm in Arm.allCases {
                let answer = try arm.run { stage -> String in
                    var options = HTTPServer.Options.standard
                    options.headerBytesMax = 500
                    let responder = HTTPResponder.asynchronous { request, _ in
                        try? await Task.sleep(for: .milliseconds(50))
                        return HTTPReply(.ok, text: request.path ?? "")
                    }
                    let server = try await HTTPServer.start(
                        stage.server, at: Endpoint(stage.serverName, 0), options: options, responder: responder)
                    let text = Text()
                    let channel = try await stage.client.dial(server.endpoint, options: .init()) { channel in
                        channel.eventLoop.makeCompletedFuture {
                            let observer = Observer(Observations(), onData: { text.value += String(buffer: $1) })
                            try channel.pipeline.syncOperations.addHandler(observer)
                        }
                    }.get()
                    let first = "GET /first HTTP/1.1\r\nhost: a\r\n\r\n"
                    try await channel.writeAndFlush(ByteBuffer(string: first + second))
                    try await channel.closeFuture.get()
                    await server.shutDown()
                    return text.value
                }
                let parts = answer.components(separatedBy: "HTTP/1.1 ").dropFirst()
                XCTAssertEqual(parts.count, 2, "\(arm): \(answer)")
                XCTAssertTrue(parts.first?.hasSuffix("/first") ?? false, "\(arm): \(answer)")
                XCTAssertTrue(parts.last?.hasPrefix(status) ?? false, "\(arm): \(answer)")
            }
        }
    }

    // A shutdown lets what is under way end, and takes nothing new.
    func testAShutdownLetsRequestsUnderWayEnd() throws {
        let options = options
        for arm in Arm.allCases {
            try arm.run { stage in
                let responder = HTTPResponder.asynchronous { _, _ in
                    try? await Task.sleep(for: .milliseconds(200))
                    return HTTPReply(.ok, text: "done")
                }
                let server = try await HTTPServer.start(
                    stage.server, at: Endpoint(stage.serverName, 0), responder: responder)
                let client = try await HTTPClient.make(stage.client, options: options)
                let underWay = Task { try await client.send(get("/"), to: server.endpoint).body }
                try await Task.sleep(for: .milliseconds(50))
                await server.shutDown()
                let body = try await underWay.value
                XCTAssertEqual(String(buffer: body), "done", "\(arm)")
                await assertFailure(.connect(.refused(server.endpoint)), arm) {
                    try await client.send(get("/"), to: server.endpoint)
                }
                await client.shutDown()
            }
        }
    }

    func testARouterFindsTheRouteAndItsParameters() throws {
        var router = HTTPRouter()
        router.on(.get, "/flats/{flat}/measurements") { request, parameters, _ in
            HTTPReply(.ok, text: "\(parameters["flat"] ?? "") \(request.path ?? "")")
        }
        router.on(.put, "/flats/{flat}") { _, _, body in HTTPReply(.ok, text: "\(body.readableBytes)") }
        try onBothArms(responder: router.responder) { arm, client, endpoint in
            func status(_ method: HTTPRequest.Method, _ path: String) async throws -> (Int, String) {
                let request = HTTPRequest(method: method, scheme: nil, authority: nil, path: path)
                let (response, body) = try await client.send(request, to: endpoint)
                return (response.status.code, String(buffer: body))
            }
            let found = try await status(.get, "/flats/a%2Fb/measurements?limit=2")
            XCTAssertEqual(found.0, 200, "\(arm)")
            XCTAssertEqual(found.1, "a/b /flats/a%2Fb/measurements?limit=2", "\(arm)")
            let missing = try await status(.get, "/flats")
            XCTAssertEqual(missing.0, 404, "\(arm)")
            let wrong = try await status(.delete, "/flats/7")
            XCTAssertEqual(wrong.0, 405, "\(arm)")
        }
    }

    func testTLSHandshakesAndAWrongCertificateDoesNot() throws {
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "fixtures/tls")
        func file(_ name: String) -> String { fixtures.appending(path: name).path }
        var server = HTTPServer.Options.standard
        server.listen.tls = try TLSSecurity(certificateChain: file("server.pem"), privateKey: file("server-key.pem"))
        var right = options
        right.tls = try TLSSecurity(trusting: file("server.pem"))
        var wrong = options
        wrong.tls = try TLSSecurity(trusting: file("other.pem"))
        let responder = HTTPResponder.immediate { _, _ in HTTPReply(.ok, text: "secret") }
        try onBothArms(server: server, client: right, responder: responder) { arm, client, endpoint in
            let (_, body) = try await client.send(get("/"), to: endpoint)
            XCTAssertEqual(String(buffer: body), "secret", "\(arm)")
        }
        try onBothArms(server: server, client: wrong, responder: responder) { arm, client, endpoint in
            do {
                _ = try await client.send(get("/"), to: endpoint)
                XCTFail("\(arm)")
            } catch {
                guard case .transport(_, let reason)? = error as? HTTPFailure else {
                    return XCTFail("\(arm): \(error)")
                }
                XCTAssertTrue(reason.lowercased().contains("cert"), "\(arm): \(reason)")
            }
        }
    }
}

private func get(_ path: String) -> HTTPRequest {
    HTTPRequest(method: .get, scheme: nil, authority: nil, path: path)
}

private func assertFailure(
    _ expected: HTTPFailure, _ arm: Arm, line: UInt = #line,
    _ body: () async throws -> (response: HTTPResponse, body: ByteBuffer)
) async {
    do {
        let answer = try await body()
        XCTFail("\(arm): \(answer.response.status)", line: line)
    } catch {
        XCTAssertEqual(error as? HTTPFailure, expected, "\(arm): \(error)", line: line)
    }
}

/// Counts the connections that are accepted.
private struct CountingPorts: Ports {
    let ports: any Ports
    let accepted: Accepted

    var eventLoop: any EventLoop { ports.eventLoop }

    func dial(
        _ endpoint: Endpoint, options: DialOptions,
        initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        ports.dial(endpoint, options: options, initializer: initializer)
    }

    func listen(
        _ endpoint: Endpoint, options: ListenOptions,
        initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Listener> {
        ports.listen(endpoint, options: options) { [accepted] channel in
            accepted.add()
            return initializer(channel)
        }
    }
}

private final class Accepted: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Int = 0

    func add() { lock.withLock { value += 1 } }

    var count: Int { lock.withLock { value } }
}

private final class Text: @unchecked Sendable {
    var value: String = ""
}

private actor Counter {
    private var count: Int = 0
    private(set) var most: Int = 0

    func enter() {
        count += 1
        most = max(most, count)
    }

    func leave() {
        count -= 1
    }
}
