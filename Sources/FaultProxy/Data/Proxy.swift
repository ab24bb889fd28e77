import Documents
import Faults
import NIOCore
import NIOPosix
import Randomness

/// A proxy: where it listens, where it leads to, its toxics and connections.
///
/// It lives on one event loop with all its connections, so that a change reaches all of them in one turn and nothing waits
/// for a peer. But for what is constant, it is touched there only.
final class Proxy: @unchecked Sendable {
    let name: String
    let loop: any EventLoop
    /// The buffers that the event loop's connections read into.
    let buffers: ReadBuffers
    private let random: RandomStream

    /// Where it listens: as it was given, or where it was bound.
    private(set) var listen: String
    /// Where it leads to, as it was given.
    private(set) var upstream: String
    private(set) var toxics: [ProxyToxic] = []
    private(set) var counters: ProxyCounters = ProxyCounters()
    private var socket: ListeningSocket?
    private var listener: (any Channel)?
    private var connections: [UInt64: ProxyConnection] = [:]
    private var lastNumber: UInt64 = 0

    /// How long a connection to the server may take to be there: the system's own limit.
    private static let dialTime: TimeAmount = .seconds(127)

    init(
        name: String, listen: String, upstream: String, loop: any EventLoop, buffers: ReadBuffers, random: RandomStream
    ) {
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.loop = loop
        self.buffers = buffers
        self.random = random
    }

    /// Does something on the event loop.
    func onLoop<Result: Sendable>(_ body: @escaping @Sendable (Proxy) throws -> Result) async throws -> Result {
        try await loop.submit { try body(self) }.get()
    }

    // MARK: Listening

    /// Whether it listens.
    var isEnabled: Bool { socket != nil }

    /// Where it listens now.
    var boundAddress: SocketAddress? { socket?.address }

    /// Leads to another place and listens at another; what listened before must have stopped.
    func change(listen: String, upstream: String) {
        self.listen = listen
        self.upstream = upstream
    }

