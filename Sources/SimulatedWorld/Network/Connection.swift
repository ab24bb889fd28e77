import NIOCore
import SimulationKernel

/// A connection between two hosts: both its ends, what is under way between them, and how it comes about.
///
/// The network owns it from the first SYN until nothing of it can happen any more. Its ends, and the flows between them, hold
/// each other; `dismantle` lets them go.
final class Connection {
    /// Why there is no connection.
    enum Failure: Error {
        case refused
        case timedOut
        /// The run is over.
        case abandoned
    }

    /// The n-th connection of the run.
    let number: UInt64
    let client: StreamEnd
    let server: StreamEnd
    private let network: Network
    private let world: World
    /// From the client to the server.
    private let out: Link
    private let back: Link
    /// The client's local port, until it is given back.
    private var localPort: NetworkHost.RemotePort?
    /// Told once what became of the attempt.
    private var completion: ((Result<StreamEnd, Failure>) -> Void)?
    private var listener: StreamListener?
    /// Sends the client's SYN again, or lets the attempt time out.
    private var synTimer: ScheduledEvent?
    /// Sends the server's answer again, or forgets the half-open connection.
    private var answerTimer: ScheduledEvent?

    init(
        number: UInt64, from client: NetworkHost, localPort: Int, to server: NetworkHost, port: Int, network: Network,
        completion: @escaping (Result<StreamEnd, Failure>) -> Void
    ) {
        self.number = number
        self.network = network
        self.completion = completion
        self.localPort = NetworkHost.RemotePort(server, port, local: localPort)
        world = network.world
        out = network.link(from: client, to: server)
        back = network.link(from: server, to: client)
        self.client = StreamEnd(host: client, localPort: localPort, remote: server, remotePort: port, state: .synSent)
        self.server = StreamEnd(host: server, localPort: port, remote: client, remotePort: localPort, state: .closed)
        client.add(self)
        self.client.connect(to: self.server, of: self, number: number << 1, over: out, back: back, world)
        self.server.connect(to: self.client, of: self, number: number << 1 | 1, over: back, back: out, world)
    }

    // MARK: The handshake

    /// Asks for the connection, again and again until somebody answers or the retransmissions end.
    func open() {
        assert(client.state == .synSent && server.state == .closed, "\(self) was opened before")
        sendSYN(retransmission: 0)
    }

    private func sendSYN(retransmission: Int) {
        guard client.state == .synSent else { return }
        guard retransmission <= TCPTimings.synRetries else { return fail(.timedOut) }
        // What the link keeps need not be sent again.
        if retransmission == 0 || out.state != .held { transmitSYN() }
        let next = world.nanoseconds + TCPTimings.synRetransmission << UInt64(retransmission)
        synTimer = world.schedule(at: next, argument: number) { [self] _ in
            sendSYN(retransmission: retransmission + 1)
        }
    }

    private func transmitSYN() {
        send(over: out, { self.receiveSYN() }, again: { self.client.state == .synSent })
    }

    /// Sends something without data.
    ///
    /// `receive` runs when it arrives. What a held link kept is sent when it is released, if `again` says that it still matters.
    private func send(over link: Link, _ receive: @escaping () -> Void, again: @escaping () -> Bool = { true }) {
        switch link.transmit(bytes: 0, at: world.nanoseconds) {
        case .arrives(let time): world.schedule(at: time, argument: number) { _ in receive() }
        case .held:
            _ = link.keep { [self] isReleased in
                if isReleased, again() { send(over: link, receive, again: again) }
            }
        case .lost: world.record(.loss, number << 1, 0)
        }
    }

    private func receiveSYN() {
        guard server.host.isUp else { return }
        switch server.state {
        case .synReceived: return sendAnswer()
        // It was a retransmission that was overtaken, and nobody asks any more.
        case .closed where client.state != .synSent: return
        case .closed: break
        // Its answer was lost, and the acknowledgement came by another way: the retransmission of a SYN changes nothing.
        case .synSent, .established, .finWait1, .finWait2, .closing, .timeWait, .closeWait, .lastAck: return
        }
        guard let listener = server.host.listeners[server.localPort] else { return refuse() }
        let faults = server.host.listenerFaults
        // It vanishes; the client asks again.
        if listener.isBlackHole || listener.isFull { return }
        if faults.isBlackHole {
            server.host.listenerHits += 1
            return
        }
        if listener.isRefusing { return refuse() }
        if faults.isRefusing {
            server.host.listenerHits += 1
            return refuse()
        }
        self.listener = listener
        listener.noteHalfOpen(self)
        server.host.add(self)
        server.open()
        answer(retransmission: 0)
    }

    private func refuse() {
        send(over: back, { [self] in fail(.refused) })
    }

    private func answer(retransmission: Int) {
        guard server.state == .synReceived else { return }
        guard retransmission <= TCPTimings.synAnswerRetries else {
            server.drop()
            return retireIfFinished()
        }
        if retransmission == 0 || back.state != .held { sendAnswer() }
        let next = world.nanoseconds + TCPTimings.synRetransmission << UInt64(retransmission)
        answerTimer = world.schedule(at: next, argument: number) { [self] _ in
            answer(retransmission: retransmission + 1)
        }
    }

    private func sendAnswer() {
        send(over: back, { self.receiveAnswer() }, again: { self.server.state == .synReceived })
    }

