// Fault model. TCP as its users see it: bytes arrive in order and unaltered, late, in other pieces, or not at all; a
// connection is refused, times out, is reset, or stays half open when a machine crashes. Not modelled (docs/network.md):
// congestion windows, delayed acknowledgements, Nagle, urgent data, IP fragments, UDP.

import Randomness
public import SimulationKernel

/// The simulated network: hosts with names and addresses, and a link for each direction between two of them.
///
/// The simulation's hosts keep it for as long as they may run.
public final class Network {
    /// How links behave that nobody set.
    public let defaultLink: Link.Options

    let world: World
    private var hosts: [NetworkHost] = []
    private var hostsByName: [String: NetworkHost] = [:]
    private var hostsByCanonicalName: [String: NetworkHost] = [:]
    private var hostsByAddress: [String: NetworkHost] = [:]
    private var links: [LinkID: Link] = [:]
    private var unresolvable: Set<String> = []
    /// How often each name that the resolver does not know was asked for.
    private var unresolved: [String: Int] = [:]
    /// All connections: from the first SYN until nothing of them can happen any more.
    private var connections: [UInt64: Connection] = [:]
    private var lastConnection: UInt64 = 0
    /// Hears of all data that is sent; nil is nobody.
    private var watcher: PacketWatcher?
    /// Channels that were made and not closed.
    private(set) var channelCount: Int = 0

    /// What hosts' code keeps the network by, until the run is over: a task that cannot end keeps nothing else.
    private final class Keeper {
        var network: Network?
    }

    /// Kept by the simulation's hosts and its end.
    private weak var keeper: Keeper?

    /// Makes a network for a simulation that has not run.
    ///
    /// - Throws: ``NetworkError/invalidLink(_:)``.
    public init(_ simulation: Simulation, defaultLink: Link.Options = .standard) throws(NetworkError) {
        if let problem = defaultLink.validationError { throw .invalidLink(problem) }
        world = simulation.world
        self.defaultLink = defaultLink
        let keeper = Keeper()
        keeper.network = self
        self.keeper = keeper
        world.onEnd { [keeper] in
            keeper.network?.end()
            keeper.network = nil
        }
        world.onReport { [keeper] in keeper.network?.report() ?? [] }
    }

    /// The run is over: closes what is open.
    private func end() {
        for host in hosts { host.end() }
        for number in connections.keys.sorted() { connections[number]?.abandon() }
        connections = [:]
    }

    /// Lets somebody hear of every piece of data that is sent from now on, over any link; it changes nothing of what happens.
    public func watchPackets(_ see: @escaping (PacketSighting) -> Void) {
        let watcher = PacketWatcher(see)
        self.watcher = watcher
        for link in links.values { link.watcher = watcher }
    }

    // MARK: Topology

    /// Adds a host whose code reaches the network through the ports that it gets at each boot.
    ///
    /// - Throws: `SimulationError.duplicateHost`.
    @discardableResult
    public func host(
        _ name: String, starts: Bool = true, boot: @escaping (SimulatedPorts) async throws -> Void
    ) throws(SimulationError) -> Simulation.Host {
        let host = try world.addHost(name, starts: starts) { [keeper] in
            guard let ports = keeper?.network?.portsOfBoot(name) else { return }
            try await boot(ports)
        }
        let number = hosts.count + 1
        let address = "10.\(number >> 16).\(number >> 8 & 255).\(number & 255)"
        let added = NetworkHost(host: host, address: address)
        assert(hostsByName[name] == nil && hostsByAddress[address] == nil, "two hosts of one name or address: \(name)")
        hosts.append(added)
        hostsByName[name] = added
        if hostsByCanonicalName[Self.canonical(name)] == nil { hostsByCanonicalName[Self.canonical(name)] = added }
        hostsByAddress[address] = added
        return host
    }

    /// The ports of a host that begins to boot.
    private func portsOfBoot(_ name: String) -> SimulatedPorts? {
        guard let host = hostsByName[name] else { return nil }
        host.noteBoot()
        return SimulatedPorts(network: self, host: host)
    }