    /// Begins to listen.
    ///
    /// - Throws: ``ProxyError`` when it cannot.
    func start(at address: ListenAddress) throws {
        guard socket == nil else { return }
        let socket = try ListeningSocket(address.socketAddress)
        self.socket = socket
        listen = ListenAddress.text(socket.address)
        let bootstrap = ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: ListeningSocket.backlog)
            .serverChannelOption(.maxMessagesPerRead, value: 16)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                }
            }
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try accept(channel) }
            }
        bootstrap.withBoundSocket(socket.handle).assumeIsolatedUnsafeUnchecked().whenSuccess { [self] channel in
            // It may have been stopped meanwhile.
            guard self.socket === socket else { return channel.close(promise: nil) }
            listener = channel
            updateBlackHole()
        }
    }

    /// Stops listening and closes all connections: what toxics hold is lost.
    func stop() {
        socket?.end()
        socket = nil
        listener?.close(promise: nil)
        listener = nil
        for connection in Array(connections.values) { connection.close() }
    }

    // MARK: Connections

    /// The random numbers of a connection.
    func random(of number: UInt64) -> RandomStream { random.fork("connection \(number)") }

    private func accept(_ channel: any Channel) throws {
        guard let socket, !socket.takeFiller(channel.remoteAddress) else { return channel.close(promise: nil) }
        lastNumber += 1
        counters.connections += 1
        let connection = ProxyConnection(number: lastNumber, client: channel.remoteAddress, proxy: self)
        guard let relay = connection.upstream else { return }
        try prepare(channel, relay)
        connections[lastNumber] = connection
        dial(connection, channel)
    }

    /// Makes a channel ready for its relay; nothing is read before both are there.
    private func prepare(_ channel: any Channel, _ relay: Relay) throws {
        if let options = channel.syncOptions {
            try options.setOption(.autoRead, value: false)
            try options.setOption(.allowRemoteHalfClosure, value: true)
            try options.setOption(.maxMessagesPerRead, value: 1)
            try options.setOption(.recvAllocator, value: SharedReadAllocator(buffers))
            try options.setOption(.writeBufferWaterMark, value: .init(low: 1, high: 1))
        }
        try channel.pipeline.syncOperations.addHandler(relay)
    }

    private func dial(_ connection: ProxyConnection, _ client: any Channel) {
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(Self.dialTime)
            .channelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let relay = connection.downstream else { throw ChannelError.ioOnClosedChannel }
                    try prepare(channel, relay)
                }
            }
        connect(bootstrap).assumeIsolatedUnsafeUnchecked().whenComplete { [self] result in
            switch result {
            case .success(let server):
                guard connections[connection.number] === connection else { return server.close(promise: nil) }
                do {
                    try connection.start(client, server)
                } catch {
                    connection.close()
                }
            case .failure:
                guard connections[connection.number] === connection else { return }
                counters.failedDials += 1
                connection.close()
            }
        }
    }

    private func connect(_ bootstrap: ClientBootstrap) -> EventLoopFuture<any Channel> {
        guard let (host, port) = try? ListenAddress.split(upstream), let port = Int(port) else {
            return loop.makeFailedFuture(ProxyError(500, "address \(upstream): missing port in address"))
        }
        if let address = try? SocketAddress(ipAddress: host, port: port) { return bootstrap.connect(to: address) }
        return bootstrap.connect(host: host.isEmpty ? "localhost" : host, port: port)
    }

    func forget(_ connection: ProxyConnection) {
        for toxic in toxics { addHits(of: connection, toxic) }
        connections[connection.number] = nil
    }

    // MARK: Toxics

    /// The stages of a direction for a client, in the order in which data passes them.
    func toxics(of stream: ToxicStream, for client: SocketAddress?) -> [Toxic] {
        guard !toxics.isEmpty else { return [] }
        return toxics.filter { $0.stream == stream && $0.concerns(client) }.compactMap(\.toxic)
    }

    /// Adds a toxic, to living connections too.
    ///
    /// - Throws: ``ProxyError`` when there is one of its name.
    func add(_ toxic: ProxyToxic) throws(ProxyError) {
        guard !toxics.contains(where: { $0.name == toxic.name }) else { throw .toxicExists }
        toxics.append(toxic)
        apply(toxic, isNew: true)
    }

    /// The toxic of a name.
    ///
    /// - Throws: ``ProxyError`` when there is none.
    func toxic(_ name: String) throws(ProxyError) -> ProxyToxic {
        guard let toxic = toxics.first(where: { $0.name == name }) else { throw .toxicNotFound }
        return toxic
    }

    /// Changes a toxic by what an update gives.
    ///
    /// - Throws: ``ProxyError`` when there is none of the name, or the update is wrong.
    func update(_ name: String, _ body: Result<Value, ProxyError>) throws(ProxyError) -> ProxyToxic {
        guard let index = toxics.firstIndex(where: { $0.name == name }) else { throw .toxicNotFound }
        let toxic = try toxics[index].updated(try body.get())
        toxics[index] = toxic
        apply(toxic, isNew: false)
        return toxic
    }

    /// Removes a toxic: what it held goes on at once.
    ///
    /// - Throws: ``ProxyError`` when there is none of the name.
    func remove(_ name: String) throws(ProxyError) {
        guard let index = toxics.firstIndex(where: { $0.name == name }) else { throw .toxicNotFound }
        let toxic = toxics.remove(at: index)
        counters.hits[name] = nil
        for connection in Array(connections.values) { connection.relay(toxic.stream)?.remove(name) }
        updateBlackHole()
    }

    /// Puts other toxics in the place of those that there are, in one turn; those that are the same stay as they are.
    ///
    /// - Throws: ``ProxyError`` where two have one name: then nothing changes.
    func replace(with toxics: [ProxyToxic]) throws(ProxyError) {
        guard Set(toxics.map(\.name)).count == toxics.count else { throw .toxicExists }
        for toxic in self.toxics where !toxics.contains(toxic) { try remove(toxic.name) }
        for toxic in toxics where !self.toxics.contains(toxic) { try add(toxic) }
    }

    /// Removes all toxics.
    func removeToxics() {
        for toxic in toxics { try? remove(toxic.name) }
    }

    private func apply(_ toxic: ProxyToxic, isNew: Bool) {
        guard let stage = toxic.toxic else { return updateBlackHole() }
        for connection in Array(connections.values) where toxic.concerns(connection.client) {
            if connection.isStarted { connection.relay(toxic.stream)?.set(stage, isNew: isNew) }
        }
    }

    /// Answers attempts to connect, or does not, as the toxics say.
    private func updateBlackHole() {
        guard let socket, let listener else { return }
        let isBlackHole = toxics.contains { $0.effect == .blackHole && $0.toxicity > 0 }
        guard isBlackHole != socket.isQueueClosed else { return }
        try? listener.syncOptions?.setOption(.autoRead, value: !isBlackHole)
        if isBlackHole { socket.closeQueue() } else { socket.openQueue() }
    }

    // MARK: Counting

    func count(received bytes: Int, _ stream: ToxicStream) { counters.received[stream.index] &+= UInt64(bytes) }
    func count(sent bytes: Int, _ stream: ToxicStream) { counters.sent[stream.index] &+= UInt64(bytes) }

    private func addHits(of connection: ProxyConnection, _ toxic: ProxyToxic) {
        guard let hits = connection.relay(toxic.stream)?.path?.hits(of: toxic.name) else { return }
        counters.hits[toxic.name, default: ToxicHits()].add(hits)
    }

    /// What a toxic has hit, on connections that are over and on those that live.
    func hits(of toxic: ProxyToxic) -> ToxicHits {
        var sum = counters.hits[toxic.name] ?? ToxicHits()
        for connection in connections.values {
            if let hits = connection.relay(toxic.stream)?.path?.hits(of: toxic.name) { sum.add(hits) }
        }
        return sum
    }

    /// Connections that live, in the order in which they came.
    var living: [ProxyConnection] { connections.keys.sorted().compactMap { connections[$0] } }
    /// How many live.
    var livingCount: Int { connections.count }
}

/// What a toxic has done.
struct ToxicHits: Hashable, Sendable {
    /// Connections on which it acts or has acted.
    var connections: UInt64 = 0
    /// Pieces of data, and ends, that came to it there.
    var pieces: UInt64 = 0

    mutating func add(_ pieces: UInt64) {
        connections += 1
        self.pieces += pieces
    }
}

/// What a proxy counts; of pairs the first is upstream.
struct ProxyCounters: Sendable {
    var connections: UInt64 = 0
    var failedDials: UInt64 = 0
    var received: InlineArray<2, UInt64> = [0, 0]
    var sent: InlineArray<2, UInt64> = [0, 0]
    var hits: [String: ToxicHits] = [:]
}