    private func receiveAnswer() {
        guard client.host.isUp else { return }
        switch client.state {
        case .synSent:
            client.advance(.established)
            world.record(
                .connection, number, 1, text: "\(client.host.name)→\(server.host.name):\(server.localPort)")
            if let synTimer { world.cancel(synTimer) }
            acknowledge()
            end(.success(client))
        case .established, .finWait1, .closeWait: acknowledge()
        // Nobody here has asked (any more).
        case .closed: _ = client.answerWithReset()
        case .synReceived, .finWait2, .closing, .timeWait, .lastAck: break
        }
    }

    private func acknowledge() {
        switch out.transmit(bytes: 0, at: world.nanoseconds) {
        case .arrives(let time):
            client.outbound?.follow(time)
            world.schedule(at: time, argument: number) { [self] _ in receiveAcknowledgement() }
        case .held:
            _ = out.keep { [self] isReleased in if isReleased, client.state != .closed { acknowledge() } }
        // The first data takes its place, or the answer to the answer's retransmission.
        case .lost: world.record(.loss, number << 1, 0)
        }
    }

    /// The client's acknowledgement, or anything else that proves it, has come: the service may accept.
    func receiveAcknowledgement() {
        guard server.state == .synReceived, let listener else { return }
        assert(server.outbound != nil, "\(self) was dismantled before it was accepted")
        server.advance(.established)
        if let answerTimer { world.cancel(answerTimer) }
        listener.noteEstablished(self)
        let late = UInt64(max(0, server.host.listenerFaults.acceptDelay.attoseconds / 1_000_000_000))
        if late > 0 { server.host.listenerHits += 1 }
        let delay = max(listener.acceptDelay, late)
        guard delay > 0 else { return accept() }
        world.schedule(at: world.nanoseconds + delay, argument: number) { [self] _ in accept() }
    }

    private func accept() {
        server.host.notify { [self] in
            guard let listener else { return }
            self.listener = nil
            listener.accept(self)
        }
    }

    /// Nobody listens any more, and it was not accepted.
    func reject() {
        listener = nil
        server.reset()
    }

    /// The attempt has come to an end.
    private func end(_ result: Result<StreamEnd, Failure>) {
        guard let completion else { return }
        self.completion = nil
        client.host.notify { completion(result) }
    }

    /// A reset came while the client still waited for an answer.
    func endAttemptRefused() { fail(.refused) }

    private func fail(_ failure: Failure) {
        guard client.state == .synSent else { return }
        client.drop()
        end(.failure(failure))
        retireIfFinished()
    }

    /// Nobody waits for the attempt any more.
    func cancel() {
        guard completion != nil else { return }
        completion = nil
        client.drop()
        retireIfFinished()
    }

    // MARK: The end

    /// Whether it goes between two hosts; nil is any other.
    func joins(_ host: NetworkHost, _ other: NetworkHost?) -> Bool {
        guard client.host === host || server.host === host else { return false }
        guard let other else { return true }
        return client.host === other || server.host === other
    }

    /// Something between its ends, such as a firewall, resets it: both are told, unless they are not connected yet.
    func reset() {
        for end in [client, server] where end.state != .synSent { end.fail(.reset) }
        fail(.refused)
    }

    /// The process at one end dies and its machine lives: the other end is reset.
    func abort(at host: NetworkHost) {
        for end in [client, server] where end.host === host { end.abort() }
    }

    /// A machine crashed, and its end with it.
    func lose(_ host: NetworkHost) {
        if client.host === host {
            client.drop()
            // Its code is not told before it is made to end.
            if let completion { host.host.onUnwind { completion(.failure(.abandoned)) } }
            completion = nil
        }
        if server.host === host {
            listener = nil
            server.drop()
        }
        retireIfFinished()
    }

    /// An end is over: who waits to be accepted, and timers, are forgotten.
    func noteOver(_ end: StreamEnd) {
        if end === client {
            if let synTimer { world.cancel(synTimer) }
            synTimer = nil
            releasePort(rests: end.state == .timeWait)
        } else {
            if let answerTimer { world.cancel(answerTimer) }
            answerTimer = nil
            // A service learns of what happened to an established connection when it accepts it.
            if !server.wasEstablished {
                listener?.forget(self)
                listener = nil
            }
        }
    }

    func noteFailure(_ failure: StreamFailure, of end: StreamEnd) {
        world.record(.connection, number, failure == .reset ? 2 : 3, text: end.host.name)
    }

    private func releasePort(rests: Bool) {
        guard let port = localPort else { return }
        localPort = nil
        let now = world.nanoseconds
        client.host.releasePort(port, at: rests ? now + TCPTimings.timeWait : now, now: now)
    }

    /// Forgets a connection of which nothing can happen any more.
    func retireIfFinished() {
        guard client.isFinished, server.isFinished, !isBeingMade, listener == nil else { return }
        network.forget(self)
        dismantle()
    }

    /// Whether a SYN or its answer may still be under way.
    private var isBeingMade: Bool { client.state == .synSent || server.state == .synReceived }

    /// The run is over: who waits for the attempt is told, so that it can end.
    func abandon() {
        completion?(.failure(.abandoned))
        completion = nil
        dismantle()
    }

    /// Lets the parts go that hold each other.
    private func dismantle() {
        assert(completion == nil, "\(self) is forgotten, and nobody has told who asked for it")
        client.host.remove(self)
        server.host.remove(self)
        releasePort(rests: false)
        listener?.forget(self)
        listener = nil
        client.dismantle()
        server.dismantle()
    }
}

extension Connection: CustomStringConvertible {
    /// A line as netstat's: both ends with their states, and what waits.
    var description: String { "#\(number) \(client) → \(server)" }
}
