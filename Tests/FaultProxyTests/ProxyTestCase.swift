import Documents
import FaultProxy
import NIOCore
import NIOPosix
import Ports
import Randomness
import XCTest

/// A test with a fault proxy, which it speaks to by HTTP, and a server behind it.
class ProxyTestCase: XCTestCase {
    private var group: MultiThreadedEventLoopGroup = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    private(set) var server: FaultProxyServer!
    private(set) var listener: TestListener!

    override func setUp() async throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        server = try await FaultProxyServer.start(.init(endpoint: Endpoint("127.0.0.1", 0), seed: 7), on: group)
        listener = try TestListener()
    }

    override func tearDown() async throws {
        await server.shutDown()
        try await group.shutdownGracefully()
        listener = nil
    }

    /// Another proxy on the same event loops.
    func startAnother(
        seed: Seed = 7, configuration: Value? = nil, onChange: (@Sendable (Value) -> Void)? = nil
    ) async throws -> FaultProxyServer {
        try await FaultProxyServer.start(
            .init(endpoint: Endpoint("127.0.0.1", 0), seed: seed, configuration: configuration, onChange: onChange),
            on: group)
    }

    // MARK: The API

    struct Answer {
        let status: Int
        let fields: [String: String]
        let body: String

        var value: Value? { try? JSONReader.read(body.utf8) }
    }

    /// Asks the API.
    @discardableResult
    func ask(
        _ method: String, _ path: String, _ body: String? = nil, fields: [String] = [],
        of other: FaultProxyServer? = nil
    ) throws -> Answer {
        let socket = try TestSocket(connectingTo: (other ?? server).endpoint.port)
        var request = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        for field in fields { request += "\(field)\r\n" }
        if let body { request += "Content-Length: \(body.utf8.count)\r\n" }
        socket.send(request + "\r\n" + (body ?? ""))
        return try answer(socket.receiveAll().bytes)
    }

    func answer(_ bytes: [UInt8]) throws -> Answer {
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = try XCTUnwrap(text.firstRange(of: "\r\n\r\n"), "no answer: '\(text)'")
        let lines = text[..<parts.lowerBound].split(separator: "\r\n")
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let pair = line.split(separator: ":", maxSplits: 1)
            fields[pair[0].lowercased()] = pair.count > 1 ? String(pair[1].drop { $0 == " " }) : ""
        }
        let status = try XCTUnwrap(Int(lines[0].split(separator: " ")[1]))
        return Answer(status: status, fields: fields, body: String(text[parts.upperBound...]))
    }

    /// Asks, and fails where the status or the body is another.
    func expect(
        _ method: String, _ path: String, _ body: String? = nil, is status: Int, _ text: String? = nil,
        file: StaticString = #filePath, line: UInt = #line
    ) throws {
        let answer = try ask(method, path, body)
        XCTAssertEqual(answer.status, status, answer.body, file: file, line: line)
        if let text { XCTAssertEqual(answer.body, text, file: file, line: line) }
    }

    /// Makes a proxy in front of the test's server, and gives its port.
    func makeProxy(
        _ name: String = "p", upstream: Int? = nil, more: String = "", of other: FaultProxyServer? = nil
    ) throws -> Int {
        let answer = try ask(
            "POST", "/proxies",
            #"{"name":"\#(name)","listen":"127.0.0.1:0","upstream":"127.0.0.1:\#(upstream ?? listener.port)"\#(more)}"#,
            of: other)
        XCTAssertEqual(answer.status, 201, answer.body)
        return try port(of: answer)
    }

    func port(of answer: Answer) throws -> Int {
        let listen = try XCTUnwrap(answer.value?["listen"]?.string, answer.body)
        return try XCTUnwrap(Int(listen.split(separator: ":").last ?? ""), listen)
    }

    /// Adds a toxic to the proxy `p`.
    func addToxic(
        _ type: String, _ attributes: String = "", stream: String = "downstream", more: String = "",
        file: StaticString = #filePath, line: UInt = #line
    ) throws {
        try expect(
            "POST", "/proxies/p/toxics",
            #"{"name":"t","type":"\#(type)","stream":"\#(stream)","attributes":{\#(attributes)}\#(more)}"#, is: 200,
            file: file, line: line)
    }

    func removeToxic(file: StaticString = #filePath, line: UInt = #line) throws {
        try expect("DELETE", "/proxies/p/toxics/t", is: 204, "", file: file, line: line)
    }

    // MARK: Connections

    /// A client's connection through a proxy, and the server's end of it.
    func connect(_ port: Int, from source: String? = nil) throws -> (client: TestSocket, server: TestSocket) {
        let client = try TestSocket(connectingTo: port, from: source)
        return (client, try listener.accept())
    }

    /// How long something takes, in milliseconds.
    func milliseconds(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start) / .milliseconds(1)
    }

    /// Waits until something is so.
    func wait(
        _ what: String, within time: Duration = .seconds(5), file: StaticString = #filePath, line: UInt = #line,
        until condition: () throws -> Bool
    ) throws {
        let end = ContinuousClock.now + time
        while !(try condition()) {
            guard ContinuousClock.now < end else { return XCTFail("never: \(what)", file: file, line: line) }
            usleep(5000)
        }
    }
}
