// Fault model. A link is one direction between two hosts. It may deliver late and with jitter, queue behind its bandwidth,
// lose packets (which TCP retransmits, so data arrives later, never altered, never twice, never out of order within a connection),
// be held (nothing is lost, all arrives after the release) or cut (everything sent is lost until the link heals).
// What is already on its way when a link is cut or held still arrives. That holds for everything that machines send each
// other: attempts to connect and their answers, data, acknowledgements, windows, ends and resets all ask `transmit`.

public import Faults
import Randomness
public import SimulationKernel

/// The two hosts that a link goes from and to.
struct LinkID: Hashable {
    let source: HostID
    let target: HostID
}

/// One direction between two hosts.
public final class Link {
    /// How a link behaves; faults default to none.
    public struct Options: Hashable, Sendable {
        /// How long a packet takes.
        public var latency: DurationDistribution
        /// Bytes that leave each second; nil is unlimited.
        public var bytesPerSecond: UInt64?
        /// Bytes that may wait to leave; what exceeds it is lost, and retransmitted by TCP.
        public var queueBytesMax: UInt64
        /// How often a packet is lost.
        public var loss: Ratio

        /// A millisecond, without limits or faults.
        public static let standard: Options = Options(latency: .fixed(.milliseconds(1)))

        /// What is wrong with them, or nil.
        public var validationError: String? {
            if let problem = latency.validationError { return "its latency has \(problem)" }
            if bytesPerSecond == 0 { return "a bandwidth of 0 lets nothing through; hold() or cut() the link instead" }
            if queueBytesMax == 0 { return "a queue of 0 bytes takes no packet" }
            if loss.numerator > loss.denominator { return "a loss of \(loss) is above 1" }
            return nil
        }

        /// Makes options; those that are left out are without faults.
        public init(
            latency: DurationDistribution, bytesPerSecond: UInt64? = nil, queueBytesMax: UInt64 = 1 << 20,
            loss: Ratio = .zero
        ) {
            self.latency = latency
            self.bytesPerSecond = bytesPerSecond
            self.queueBytesMax = queueBytesMax
            self.loss = loss
        }
    }

    /// Whether packets pass.
    public enum State: Hashable, Sendable {
        /// Packets pass the link.
        case up
        /// Packets wait for the release.
        case held
        /// Packets are lost.
        case cut
    }

    /// The sending host's name.
    public let source: String
    /// The receiving host's name.
    public let target: String
    /// How it behaves.
    public private(set) var options: Options
    /// Whether packets pass.
    public private(set) var state: State = .up

    /// What was sent over it, and what became of it.
    public private(set) var counts: Counts = Counts()

    /// What was sent over a link, and what became of it; attempts to connect, acknowledgements and ends count as packets too.
    public struct Counts: Hashable, Sendable {
        /// Packets that were sent, whatever became of them.
        public var sent: Int = 0
        /// Packets that a cut lost.
        public var cut: Int = 0
        /// Packets that a hold kept.
        public var held: Int = 0
        /// Packets that were lost by chance, or because the queue was full.
        public var lost: Int = 0

        /// Nothing was sent.
        public init() {}
    }

    /// The faults of the byte streams that cross it, in order.
    public private(set) var toxics: [Toxic] = []

    /// Hears of every piece of data that is sent over it; nil is nobody.
    var watcher: PacketWatcher?
    private let world: World
    /// The directions of connections that cross it, by number.
    private var flows: [UInt64: Flow] = [:]
    private var random: RandomStream
    /// When the last byte that waits will have left.
    private var busyUntil: UInt64 = 0
    /// What of a nanosecond is missing to `busyUntil`, in parts of the bandwidth: small packets are not free.
    private var busyRemainder: UInt64 = 0
    /// When the next packet that found the queue full may be sent again.
    private var nextRetransmission: UInt64 = 0
    private var fixedLatency: UInt64?
    /// What the link keeps, in the order in which it was sent.
    private var kept: [(id: UInt64, resume: (Bool) -> Void)] = []
    private var lastKept: UInt64 = 0
    /// The most bytes that are sent as one packet.
    private(set) var packetBytesMax: Int
    /// Whether every packet arrives after the same time, so that acknowledgements need not be looked at one by one.
    private(set) var isClear: Bool

    /// The most bytes of a packet over a link without a bandwidth.
    private static let packetBytes: Int = 64 * 1024
    /// What Ethernet's frames leave for data.
    private static let segmentBytes: UInt64 = 1448

