import NIOCore

/// Where a host accepts connections: who has asked, who waits to be accepted, and what goes wrong with it.
final class StreamListener {
    let port: Int
    let backlog: Int
    private let accept: (StreamEnd) -> Void
    /// Connections that asked and have not acknowledged yet.
    private var halfOpen: [UInt64: Connection] = [:]
    /// Connections that are there and were not accepted yet, in their order.
    private var waiting: CircularBuffer<Connection> = CircularBuffer(initialCapacity: 2)
    /// How long the service takes to accept, in ns; a fault.
    var acceptDelay: UInt64 = 0
    /// Connection attempts are refused; a fault.
    var isRefusing: Bool = false
    /// SYNs vanish; a fault.
    var isBlackHole: Bool = false

    init(port: Int, backlog: Int, accept: @escaping (StreamEnd) -> Void) {
        precondition(backlog >= 0, "a backlog of \(backlog) connections")
        self.port = port
        self.backlog = backlog
        self.accept = accept
    }

    /// Whether one more may not even ask; as on Linux, a backlog of n takes n + 1.
    var isFull: Bool { halfOpen.count + waiting.count > backlog }

    /// Connections that were not accepted yet.
    var pendingCount: Int { halfOpen.count + waiting.count }

    /// A connection has asked.
    func noteHalfOpen(_ connection: Connection) {
        assert(halfOpen[connection.number] == nil, "connection \(connection.number) asked twice")
        assert(!isFull, "more ask on port \(port) than its backlog of \(backlog) takes")
        halfOpen[connection.number] = connection
    }

    /// A connection has acknowledged: from now on it can be accepted.
    func noteEstablished(_ connection: Connection) {
        assert(
            halfOpen[connection.number] === connection, "connection \(connection.number) acknowledges and did not ask")
        halfOpen[connection.number] = nil
        waiting.append(connection)
    }

    /// A connection has ended before it was accepted.
    func forget(_ connection: Connection) {
        halfOpen[connection.number] = nil
        waiting.removeAll { $0 === connection }
    }

    /// The service accepts a connection, if it still waits.
    func accept(_ connection: Connection) {
        guard let index = waiting.firstIndex(where: { $0 === connection }) else { return }
        waiting.remove(at: index)
        accept(connection.server)
    }

    /// Nobody listens any more: who was not accepted is reset.
    func close() {
        let connections = halfOpen.keys.sorted().compactMap { halfOpen[$0] } + waiting
        forget()
        for connection in connections { connection.reject() }
    }

    /// The machine is gone: nobody is told.
    func forget() {
        halfOpen = [:]
        waiting.removeAll()
    }
}
