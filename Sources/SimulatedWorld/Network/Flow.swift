import Faults
import NIOCore
import SimulationKernel

/// One direction of a connection: bytes in order over a link, as TCP delivers them.
///
/// What the link loses is sent again after growing intervals, and so is what arrived and was not acknowledged; what follows a loss
/// waits behind it. When retransmissions end without an answer, the sender learns that the connection timed out.
final class Flow {
    enum Segment {
        case data(ByteBuffer)
        /// The sender will send no more.
        case end
        /// The sender knows of no such connection (any more).
        case reset

        var bytes: Int {
            if case .data(let buffer) = self { return buffer.readableBytes }
            return 0
        }
    }

    /// How sending goes.
    enum Phase {
        /// All that was sent is on its way or has arrived; can become any other.
        case flowing
        /// The link keeps what is sent, by this number; can become any other.
        case held(UInt64)
        /// Something is sent again until it is answered; can become any other.
        case retransmitting(Retransmission)
        /// Nothing is sent any more.
        case over
    }

    /// What is sent again.
    struct Retransmission {
        enum Purpose {
            /// The first of what waits, which was lost.
            case data
            /// A probe, because the acknowledgement of what arrived was lost.
            case acknowledgement
            /// A probe, because the news that there is room again was lost.
            case window
        }

        var purpose: Purpose
        var timer: ScheduledEvent
        /// Whether the timer waits for a whole interval, although later segments may tell of the loss before.
        var mayBeHastened: Bool
    }

    /// Bytes on the way and not yet read that a sender may have: its send buffer and the receiver's window.
    static let capacityBytes: Int = 512 * 1024

    let link: Link
    let sender: StreamEnd
    let receiver: StreamEnd
    /// What the receiver's answers travel over.
    private let reverse: Link
    private let world: World
    /// Names the direction in the trace.
    private let number: UInt64
    private(set) var phase: Phase = .flowing
    private var inFlight: CircularBuffer<Segment> = CircularBuffer(initialCapacity: 4)
    /// What waits to be sent, behind a loss or a link that is held.
    private(set) var waiting: CircularBuffer<Segment> = CircularBuffer(initialCapacity: 0)
    /// When the first was sent of what nobody has answered; nil while answers come.
    private var unansweredSince: UInt64?
    private var lastArrival: UInt64 = 0
    /// How long the last packet took.
    private var transit: UInt64 = 0
    private var usedBytes: Int = 0
    private var senderWaits: Bool = false
    /// The sender's end has arrived, and no acknowledgement of it has come back.
    private var endIsUnacknowledged: Bool = false
    private var onArrival: (UInt64) -> Void = { _ in }
    /// The link's toxics at work on this direction; nil as long as there was none.
    private var chain: ToxicChain?
    private var chainWake: ScheduledEvent?
    /// A toxic has closed or reset the connection: what is sent now is dropped.
    private var isSevered: Bool = false

    init(number: UInt64, link: Link, reverse: Link, sender: StreamEnd, receiver: StreamEnd, world: World) {
        self.number = number
        self.link = link
        self.reverse = reverse
        self.sender = sender
        self.receiver = receiver
        self.world = world
        // One closure for all packets; `dismantle` ends the circle.
        onArrival = { [self] _ in arrive() }
        if !link.toxics.isEmpty { makeChain() }
        link.register(self, number: number)
    }

    /// Whether nothing is on its way and nothing waits.
    var isIdle: Bool {
        guard inFlight.isEmpty, waiting.isEmpty, chain?.isEmpty ?? true else { return false }
        switch phase {
        case .flowing, .over: return true
        case .held, .retransmitting: return false
        }
    }

    // MARK: Sender's side

    /// Bytes that may be sent now.
    var roomBytes: Int { max(0, Self.capacityBytes - usedBytes - (chain?.heldBytes ?? 0)) }

    /// Bytes that were sent and not read.
    var unreadBytes: Int { usedBytes }

    /// Sends data; the caller has looked for room.
    @inline(__always)
    func send(_ buffer: ByteBuffer) {
        guard chain == nil else { return sendThroughChain(.data(buffer)) }
        pushData(buffer)
    }

    func sendEnd() {
        if chain == nil { push(.end) } else { sendThroughChain(.end) }
    }