    /// The link from one host to another, to set its options, its toxics, or to cut it.
    ///
    /// - Throws: ``NetworkError/unknownHost(_:)``.
    public func link(from source: String, to target: String) throws(NetworkError) -> Link {
        link(from: try knownHost(source), to: try knownHost(target))
    }

    func link(from source: NetworkHost, to target: NetworkHost) -> Link {
        let id = LinkID(source: source.id, target: target.id)
        if let link = links[id] { return link }
        // A host reaches itself without a cable.
        let options = source === target ? Link.Options(latency: .fixed(.microseconds(20))) : defaultLink
        let link = Link(source: source.name, target: target.name, options: options, world: world)
        link.watcher = watcher
        links[id] = link
        return link
    }

    private func knownHost(_ name: String) throws(NetworkError) -> NetworkHost {
        guard let host = hostsByName[name] ?? hostsByCanonicalName[Self.canonical(name)] else {
            throw .unknownHost(name)
        }
        return host
    }

    /// A name without regard to case, and without the dot that ends an absolute one.
    private static func canonical(_ name: String) -> String {
        let lower = name.lowercased()
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }

    /// The host that a name or an address means to whoever runs now; nil when the resolver knows none.
    func resolve(_ name: String) -> NetworkHost? {
        if unresolvable.isEmpty, let host = hostsByName[name] { return host }
        let canonical = Self.canonical(name)
        if unresolvable.contains(canonical) {
            unresolved[canonical, default: 0] += 1
            return nil
        }
        if canonical == "localhost" || name == "127.0.0.1" {
            return world.currentHostName.flatMap { hostsByName[$0] }
        }
        return hostsByName[name] ?? hostsByCanonicalName[canonical] ?? hostsByAddress[name]
    }

    // MARK: Faults and their reverses

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
    public func failResolution(of name: String) {
        unresolvable.insert(Self.canonical(name))
        world.record(.resolver, 1, text: name)
    }

    /// Lets the resolver know a name again.
    public func restoreResolution(of name: String) {
        unresolvable.remove(Self.canonical(name))
        world.record(.resolver, 0, text: name)
    }

    /// How often the resolver was asked for a name and failed, because it was told to.
    public func failedResolutions(of name: String) -> Int { unresolved[Self.canonical(name)] ?? 0 }

    /// Lets a host accept connections otherwise from now on, on every port and over restarts.
    ///
    /// - Throws: ``NetworkError/unknownHost(_:)``.
    public func setListenerFaults(of host: String, _ faults: ListenerFaults) throws(NetworkError) {
        try knownHost(host).listenerFaults = faults
        world.record(.listener, 2, text: "\(host) \(faults)")
    }

    /// Connection attempts to a host that felt its listener faults.
    ///
    /// - Throws: ``NetworkError/unknownHost(_:)``.
    public func listenerHits(of host: String) throws(NetworkError) -> Int { try knownHost(host).listenerHits }

    /// Resets the connections of a host, or those between two, as something between them does; how many there were.
    ///
    /// - Throws: ``NetworkError/unknownHost(_:)``.
    @discardableResult
    public func resetConnections(of host: String, with other: String? = nil) throws(NetworkError) -> Int {
        try knownHost(host).resetConnections(with: try other.map { name throws(NetworkError) in try knownHost(name) })
    }

    /// Kills the process of a host whose machine goes on: the machine resets its connections, and refuses new ones until it is started again.
    ///
    /// ``SimulationKernel/Simulation/Host/crash()`` alone is the end of the machine: its peers find out by themselves.
    ///
    /// - Throws: ``NetworkError/unknownHost(_:)``.
    public func killProcess(of host: String) throws(NetworkError) {
        try knownHost(host).killProcess()
    }

    /// Takes the power from a host, whether its process runs or not: nobody is told, and nothing answers until it is started again.
    ///
    /// - Throws: ``NetworkError/unknownHost(_:)``.
    public func cutPower(of host: String) throws(NetworkError) {
        try knownHost(host).cutPower()
    }

    /// Lets the service on a host's port accept late, or, with nil, at once again.
    ///
    /// - Throws: ``NetworkError/unknownHost(_:)`` and ``NetworkError/notListening(host:port:)``.
    public func delayAccept(host: String, port: Int, by delay: Duration?) throws(NetworkError) {
        let nanoseconds = UInt64(max(0, (delay ?? .zero).clampedNanoseconds))
        try listener(host, port).acceptDelay = nanoseconds
        world.record(.listener, nanoseconds, text: "\(host):\(port) delay")
    }

