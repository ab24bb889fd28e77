import Faults
import NIOCore
import Randomness
import SimulationKernel

/// One direction of a connection: bytes in order over a link, as TCP delivers them.
///
/// What the link loses is repeated after growing intervals; what follows waits behind it. When repetitions end without
/// an answer, the sender learns that the connection timed out.
final class Flow {
    enum Item {
        case data(ByteBuffer)
        /// The sender will send no more.
        case end
        /// The sender knows of no such connection (any more).
        case reset
    }

    /// Bytes on the way and not yet read that a sender may have: its send buffer and the receiver's window.
    static let capacityBytes: Int = 512 * 1024

    let link: Link
    unowned let sender: StreamEnd
    unowned let receiver: StreamEnd
    private let simulation: Simulation
    /// Names the direction in the trace.
    private let number: UInt64
    private var inFlight: CircularBuffer<Item> = CircularBuffer(initialCapacity: 4)
    /// What waits behind a loss, the lost item first.
    private var stalled: CircularBuffer<Item> = CircularBuffer(initialCapacity: 0)
    private var stall: Stall?
    /// When data was sent first of which the sender hears nothing although it arrives: its receiver's resets are lost.
    private var unansweredSince: UInt64?
    private var lastArrival: UInt64
    private var usedBytes: Int = 0
    private var senderWaits: Bool = false
    private var onArrival: (UInt64) -> Void = { _ in }
    /// The link's toxics at work on this direction; nil as long as there was none.
    private var chain: ToxicChain?
    private var chainWake: ScheduledEvent?
    /// A toxic has closed or reset the connection: what is sent now is dropped.
    private var isSevered: Bool = false

    /// A loss that is being repeated.
    private struct Stall {
        let since: UInt64
        var retry: ScheduledEvent?
        var giveUp: ScheduledEvent?
        var linkWait: UInt64?
    }

    init(number: UInt64, link: Link, sender: StreamEnd, receiver: StreamEnd, simulation: Simulation, notBefore: UInt64)
    {
        self.number = number
        self.link = link
        self.sender = sender
        self.receiver = receiver
        self.simulation = simulation
        lastArrival = notBefore
        onArrival = { [unowned self] _ in arrive() }
        if !link.toxics.isEmpty { makeChain() }
        link.register(self, number: number)
    }

    /// Whether nothing is on its way and nothing waits.
    var isIdle: Bool { inFlight.isEmpty && stall == nil && chain?.isEmpty ?? true }

    // MARK: Sender's side

    /// Bytes that may be sent now.
    var roomBytes: Int { max(0, Self.capacityBytes - usedBytes - (chain?.heldBytes ?? 0)) }

    /// Sends data; the caller has looked for room.
    @inline(__always)
    func send(_ buffer: ByteBuffer) {
        guard chain == nil else { return sendThroughChain(.data(buffer)) }
        usedBytes += buffer.readableBytes
        enqueue(.data(buffer))
    }

    func sendEnd() {
        if chain == nil { enqueue(.end) } else { sendThroughChain(.end) }
    }

    /// Sends a reset: once, behind what is on its way; false when the link loses it.
    @discardableResult
    func sendReset() -> Bool {
        dropStall()
        if link.state == .held {
            _ = link.whenUp { [weak self] in self?.sendReset() }
            return true
        }
        guard link.state == .up, case .arrives(let time) = link.send(bytes: 0, at: simulation.nanoseconds) else {
            return false
        }
        schedule(.reset, arrival: time)
        return true
    }

    /// Remembers to tell the sender when there is room again.
    func notifyWhenRoom() { senderWaits = true }

    /// Drops what waits; what is on its way arrives.
    func abandon() { dropStall() }

    @inline(__always)
    private func enqueue(_ item: Item) {
        if stall != nil { return stalled.append(item) }
        if !transmit(item) {
            stalled.append(item)
            beginStall()
        }
    }

    /// Puts an item on its way; false when the link does not take it.
    @inline(__always)
    private func transmit(_ item: Item) -> Bool {
        guard link.state == .up else { return false }
        let bytes: Int
        if case .data(let buffer) = item { bytes = buffer.readableBytes } else { bytes = 0 }
        switch link.send(bytes: bytes, at: simulation.nanoseconds) {
        case .arrives(let time):
            schedule(item, arrival: time)
            simulation.record(.packet, number << 32 | UInt64(bytes), lastArrival)
            return true
        case .lost:
            simulation.record(.loss, number, UInt64(bytes))
            return false
        }
    }

    @inline(__always)
    private func schedule(_ item: Item, arrival: UInt64) {
        lastArrival = max(lastArrival, arrival)
        inFlight.append(item)
        simulation.scheduleForWorld(at: lastArrival, argument: number, onArrival)
    }

    // MARK: Toxics

    private func makeChain() {
        let random = simulation.worldStream("network/toxics \(link.source)→\(link.target) \(number)")
        chain = ToxicChain(link.toxics, random: random, now: simulation.nanoseconds)
        drainChain()
    }

    func setToxic(_ toxic: Toxic, isNew: Bool) {
        guard chain != nil else { return makeChain() }
        if isNew {
            chain?.add(toxic, at: simulation.nanoseconds)
        } else {
            chain?.update(toxic, at: simulation.nanoseconds)
        }
        drainChain()
    }