    /// Sends a reset: once, behind what is on its way; false when the link loses it.
    @discardableResult
    func sendReset() -> Bool {
        stop()
        switch link.transmit(bytes: 0, at: world.nanoseconds) {
        case .arrives(let time):
            schedule(.reset, arrival: time)
            return true
        case .held:
            _ = link.keep { [self] isReleased in if isReleased { sendReset() } }
            return true
        case .lost:
            world.record(.loss, number, 0)
            return false
        }
    }

    /// Remembers to tell the sender when there is room again.
    func notifyWhenRoom() { senderWaits = true }

    /// Nothing that is sent from now on arrives before `time`.
    func follow(_ time: UInt64) { lastArrival = max(lastArrival, time) }

    /// Nothing is sent any more, and nothing again; what is on its way arrives.
    func stop() {
        leavePhase()
        phase = .over
        waiting.removeAll()
    }

    /// The sender's machine begins anew.
    func restart() {
        phase = .flowing
        unansweredSince = nil
    }

    @inline(__always)
    private func pushData(_ buffer: ByteBuffer) {
        usedBytes += buffer.readableBytes
        guard buffer.readableBytes > link.packetBytesMax else { return push(.data(buffer)) }
        var rest = buffer
        while let piece = rest.readSlice(length: min(link.packetBytesMax, rest.readableBytes)),
            piece.readableBytes > 0
        {
            push(.data(piece))
        }
    }

    /// Sends a segment, or lets it wait behind those that wait.
    @inline(__always)
    private func push(_ segment: Segment) {
        switch phase {
        case .flowing: transmit(segment)
        case .held: waiting.append(segment)
        case .retransmitting(let retransmission):
            // While only an answer is missing, data goes on.
            guard case .data = retransmission.purpose else { return transmit(segment) }
            waiting.append(segment)
            hasten()
        case .over: break
        }
    }

    /// Puts a segment on its way, or lets it wait as the first.
    @inline(__always)
    private func transmit(_ segment: Segment) {
        let now = world.nanoseconds
        switch link.transmit(bytes: segment.bytes, at: now) {
        case .arrives(let time):
            transit = time - now
            schedule(segment, arrival: time)
        case .held:
            waiting.append(segment)
            waitForRelease()
        case .lost(let loss):
            world.record(.loss, number, UInt64(segment.bytes))
            waiting.append(segment)
            retransmit(.data, lost: loss)
        }
    }

    @inline(__always)
    private func schedule(_ segment: Segment, arrival: UInt64) {
        lastArrival = max(lastArrival, arrival)
        var contents: UInt64 = 0
        if case .data(let buffer) = segment {
            contents = unsafe buffer.withUnsafeReadableBytes { unsafe ContentDigest.hash($0) }
        }
        world.record(.packet, number << 32 | UInt64(segment.bytes), lastArrival, contents: contents)
        inFlight.append(segment)
        world.schedule(at: lastArrival, argument: number, onArrival)
    }

    /// Sends what waits, until it waits again.
    private func sendWaiting() {
        phase = .flowing
        let segments = waiting
        waiting.removeAll()
        for segment in segments { push(segment) }
    }

    // MARK: A link that is held

    private func waitForRelease() {
        leavePhase()
        phase = .held(
            link.keep { [self] isReleased in
                phase = .flowing
                if isReleased { sendWaiting() } else { retransmit(.data, lost: .cut) }
            })
    }

    private func leavePhase() {
        switch phase {
        case .flowing, .over: break
        case .held(let id): link.forgetKept(id)
        case .retransmitting(let retransmission): world.cancel(retransmission.timer)
        }
    }

    // MARK: Retransmission

    /// Begins to send something again, or goes on to.
    private func retransmit(_ purpose: Retransmission.Purpose, lost loss: Link.Loss = .cut) {
        leavePhase()
        let now = world.nanoseconds
        let since = unansweredSince ?? now
        unansweredSince = since
        var time = nextRetransmission(since: since, after: now)
        if purpose == .data, loss == .fullQueue, let first = waiting.first {
            time = link.retransmissionTurn(bytes: first.bytes, at: now, roundTrip: roundTrip)
            // Others get through: that the queue is full is no sign that nobody answers.
            unansweredSince = nil
        }
        let timer = world.schedule(at: time, argument: number) { [self] _ in timerFired() }
        phase = .retransmitting(
            Retransmission(purpose: purpose, timer: timer, mayBeHastened: purpose == .data && loss == .chance))
    }

