// Fault model. TCP as its users see it: bytes arrive in order and unaltered, late, in other pieces, or not at all; a
// connection is refused, times out, is reset, or stays half open when a machine crashes. Not modelled (docs/network.md):
// congestion windows, delayed acknowledgements, Nagle, urgent data, IP fragments, UDP.

import Ports
public import SimulationKernel

/// The simulated network: hosts with names and addresses, and a link for each direction between two of them.
public final class Network {
    /// The simulation that it belongs to.
    public let simulation: Simulation
    /// How links behave that nobody set.
    public let defaultLink: Link.Options

    private var stacks: [String: NetworkStack] = [:]
    private var stacksByAddress: [String: NetworkStack] = [:]
    private var links: [String: Link] = [:]
    private var unresolvable: Set<String> = []
    private var connections: [UInt64: (near: StreamEnd, far: StreamEnd)] = [:]
    /// Connections that are being made.
    private var attempts: [UInt64: ConnectAttempt] = [:]
    /// Open channels, those of crashed hosts too.
    private var channels: [UInt64: SimulatedChannel] = [:]
    private var lastChannel: UInt64 = 0
    private var lastConnection: UInt64 = 0
    private var lastAddress: Int = 0

    /// Makes a network for a simulation that has not run.
    ///
    /// - Throws: ``NetworkError/invalidLink(_:)``.
    public init(_ simulation: Simulation, defaultLink: Link.Options = .standard) throws(NetworkError) {
        if let problem = defaultLink.invalidity { throw .invalidLink(problem) }
        self.simulation = simulation
        self.defaultLink = defaultLink
        simulation.onEnd { [weak self] in self?.end() }
    }

    /// The run is over: closes what is open, for listeners, channels and attempts hold each other in circles.
    private func end() {
        for name in stacks.keys.sorted() { stacks[name]?.end() }
        for number in connections.keys.sorted() {
            guard let ends = connections[number] else { continue }
            ends.near.disconnect()
            ends.far.disconnect()
        }
        connections = [:]
        for number in attempts.keys.sorted() { attempts[number]?.abandon() }
        attempts = [:]
        for number in channels.keys.sorted() { channels[number]?.closeAtEnd() }
        channels = [:]
    }

    /// Adds a host whose code reaches the network through the ports that it gets at each boot.
    ///
    /// - Throws: ``SimulationError/duplicateHost(_:)``.
    @discardableResult
    public func host(
        _ name: String, starts: Bool = true, boot: @escaping (SimulatedPorts) async throws -> Void
    ) throws(SimulationError) -> Simulation.Host {
        let host = try simulation.host(name, starts: starts) { [unowned self] in
            guard let stack = stacks[name] else { return }
            stack.noteBoot()
            // Connections of which both machines crashed while idle.
            for number in connections.keys.sorted() { retireIfFinished(number) }
            try await boot(SimulatedPorts(network: self, stack: stack))
        }
        lastAddress += 1
        let address = "10.\(lastAddress >> 16).\(lastAddress >> 8 & 255).\(lastAddress & 255)"
        let stack = NetworkStack(host: host, address: address)
        stacks[name] = stack
        stacksByAddress[address] = stack
        return host
    }

    /// The link from one host to another, to set its options, its toxics, or to cut it.
    ///
    /// - Throws: ``NetworkError/unknownHost(_:)``.
    public func link(from source: String, to target: String) throws(NetworkError) -> Link {
        for name in [source, target] where stacks[name] == nil { throw .unknownHost(name) }
        return existingLink(from: source, to: target)
    }

    /// The link between two hosts that are known.
    private func existingLink(from source: String, to target: String) -> Link {
        let key = "\(source)→\(target)"
        if let link = links[key] { return link }
        // A host reaches itself without a cable.
        let options = source == target ? Link.Options(latency: .fixed(.microseconds(20))) : defaultLink
        let link = Link(source: source, target: target, options: options, simulation: simulation)
        links[key] = link
        return link
    }

    /// Cuts both directions between two hosts.
    ///
    /// - Throws: ``NetworkError/unknownHost(_:)``.
    public func partition(_ left: String, _ right: String) throws(NetworkError) {
        try link(from: left, to: right).cut()
        try link(from: right, to: left).cut()
    }

