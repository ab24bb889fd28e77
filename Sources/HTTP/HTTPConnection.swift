import HTTPTypes
import NIOCore
import NIOHTTP1
import Ports

/// One connection of a client: a request at a time.
final class HTTPConnection: ChannelInboundHandler, NIOScheduledCallbackHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    let endpoint: Endpoint
    let channel: any Channel
    let number: Int
    private let pool: HTTPConnectionPool
    private var exchange: HTTPExchange?
    private var head: HTTPResponseHead?
    private var body: ByteBuffer = ByteBuffer()
    /// When it has been idle for long enough; looked at when the timer fires, not moved for each request.
    private var idleUntil: NIODeadline = .distantFuture
    private var idleTimer: NIOScheduledCallback?
    private var error: (any Error)?

    init(pool: HTTPConnectionPool, endpoint: Endpoint, channel: any Channel) {
        self.pool = pool
        self.endpoint = endpoint
        self.channel = channel
        number = pool.takeNumber()
    }

    func send(_ exchange: HTTPExchange) {
        self.exchange = exchange
        head = nil
        body = ByteBuffer()
        let pipeline = channel.pipeline.syncOperations
        pipeline.write(NIOAny(HTTPClientRequestPart.head(exchange.head)), promise: nil)
        if exchange.body.readableBytes > 0 {
            pipeline.write(NIOAny(HTTPClientRequestPart.body(.byteBuffer(exchange.body))), promise: nil)
        }
        pipeline.writeAndFlush(NIOAny(HTTPClientRequestPart.end(nil)), promise: nil)
    }

    func becomeIdle(for time: TimeAmount) {
        idleUntil = channel.eventLoop.now + time
        if idleTimer == nil { setIdleTimer() }
    }

    private func setIdleTimer() {
        idleTimer = try? channel.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleCallback(
            at: idleUntil, handler: self)
    }

    /// The client is shut down in the middle of a request.
    func abandon() {
        exchange?.end(.failure(.shutDown))
        exchange = nil
        channel.close(promise: nil)
    }

    /// Closes the channel; from now on no request is given to it, however long a security layer takes to say goodbye.
    func close() {
        pool.remove(self)
        channel.close(promise: nil)
    }

    // MARK: Idling

    func handleScheduledCallback(eventLoop: some EventLoop) {
        idleTimer = nil
        guard exchange == nil else { return }
        if eventLoop.now >= idleUntil { close() } else { setIdleTimer() }
    }

    // MARK: Responses

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let exchange, !exchange.isOver else { return }
        if let silence = pool.options.silence { exchange.silenceDeadline = channel.eventLoop.now + silence }
        switch unwrapInboundIn(data) {
        case .head(let head):
            // Interim responses come before the real one.
            guard head.status.code >= 200 else { return }
            self.head = head
            exchange.phase = .receiving
            if pool.options.silence != nil { exchange.setTimer(channel.eventLoop) }
        case .body(var piece):
            guard body.readableBytes + piece.readableBytes <= pool.options.bodyBytesMax else {
                exchange.end(.failure(.bodyTooLarge(limit: pool.options.bodyBytesMax)))
                return close()
            }
            if body.readableBytes == 0 { body = piece } else { body.writeBuffer(&piece) }
        case .end: finish(exchange, context)
        }
    }

    private func finish(_ exchange: HTTPExchange, _ context: ChannelHandlerContext) {
        guard let head else { return }
        self.exchange = nil
        exchange.connection = nil
        let keepsAlive = head.isKeepAlive && exchange.head.isKeepAlive
        exchange.end(.success((HTTPConversion.response(head), body)))
        if keepsAlive, channel.isActive {
            pool.release(self)
        } else {
            close()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The decoder complains of the end that the first error brings.
        if self.error == nil { self.error = error }
        // Now, and not when the channel is closed: a security layer may take long to say goodbye.
        endExchange()
        close()
    }

    func channelInactive(context: ChannelHandlerContext) {
        idleTimer?.cancel()
        endExchange()
        pool.remove(self)
        context.fireChannelInactive()
    }

    /// The request in flight gets no response.
    private func endExchange() {
        guard let exchange else { return }
        self.exchange = nil
        let failure = error.map { HTTPConnectionPool.failure($0, phase: exchange.phase) }
        exchange.end(.failure(failure ?? .closed(exchange.phase)))
    }
}