    private func nextRetransmission(since: UInt64, after now: UInt64) -> UInt64 {
        TCPTimings.retransmissions(since: since).first { $0 > now } ?? TCPTimings.timeout(since: since)
    }

    private var roundTrip: UInt64 { transit + max(transit, receiver.outbound?.transit ?? 0) }

    /// Enough segments follow a lost one for duplicate acknowledgements to tell of the loss: it is sent again at once.
    private func hasten() {
        guard case .retransmitting(var retransmission) = phase, retransmission.mayBeHastened,
            waiting.count > TCPTimings.duplicateAcknowledgements
        else { return }
        world.cancel(retransmission.timer)
        retransmission.mayBeHastened = false
        retransmission.timer = world.schedule(at: world.nanoseconds + roundTrip, argument: number) { [self] _ in
            timerFired()
        }
        phase = .retransmitting(retransmission)
    }

    private func timerFired() {
        guard case .retransmitting(let retransmission) = phase else { return }
        let now = world.nanoseconds
        if let since = unansweredSince, now >= TCPTimings.timeout(since: since) { return sender.fail(.timedOut) }
        phase = .flowing
        guard retransmission.purpose == .data, let first = waiting.popFirst() else {
            return probe(retransmission.purpose)
        }
        let rest = waiting
        waiting.removeAll()
        transmit(first)
        for segment in rest { push(segment) }
    }

    /// Asks for an answer, and asks again if none comes.
    private func probe(_ purpose: Retransmission.Purpose) {
        if case .arrives(let time) = link.transmit(bytes: 0, at: world.nanoseconds) {
            world.schedule(at: time, argument: number) { [self] _ in
                if receiver.isKnown { answerProbe() } else if receiver.host.isUp { _ = receiver.answerWithReset() }
            }
        }
        retransmit(purpose)
    }

    private func answerProbe() {
        guard case .arrives(let time) = reverse.transmit(bytes: 0, at: world.nanoseconds) else { return }
        world.schedule(at: time, argument: number) { [self] _ in
            acknowledged()
            tellOfRoom()
        }
    }

    /// An answer has come: what was sent before has arrived.
    @inline(__always)
    func acknowledged() {
        guard unansweredSince != nil || endIsUnacknowledged else { return }
        noteAcknowledged()
    }

    @inline(never)
    private func noteAcknowledged() {
        unansweredSince = nil
        if case .retransmitting(let retransmission) = phase, retransmission.purpose != .data {
            leavePhase()
            phase = .flowing
            if retransmission.purpose == .window { tellOfRoom() }
        }
        if endIsUnacknowledged {
            endIsUnacknowledged = false
            sender.advance(.endAcknowledged)
        }
    }

    // MARK: Receiver's side

    private func arrive() {
        guard let segment = inFlight.popFirst() else { return }
        switch segment {
        case .data(let buffer):
            guard receiver.isPresent else {
                lose(segment)
                break
            }
            // The client's first data takes the place of an acknowledgement that was lost.
            if receiver.state == .synReceived { receiver.connection?.receiveAcknowledgement() }
            acknowledge()
            receiver.receive(buffer)
        case .end:
            guard receiver.isKnown else {
                lose(segment)
                break
            }
            if receiver.state == .synReceived { receiver.connection?.receiveAcknowledgement() }
            endIsUnacknowledged = true
            acknowledge()
            receiver.receiveEnd()
        case .reset: receiver.fail(.reset)
        }
        if inFlight.isEmpty { sender.retireIfFinished() }
    }

    /// What arrived is acknowledged, if the way back lets it; with it, the receiver's own data is.
    @inline(__always)
    private func acknowledge() {
        receiver.outbound?.acknowledged()
        if reverse.isClear { return acknowledged() }
        switch reverse.transmit(bytes: 0, at: world.nanoseconds) {
        case .arrives: acknowledged()
        case .held, .lost: if case .flowing = phase { retransmit(.acknowledgement) }
        }
    }