    func removeToxic(_ name: String) {
        chain?.remove(name, at: simulation.nanoseconds)
        drainChain()
    }

    private func sendThroughChain(_ item: ToxicItem) {
        chain?.receive(item, at: simulation.nanoseconds)
        drainChain()
    }

    /// Sends what has left the chain and asks to be woken for the next.
    private func drainChain() {
        while let item = chain?.take(at: simulation.nanoseconds) {
            guard !isSevered else { continue }
            switch item {
            case .data(let buffer):
                usedBytes += buffer.readableBytes
                enqueue(.data(buffer))
            case .end: enqueue(.end)
            case .close:
                isSevered = true
                enqueue(.end)
                // The other direction ends behind what it holds.
                receiver.finish()
            case .reset:
                isSevered = true
                sendReset()
                sender.fail(.reset)
            }
        }
        // What a toxic dropped makes room.
        if senderWaits, roomBytes > 0, sender.presence == .present {
            senderWaits = false
            sender.stack.notify { [weak sender] in sender?.delegate?.streamIsWritable() }
        }
        if let event = chainWake { simulation.cancel(event) }
        chainWake = nil
        guard let next = chain?.nextWake else { return }
        chainWake = simulation.scheduleForWorld(at: next) { [unowned self] _ in
            let sender = sender
            chainWake = nil
            drainChain()
            sender.retireIfFinished()
        }
    }

    /// The connection is forgotten.
    func unregister() {
        if let event = chainWake { simulation.cancel(event) }
        link.unregister(number: number)
    }

    // MARK: Losses

    private func beginStall() {
        stall = makeStall()
        waitForLink()
    }

    private func makeStall() -> Stall {
        let since = unansweredSince ?? simulation.nanoseconds
        let giveUp = simulation.scheduleForWorld(at: TCPTimings.giveUp(since: since)) { [unowned self] _ in timeOut() }
        return Stall(since: since, giveUp: giveUp)
    }

    private func waitForLink() {
        let wasHeld = link.state == .held
        if link.state == .up {
            scheduleRetry()
        } else {
            stall?.linkWait = link.whenUp { [unowned self] in
                stall?.linkWait = nil
                // What a link held was never lost.
                if wasHeld { retry() } else { scheduleRetry() }
            }
        }
    }

    private func scheduleRetry() {
        guard let since = stall?.since else { return }
        let now = simulation.nanoseconds
        guard let time = TCPTimings.retransmissions(since: since).first(where: { $0 > now }) else { return }
        stall?.retry = simulation.scheduleForWorld(at: time) { [unowned self] _ in retry() }
    }

    private func retry() {
        guard stall != nil else { return }
        // A machine that crashed repeats nothing.
        guard !sender.isGone else { return dropStall() }
        guard link.state == .up else { return waitForLink() }
        guard let first = stalled.first, transmit(first) else { return scheduleRetry() }
        let rest = stalled.dropFirst()
        dropStall()
        for item in rest { enqueue(item) }
    }

    private func dropStall() {
        if let event = stall?.retry { simulation.cancel(event) }
        if let event = stall?.giveUp { simulation.cancel(event) }
        if let wait = stall?.linkWait { link.cancelWhenUp(wait) }
        stall = nil
        stalled.removeAll()
    }

    private func timeOut() {
        let sender = sender
        dropStall()
        sender.fail(.timedOut)
        sender.retireIfFinished()
    }

    /// The receiver knows of no such connection: it says so, and where that is lost, the sender repeats and asks again.
    private func refuse(_ item: Item) {
        guard sender.presence == .present, !receiver.answerWithReset() else { return }
        repeatUnanswered(item) { self.waitForLink() }
    }

    /// The receiver's machine is gone: nobody answers, until it is back and says that it knows nothing.
    private func loseReceiver(_ item: Item) {
        guard !sender.isGone else { return }
        if receiver.stack.isUp { return refuse(item) }
        repeatUnanswered(item) {
            receiver.stack.whenBack { [weak self] in
                if self?.stall != nil { self?.waitForLink() }
            }
        }
    }

    /// Keeps an item that arrived in vain; what follows it waits behind it.
    private func repeatUnanswered(_ item: Item, _ wait: () -> Void) {
        guard stall == nil else { return }
        stalled.append(item)
        let stall = makeStall()
        unansweredSince = stall.since
        self.stall = stall
        wait()
    }

    // MARK: Receiver's side

    private func arrive() {
        guard let item = inFlight.popFirst() else { return }
        // The connection may be forgotten in the middle of this.
        let (sender, receiver) = (sender, receiver)
        switch receiver.presence {
        case .present: receiver.receive(item)
        case .closed: if case .data = item { refuse(item) }
        case .gone: loseReceiver(item)
        }
        if inFlight.isEmpty { sender.retireIfFinished() }
    }

    /// The receiver has read so many bytes.
    @inline(__always)
    func consumed(bytes: Int) {
        usedBytes -= bytes
        guard senderWaits, usedBytes <= Self.capacityBytes / 2 else { return }
        senderWaits = false
        receiver.sendWindowUpdate()
    }
}
