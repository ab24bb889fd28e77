import Glibc
import HTTPTypes
import NIOCore
import Ports

/// A request in flight; touched on the client's event loop only.
final class HTTPExchange: NIOScheduledCallbackHandler {
    let request: HTTPRequest
    let body: ByteBuffer
    let endpoint: Endpoint
    let promise: EventLoopPromise<HTTPConnectionPool.Answer>
    /// How long it may take, in place of the options' limits.
    let limit: TimeAmount?
    var phase: HTTPFailure.Phase = .pooling
    var isOver: Bool = false
    /// When the whole must be over.
    var totalDeadline: NIODeadline = .distantFuture
    /// When the response must have begun; in force while waiting.
    var firstByteDeadline: NIODeadline = .distantFuture
    /// When the next piece must have come; in force while receiving.
    var silenceDeadline: NIODeadline = .distantFuture
    var timer: NIOScheduledCallback?
    var connection: HTTPConnection?
    unowned let pool: HTTPConnectionPool

    init(
        request: HTTPRequest, body: ByteBuffer, endpoint: Endpoint,
        promise: EventLoopPromise<HTTPConnectionPool.Answer>, pool: HTTPConnectionPool, limit: TimeAmount? = nil
    ) {
        self.pool = pool
        self.limit = limit
        self.request = request
        self.body = body
        self.endpoint = endpoint
        self.promise = promise
    }

    /// Whether the request leaves the connection open for another.
    var keepsAlive: Bool {
        request.headerFields.allSatisfy { $0.name != .connection || !HTTPTokens.contains("close", in: $0.value) }
    }

    func end(_ result: Result<HTTPConnectionPool.Answer, HTTPFailure>) {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        switch result {
        case .success(let answer): promise.succeed(answer)
        case .failure(let failure): promise.fail(failure)
        }
    }
}

extension HTTPExchange {
    /// The next deadline in force.
    var deadline: NIODeadline {
        switch phase {
        case .pooling, .connecting: totalDeadline
        case .waiting: min(firstByteDeadline, totalDeadline)
        case .receiving: min(silenceDeadline, totalDeadline)
        }
    }

    /// One timer serves both deadlines: it is set to the earlier and, when that has lost its force, to the later.
    func setTimer(_ loop: any EventLoop) {
        timer?.cancel()
        timer = try? loop.assumeIsolatedUnsafeUnchecked().scheduleCallback(at: deadline, handler: self)
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        guard !isOver else { return }
        if eventLoop.now >= deadline { pool.abort(self, .timedOut(phase)) } else { setTimer(eventLoop) }
    }
}

/// The connections of a client, by server; touched on its event loop only.
final class HTTPConnectionPool {
    typealias Answer = (response: HTTPResponse, body: ByteBuffer)

    let options: HTTPClient.Options
    private let ports: any Ports
    private let loop: any EventLoop
    private var servers: [Endpoint: Server] = [:]
    private var isShutDown: Bool = false

    private struct Server {
        var idle: [HTTPConnection] = []
        var busy: [Int: HTTPConnection] = [:]
        var connecting: Int = 0
        var waiting: CircularBuffer<HTTPExchange> = CircularBuffer()

        var count: Int { idle.count + busy.count + connecting }
    }

    init(ports: any Ports, options: HTTPClient.Options) {
        self.ports = ports
        self.options = options
        loop = ports.eventLoop
    }

    // MARK: Requests

    func start(_ exchange: HTTPExchange) {
        guard !isShutDown else { return exchange.end(.failure(.shutDown)) }
        guard !exchange.isOver else { return }
        exchange.totalDeadline = loop.now + (exchange.limit ?? options.total)
        if let connection = servers[exchange.endpoint]?.idle.popLast() {
            return begin(exchange, on: connection)
        }
        exchange.setTimer(loop)
        if servers[exchange.endpoint, default: Server()].count < options.connectionsMax {
            return connect(exchange)
        }
        // Those that were given up make room.
        servers[exchange.endpoint]?.waiting.removeAll { $0.isOver }
        guard servers[exchange.endpoint, default: Server()].waiting.count < options.waitingMax else {
            return exchange.end(.failure(.poolExhausted(limit: options.waitingMax)))
        }
        servers[exchange.endpoint]?.waiting.append(exchange)
    }

    func cancel(_ exchange: HTTPExchange) {
        abort(exchange, .cancelled(exchange.phase))
    }

    /// Ends an exchange early; a connection that is in the middle of it cannot be used again.
    func abort(_ exchange: HTTPExchange, _ failure: HTTPFailure) {
        guard !exchange.isOver else { return }
        exchange.end(.failure(failure))
        exchange.connection?.close()
    }