    /// A segment came to a machine that does not know the connection, or that is down.
    private func lose(_ segment: Segment) {
        // A machine that crashed, or gave the connection up, sends nothing again.
        guard sender.state != .closed else { return }
        if receiver.host.isUp {
            guard !receiver.answerWithReset() else { return }
        }
        guard case .flowing = phase else { return }
        waiting.append(segment)
        retransmit(.data)
    }

    /// The receiver has read so many bytes.
    @inline(__always)
    func consumed(bytes: Int) {
        usedBytes -= bytes
        guard senderWaits, usedBytes <= Self.capacityBytes / 2 else { return }
        senderWaits = false
        sendWindowUpdate()
    }

    /// Tells the sender that there is room, when the news has travelled.
    private func sendWindowUpdate() {
        switch reverse.transmit(bytes: 0, at: world.nanoseconds) {
        case .arrives(let time):
            world.schedule(at: time, argument: number) { [self] _ in sender.notifyWritable() }
        case .held:
            _ = reverse.keep { [self] isReleased in if isReleased { sendWindowUpdate() } else { probeWindow() } }
        case .lost: probeWindow()
        }
    }

    /// The news of room was lost: the sender asks for it.
    private func probeWindow() {
        senderWaits = true
        if case .flowing = phase { retransmit(.window) }
    }

    /// Tells the sender of room that it does not know of.
    private func tellOfRoom() {
        guard senderWaits, roomBytes > 0 else { return }
        senderWaits = false
        sender.notifyWritable()
    }
}

// MARK: - Toxics

extension Flow {
    /// What of this direction waits, and for what; nil when nothing does.
    var waitingDescription: String? {
        let bytes = waiting.reduce(0) { $0 + $1.bytes }
        let held = chain?.heldBytes ?? 0
        let toxics = held > 0 ? "\(held) bytes held by toxics" : nil
        let what = bytes > 0 ? "\(bytes) bytes" : waiting.isEmpty ? "a probe" : "its end"
        switch phase {
        case .flowing, .over: return toxics
        case .held: return "\(what) to \(receiver.host.name) kept by a link that is held"
        case .retransmitting(let retransmission):
            let since = VirtualInstant(nanoseconds: unansweredSince ?? world.nanoseconds)
            let why =
                switch retransmission.purpose {
                case .data: link.state == .cut ? "the link is cut" : "lost or unanswered"
                case .acknowledgement: "acknowledgement lost"
                case .window: "window update lost"
                }
            return "\(what) to \(receiver.host.name) sent again since \(since): \(why)"
        }
    }

    private func makeChain() {
        let random = world.stream("network/toxics \(link.source)→\(link.target) \(number)")
        chain = ToxicChain(link.toxics, random: random, now: world.nanoseconds)
        drainChain()
    }

    func setToxic(_ toxic: Toxic, isNew: Bool) {
        guard chain != nil else { return makeChain() }
        if isNew {
            chain?.add(toxic, at: world.nanoseconds)
        } else {
            chain?.update(toxic, at: world.nanoseconds)
        }
        drainChain()
    }

    func removeToxic(_ name: String) {
        chain?.remove(name, at: world.nanoseconds)
        drainChain()
    }

    private func sendThroughChain(_ item: ToxicItem) {
        chain?.receive(item, at: world.nanoseconds)
        drainChain()
    }

    /// Sends what has left the chain and asks to be woken for the next.
    private func drainChain() {
        while let item = chain?.take(at: world.nanoseconds) {
            guard !isSevered else { continue }
            switch item {
            case .data(let buffer): pushData(buffer)
            case .end: push(.end)
            case .close:
                isSevered = true
                push(.end)
                // The other direction ends behind what it holds.
                receiver.finish()
            case .reset:
                isSevered = true
                sendReset()
                sender.fail(.reset)
            }
        }
        // What a toxic dropped makes room.
        tellOfRoom()
        if let event = chainWake { world.cancel(event) }
        chainWake = nil
        guard let next = chain?.nextWake else { return }
        chainWake = world.schedule(at: next) { [self] _ in
            chainWake = nil
            drainChain()
            sender.retireIfFinished()
        }
    }

    /// The connection is forgotten: lets go of what holds it.
    func dismantle() {
        stop()
        if let event = chainWake { world.cancel(event) }
        chainWake = nil
        chain = nil
        link.unregister(number: number)
        onArrival = { _ in }
        inFlight.removeAll()
    }
}
