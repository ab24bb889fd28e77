// The leading underscores are those of names that NIO's protocols require.
// swift-format-ignore-file: NoLeadingUnderscores

import Glibc
import NIOCore
import Ports
import SimulationKernel

/// A NIO channel over an end of a simulated connection, with the semantics of NIO's own socket channels.
final class SimulatedChannel: Channel, ChannelCore, @unchecked Sendable {
    private let end: StreamEnd
    private let loop: SimulatedEventLoop
    private let network: Network
    private var number: UInt64 = 0
    private let closePromise: EventLoopPromise<Void>
    private var pipelineStorage: ChannelPipeline?

    private var isRegistered: Bool = false
    private(set) var isActive: Bool = false
    private var isOpen: Bool = true
    private var inputClosed: Bool = false
    private var outputClosed: Bool = false

    // Reading.
    private var readPending: Bool = false
    private var isReading: Bool = false

    // Writing: what was written, and up to where it was flushed.
    private var pendingWrites: MarkedCircularBuffer<PendingWrite> = MarkedCircularBuffer(initialCapacity: 8)
    private var pendingBytes: Int = 0
    private(set) var isWritable: Bool = true
    private var closeAfterWrites: [EventLoopPromise<Void>?] = []

    // Options.
    private var autoRead: Bool = true
    private var allowsRemoteHalfClosure: Bool = false
    private var waterMark: ChannelOptions.Types.WriteBufferWaterMark = .init(low: 32 * 1024, high: 64 * 1024)
    private var messagesPerRead: UInt = 4
    private var options: ChannelOptionStore = ChannelOptionStore()

    private struct PendingWrite {
        var buffer: ByteBuffer
        let promise: EventLoopPromise<Void>?
    }

    /// The largest piece that one write puts on the link.
    private static let chunkBytesMax: Int = 64 * 1024

    init(end: StreamEnd, loop: SimulatedEventLoop, network: Network) {
        self.end = end
        self.loop = loop
        self.network = network
        closePromise = loop.makePromise()
        pipelineStorage = ChannelPipeline(channel: self)
        end.delegate = self
        number = loop.register(self)
        network.noteChannel(1)
    }

    /// Adds the handlers, registers and activates the channel; `promise` learns the result.
    func start(
        security: (any ChannelSecurity)?, serverName: String?,
        initializer: @Sendable (any Channel) -> EventLoopFuture<Void>, _ promise: EventLoopPromise<any Channel>?
    ) {
        do {
            if let security {
                if let serverName {
                    try security.secureClient(self, serverName: serverName)
                } else {
                    try security.secureServer(self)
                }
            }
        } catch {
            end.reset()
            close0(error: error, mode: .all, promise: nil)
            promise?.fail(error)
            return
        }
        initializer(self).assumeIsolatedUnsafeUnchecked().whenComplete { [self] result in
            switch result {
            case .success:
                isRegistered = true
                pipeline.syncOperations.fireChannelRegistered()
                guard isOpen else { return promise?.fail(ChannelError.ioOnClosedChannel) ?? () }
                isActive = true
                // The caller hears first, as with NIO's bootstraps.
                promise?.succeed(self)
                pipeline.syncOperations.fireChannelActive()
                if autoRead, isOpen { pipeline.syncOperations.read() }
                // What happened while nobody had accepted it yet.
                if isOpen, let failure = end.failure { streamFailed(failure) }
            case .failure(let error):
                close0(error: error, mode: .all, promise: nil)
                promise?.fail(error)
            }
        }
    }

    // MARK: Channel

    let allocator: ByteBufferAllocator = ByteBufferAllocator()
    var closeFuture: EventLoopFuture<Void> { closePromise.futureResult }
    var pipeline: ChannelPipeline {
        guard let pipelineStorage else { preconditionFailure("the pipeline is made with the channel") }
        return pipelineStorage
    }
    var localAddress: SocketAddress? { try? localAddress0() }
    var remoteAddress: SocketAddress? { try? remoteAddress0() }
    var parent: (any Channel)? { nil }
    var _channelCore: any ChannelCore { self }
    var eventLoop: any EventLoop { loop }

    func localAddress0() throws -> SocketAddress {
        try SocketAddress(ipAddress: end.host.address, port: end.localPort)
    }

    func remoteAddress0() throws -> SocketAddress {
        try SocketAddress(ipAddress: end.remoteHost.address, port: end.remotePort)
    }

