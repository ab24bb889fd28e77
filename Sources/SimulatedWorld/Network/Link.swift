// Fault model. A link is one direction between two hosts. It may deliver late and with jitter, queue behind its bandwidth,
// lose packets (which TCP repeats, so data arrives later, never altered, never twice, never out of order within a connection),
// be held (nothing is lost, all arrives after the release) or cut (everything sent is lost until the link heals).
// What is already on its way when a link is cut or held still arrives.

public import Faults
import Randomness
public import SimulationKernel

/// One direction between two hosts.
public final class Link {
    /// How a link behaves; faults default to none.
    public struct Options: Hashable, Sendable {
        /// How long a packet takes.
        public var latency: DurationDistribution
        /// Bytes that leave each second; nil is unlimited.
        public var bytesPerSecond: UInt64?
        /// Bytes that may wait to leave; what exceeds it is lost, and repeated by TCP.
        public var queueBytesMax: UInt64
        /// How often a packet is lost.
        public var loss: Ratio

        /// A millisecond, without limits or faults.
        public static let standard: Options = Options(latency: .fixed(.milliseconds(1)))

        /// What is wrong with them, or nil.
        public var invalidity: String? {
            if let problem = latency.invalidity { return "its latency has \(problem)" }
            if bytesPerSecond == 0 { return "a bandwidth of 0 lets nothing through; hold() or cut() the link instead" }
            if queueBytesMax == 0 { return "a queue of 0 bytes takes no packet" }
            if loss.numerator > loss.denominator { return "a loss of \(loss) is above 1" }
            return nil
        }

        /// Makes options of their parts.
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
        /// They do.
        case up
        /// They wait for the release.
        case held
        /// They are lost.
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

    /// The faults of the byte streams that cross it, in order.
    public private(set) var toxics: [Toxic] = []

    private unowned let simulation: Simulation
    /// The directions of connections that cross it, by number.
    private var flows: [UInt64: Flow] = [:]
    private var random: RandomStream
    /// When the last byte that waits will have left.
    private var busyUntil: UInt64 = 0
    private var fixedLatency: UInt64?
    /// What waits for the link, in the order in which it began to.
    private var waiting: [(id: UInt64, resume: () -> Void)] = []
    private var nextWaitingID: UInt64 = 0

    init(source: String, target: String, options: Options, simulation: Simulation) {
        self.source = source
        self.target = target
        self.options = options
        self.simulation = simulation
        random = simulation.worldStream("network/link \(source)→\(target)")
        fixedLatency = Self.fixedLatency(of: options)
    }

    private static func fixedLatency(of options: Options) -> UInt64? {
        guard case .fixed(let latency) = options.latency else { return nil }
        return UInt64(latency.attoseconds / 1_000_000_000)
    }

    // MARK: Faults and their reverses

    /// Lets it behave otherwise from now on.
    ///
    /// - Throws: ``NetworkError/invalidLink(_:)``.
    public func setOptions(_ options: Options) throws(NetworkError) {
        if let problem = options.invalidity { throw .invalidLink("\(source)→\(target): \(problem)") }
        // What waits to leave leaves at the new rate.
        let now = simulation.nanoseconds
        if busyUntil > now, let old = self.options.bytesPerSecond, let new = options.bytesPerSecond {
            let rest = UInt128(busyUntil - now) * UInt128(old) / UInt128(new)
            busyUntil = now + UInt64(min(rest, UInt128(Int64.max / 4)))
        } else {
            busyUntil = now
        }
        self.options = options
        fixedLatency = Self.fixedLatency(of: options)
    }

    /// Loses everything that is sent from now on.
    public func cut() { change(to: .cut) }
    /// Ends a cut: what was repeated until now arrives with the next repetition.
    public func heal() { if state == .cut { change(to: .up) } }
    /// Keeps everything that is sent from now on.
    public func hold() { change(to: .held) }
    /// Ends a hold: what was kept goes on its way.
    public func release() { if state == .held { change(to: .up) } }

    // MARK: Toxics

    /// Adds a toxic, or changes the one of the same name; it acts on living connections too.
    ///
    /// - Throws: ``NetworkError/invalidToxic(_:)``.
    public func setToxic(_ toxic: Toxic) throws(NetworkError) {
        if let problem = toxic.invalidity { throw .invalidToxic(problem) }
        simulation.record(.toxic, 1, text: "\(source)→\(target) \(toxic.name)")
        let index = toxics.firstIndex { $0.name == toxic.name }
        if let index { toxics[index] = toxic } else { toxics.append(toxic) }
        for number in flows.keys.sorted() { flows[number]?.setToxic(toxic, isNew: index == nil) }
    }

    /// Removes a toxic: what it held goes on; does nothing when there is none of that name.
    public func removeToxic(_ name: String) {
        guard let index = toxics.firstIndex(where: { $0.name == name }) else { return }
        simulation.record(.toxic, 0, text: "\(source)→\(target) \(name)")
        toxics.remove(at: index)
        for number in flows.keys.sorted() { flows[number]?.removeToxic(name) }
    }

    func register(_ flow: Flow, number: UInt64) {
        flows[number] = flow
    }

    func unregister(number: UInt64) {
        flows[number] = nil
    }

    private func change(to state: State) {
        guard state != self.state else { return }
        self.state = state
        simulation.record(.link, UInt64(state == .up ? 0 : state == .held ? 1 : 2), text: "\(source)→\(target)")
        guard state == .up else { return }
        let resumed = waiting
        waiting = []
        for entry in resumed { entry.resume() }
    }

    /// Calls `resume` when packets pass again; the number returned takes it back.
    func whenUp(_ resume: @escaping () -> Void) -> UInt64 {
        nextWaitingID += 1
        waiting.append((nextWaitingID, resume))
        return nextWaitingID
    }

    func cancelWhenUp(_ id: UInt64) {
        waiting.removeAll { $0.id == id }
    }

    // MARK: Packets

    /// What becomes of a packet.
    enum Fate {
        case arrives(at: UInt64)
        /// Lost now; the link may be up at the repetition.
        case lost
    }

    /// Decides the fate of a packet sent at `now`.
    ///
    /// A link that is cut or held is not asked, so that it draws nothing and healing it shifts nobody's draws.
    @inline(__always)
    func send(bytes: Int, at now: UInt64) -> Fate {
        var departure = now
        if let rate = options.bytesPerSecond {
            let begin = max(now, busyUntil)
            let backlog = UInt128(begin - now) * UInt128(rate) / 1_000_000_000
            guard backlog <= UInt128(options.queueBytesMax) else { return .lost }
            busyUntil = begin + UInt64(bytes) * 1_000_000_000 / max(rate, 1)
            departure = busyUntil
        }
        if options.loss.numerator > 0, random.chance(options.loss) { return .lost }
        return .arrives(at: departure + (fixedLatency ?? random.nanoseconds(options.latency)))
    }
}

extension TraceKind {
    /// A link changes its state: 0 up, 1 held, 2 cut.
    static let link: TraceKind = TraceKind("network.link")
    /// A toxic is set (1) or removed (0).
    static let toxic: TraceKind = TraceKind("network.toxic")
    /// Bytes are on their way: the connection's direction, how many, and when they arrive.
    static let packet: TraceKind = TraceKind("network.packet")
    /// A packet is lost.
    static let loss: TraceKind = TraceKind("network.loss")
    /// A connection changes its state.
    static let connection: TraceKind = TraceKind("network.connection")
}
