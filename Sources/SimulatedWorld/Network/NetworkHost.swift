import NIOCore
import SimulationKernel

/// A host's part of the network: its address, what it listens on, and its ends of connections.
///
/// It outlives incarnations; listeners and connections do not.
final class NetworkHost {
    let host: Simulation.Host
    let address: String
    /// What is wrong with how it accepts connections, on every port and over restarts.
    var listenerFaults: ListenerFaults = ListenerFaults()
    /// Connection attempts that felt it.
    var listenerHits: Int = 0
    private(set) var listeners: [Int: StreamListener] = [:]
    /// The connections of the present incarnation, by number.
    private var connections: [UInt64: Connection] = [:]
    private var nextPort: Int = TCPTimings.ephemeralPorts.lowerBound
    /// Local ports by what they are connected to.
    private var usedPorts: Set<RemotePort> = []
    /// How many local ports are connected to the same.
    private var usedPortCounts: [RemotePort: Int] = [:]
    /// Ports of connections that are over, in the order in which they become free.
    private var resting: CircularBuffer<(until: UInt64, port: RemotePort)> = CircularBuffer(initialCapacity: 0)

    /// A local port as one remote port sees it, or, with local port 0, the remote port alone.
    struct RemotePort: Hashable {
        let host: HostID
        let port: UInt16
        let local: UInt16

        init(_ host: NetworkHost, _ port: Int, local: Int = 0) {
            self.host = host.id
            self.port = UInt16(truncatingIfNeeded: port)
            self.local = UInt16(truncatingIfNeeded: local)
        }

        private init(host: HostID, port: UInt16) {
            self.host = host
            self.port = port
            local = 0
        }

        var remote: RemotePort { RemotePort(host: host, port: port) }
    }

    init(host: Simulation.Host, address: String) {
        self.host = host
        self.address = address
    }

    var name: String { host.name }
    var id: HostID { host.id }

    /// Whether the machine answers: that of a paused process does, and that of one that was killed.
    var isUp: Bool { host.state == .running || host.state == .paused || machineOutlivesProcess }
    /// Whether the process was killed and its machine goes on: it refuses what nobody is there for.
    private var machineOutlivesProcess: Bool = false

    /// Tells the host's code of something: at once, or, while it is paused, when it goes on.
    @inline(__always)
    func notify(_ body: @escaping () -> Void) {
        if host.state == .running {
            host.perform(body)
        } else {
            notifyLater(body)
        }
    }

    /// Tells the host's code of something when it goes on.
    @inline(never)
    func notifyLater(_ body: @escaping () -> Void) {
        host.schedule(at: 0) { _ in body() }
    }

    // MARK: Life

    /// The machine crashed: nothing of what it had is left, and its peers are not told.
    func noteCrash() {
        let lost = connections.keys.sorted().compactMap { connections[$0] }
        connections = [:]
        for name in listeners.keys.sorted() { listeners[name]?.forget() }
        listeners = [:]
        for connection in lost { connection.lose(self) }
        usedPorts = []
        usedPortCounts = [:]
        resting.removeAll()
        nextPort = TCPTimings.ephemeralPorts.lowerBound
    }

    func add(_ connection: Connection) {
        // A host's connection with itself comes twice.
        assert(
            connections[connection.number].map { $0 === connection } ?? true,
            "\(name) has two connections of the number \(connection.number)")
        connections[connection.number] = connection
    }

    func remove(_ connection: Connection) {
        connections[connection.number] = nil
    }

    /// The run is over: nothing is accepted any more.
    func end() {
        for name in listeners.keys.sorted() { listeners[name]?.forget() }
        listeners = [:]
        connections = [:]
    }

    // MARK: Listening

    /// Takes a port to listen on; 0 chooses one; nil when somebody listens there, or none is left.
    func listen(port: Int, backlog: Int, accept: @escaping (StreamEnd) -> Void) -> StreamListener? {
        guard let chosen = port == 0 ? freePort() : port, listeners[chosen] == nil else { return nil }
        assert((1...65_535).contains(chosen), "nobody can listen on port \(chosen)")
        let listener = StreamListener(port: chosen, backlog: backlog, accept: accept)
        listeners[chosen] = listener
        return listener
    }

    /// Resets the connections with another host, or with all; how many there were.
    func resetConnections(with other: NetworkHost?) -> Int {
        let hit = connections.keys.sorted().compactMap { connections[$0] }.filter { $0.joins(self, other) }
        for connection in hit { connection.reset() }
        return hit.count
    }

    /// The process is killed, and its machine, which goes on, resets its connections.
    func killProcess() {
        for number in connections.keys.sorted() { connections[number]?.abort(at: self) }
        host.crash()
        machineOutlivesProcess = true
    }

    /// The machine goes down, and tells nobody.
    func cutPower() {
        host.crash()
        machineOutlivesProcess = false
    }

    /// The machine, or the process on it, begins anew.
    func noteBoot() {
        machineOutlivesProcess = false
        host.onCrash { self.noteCrash() }
    }

    /// Ends a listener: who waits to be accepted is reset.
    func stopListening(_ listener: StreamListener) {
        guard listeners[listener.port] === listener else { return }
        listeners[listener.port] = nil
        listener.close()
    }

    private func freePort() -> Int? {
        for _ in TCPTimings.ephemeralPorts {
            let port = advancePort()
            if listeners[port] == nil { return port }
        }
        return nil
    }

    private func advancePort() -> Int {
        defer {
            nextPort =
                nextPort == TCPTimings.ephemeralPorts.upperBound ? TCPTimings.ephemeralPorts.lowerBound : nextPort + 1
        }
        return nextPort
    }

    // MARK: Local ports

    /// Takes a local port for a connection; nil when all are connected to that remote port.
    func takePort(towards remote: NetworkHost, port: Int, at now: UInt64) -> Int? {
        while let first = resting.first, first.until <= now {
            resting.removeFirst()
            free(first.port)
        }
        let target = RemotePort(remote, port)
        let used = usedPortCounts[target] ?? 0
        guard used < TCPTimings.ephemeralPorts.count else { return nil }
        for _ in TCPTimings.ephemeralPorts {
            let local = advancePort()
            guard listeners[local] == nil, usedPorts.insert(RemotePort(remote, port, local: local)).inserted else {
                continue
            }
            usedPortCounts[target] = used + 1
            assert(TCPTimings.ephemeralPorts.contains(local), "\(local) is no port for a connection")
            return local
        }
        return nil
    }

    /// Gives a local port back: at once, or when it has rested.
    func releasePort(_ port: RemotePort, at time: UInt64, now: UInt64) {
        assert(resting.last.map { $0.until <= time } ?? true || time <= now, "ports do not become free in their order")
        if time > now { resting.append((time, port)) } else { free(port) }
    }

    private func free(_ port: RemotePort) {
        guard usedPorts.remove(port) != nil, let count = usedPortCounts[port.remote] else { return }
        usedPortCounts[port.remote] = count > 1 ? count - 1 : nil
    }
}

/// What is wrong with how a host accepts connections, on all its ports.
public struct ListenerFaults: Hashable, Sendable {
    /// Attempts are refused although somebody listens.
    public var isRefusing: Bool = false
    /// Attempts vanish.
    public var isBlackHole: Bool = false
    /// How late connections are accepted.
    public var acceptDelay: Duration = .zero

    /// Nothing is wrong.
    public init() {}
}
