import Faults
import NIOCore
import SimulationKernel

/// One direction of a connection: bytes in order over a link, as TCP delivers them.
///
/// What the link loses is sent again after growing intervals, and so is what arrived and was not acknowledged; what follows a loss
/// waits behind it. When retransmissions end without an answer, the sender learns that the connection timed out.
final class Flow {
    /// Bytes on the way and not yet read that a sender may have: its send buffer and the receiver's window.
    static let capacityBytes: Int = 512 * 1024

    let link: Link
    let sender: StreamEnd
    let receiver: StreamEnd
    /// What the receiver's answers travel over.
    let reverse: Link
    let world: World
    /// Names the direction in the trace.
    let number: UInt64
    var phase: Phase = .flowing
    var inFlight: CircularBuffer<Segment> = CircularBuffer(initialCapacity: 4)
    /// What waits to be sent, behind a loss or a link that is held.
    var waiting: CircularBuffer<Segment> = CircularBuffer(initialCapacity: 0)
    /// When the first was sent of what nobody has answered; nil while answers come.
    var unansweredSince: UInt64?
    private var lastArrival: UInt64 = 0
    /// How long the last packet took.
    var transit: UInt64 = 0
    var usedBytes: Int = 0
    var senderWaits: Bool = false
    /// The sender's end has arrived, and no acknowledgement of it has come back.
    var endIsUnacknowledged: Bool = false
    private var onArrival: (UInt64) -> Void = { _ in }
    /// The link's toxics at work on this direction; nil as long as there was none.
    var chain: ToxicChain?
    var chainWake: ScheduledEvent?
    /// A toxic has closed or reset the connection: what is sent now is dropped.
    var isSevered: Bool = false

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
        assert(buffer.readableBytes <= roomBytes, "\(buffer.readableBytes) bytes are sent into room for \(roomBytes)")
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
        assert(waiting.isEmpty, "what a machine forgot would be sent by its next life")
        phase = .flowing
        unansweredSince = nil
    }

    @inline(__always)
    func pushData(_ buffer: ByteBuffer) {
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
    func push(_ segment: Segment) {
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
    func transmit(_ segment: Segment) {
        let now = world.nanoseconds
        let verdict = link.transmit(bytes: segment.bytes, at: now)
        if let watcher = link.watcher { tell(watcher, of: segment, verdict) }
        switch verdict {
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
        assert(arrival >= world.nanoseconds, "a segment arrives at \(arrival), before it is sent")
        lastArrival = max(lastArrival, arrival)
        var contents: UInt64 = 0
        if case .data(let buffer) = segment {
            contents = unsafe buffer.withUnsafeReadableBytes { unsafe ContentDigest.hash($0) }
        }
        world.record(.packet, number << 32 | UInt64(segment.bytes), lastArrival, contents: contents)
        inFlight.append(segment)
        world.schedule(at: lastArrival, argument: number, onArrival)
    }

    private func tell(_ watcher: PacketWatcher, of segment: Segment, _ verdict: Link.Verdict) {
        guard case .data(let buffer) = segment else { return }
        let arrival: UInt64? = if case .arrives(let time) = verdict { max(time, lastArrival) } else { nil }
        watcher.see(
            PacketSighting(
                connection: number >> 1, source: link.source, target: link.target, sent: world.nanoseconds,
                arrival: arrival, contents: buffer))
    }

    /// Sends what waits, until it waits again.
    func sendWaiting() {
        phase = .flowing
        let segments = waiting
        waiting.removeAll()
        for segment in segments { push(segment) }
    }

    // MARK: A link that is held

    private func waitForRelease() {
        assert(!waiting.isEmpty, "the link keeps nothing of this flow")
        leavePhase()
        phase = .held(
            link.keep { [self] isReleased in
                phase = .flowing
                if isReleased { sendWaiting() } else { retransmit(.data, lost: .cut) }
            })
    }

    func leavePhase() {
        switch phase {
        case .flowing, .over: break
        case .held(let id): link.forgetKept(id)
        case .retransmitting(let retransmission): world.cancel(retransmission.timer)
        }
    }

    // MARK: The end

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
