import HTTPTypes
import NIOCore
import Ports

/// The open connections of a server; touched on its event loop only.
final class HTTPServerConnections {
    let options: HTTPServer.Options
    private let loop: any EventLoop
    private var open: [Int: HTTPServerConnection] = [:]
    private var lastNumber: Int = 0
    private(set) var isShuttingDown: Bool = false
    private var drained: EventLoopPromise<Void>?

    init(options: HTTPServer.Options, loop: any EventLoop) {
        self.options = options
        self.loop = loop
    }

    /// Takes a new connection; nil when there are as many as may be.
    func add(_ connection: HTTPServerConnection) -> Int? {
        guard !isShuttingDown, open.count < options.connectionsMax else { return nil }
        lastNumber += 1
        open[lastNumber] = connection
        return lastNumber
    }

    func remove(_ number: Int) {
        open[number] = nil
        if open.isEmpty { drained?.succeed(()) }
    }

    /// Closes what is idle now and the rest when its request is answered, or when time is up.
    func drain() -> EventLoopFuture<Void> {
        isShuttingDown = true
        if let drained { return drained.futureResult }
        guard !open.isEmpty else { return loop.makeSucceededVoidFuture() }
        let promise = loop.makePromise(of: Void.self)
        drained = promise
        let timer = loop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: options.shutdown) { [self] in
            for number in open.keys.sorted() { open[number]?.channel.close(promise: nil) }
        }
        for number in open.keys.sorted() { open[number]?.closeIfIdle() }
        promise.futureResult.assumeIsolatedUnsafeUnchecked().whenComplete { _ in timer.cancel() }
        return promise.futureResult
    }
}

