import Faults
import NIOCore
import Ports
import Randomness

/// One direction of a connection: reads from its own channel and writes to that of its peer.
///
/// Without toxics it hands on what it has read, in the same turn of the event loop. It reads only while nothing waits to be
/// written: the channels' watermarks are one byte, so that a channel is writable when it owes no more than that.
final class Relay: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let stream: ToxicStream
    let connection: ProxyConnection
    /// The toxics at work; nil as long as there is none.
    private(set) var path: ToxicPath?
    private var context: ChannelHandlerContext?
    /// What came before the other side was there.
    private var early: ByteBuffer?
    /// What was read last, to be given back when it was written.
    private var lastRead: ByteBuffer?
    /// What filled the channel's first, small buffer: toxics get it together with what follows.
    private var beginning: ByteBuffer?
    private var hasRead: Bool = false
    private var isReadPending: Bool = false
    /// The channel's sender will send no more.
    private var hasEnded: Bool = false
    /// The channel is closed.
    private(set) var isGone: Bool = false
    /// Nothing more is written to the channel.
    private var outputHasEnded: Bool = false

    init(_ stream: ToxicStream, of connection: ProxyConnection) {
        self.stream = stream
        self.connection = connection
    }

    /// The other direction; nil when the connection is over.
    private var peer: Relay? { stream == .upstream ? connection.downstream : connection.upstream }

    /// Whether everything that was written to the channel has left.
    var isWritable: Bool { context?.channel.isWritable ?? true }

    // MARK: What the channel says

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        guard connection.isStarted else { return keepEarly(&buffer) }
        guard !connection.isSevered, let peer, !peer.isGone else {
            lastRead = buffer
            return
        }
        connection.proxy.count(received: buffer.readableBytes, stream)
        let isFirst = !hasRead
        hasRead = true
        guard let path else {
            passBeginning()
            peer.write(buffer)
            lastRead = buffer
            return
        }
        if isFirst, buffer.writableBytes == 0 { return waitForRest(of: buffer) }
        if var whole = beginning {
            beginning = nil
            whole.writeBuffer(&buffer)
            lastRead = buffer
            return path.receive(pieces: &whole)
        }
        path.receive(pieces: &buffer)
        lastRead = buffer
    }

    /// Keeps what filled the first buffer until the rest is read, which is there already, or was not sent.
    private func waitForRest(of buffer: ByteBuffer) {
        beginning = buffer
        connection.loop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: .milliseconds(1)) { [self] in passBeginning() }
    }

    /// Passes on what waits for a rest that does not come.
    private func passBeginning() {
        guard var buffer = beginning else { return }
        beginning = nil
        guard !connection.isSevered else { return }
        if let path { return path.receive(pieces: &buffer) }
        peer?.write(buffer)
        peer?.context?.flush()
    }

    private func keepEarly(_ buffer: inout ByteBuffer) {
        hasRead = true
        var kept = early ?? ByteBuffer()
        kept.writeBuffer(&buffer)
        early = kept
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        peer?.context?.flush()
        guard var buffer = lastRead else { return }
        lastRead = nil
        if canDeliver { connection.proxy.buffers.give(&buffer) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { end() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard !isGone else { return }
        isGone = true
        outputHasEnded = true
        end()
        peer?.sinkIsGone()
        connection.channelClosed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset is seen by the other side as an end, as with Toxiproxy.
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        peer?.sinkIsWritable()
    }

    func read(context: ChannelHandlerContext) {
        guard mayRead else { return isReadPending = true }
        context.read()
    }

    private var mayRead: Bool {
        guard connection.isStarted, !connection.isSevered else { return true }
        return path?.mayReceive ?? canDeliver
    }

    /// Reads again if that was put off.
    func readIfPending() {
        guard isReadPending, mayRead else { return }
        isReadPending = false
        context?.read()
    }

    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        guard connection.isStarted else { return }
        passBeginning()
        guard !connection.isSevered else { return }
        if let path { path.receive(.end) } else { peer?.finishOutput() }
    }

    private func sinkIsWritable() {
        path?.drain()
        readIfPending()
    }

    /// Nobody is left to write to: what comes is dropped, and the channel closes when its own output has ended.
    private func sinkIsGone() {
        guard !isGone else { return }
        readIfPending()
        if outputHasEnded { context?.close(promise: nil) }
    }

    // MARK: What is written to the channel

    private func write(_ buffer: ByteBuffer) {
        guard !outputHasEnded else { return }
        connection.proxy.count(sent: buffer.readableBytes, stream == .upstream ? .downstream : .upstream)
        context?.write(wrapOutboundOut(buffer), promise: nil)
    }

    /// Ends the direction, whose connection a toxic has closed: at once, or behind what its own toxics hold.
    func finish(atOnce: Bool) {
        guard !atOnce, let path else {
            peer?.finishOutput()
            return
        }
        if !hasEnded { path.receive(.end) }
        hasEnded = true
    }

    /// Closes the output behind what was written.
    private func finishOutput() {
        guard !outputHasEnded, let context else { return }
        outputHasEnded = true
        // To close an output may close the whole channel, and that drops what was not written.
        let written = connection.loop.makePromise(of: Void.self)
        written.futureResult.assumeIsolatedUnsafeUnchecked().whenComplete { [self] _ in closeOutput() }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    }

    private func closeOutput() {
        // Where the other channel is gone, nobody is left whom data could reach.
        context?.close(mode: peer?.isGone ?? true ? .all : .output, promise: nil)
    }

    /// Closes the channel at once: what was not written is lost.
    func close() { context?.close(promise: nil) }

    /// Resets the channel's connection.
    func reset() {
        if let channel = context?.channel { resetConnection(channel) }
    }

    // MARK: Toxics

    /// Begins with the toxics that there are.
    func start(_ toxics: [Toxic]) {
        if !toxics.isEmpty { path = ToxicPath(toxics, relay: self) }
        beginning = early
        early = nil
        if let beginning { connection.proxy.count(received: beginning.readableBytes, stream) }
        passBeginning()
        if hasEnded {
            if let path { path.receive(.end) } else { peer?.finishOutput() }
        }
        path?.drain()
    }

    /// Adds a toxic, or changes the one of the same name.
    func set(_ toxic: Toxic, isNew: Bool) {
        if let path {
            path.change { chain, now in
                if isNew { chain.add(toxic, at: now) } else { chain.update(toxic, at: now) }
            }
        } else {
            path = ToxicPath([toxic], relay: self)
            path?.drain()
        }
    }

    /// Removes a toxic: what it held goes on at once.
    func remove(_ name: String) {
        path?.change { chain, now in chain.remove(name, at: now) }
    }

    /// Goes on without toxics: nothing is held any more.
    func dropPath() {
        path?.stop()
        path = nil
    }

    /// The connection's own random numbers of this direction.
    var random: RandomStream { connection.random.fork(stream.rawValue) }

    /// Hands on what has left the toxics.
    func deliver(_ item: ToxicItem) {
        switch item {
        case .data(let buffer):
            peer?.write(buffer)
            peer?.context?.flush()
        case .end: peer?.finishOutput()
        case .close: connection.sever(by: stream)
        case .reset: connection.reset()
        }
    }

    /// Whether the next item can be handed on.
    var canDeliver: Bool { peer?.isWritable ?? true }
}
