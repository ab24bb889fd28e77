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
    /// The connection is gone.
    func streamFailed(_ failure: StreamFailure)
}

/// One end of a connection.
final class StreamEnd {
    enum Presence {
        case present
        /// Closed by its owner; its machine still answers.
        case closed
        /// Its machine crashed.
        case gone
    }

    let stack: NetworkStack
    /// The n-th connection of the run; both ends have the same number.
    let number: UInt64
    let localPort: Int
    let remote: (host: String, port: Int)
    weak var delegate: (any StreamDelegate)?

    private let simulation: Simulation
    private let incarnation: Int
    /// Towards the peer; nil once nothing is sent any more.
    private var outbound: Flow?
    private unowned let network: Network
    /// The other end; the network keeps both as long as either is used or anything is on its way.
    private unowned var peer: StreamEnd?
    private var received: CircularBuffer<ByteBuffer> = CircularBuffer(initialCapacity: 2)
    private(set) var receivedEnd: Bool = false
    private var sentEnd: Bool = false
    private var isClosed: Bool = false
    private var failure: StreamFailure?

    init(
        stack: NetworkStack, number: UInt64, localPort: Int, remote: (host: String, port: Int), incarnation: Int,
        network: Network
    ) {
        self.stack = stack
        self.number = number
        self.localPort = localPort
        self.remote = remote
        self.network = network
        simulation = network.simulation
        self.incarnation = incarnation
    }

    func connect(to peer: StreamEnd, link: Link, isServer: Bool, notBefore: UInt64) {
        self.peer = peer
        remoteAddress = peer.stack.address
        outbound = Flow(
            number: number << 1 | (isServer ? 1 : 0), link: link, sender: self, receiver: peer, simulation: simulation,
            notBefore: notBefore)
    }

    /// What the peer's packets meet here.
    var presence: Presence {
        if !stack.isUp || stack.host.bootCount != incarnation { return .gone }
        return isClosed || failure != nil ? .closed : .present
    }

    /// Whether nothing of this end can happen any more.
    var isFinished: Bool { presence != .present && outbound?.isIdle ?? true }

    /// Whether the machine of this end, as it was when it connected, is no more.
    var isGone: Bool { presence == .gone }

    func retireIfFinished() {
        if presence != .present { network.retireIfFinished(number) }
    }

    // MARK: Owner's side

    /// Bytes that may be sent now.
    var roomBytes: Int { outbound?.roomBytes ?? 0 }

    func send(_ buffer: ByteBuffer) {
        outbound?.send(buffer)
    }

    func notifyWhenRoom() {
        outbound?.notifyWhenRoom()
    }

    /// Sends the end of the stream; what was sent before arrives before.
    func finish() {
        guard !sentEnd, !isClosed else { return }
        sentEnd = true
        outbound?.sendEnd()
    }

    /// The next data, or nil; the end of the stream is in `receivedEnd`.
    func read() -> ByteBuffer? {
        guard let buffer = received.popFirst() else { return nil }
        peer?.outbound?.consumed(bytes: buffer.readableBytes)
        return buffer
    }

    /// The address of the peer's host.
    private(set) var remoteAddress: String = "0.0.0.0"

    var hasData: Bool { !received.isEmpty }

    /// Gives the connection up: with an end of stream, or a reset if there is data that nobody read.
    func close() {
        guard !isClosed, failure == nil else { return }
        if received.isEmpty {
            finish()
        } else {
            outbound?.sendReset()
        }
        isClosed = true
        received.removeAll()
        delegate = nil
        network.retireIfFinished(number)
    }

    /// Gives the connection up with a reset.
    func reset() {
        guard !isClosed, failure == nil else { return }
        outbound?.sendReset()
        isClosed = true
        received.removeAll()
        delegate = nil
        network.retireIfFinished(number)
    }

    // MARK: Network's side

    func receive(_ item: Flow.Item) {
        switch item {
        case .data(let buffer):
            received.append(buffer)
            stack.notify { [weak self] in self?.delegate?.streamIsReadable() }
        case .end:
            receivedEnd = true
            stack.notify { [weak self] in self?.delegate?.streamIsReadable() }
        case .reset: fail(.reset)
        }
    }

    /// The network forgets the connection.
    func unregister() {
        peer = nil
        outbound?.unregister()
    }

    /// The run is over: nothing is sent or received any more.
    func disconnect() {
        unregister()
        outbound = nil
    }

    /// The connection is gone; unread data with it.
    func fail(_ failure: StreamFailure) {
        guard presence == .present else { return }
        self.failure = failure
        received.removeAll()
        outbound?.abandon()
        simulation.record(.connection, number, failure == .reset ? 2 : 3, text: stack.host.name)
        let delegate = delegate
        self.delegate = nil
        stack.notify { delegate?.streamFailed(failure) }
        network.retireIfFinished(number)
    }

    /// Answers for a connection that this machine does not know; false when the answer is lost.
    func answerWithReset() -> Bool {
        // A reset is never answered with a reset.
        guard let outbound, failure != .reset else { return true }
        return outbound.sendReset()
    }

    /// Tells the peer that there is room, when the news has travelled.
    func sendWindowUpdate() {
        guard let peer, let outbound else { return }
        guard outbound.link.state == .up,
            case .arrives(let time) = outbound.link.send(bytes: 0, at: simulation.nanoseconds)
        else {
            // Lost; the sender's window probe finds out.
            simulation.scheduleForWorld(at: simulation.nanoseconds + TCPTimings.retransmission) { [weak self] _ in
                self?.sendWindowUpdate()
            }
            return
        }
        simulation.scheduleForWorld(at: time) { [weak peer] _ in
            guard let peer, peer.presence == .present else { return }
            peer.stack.notify { peer.delegate?.streamIsWritable() }
        }
    }
}
