public import HTTPTypes
public import NIOCore
public import Ports

/// What a server answers.
public struct HTTPReply: Sendable {
    /// Status and fields.
    public var response: HTTPResponse
    /// The body.
    public var body: ByteBuffer
    /// How it reaches the client.
    public var delivery: Delivery = .whole
    /// How long to wait before anything is sent.
    public var delay: TimeAmount = .zero

    /// How a reply reaches the client; all but the first are faults, for servers that play broken ones.
    public enum Delivery: Hashable, Sendable {
        /// The whole reply is sent.
        case whole
        /// Not at all; the client waits until it gives up.
        case never
        /// The connection is closed instead.
        case closed
        /// The connection is reset instead.
        case reset
        /// The connection is closed after so many bytes of the body.
        case truncated(bytes: Int)
        /// In pieces of so many bytes, one after each interval.
        case dribbled(bytes: Int, every: TimeAmount)
    }

    /// Makes a reply of its parts.
    public init(_ response: HTTPResponse, body: ByteBuffer = ByteBuffer()) {
        self.response = response
        self.body = body
    }

    /// Makes a reply with a text and its type.
    public init(_ status: HTTPResponse.Status, text: String = "", type: String = "text/plain; charset=utf-8") {
        response = HTTPResponse(status: status)
        if !text.isEmpty { response.headerFields[.contentType] = type }
        body = ByteBuffer(string: text)
    }
}

/// A function that answers requests.
public enum HTTPResponder: Sendable {
    /// At once, on the server's event loop; costs no task.
    case immediate(@Sendable (HTTPRequest, ByteBuffer) -> HTTPReply)
    /// In a task for each request.
    case asynchronous(@Sendable (HTTPRequest, ByteBuffer) async -> HTTPReply)
}

/// A small HTTP/1.1 server for both worlds: keep-alive, limits on everything, graceful shutdown.
///
/// Our own, because a full framework's channel costs 2 to 3.5 times a lean handler per simulated request. It reads whole
/// bodies up to a limit and answers requests of a connection one after the other.
public final class HTTPServer: Sendable {
    /// How the server behaves.
    public struct Options: Sendable {
        /// The most bytes of names and values of a request's fields, its path included; more is answered with 431.
        public var headerBytesMax: Int
        /// The longest body; more is answered with 413.
        public var bodyBytesMax: Int
        /// Connections at the same time; more are closed at once.
        public var connectionsMax: Int
        /// How long a connection may be silent between requests, or in the middle of one.
        public var idle: TimeAmount
        /// How long a shutdown waits for requests in flight.
        public var shutdown: TimeAmount
        /// How to listen.
        public var listen: ListenOptions

        /// 16 KiB of fields, 16 MiB of body, 10,000 connections, 60 s of silence, 10 s to shut down.
        public static let standard: Options = Options(
            headerBytesMax: 16 << 10, bodyBytesMax: 16 << 20, connectionsMax: 10_000, idle: .seconds(60),
            shutdown: .seconds(10))

        /// Makes options of their parts.
        public init(
            headerBytesMax: Int, bodyBytesMax: Int, connectionsMax: Int, idle: TimeAmount, shutdown: TimeAmount,
            listen: ListenOptions = ListenOptions()
        ) {
            self.headerBytesMax = headerBytesMax
            self.bodyBytesMax = bodyBytesMax
            self.connectionsMax = connectionsMax
            self.idle = idle
            self.shutdown = shutdown
            self.listen = listen
        }
    }

    /// Where it listens.
    public let endpoint: Endpoint
    private let listener: any Listener
    private let connections: NIOLoopBound<HTTPServerConnections>
    private let loop: any EventLoop

    private init(listener: any Listener, connections: NIOLoopBound<HTTPServerConnections>, loop: any EventLoop) {
        self.listener = listener
        self.connections = connections
        self.loop = loop
        endpoint = listener.endpoint
    }

    /// Begins to serve.
    ///
    /// - Parameters:
    ///   - ports: How it reaches the network.
    ///   - endpoint: Where it listens; port 0 chooses one.
    ///   - options: Its limits.
    ///   - responder: Who answers.
    /// - Returns: The server, listening.
    /// - Throws: `ListenError`.
    public static func start(
        _ ports: any Ports, at endpoint: Endpoint, options: Options = .standard, responder: HTTPResponder
    ) async throws -> HTTPServer {
        let loop = ports.eventLoop
        let connections = try await loop.submit {
            NIOLoopBound(HTTPServerConnections(options: options, loop: loop), eventLoop: loop)
        }.get()
        let listener = try await ports.listen(endpoint, options: options.listen) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(
                    HTTPServerConnection(channel: channel, connections: connections.value, responder: responder))
            }
        }.get()
        return HTTPServer(listener: listener, connections: connections, loop: loop)
    }

    /// Stops accepting, lets requests in flight end (as long as the options allow) and closes all connections.
    public func shutDown() async {
        try? await listener.close().get()
        let connections = connections
        let drained = loop.flatSubmit { connections.value.drain() }
        try? await drained.get()
    }
}