    init(source: String, target: String, options: Options, world: World) {
        precondition(
            options.validationError == nil, "\(source)→\(target) has options that were not looked at: \(options)")
        self.source = source
        self.target = target
        self.options = options
        self.world = world
        random = world.stream("network/link \(source)→\(target)")
        fixedLatency = Self.fixedLatency(of: options)
        packetBytesMax = Self.packetBytesMax(of: options)
        isClear = options.loss == .zero
    }

    /// A packet takes ten milliseconds of the link at most, or is as large as a frame if that takes no more than a hundred.
    ///
    /// So that slow links let bytes through, and do not keep them until a large piece is complete.
    private static func packetBytesMax(of options: Options) -> Int {
        guard let rate = options.bytesPerSecond else { return packetBytes }
        return Int(min(UInt64(packetBytes), max(rate / 100, min(segmentBytes, max(1, rate / 10)))))
    }

    private static func fixedLatency(of options: Options) -> UInt64? {
        guard case .fixed(let latency) = options.latency else { return nil }
        return UInt64(latency.clampedNanoseconds)
    }

    // MARK: Faults and their reverses

    /// Lets it behave otherwise from now on.
    ///
    /// - Throws: ``NetworkError/invalidLink(_:)``.
    public func setOptions(_ options: Options) throws(NetworkError) {
        if let problem = options.validationError { throw .invalidLink("\(source)→\(target): \(problem)") }
        // What waits to leave leaves at the new rate.
        let now = world.nanoseconds
        if busyUntil > now, let old = self.options.bytesPerSecond, let new = options.bytesPerSecond {
            let rest = UInt128(busyUntil - now) * UInt128(old) / UInt128(new)
            busyUntil = now + UInt64(min(rest, UInt128(Int64.max / 4)))
        } else {
            busyUntil = now
        }
        self.options = options
        busyRemainder = 0
        nextRetransmission = 0
        fixedLatency = Self.fixedLatency(of: options)
        packetBytesMax = Self.packetBytesMax(of: options)
        isClear = state == .up && options.loss == .zero
        world.record(.link, 3, options.bytesPerSecond ?? 0, text: "\(source)→\(target) \(options)")
    }

    /// Loses everything that is sent from now on.
    public func cut() { change(to: .cut) }
    /// Ends a cut: what was lost in it arrives with the next retransmission.
    public func heal() { if state == .cut { change(to: .up) } }
    /// Keeps everything that is sent from now on.
    public func hold() { change(to: .held) }
    /// Ends a hold: what was kept is sent.
    public func release() { if state == .held { change(to: .up) } }

    // MARK: Toxics

    /// Adds a toxic, or changes the one of the same name; it acts on living connections too.
    ///
    /// - Throws: ``NetworkError/invalidToxic(_:)``.
    public func setToxic(_ toxic: Toxic) throws(NetworkError) {
        if let problem = toxic.validationError { throw .invalidToxic(problem) }
        world.record(.toxic, 1, text: "\(source)→\(target) \(toxic)")
        let index = toxics.firstIndex { $0.name == toxic.name }
        if let index { toxics[index] = toxic } else { toxics.append(toxic) }
        for number in flows.keys.sorted() { flows[number]?.setToxic(toxic, isNew: index == nil) }
    }

    /// Removes a toxic: what it held goes on; does nothing when there is none of that name.
    public func removeToxic(_ name: String) {
        guard let index = toxics.firstIndex(where: { $0.name == name }) else { return }
        world.record(.toxic, 0, text: "\(source)→\(target) \(name)")
        toxics.remove(at: index)
        for number in flows.keys.sorted() { flows[number]?.removeToxic(name) }
    }

    func register(_ flow: Flow, number: UInt64) {
        assert(flows[number] == nil, "\(source)→\(target) has two flows of the number \(number)")
        flows[number] = flow
    }

    func unregister(number: UInt64) {
        flows[number] = nil
    }

    private func change(to state: State) {
        guard state != self.state else { return }
        self.state = state
        isClear = state == .up && options.loss == .zero
        world.record(.link, UInt64(state == .up ? 0 : state == .held ? 1 : 2), text: "\(source)→\(target)")
        guard state != .held else { return }
        let resumed = kept
        kept = []
        for entry in resumed { entry.resume(state == .up) }
    }

