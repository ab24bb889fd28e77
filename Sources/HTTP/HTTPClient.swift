import FoundationEssentials
public import HTTPTypes
public import NIOCore
public import Ports

/// A small HTTP/1.1 client for both worlds: keep-alive connections per server, a timeout for each phase, no retries.
///
/// Our own, because AsyncHTTPClient accepts no event loop but NIO's own. It does what the pipeline needs and no more:
/// one request at a time on a connection, bodies in memory up to a limit, no redirects, no cookies, no proxies.
public final class HTTPClient: Sendable {
    /// How the client behaves; limits have no default but in ``standard``.
    public struct Options: Sendable {
        /// How long a connection may take to be there.
        public var connect: TimeAmount
        /// How long the response may take to begin once the request is sent.
        public var firstByte: TimeAmount
        /// How long a response that has begun may pause between two pieces; nil leaves it to `total`.
        public var silence: TimeAmount?
        /// How long the whole may take, from the call to the response's last byte.
        public var total: TimeAmount
        /// Connections to one server at the same time.
        public var connectionsMax: Int
        /// Requests that may wait for a connection to one server.
        public var waitingMax: Int
        /// The longest body that is taken.
        public var bodyBytesMax: Int
        /// How long an idle connection is kept.
        public var idle: TimeAmount
        /// Secures connections; nil speaks in the clear.
        public var tls: (any ChannelSecurity)?
        /// Whether servers are asked for compressed bodies, which are given on as they were before.
        public var decompresses: Bool = false

        /// 10 s to connect, 30 s to the first byte, 60 s in all, 8 connections, 1,000 waiting, 16 MiB, 60 s idle.
        public static let standard: Options = Options(
            connect: .seconds(10), firstByte: .seconds(30), total: .seconds(60), connectionsMax: 8, waitingMax: 1000,
            bodyBytesMax: 16 << 20, idle: .seconds(60))

        /// Makes options of their parts.
        public init(
            connect: TimeAmount, firstByte: TimeAmount, total: TimeAmount, connectionsMax: Int, waitingMax: Int,
            bodyBytesMax: Int, idle: TimeAmount, tls: (any ChannelSecurity)? = nil
        ) {
            self.connect = connect
            self.firstByte = firstByte
            self.total = total
            self.connectionsMax = connectionsMax
            self.waitingMax = waitingMax
            self.bodyBytesMax = bodyBytesMax
            self.idle = idle
            self.tls = tls
        }
    }

    private let ports: any Ports
    private let pool: NIOLoopBound<HTTPConnectionPool>

    /// Makes a client that reaches servers through `ports`, on their event loop.
    ///
    /// - Returns: The client, made on the loop.
    /// - Throws: What an event loop throws that runs no more.
    public static func make(_ ports: any Ports, options: Options = .standard) async throws -> HTTPClient {
        try await ports.eventLoop.submit { HTTPClient(ports, options: options) }.get()
    }

    private init(_ ports: any Ports, options: Options) {
        self.ports = ports
        pool = NIOLoopBound(HTTPConnectionPool(ports: ports, options: options), eventLoop: ports.eventLoop)
    }

    /// Sends a request and waits for the whole response.
    ///
    /// - Parameters:
    ///   - request: What to send; an authority it lacks is taken from `endpoint`.
    ///   - body: The request's body.
    ///   - endpoint: The server.
    ///   - timeout: How long the response may take to begin, and the whole, in place of the options'.
    /// - Returns: The response and its body.
    /// - Throws: ``HTTPFailure``; a status that is not a success is not a failure.
    public func send(
        _ request: HTTPRequest, body: ByteBuffer = ByteBuffer(), to endpoint: Endpoint, timeout: TimeAmount? = nil
    ) async throws(HTTPFailure) -> (response: HTTPResponse, body: ByteBuffer) {
        let promise = ports.eventLoop.makePromise(of: HTTPConnectionPool.Answer.self)
        let slot = ExchangeSlot()
        let pool = pool
        let loop = ports.eventLoop
        loop.execute {
            let exchange = HTTPExchange(
                request: request, body: body, endpoint: endpoint, promise: promise, pool: pool.value, limit: timeout)
            slot.exchange = exchange
            pool.value.start(exchange)
        }
        do {
            return try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                loop.execute { if let exchange = slot.exchange { pool.value.cancel(exchange) } }
            }
        } catch let failure as HTTPFailure {
            throw failure
        } catch {
            throw .transport(.waiting, reason: "\(error)")
        }
    }

    /// Closes all connections; what is in flight fails with ``HTTPFailure/shutDown``.
    public func shutDown() async {
        let pool = pool
        try? await ports.eventLoop.flatSubmit { pool.value.shutDown() }.get()
    }

    /// The `Authorization` field of Basic authentication (RFC 7617).
    public static func basicAuthorization(user: String, password: String) -> HTTPField {
        HTTPField(
            name: .authorization, value: "Basic " + Data("\(user):\(password)".utf8).base64EncodedString())
    }
}

/// Holds an exchange for the event loop, which is the only one to touch it.
private final class ExchangeSlot: @unchecked Sendable {
    var exchange: HTTPExchange?
}
