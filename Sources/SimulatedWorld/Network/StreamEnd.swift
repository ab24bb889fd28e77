import NIOCore
import SimulationKernel

/// Why a connection ended without an end of stream.
enum StreamFailure: Hashable {
    /// The peer reset it.
    case reset
    /// The peer did not answer any more.
    case timedOut
}

/// Who uses an end of a connection: told what happens, in its host's time.
protocol StreamDelegate: AnyObject {
    /// Data or the end of the stream can be read.
    func streamIsReadable()
    /// There is room to send again.
    func streamIsWritable()
    /// The connection is gone; what arrived before can still be read.
    func streamFailed(_ failure: StreamFailure)
}

/// One end of a connection: its state, what has arrived and was not read, and who uses it.
final class StreamEnd {
    let host: NetworkHost
    let localPort: Int
    let remoteHost: NetworkHost
    let remotePort: Int
    /// Who uses it; nil before a service accepts it and after it was closed.
    var delegate: (any StreamDelegate)?

    private(set) var state: ConnectionState
    /// Whether data is taken here: the connection is open, and its user has not given it up.
    private(set) var isPresent: Bool = false
    /// Whether it was ever more than half-open.
    private(set) var wasEstablished: Bool = false
    /// Whether its user has closed it.
    private var isDetached: Bool = false
    /// Towards the peer.
    private(set) var outbound: Flow?
    /// What the peer sends; knows how much of it was read.
    private var inbound: Flow?
    /// The connection that it is an end of, until that is forgotten.
    private(set) var connection: Connection?
    private var received: CircularBuffer<ByteBuffer> = CircularBuffer(initialCapacity: 2)
    private(set) var receivedEnd: Bool = false
    /// Why the connection is gone, if it did not end.
    private(set) var failure: StreamFailure?

    init(host: NetworkHost, localPort: Int, remote: NetworkHost, remotePort: Int, state: ConnectionState) {
        self.host = host
        self.localPort = localPort
        remoteHost = remote
        self.remotePort = remotePort
        self.state = state
    }

    /// Makes it an end of a connection.
    func connect(
        to peer: StreamEnd, of connection: Connection, number: UInt64, over link: Link, back: Link, _ world: World
    ) {
        self.connection = connection
        let flow = Flow(number: number, link: link, reverse: back, sender: self, receiver: peer, world: world)
        outbound = flow
        peer.inbound = flow
    }

    /// The other machine asks for the connection: it is half open.
    func open() {
        assert(state == .closed, "\(self) is opened")
        isDetached = false
        failure = nil
        outbound?.restart()
        set(.synReceived)
    }

    // MARK: State

    /// Whether this machine knows the connection.
    var isKnown: Bool { state != .closed }

    /// Whether nothing of this end can happen any more.
    var isFinished: Bool { (state.isOver || isDetached) && outbound?.isIdle ?? true }

    /// Follows an event, if it means anything in the present state.
    func advance(_ event: ConnectionState.Event) {
        guard let next = state.after(event) else { return }
        if event == .established { wasEstablished = true }
        set(next)
    }

    private func set(_ next: ConnectionState) {
        assert(state.mayBecome(next), "\(host.name):\(localPort) becomes \(next) from \(state)")
        state = next
        updatePresence()
        if next.isOver { connection?.noteOver(self) }
    }

    private func updatePresence() {
        switch state {
        case .synReceived, .established, .finWait1, .finWait2: isPresent = !isDetached
        case .synSent, .closing, .timeWait, .closeWait, .lastAck, .closed: isPresent = false
        }
    }

    func retireIfFinished() {
        if state.isOver || isDetached { connection?.retireIfFinished() }
    }

    // MARK: User's side

    /// Bytes that may be sent now.
    var roomBytes: Int { outbound?.roomBytes ?? 0 }

    @inline(__always)
    func send(_ buffer: ByteBuffer) {
        outbound?.send(buffer)
    }

    func notifyWhenRoom() {
        outbound?.notifyWhenRoom()
    }