    /// Lets connection attempts to a host's port vanish, or be answered again.
    ///
    /// - Throws: ``NetworkError/unknownHost(_:)`` and ``NetworkError/notListening(host:port:)``.
    public func setBlackHole(host: String, port: Int, _ isBlackHole: Bool) throws(NetworkError) {
        try listener(host, port).isBlackHole = isBlackHole
        world.record(.listener, isBlackHole ? 1 : 0, text: "\(host):\(port) black hole")
    }

    /// Lets connection attempts to a host's port be refused although somebody listens, or be accepted again.
    ///
    /// - Throws: ``NetworkError/unknownHost(_:)`` and ``NetworkError/notListening(host:port:)``.
    public func setRefusing(host: String, port: Int, _ isRefusing: Bool) throws(NetworkError) {
        try listener(host, port).isRefusing = isRefusing
        world.record(.listener, isRefusing ? 1 : 0, text: "\(host):\(port) refusing")
    }

    private func listener(_ name: String, _ port: Int) throws(NetworkError) -> StreamListener {
        guard let listener = try knownHost(name).listeners[port] else { throw .notListening(host: name, port: port) }
        return listener
    }
}

// MARK: - Connections

extension Network {
    /// Connections that are being made, are open at an end, or have something on its way.
    public var openConnections: Int { connections.count }
    /// Connections that a host has, or is trying to get, to another, and has not begun to close.
    public func openConnections(from client: String, to server: String) -> Int {
        connections.values.count { connection in
            guard connection.client.host.name == client, connection.server.host.name == server else { return false }
            switch connection.client.state {
            case .synSent, .established, .closeWait: return true
            case .synReceived, .finWait1, .finWait2, .closing, .timeWait, .lastAck, .closed: return false
            }
        }
    }

    /// Channels that were made and not closed; a crashed host's stay until its memory is given back.
    public var openChannels: Int { channelCount }

    func noteChannel(_ change: Int) {
        channelCount += change
        assert(channelCount >= 0, "more channels were closed than made")
    }

    /// Tries to connect until it succeeds, is refused or the SYN's retransmissions end; nil when no local port is left.
    func connect(
        from client: NetworkHost, to server: NetworkHost, port: Int,
        _ completion: @escaping (Result<StreamEnd, Connection.Failure>) -> Void
    ) -> Connection? {
        guard let localPort = client.takePort(towards: server, port: port, at: world.nanoseconds) else { return nil }
        lastConnection += 1
        let connection = Connection(
            number: lastConnection, from: client, localPort: localPort, to: server, port: port, network: self,
            completion: completion)
        connections[lastConnection] = connection
        connection.open()
        return connection
    }

    /// Nothing of a connection can happen any more.
    func forget(_ connection: Connection) {
        assert(connections[connection.number] === connection, "connection \(connection.number) is forgotten twice")
        connections[connection.number] = nil
    }

    /// How things stand, in lines: connections with their states and what they wait for, as netstat shows them.
    public func report(limit: Int = 20) -> [String] {
        guard !connections.isEmpty else { return [] }
        let numbers = connections.keys.sorted()
        var lines = ["network: \(numbers.count) connection(s)"]
        lines += numbers.prefix(limit).compactMap { connections[$0].map { "  \($0)" } }
        if numbers.count > limit { lines.append("  and \(numbers.count - limit) more") }
        for link in links.values.filter({ $0.state != .up }).sorted(by: {
            ($0.source, $0.target) < ($1.source, $1.target)
        })
        .prefix(limit) {
            lines.append("  link \(link.source)→\(link.target) is \(link.state)")
        }
        return lines
    }
}

extension TraceKind {
    /// The resolver knows a name (0), or does not (1).
    static let resolver: TraceKind = TraceKind("network.resolver")
    /// Something is wrong, or right again, with how a port, or (2) a host, accepts connections.
    static let listener: TraceKind = TraceKind("network.listener")
}
