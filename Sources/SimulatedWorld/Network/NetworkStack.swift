import SimulationKernel

/// A host's part of the network: what it listens on and what waits for it to come back.
///
/// It outlives incarnations; listeners and connections do not.
final class NetworkStack {
    let host: Simulation.Host
    let address: String
    private(set) var listeners: [Int: StreamListener] = [:]
    private var nextPort: Int = 32_768
    private var waitingForReturn: [() -> Void] = []
    /// The event loop of the present incarnation.
    var loop: SimulatedEventLoop?

    init(host: Simulation.Host, address: String) {
        self.host = host
        self.address = address
    }

    /// Whether the machine answers: a paused one does, its kernel's network goes on.
    var isUp: Bool { host.state == .running || host.state == .paused }

    /// Tells the host's code of something: at once, or, while it is paused, when it goes on.
    @inline(__always)
    func notify(_ body: @escaping () -> Void) {
        if host.state == .running {
            host.perform(body)
        } else {
            host.schedule(at: 0) { _ in body() }
        }
    }

    /// Called when the host boots.
    func noteBoot() {
        listeners = [:]
        nextPort = 32_768
        let waiting = waitingForReturn
        waitingForReturn = []
        for action in waiting { action() }
    }

    /// The run is over: nothing is accepted any more.
    func end() {
        listeners = [:]
        waitingForReturn = []
    }

    /// Calls `action` when the host boots again.
    func whenBack(_ action: @escaping () -> Void) {
        waitingForReturn.append(action)
    }

    /// Takes a port to listen on; 0 chooses one; nil when somebody listens there.
    func listen(port: Int, backlog: Int, accept: @escaping (StreamEnd) -> Void) -> StreamListener? {
        let chosen = port == 0 ? takePort() : port
        guard listeners[chosen] == nil else { return nil }
        let listener = StreamListener(port: chosen, backlog: backlog, accept: accept)
        listeners[chosen] = listener
        return listener
    }

    func stopListening(port: Int) {
        listeners[port] = nil
    }

    func takePort() -> Int {
        repeat {
            nextPort = nextPort == 60_999 ? 32_768 : nextPort + 1
        } while listeners[nextPort] != nil
        return nextPort
    }
}

/// Where a host accepts connections.
final class StreamListener {
    let port: Int
    let backlog: Int
    let accept: (StreamEnd) -> Void
    /// Connections that are there and were not accepted yet.
    var pending: Int = 0
    /// How long the service takes to accept; a fault.
    var acceptDelay: UInt64 = 0
    /// Connection attempts are refused; a fault.
    var isRefusing: Bool = false
    /// SYNs vanish; a fault.
    var isBlackHole: Bool = false

    init(port: Int, backlog: Int, accept: @escaping (StreamEnd) -> Void) {
        self.port = port
        self.backlog = backlog
        self.accept = accept
    }
}