    /// Keeps something that was sent while the link is held.
    ///
    /// - Parameter resume: Sends it, with true when the link is released; with false when it is cut instead.
    /// - Returns: A number to forget it by.
    func keep(_ resume: @escaping (Bool) -> Void) -> UInt64 {
        assert(state == .held, "\(source)→\(target) keeps a packet although it is \(state)")
        lastKept += 1
        kept.append((lastKept, resume))
        return lastKept
    }

    func forgetKept(_ id: UInt64) {
        kept.removeAll { $0.id == id }
    }

    // MARK: Packets

    /// What becomes of something that is sent.
    enum Verdict {
        case arrives(at: UInt64)
        /// The link keeps it; who sent it says by ``keep(_:)`` what to do when the link is released.
        case held
        case lost(Loss)
    }

    /// Why something was lost.
    enum Loss {
        /// The link was cut.
        case cut
        /// The link lost it by chance.
        case chance
        /// More waited for the bandwidth than the queue takes.
        case fullQueue
    }

    /// Decides what becomes of a packet sent at `now`: the one place that does, for everything that is sent.
    ///
    /// A link that is cut or held draws nothing, so that healing it shifts nobody's draws.
    @inline(__always)
    func transmit(bytes: Int, at now: UInt64) -> Verdict {
        counts.sent += 1
        switch state {
        case .up: break
        case .held:
            counts.held += 1
            return .held
        case .cut:
            counts.cut += 1
            return .lost(.cut)
        }
        var departure = now
        if let rate = options.bytesPerSecond {
            guard let left = depart(bytes: bytes, at: now, rate) else {
                counts.lost += 1
                return .lost(.fullQueue)
            }
            departure = left
        }
        if options.loss.numerator > 0, random.chance(options.loss) {
            counts.lost += 1
            return .lost(.chance)
        }
        assert(departure >= now, "a packet leaves \(source) at \(departure), before it is sent")
        return .arrives(at: departure + (fixedLatency ?? random.nanoseconds(options.latency)))
    }

    /// When a packet will have left behind those that wait; nil when the queue is full.
    private func depart(bytes: Int, at now: UInt64, _ rate: UInt64) -> UInt64? {
        assert(bytes >= 0 && rate > 0, "\(bytes) bytes at \(rate) bytes per second")
        if busyUntil < now { busyRemainder = 0 }
        let begin = max(now, busyUntil)
        let backlog = UInt128(begin - now) * UInt128(rate) / 1_000_000_000
        // An empty queue takes a packet of any size.
        guard backlog == 0 || backlog + UInt128(bytes) <= UInt128(options.queueBytesMax) else { return nil }
        let (time, rest) = (UInt128(bytes) * 1_000_000_000 + UInt128(busyRemainder))
            .quotientAndRemainder(dividingBy: UInt128(rate))
        assert(rest < UInt128(rate), "less than a nanosecond remains")
        busyRemainder = UInt64(rest)
        busyUntil = begin + UInt64(min(time, UInt128(Int64.max / 4)))
        return busyUntil
    }

    /// When a packet that found the queue full is sent again: after a round trip, and in turn with all others.
    ///
    /// Fast retransmission alone would let them all come at once, and the same ones find it full each time.
    func retransmissionTurn(bytes: Int, at now: UInt64, roundTrip: UInt64) -> UInt64 {
        let turn = max(now + roundTrip, nextRetransmission)
        let rate = options.bytesPerSecond ?? UInt64(Int64.max)
        assert(turn >= now, "a turn in the past")
        nextRetransmission =
            turn + max(1, UInt64(min(UInt128(bytes) * 1_000_000_000 / UInt128(rate), UInt128(Int64.max / 4))))
        return turn
    }
}

extension TraceKind {
    /// A link changes: it is 0 up, 1 held, 2 cut, or 3 has other options.
    static let link: TraceKind = TraceKind("network.link")
    /// A toxic is set (1) or removed (0).
    static let toxic: TraceKind = TraceKind("network.toxic")
    /// Bytes are on their way: the connection's direction, how many, when they arrive, and which.
    static let packet: TraceKind = TraceKind("network.packet")
    /// Bytes are lost: the connection's direction, and how many.
    static let loss: TraceKind = TraceKind("network.loss")
    /// A connection changes its state.
    static let connection: TraceKind = TraceKind("network.connection")
}
