import HTTPTypes
import NIOCore
import Ports

/// One connection of a client: a request at a time.
final class HTTPConnection: ChannelInboundHandler, NIOScheduledCallbackHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let endpoint: Endpoint
    /// The server's name where a request does not say one.
    private let authority: String
    let channel: any Channel
    let number: Int
    private let pool: HTTPConnectionPool
    private var exchange: HTTPExchange?
    private var reader: HTTPMessageReader = HTTPMessageReader(.responses)
    private var response: HTTPResponse?
    private var keepsAlive: Bool = false
    private var body: ByteBuffer = ByteBuffer()
    /// When it has been idle for long enough; looked at when the timer fires, not moved for each request.
    private var idleUntil: NIODeadline = .distantFuture
    private var idleTimer: NIOScheduledCallback?
    private var error: (any Error)?

    init(pool: HTTPConnectionPool, endpoint: Endpoint, channel: any Channel) {
        self.pool = pool
        self.endpoint = endpoint
        authority = endpoint.description
        self.channel = channel
        number = pool.takeNumber()
    }

    func send(_ exchange: HTTPExchange) {
        self.exchange = exchange
        response = nil
        body = ByteBuffer()
        reader.expectsNoBody = exchange.request.method == .head
        let pipeline = channel.pipeline.syncOperations
        let head = HTTPMessageWriter.head(
            exchange.request, authority: authority, bodyBytes: exchange.body.readableBytes,
            acceptsCompression: pool.options.decompresses)
        guard exchange.body.readableBytes > 0 else { return pipeline.writeAndFlush(NIOAny(head), promise: nil) }
        pipeline.write(NIOAny(head), promise: nil)
        pipeline.writeAndFlush(NIOAny(exchange.body), promise: nil)
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
        // What comes although nothing was asked, or nobody waits any more, cannot be told from what is asked next.
        guard exchange != nil else { return close() }
        reader.append(unwrapInboundIn(data))
        readParts()
    }

    private func readParts() {
        do throws(HTTPSyntaxError) {
            while exchange != nil, let part = try reader.next() {
                switch part {
                case .head(let head):
                    guard case .response(let status) = head.line else { continue }
                    receiveHead(HTTPResponse(status: status, headerFields: head.fields), keepsAlive: head.keepsAlive)
                case .body(let piece): receiveBody(piece)
                case .end: receiveEnd()
                }
            }
        } catch {
            fail(error)
        }
    }

    func receiveHead(_ response: HTTPResponse, keepsAlive: Bool) {
        guard let exchange, !exchange.isOver else { return }
        self.response = response
        self.keepsAlive = keepsAlive
        exchange.phase = .receiving
        guard pool.options.silence != nil else { return }
        noteSignOfLife(exchange)
        exchange.setTimer(channel.eventLoop)
    }

    func receiveBody(_ piece: ByteBuffer) {
        guard let exchange, !exchange.isOver else { return }
        noteSignOfLife(exchange)
        guard body.readableBytes + piece.readableBytes <= pool.options.bodyBytesMax else {
            exchange.end(.failure(.bodyTooLarge(limit: pool.options.bodyBytesMax)))
            return close()
        }
        if body.readableBytes == 0 { body = piece } else { body.writeImmutableBuffer(piece) }
    }

    func receiveEnd() {
        guard let exchange, !exchange.isOver, let response else { return }
        self.exchange = nil
        exchange.connection = nil
        guard decompress(response, for: exchange) else { return close() }
        exchange.end(.success((response, body)))
        if keepsAlive, exchange.keepsAlive, reader.isBetweenMessages, channel.isActive {
            pool.release(self)
        } else {
            close()
        }
    }

    /// Brings the body back to what it was before the server compressed it; false after saying why that is impossible.
    private func decompress(_ response: HTTPResponse, for exchange: HTTPExchange) -> Bool {
        let name = pool.options.decompresses ? response.headerFields[.contentEncoding] : nil
        guard let coding = name.flatMap({ ContentCoding(rawValue: $0.lowercased()) }) else { return true }
        let limit = pool.options.bodyBytesMax
        do throws(InflateError) {
            body = ByteBuffer(bytes: try coding.decompress(Array(body.readableBytesView), limit: limit))
            return true
        } catch {
            exchange.end(
                .failure(
                    error == .tooLong(limit: limit)
                        ? .bodyTooLarge(limit: limit) : .malformed(reason: error.description)))
            return false
        }
    }

    private func noteSignOfLife(_ exchange: HTTPExchange) {
        if let silence = pool.options.silence { exchange.silenceDeadline = channel.eventLoop.now + silence }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error) }

    private func fail(_ error: any Error) {
        // The decoder complains of the end that the first error brings.
        if self.error == nil { self.error = error }
        // Now, and not when the channel is closed: a security layer may take long to say goodbye.
        endExchange()
        close()
    }

    func channelInactive(context: ChannelHandlerContext) {
        idleTimer?.cancel()
        // An answer whose length nobody has said ends with the connection.
        if reader.finish() { readParts() }
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