    /// Sends the end of the stream; what was sent before arrives before.
    func finish() {
        guard state.maySendEnd else { return }
        advance(.sendsEnd)
        outbound?.sendEnd()
    }

    /// The next data, or nil; the end of the stream is in `receivedEnd`.
    @inline(__always)
    func read() -> ByteBuffer? {
        guard let buffer = received.popFirst() else { return nil }
        inbound?.consumed(bytes: buffer.readableBytes)
        return buffer
    }

    var hasData: Bool { !received.isEmpty }

    /// Gives the connection up: with an end of stream, or a reset if there is data that nobody read.
    func close() {
        guard !isDetached else { return }
        detach()
        if received.isEmpty {
            finish()
        } else if !state.isOver {
            outbound?.sendReset()
            set(.closed)
        }
        received.removeAll()
        connection?.retireIfFinished()
    }

    /// Gives the connection up with a reset.
    func reset() {
        guard !isDetached else { return }
        detach()
        if !state.isOver {
            outbound?.sendReset()
            set(.closed)
        }
        received.removeAll()
        connection?.retireIfFinished()
    }

    /// Ends the connection because the process has died: its machine tells the peer, and the process is told nothing.
    func abort() {
        guard !state.isOver, state != .synSent else { return }
        outbound?.sendReset()
    }

    private func detach() {
        isDetached = true
        delegate = nil
        updatePresence()
    }

    // MARK: Network's side

    @inline(__always)
    func receive(_ buffer: ByteBuffer) {
        assert(isPresent, "\(host.name):\(localPort) takes data in \(state)")
        assert(!receivedEnd, "\(host.name):\(localPort) takes data behind the end of the stream")
        received.append(buffer)
        notifyReadable()
    }

    func receiveEnd() {
        assert(isKnown, "\(host.name):\(localPort) takes the end of a stream that it does not know")
        receivedEnd = true
        advance(.receivesEnd)
        notifyReadable()
    }

    @inline(__always)
    private func notifyReadable() {
        guard let delegate else { return }
        if host.host.state == .running {
            host.host.perform { delegate.streamIsReadable() }
        } else {
            host.notifyLater { delegate.streamIsReadable() }
        }
    }

    /// There is room to send again.
    func notifyWritable() {
        guard isKnown, let delegate else { return }
        host.notify { delegate.streamIsWritable() }
    }

    /// The connection is gone; what arrived before stays readable.
    func fail(_ failure: StreamFailure) {
        guard !state.isOver else { return }
        self.failure = failure
        outbound?.stop()
        connection?.noteFailure(failure, of: self)
        set(.closed)
        if let delegate { host.notify { delegate.streamFailed(failure) } }
        connection?.retireIfFinished()
    }

    /// This machine forgets the connection, and tells nobody: it crashed, or nobody acknowledged in time.
    func drop() {
        detach()
        outbound?.stop()
        received.removeAll()
        if state != .closed { set(.closed) }
    }

    /// Answers for a connection that this machine does not know; false when the answer is lost.
    func answerWithReset() -> Bool {
        // A reset is never answered with a reset.
        guard let outbound, failure != .reset else { return true }
        return outbound.sendReset()
    }

    /// The connection is forgotten: lets go of what holds it.
    func dismantle() {
        connection = nil
        inbound = nil
        outbound?.dismantle()
        outbound = nil
    }
}

extension StreamEnd: CustomStringConvertible {
    /// The host, its port and state, and what waits here.
    var description: String {
        var notes: [String] = []
        let unread = received.reduce(0) { $0 + $1.readableBytes }
        if unread > 0 { notes.append("\(unread) bytes unread") }
        if let waiting = outbound?.waitingDescription { notes.append(waiting) }
        if isDetached, state != .closed { notes.append("closed by its user") }
        if let failure { notes.append(failure == .reset ? "was reset" : "timed out") }
        let text = "\(host.name):\(localPort) \(state)"
        return notes.isEmpty ? text : "\(text) (\(notes.joined(separator: ", ")))"
    }
}