    /// Heals both directions between two hosts.
    ///
    /// - Throws: ``NetworkError/unknownHost(_:)``.
    public func heal(_ left: String, _ right: String) throws(NetworkError) {
        try link(from: left, to: right).heal()
        try link(from: right, to: left).heal()
    }

    /// Lets the resolver fail for a name.
    public func failResolution(of name: String) { unresolvable.insert(name) }
    /// Lets the resolver know a name again.
    public func restoreResolution(of name: String) { unresolvable.remove(name) }

    /// Lets the service on a host's port accept late, or, with nil, at once again.
    ///
    /// - Throws: ``NetworkError/notListening(host:port:)``.
    public func delayAccept(host: String, port: Int, by delay: Duration?) throws(NetworkError) {
        let nanoseconds = (delay ?? .zero).attoseconds / 1_000_000_000
        try listener(host, port).acceptDelay = UInt64(max(0, nanoseconds))
    }

    /// Lets connection attempts to a host's port vanish, or be answered again.
    ///
    /// - Throws: ``NetworkError/notListening(host:port:)``.
    public func setBlackHole(host: String, port: Int, _ isBlackHole: Bool) throws(NetworkError) {
        try listener(host, port).isBlackHole = isBlackHole
    }

    /// Lets connection attempts to a host's port be refused although somebody listens, or be accepted again.
    ///
    /// - Throws: ``NetworkError/notListening(host:port:)``.
    public func setRefusing(host: String, port: Int, _ isRefusing: Bool) throws(NetworkError) {
        try listener(host, port).isRefusing = isRefusing
    }

    private func listener(_ host: String, _ port: Int) throws(NetworkError) -> StreamListener {
        guard let stack = stacks[host] else { throw .unknownHost(host) }
        guard let listener = stack.listeners[port] else { throw .notListening(host: host, port: port) }
        return listener
    }

    // MARK: Connecting

    func resolve(_ name: String) -> NetworkStack? {
        if unresolvable.contains(name) { return nil }
        if name == "localhost" || name == "127.0.0.1" { return simulation.currentHostName.flatMap { stacks[$0] } }
        return stacks[name] ?? stacksByAddress[name]
    }

    /// Tries to connect until it succeeds, is refused or the SYN's repetitions end.
    func connect(
        from client: NetworkStack, to server: NetworkStack, port: Int, attempt: ConnectAttempt
    ) {
        lastConnection += 1
        attempt.number = lastConnection
        attempts[attempt.number] = attempt
        attempt.bootCount = client.host.bootCount
        sendSYN(from: client, to: server, port: port, attempt: attempt, repetition: 0)
    }

    private func sendSYN(
        from client: NetworkStack, to server: NetworkStack, port: Int, attempt: ConnectAttempt, repetition: Int
    ) {
        guard !attempt.isOver, client.isUp, client.host.bootCount == attempt.bootCount else { return }
        let now = simulation.nanoseconds
        guard repetition <= TCPTimings.synRetries else { return attempt.end(.failure(.timedOut)) }
        let link = existingLink(from: client.host.name, to: server.host.name)
        if link.state == .held {
            _ = link.whenUp { [weak self] in
                self?.sendSYN(from: client, to: server, port: port, attempt: attempt, repetition: repetition)
            }
            return
        }
        if link.state == .up, case .arrives(let time) = link.send(bytes: 0, at: now) {
            simulation.scheduleForWorld(at: time, argument: attempt.number) { [unowned self] _ in
                receiveSYN(from: client, at: server, port: port, attempt: attempt)
            }
        }
        let next = now + TCPTimings.synRetransmission << UInt64(repetition)
        attempt.retry = simulation.scheduleForWorld(at: next, argument: attempt.number) { [unowned self] _ in
            sendSYN(from: client, to: server, port: port, attempt: attempt, repetition: repetition + 1)
        }
    }