    // MARK: Options

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        let box = UncheckedTransfer((option, value))
        if loop.inEventLoop {
            return loop.makeCompletedFuture { try setOption0(option, value) }
        }
        return loop.submit { [self] in try setOption0(box.value.0, box.value.1) }
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        if loop.inEventLoop {
            return loop.makeCompletedFuture { try getOption0(option) }
        }
        let box = UncheckedTransfer(option)
        return loop.submit { [self] in UncheckedTransfer(try getOption0(box.value)) }.map { $0.value }
    }

    fileprivate func setOption0<Option: ChannelOption>(_ option: Option, _ value: Option.Value) throws {
        guard isOpen else { throw ChannelError.ioOnClosedChannel }
        switch value {
        case let value as Bool where option is ChannelOptions.Types.AutoReadOption:
            let wasReading = autoRead
            autoRead = value
            if value, !wasReading { pipeline.syncOperations.read() }
        case let value as Bool where option is ChannelOptions.Types.AllowRemoteHalfClosureOption:
            allowsRemoteHalfClosure = value
        case let value as ChannelOptions.Types.WriteBufferWaterMark:
            waterMark = value
            updateWritability()
        case let value as UInt where option is ChannelOptions.Types.MaxMessagesPerReadOption:
            messagesPerRead = value
        default:
            // Socket options and allocators change nothing that can be seen here.
            options.set(option, value)
        }
    }

    fileprivate func getOption0<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
        let value: Any? =
            switch option {
            case is ChannelOptions.Types.AutoReadOption: autoRead
            case is ChannelOptions.Types.AllowRemoteHalfClosureOption: allowsRemoteHalfClosure
            case is ChannelOptions.Types.WriteBufferWaterMarkOption: waterMark
            case is ChannelOptions.Types.MaxMessagesPerReadOption: messagesPerRead
            case is ChannelOptions.Types.BufferedWritableBytesOption: pendingBytes
            default: options.value(of: option)
            }
        guard let value = value as? Option.Value else { throw ChannelError.operationUnsupported }
        return value
    }

    var syncOptions: (any NIOSynchronousChannelOptions)? { SynchronousOptions(channel: self) }

    private struct SynchronousOptions: NIOSynchronousChannelOptions {
        let channel: SimulatedChannel

        func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
            try channel.setOption0(option, value)
        }

        func getOption<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
            try channel.getOption0(option)
        }
    }

    // MARK: Not for a connected channel

    func register0(promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.inappropriateOperationForState)
    }

    func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.inappropriateOperationForState)
    }

    func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }

    func connect0(to: SocketAddress, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.alreadyClosed)
    }

    func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }

    /// What no handler took is dropped, as by NIO's sockets.
    func channelRead0(_ data: NIOAny) {}
    func errorCaught0(error: any Error) {}

    // MARK: Reading

    func read0() {
        guard isActive, !inputClosed else { return }
        readPending = true
        if end.hasData || end.receivedEnd, !isReading {
            // In a tick of its own: a handler that reads from channelReadComplete must not recurse.
            loop._executeIsolatedUnsafeUnchecked { [self] in readNow() }
        }
    }

    private func readNow() {
        guard isActive, !inputClosed, !isReading else { return }
        // An end of stream drains what is there, whether it was asked for or not.
        guard readPending || end.receivedEnd else { return }
        isReading = true
        readPending = false
        var messages: UInt = 0
        while isActive, messages < messagesPerRead || end.receivedEnd, let buffer = end.read() {
            messages += 1
            pipeline.syncOperations.fireChannelRead(NIOAny(buffer))
        }
        isReading = false
        guard isActive else { return }
        if messages > 0 { pipeline.syncOperations.fireChannelReadComplete() }
        guard isActive, !inputClosed else { return }
        if end.receivedEnd, !end.hasData {
            return readEnd()
        }
        if autoRead, !readPending { pipeline.syncOperations.read() }
    }

    private func readEnd() {
        inputClosed = true
        // With both directions closed there is no half left to tell of.
        if allowsRemoteHalfClosure, !outputClosed {
            pipeline.syncOperations.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        } else {
            close0(error: ChannelError.eof, mode: .all, promise: nil)
        }
    }

    // MARK: Writing

    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isOpen else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        guard !outputClosed else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        guard case .byteBuffer(let buffer) = unwrapData(data, as: IOData.self) else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        pendingBytes += buffer.readableBytes
        pendingWrites.append(PendingWrite(buffer: buffer, promise: promise))
        if pendingBytes > waterMark.high { updateWritability() }
    }

    func flush0() {
        guard isOpen else { return }
        pendingWrites.mark()
        sendFlushed()
    }

    private func sendFlushed() {
        guard isActive else { return }
        while isOpen, pendingWrites.hasMark, var write = pendingWrites.first {
            let room = min(end.roomBytes, Self.chunkBytesMax)
            if write.buffer.readableBytes == 0 {
                finishFirstWrite()
                continue
            }
            guard room > 0 else {
                end.notifyWhenRoom()
                return
            }
            guard write.buffer.readableBytes > room else {
                pendingBytes -= write.buffer.readableBytes
                assert(pendingBytes >= 0, "more bytes were sent than written")
                // Taken out first: sending may make room and lead back here.
                let promise = pendingWrites.popFirst()?.promise
                end.send(write.buffer)
                promise?.succeed(())
                continue
            }
            guard let piece = write.buffer.readSlice(length: room) else { return }
            pendingBytes -= room
            assert(pendingBytes > 0, "a piece of a write was all that was written")
            pendingWrites[pendingWrites.startIndex] = write
            end.send(piece)
        }
        if !isWritable { updateWritability() }
        if pendingWrites.isEmpty, !closeAfterWrites.isEmpty { closeOutput() }
    }

    private func finishFirstWrite() {
        pendingWrites.popFirst()?.promise?.succeed(())
    }

    private func updateWritability() {
        let writable = isWritable ? pendingBytes <= waterMark.high : pendingBytes < waterMark.low
        guard writable != isWritable else { return }
        isWritable = writable
        pipeline.syncOperations.fireChannelWritabilityChanged()
    }

    // MARK: Closing

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard isOpen else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        switch mode {
        case .output:
            guard !outputClosed else {
                promise?.fail(ChannelError.outputClosed)
                return
            }
            closeAfterWrites.append(promise)
            pendingWrites.mark()
            sendFlushed()
        case .input:
            guard !inputClosed else {
                promise?.fail(ChannelError.inputClosed)
                return
            }
            inputClosed = true
            promise?.succeed(())
            pipeline.syncOperations.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case .all: closeAll(error, promise)
        }
    }

    private func closeOutput() {
        outputClosed = true
        end.finish()
        let promises = closeAfterWrites
        closeAfterWrites = []
        for promise in promises { promise?.succeed(()) }
        guard isOpen else { return }
        if inputClosed {
            close0(error: ChannelError.eof, mode: .all, promise: nil)
        } else {
            pipeline.syncOperations.fireUserInboundEventTriggered(ChannelEvent.outputClosed)
        }
    }

    private func closeAll(_ error: any Error, _ promise: EventLoopPromise<Void>?) {
        isOpen = false
        let wasActive = isActive
        isActive = false
        end.close()
        loop.unregisterChannel(number)
        network.noteChannel(-1)
        let writes = pendingWrites
        pendingWrites = MarkedCircularBuffer(initialCapacity: 0)
        pendingBytes = 0
        assert(!isActive && !isOpen, "a closed channel is active")
        for promise in closeAfterWrites { promise?.fail(error) }
        closeAfterWrites = []
        for write in writes { write.promise?.fail(error) }
        promise?.succeed(())
        if wasActive { pipeline.syncOperations.fireChannelInactive() }
        if isRegistered { pipeline.syncOperations.fireChannelUnregistered() }
        // Handlers may be on the stack still.
        loop._executeIsolatedUnsafeUnchecked { [self] in
            removeHandlers(pipeline: pipeline)
            closePromise.succeed(())
        }
    }
}