/// One connection of a server: requests one after the other.
final class HTTPServerConnection: ChannelInboundHandler, NIOScheduledCallbackHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let channel: any Channel
    private let connections: HTTPServerConnections
    private let responder: HTTPResponder
    private var number: Int?
    private var reader: HTTPMessageReader = HTTPMessageReader(.requests)
    /// The request of which the body is still coming.
    private var request: Request?
    private var body: ByteBuffer = ByteBuffer()
    /// A request is being answered.
    private var isAnswering: Bool = false
    private var isHead: Bool = false
    /// The rest of the request is not wanted.
    private var isRefused: Bool = false
    /// Requests that came before the one in flight was answered.
    private var queue: CircularBuffer<Waiting> = CircularBuffer(initialCapacity: 0)
    /// When it has been silent for long enough; looked at when the timer fires, not moved for each request.
    private var idleUntil: NIODeadline = .distantFuture
    private var idleTimer: NIOScheduledCallback?
    private var task: Task<Void, Never>?
    /// The rest of a reply that comes late.
    private var lateReply: Scheduled<Void>?

    /// What waits behind the request in flight.
    private enum Waiting {
        case request(Request, ByteBuffer)
        /// The last word on a request that breaks a limit.
        case refusal(HTTPReply)
    }

    /// A request, and whether the connection is used for another behind it.
    private struct Request {
        let request: HTTPRequest
        let keepsAlive: Bool
    }

    init(channel: any Channel, connections: HTTPServerConnections, responder: HTTPResponder) {
        self.channel = channel
        self.connections = connections
        self.responder = responder
    }

    func channelActive(context: ChannelHandlerContext) {
        number = connections.add(self)
        guard number != nil else { return context.close(promise: nil) }
        restartIdleTimer()
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        idleTimer?.cancel()
        // Nobody waits for the answer any more.
        task?.cancel()
        lateReply?.cancel()
        if let number { connections.remove(number) }
        number = nil
        context.fireChannelInactive()
    }

    func closeIfIdle() {
        if !isAnswering, request == nil { channel.close(promise: nil) }
    }

    private func restartIdleTimer() {
        idleUntil = channel.eventLoop.now + connections.options.idle
        if idleTimer == nil { setIdleTimer() }
    }

    private func setIdleTimer() {
        idleTimer = try? channel.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleCallback(
            at: idleUntil, handler: self)
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        idleTimer = nil
        if isAnswering { idleUntil = eventLoop.now + connections.options.idle }
        if eventLoop.now >= idleUntil { channel.close(promise: nil) } else { setIdleTimer() }
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What follows a refusal is not looked at.
        guard !isRefused else { return }
        reader.append(unwrapInboundIn(data))
        idleUntil = channel.eventLoop.now + connections.options.idle
        do throws(HTTPSyntaxError) {
            while !isRefused, number != nil, let part = try reader.next() { receive(part) }
        } catch {
            refuse(HTTPReply(.badRequest))
        }
    }

    private func receive(_ part: HTTPMessageReader.Part) {
        switch part {
        case .head(let head):
            guard case .request(let method, let target) = head.line else { return }
            let request = HTTPRequest(
                method: method, scheme: nil, authority: head.host, path: target, headerFields: head.fields)
            self.request = Request(request: request, keepsAlive: head.keepsAlive)
            body = ByteBuffer()
            if head.bytes > connections.options.headerBytesMax {
                refuse(HTTPReply(.requestHeaderFieldsTooLarge))
            } else if method != .get, !isAnswering, HTTPTokens.contains("100-continue", in: head.fields[.expect] ?? "")
            {
                sendContinue()
            }
        case .body(let piece):
            guard body.readableBytes + piece.readableBytes <= connections.options.bodyBytesMax else {
                return refuse(HTTPReply(.contentTooLarge))
            }
            if body.readableBytes == 0 { body = piece } else { body.writeImmutableBuffer(piece) }
        case .end:
            guard let request else { return }
            self.request = nil
            if isAnswering {
                // A client that does not wait is served in the order of its requests, up to a limit.
                guard queue.count < Self.pipelinedMax else { return channel.close(promise: nil) }
                queue.append(.request(request, body))
            } else {
                answer(request, body)
            }
        }
    }

    /// Asks for the body that the client keeps back until then.
    private func sendContinue() {
        channel.pipeline.syncOperations.writeAndFlush(
            NIOAny(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
    }

    /// Answers a request that breaks a limit when its turn comes, and then closes.
    private func refuse(_ reply: HTTPReply) {
        isRefused = true
        guard !isAnswering else { return queue.append(.refusal(reply)) }
        isAnswering = true
        isHead = false
        write(reply, keepsAlive: false)
    }

    /// The longest answer that fits the buffers below, so that nobody has to wait until it is sent.
    private static let shortAnswer: Int = 16 * 1024

    /// Requests that may wait behind the one in flight.
    private static let pipelinedMax: Int = 100

    private func answer(_ received: Request, _ body: ByteBuffer) {
        isAnswering = true
        let (request, keepsAlive) = (received.request, received.keepsAlive)
        isHead = request.method == .head
        switch responder {
        case .immediate(let respond):
            deliver(respond(request, body), keepsAlive: keepsAlive)
        case .asynchronous(let respond):
            let promise = channel.eventLoop.makePromise(of: HTTPReply.self)
            promise.futureResult.assumeIsolatedUnsafeUnchecked().whenSuccess { [self] reply in
                deliver(reply, keepsAlive: keepsAlive)
            }
            task = Task { promise.succeed(await respond(request, body)) }
        }
    }

    // MARK: Replies

    /// Sends a reply when and how it says.
    private func deliver(_ reply: HTTPReply, keepsAlive: Bool) {
        guard reply.delay > .zero else { return deliverNow(reply, keepsAlive: keepsAlive) }
        lateReply = channel.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: reply.delay) { [self] in
            deliverNow(reply, keepsAlive: keepsAlive)
        }
    }

    private func deliverNow(_ reply: HTTPReply, keepsAlive: Bool) {
        switch reply.delivery {
        case .whole: write(reply, keepsAlive: keepsAlive)
        case .never: break
        case .closed: channel.close(promise: nil)
        case .reset: resetConnection(channel)
        case .truncated(let bytes):
            writeHead(of: reply)
            var body = reply.body
            if let piece = body.readSlice(length: min(bytes, body.readableBytes)) { writeBody(piece) }
            channel.close(promise: nil)
        case .dribbled(let bytes, let interval):
            writeHead(of: reply)
            dribble(reply.body, max(1, bytes), interval, keepsAlive: keepsAlive)
        }
    }

    private func writeHead(of reply: HTTPReply) {
        guard channel.isActive else { return }
        let head = HTTPMessageWriter.head(reply.response, bodyBytes: reply.body.readableBytes, keepsAlive: true)
        channel.pipeline.syncOperations.writeAndFlush(NIOAny(head), promise: nil)
    }

    private func writeBody(_ piece: ByteBuffer) {
        guard channel.isActive else { return }
        channel.pipeline.syncOperations.writeAndFlush(NIOAny(piece), promise: nil)
    }

    private func dribble(_ body: ByteBuffer, _ bytes: Int, _ interval: TimeAmount, keepsAlive: Bool) {
        var rest = body
        guard channel.isActive else { return }
        guard let piece = rest.readSlice(length: min(bytes, rest.readableBytes)), piece.readableBytes > 0 else {
            return finishAnswer(keepsAlive && !connections.isShuttingDown)
        }
        writeBody(piece)
        lateReply = channel.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: interval) { [self, rest] in
            dribble(rest, bytes, interval, keepsAlive: keepsAlive)
        }
    }

    private func write(_ reply: HTTPReply, keepsAlive: Bool) {
        guard channel.isActive else { return }
        let staysOpen = keepsAlive && !connections.isShuttingDown
        let head = HTTPMessageWriter.head(
            reply.response, bodyBytes: reply.body.readableBytes, keepsAlive: staysOpen)
        let pipeline = channel.pipeline.syncOperations
        let hasBody = reply.body.readableBytes > 0 && !isHead && reply.response.status.mayHaveBody
        if hasBody { pipeline.write(NIOAny(head), promise: nil) }
        task = nil
        var sent: EventLoopPromise<Void>?
        if !staysOpen || reply.body.readableBytes > Self.shortAnswer {
            // A long answer is on its way for a while: the connection is not idle, and is not closed before.
            let promise = channel.eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolatedUnsafeUnchecked().whenComplete { [self] _ in finishAnswer(staysOpen) }
            sent = promise
        }
        pipeline.writeAndFlush(NIOAny(hasBody ? reply.body : head), promise: sent)
        if sent == nil { finishAnswer(staysOpen) }
    }

    private func finishAnswer(_ staysOpen: Bool) {
        isAnswering = false
        guard staysOpen, !connections.isShuttingDown else { return channel.close(promise: nil) }
        restartIdleTimer()
        switch queue.popFirst() {
        case .request(let request, let body)?: answer(request, body)
        case .refusal(let reply)?: refuse(reply)
        case nil: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