    private func receiveSYN(from client: NetworkStack, at server: NetworkStack, port: Int, attempt: ConnectAttempt) {
        guard !attempt.isOver, server.isUp else { return }
        let listener = server.listeners[port]
        if let listener, listener.isBlackHole || listener.pending >= listener.backlog { return }
        let back = existingLink(from: server.host.name, to: client.host.name)
        let now = simulation.nanoseconds
        if back.state == .held {
            _ = back.whenUp { [weak self] in
                self?.receiveSYN(from: client, at: server, port: port, attempt: attempt)
            }
            return
        }
        guard back.state == .up, case .arrives(let time) = back.send(bytes: 0, at: now) else { return }
        let serverBoot = server.host.bootCount
        simulation.scheduleForWorld(at: time, argument: attempt.number) { [unowned self] _ in
            guard !attempt.isOver, client.isUp, client.host.bootCount == attempt.bootCount else { return }
            guard let listener, !listener.isRefusing else { return attempt.end(.failure(.refused)) }
            establish(client, server, listener, attempt, serverBoot: serverBoot)
        }
    }

    private func establish(
        _ client: NetworkStack, _ server: NetworkStack, _ listener: StreamListener, _ attempt: ConnectAttempt,
        serverBoot: Int
    ) {
        let localPort = client.takePort()
        let near = StreamEnd(
            stack: client, number: attempt.number, localPort: localPort, remote: (server.host.name, listener.port),
            incarnation: attempt.bootCount, network: self)
        let far = StreamEnd(
            stack: server, number: attempt.number, localPort: listener.port, remote: (client.host.name, localPort),
            incarnation: serverBoot, network: self)
        let out = existingLink(from: client.host.name, to: server.host.name)
        let back = existingLink(from: server.host.name, to: client.host.name)
        // The client's acknowledgement; if it is lost, the first data takes its place.
        let now = simulation.nanoseconds
        var accepted = now
        if out.state == .up, case .arrives(let time) = out.send(bytes: 0, at: now) { accepted = time }
        near.connect(to: far, link: out, isServer: false, notBefore: accepted)
        far.connect(to: near, link: back, isServer: true, notBefore: now)
        connections[attempt.number] = (near, far)
        simulation.record(
            .connection, attempt.number, 1, text: "\(client.host.name)→\(server.host.name):\(listener.port)")
        listener.pending += 1
        simulation.scheduleForWorld(at: accepted + listener.acceptDelay, argument: attempt.number) { _ in
            listener.pending -= 1
            guard server.isUp, server.host.bootCount == serverBoot else { return }
            guard server.listeners[listener.port] === listener else { return far.reset() }
            server.notify { listener.accept(far) }
        }
        attempt.end(.success(near))
    }
}

extension Network {
    /// Connections that are open at an end or have something on its way.
    public var openConnections: Int { connections.count }
    /// Channels that were made and not closed; a crashed host's stay until the run ends.
    public var openChannels: Int { channels.count }

    func register(_ channel: SimulatedChannel) -> UInt64 {
        lastChannel += 1
        channels[lastChannel] = channel
        return lastChannel
    }

    func unregisterChannel(_ number: UInt64) {
        channels[number] = nil
    }

    fileprivate func forget(_ attempt: ConnectAttempt) {
        attempts[attempt.number] = nil
    }

    /// Forgets a connection of which nothing can happen any more.
    func retireIfFinished(_ number: UInt64) {
        guard let ends = connections[number], ends.near.isFinished, ends.far.isFinished else { return }
        connections[number] = nil
        ends.near.unregister()
        ends.far.unregister()
    }
}

/// A connection that is being made.
final class ConnectAttempt {
    enum Failure: Error {
        case refused
        case timedOut
    }

    var number: UInt64 = 0
    var bootCount: Int = 0
    var retry: ScheduledEvent?
    private(set) var isOver: Bool = false
    private unowned let network: Network
    private let stack: NetworkStack
    private let completion: (Result<StreamEnd, Failure>) -> Void

    init(stack: NetworkStack, network: Network, completion: @escaping (Result<StreamEnd, Failure>) -> Void) {
        self.stack = stack
        self.network = network
        self.completion = completion
    }

    func end(_ result: Result<StreamEnd, Failure>) {
        guard !isOver else { return }
        cancel()
        stack.notify { [completion] in completion(result) }
    }

    /// Nobody waits for it any more.
    func cancel() {
        isOver = true
        if let retry { network.simulation.cancel(retry) }
        network.forget(self)
    }

    /// The run is over before it came to an end.
    func abandon() {
        guard !isOver else { return }
        isOver = true
        completion(.failure(.timedOut))
    }
}