extension SimulatedChannel: ResettableChannel {
    func resetConnection() {
        guard isOpen else { return }
        end.reset()
        close0(error: ChannelError.ioOnClosedChannel, mode: .all, promise: nil)
    }
}

extension SimulatedChannel {
    /// The run is over: handlers learn that the connection is gone, and free what they hold.
    func closeAtEnd() {
        loop.run { if isOpen { close0(error: ChannelError.ioOnClosedChannel, mode: .all, promise: nil) } }
    }
}

// MARK: - Stream

extension SimulatedChannel: StreamDelegate {
    func streamIsReadable() {
        loop.run { readNow() }
    }

    func streamIsWritable() {
        loop.run { sendFlushed() }
    }

    /// The connection is gone: what arrived before is read, whether it was asked for or not, and then the channel closes.
    func streamFailed(_ failure: StreamFailure) {
        let code = failure == .reset ? ECONNRESET : ETIMEDOUT
        loop.run {
            guard isOpen else { return }
            readRest()
            let error = IOError(errnoCode: code, reason: "read")
            // Who has seen the end of the stream has nothing to read that could fail.
            if isOpen, !inputClosed { pipeline.syncOperations.fireErrorCaught(error) }
            if isOpen { close0(error: error, mode: .all, promise: nil) }
        }
    }

    private func readRest() {
        guard isActive, !inputClosed, !isReading, end.hasData else { return }
        isReading = true
        while isActive, let buffer = end.read() { pipeline.syncOperations.fireChannelRead(NIOAny(buffer)) }
        isReading = false
        if isActive { pipeline.syncOperations.fireChannelReadComplete() }
    }
}