    private func begin(_ exchange: HTTPExchange, on connection: HTTPConnection) {
        servers[exchange.endpoint, default: Server()].busy[connection.number] = connection
        exchange.phase = .waiting
        exchange.connection = connection
        exchange.firstByteDeadline = loop.now + (exchange.limit ?? options.firstByte)
        exchange.setTimer(loop)
        connection.send(exchange)
    }

    private func connect(_ exchange: HTTPExchange) {
        let endpoint = exchange.endpoint
        servers[endpoint, default: Server()].connecting += 1
        exchange.phase = .connecting
        let pool = NIOLoopBound(self, eventLoop: loop)
        let dialled = ports.dial(endpoint, options: DialOptions(timeout: options.connect, tls: options.tls)) {
            channel in
            channel.eventLoop.makeCompletedFuture {
                let connection = HTTPConnection(pool: pool.value, endpoint: endpoint, channel: channel)
                try channel.pipeline.syncOperations.addHandler(connection)
            }
        }
        dialled.assumeIsolatedUnsafeUnchecked().whenComplete { [self] result in
            servers[endpoint]?.connecting -= 1
            switch result {
            case .success(let channel):
                guard let connection = try? channel.pipeline.syncOperations.handler(type: HTTPConnection.self),
                    channel.isActive
                else {
                    exchange.end(.failure(.closed(.connecting)))
                    return serveNext(endpoint)
                }
                if isShutDown {
                    exchange.end(.failure(.shutDown))
                    return channel.close(promise: nil)
                }
                if exchange.isOver { return release(connection) }
                begin(exchange, on: connection)
            case .failure(let error):
                exchange.end(.failure(Self.failure(error, phase: .connecting)))
                serveNext(endpoint)
            }
        }
    }

    static func failure(_ error: any Error, phase: HTTPFailure.Phase) -> HTTPFailure {
        switch error {
        case DialError.timedOut: .timedOut(.connecting)
        case let error as DialError: .connect(error)
        case let error as IOError: error.errnoCode == ECONNRESET ? .reset(phase) : .transport(phase, reason: "\(error)")
        case let error as HTTPSyntaxError: .malformed(reason: error.description)
        default: .transport(phase, reason: "\(error)")
        }
    }

    // MARK: Connections

    /// A connection is free for the next request.
    func release(_ connection: HTTPConnection) {
        let endpoint = connection.endpoint
        servers[endpoint]?.busy[connection.number] = nil
        guard !isShutDown else { return connection.channel.close(promise: nil) }
        if let next = nextWaiting(endpoint) {
            begin(next, on: connection)
        } else {
            servers[endpoint, default: Server()].idle.append(connection)
            connection.becomeIdle(for: options.idle)
        }
    }

    /// A connection is gone.
    func remove(_ connection: HTTPConnection) {
        let endpoint = connection.endpoint
        servers[endpoint]?.busy[connection.number] = nil
        servers[endpoint]?.idle.removeAll { $0 === connection }
        serveNext(endpoint)
    }

    /// Makes a connection for whoever waits, now that there may be one more.
    private func serveNext(_ endpoint: Endpoint) {
        guard !isShutDown, servers[endpoint, default: Server()].count < options.connectionsMax else { return }
        if let next = nextWaiting(endpoint) { connect(next) }
    }

    private func nextWaiting(_ endpoint: Endpoint) -> HTTPExchange? {
        while let next = servers[endpoint]?.waiting.popFirst() {
            if !next.isOver { return next }
        }
        return nil
    }

    /// Fails what is in flight and closes all connections.
    func shutDown() -> EventLoopFuture<Void> {
        isShutDown = true
        var closings: [EventLoopFuture<Void>] = []
        for endpoint in servers.keys.sorted(by: { ($0.host, $0.port) < ($1.host, $1.port) }) {
            guard let server = servers[endpoint] else { continue }
            for exchange in server.waiting { exchange.end(.failure(.shutDown)) }
            for connection in server.idle { connection.channel.close(promise: nil) }
            let busy = server.busy.values.sorted { $0.number < $1.number }
            for connection in busy { connection.abandon() }
            closings += (server.idle + busy).map(\.channel.closeFuture)
        }
        servers = [:]
        return EventLoopFuture.andAllComplete(closings, on: loop)
    }

    private var lastNumber: Int = 0

    /// Numbers connections, so that an order can be given to them.
    func takeNumber() -> Int {
        lastNumber += 1
        return lastNumber
    }
}
