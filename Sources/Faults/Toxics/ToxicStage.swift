public import NIOCore
import Randomness

/// What travels through a chain of toxics.
public enum ToxicItem: Hashable, Sendable {
    /// Bytes that were sent together.
    case data(ByteBuffer)
    /// The sender will send no more.
    case end
    /// Both sides of the connection are to be closed, with an end of stream.
    case close
    /// Both sides of the connection are to be reset.
    case reset
}

/// One toxic at work on one direction of one connection: what it holds, and when that leaves.
///
/// Time comes with each call, randomness is a stream of its own: the stage reads no clock and touches no socket. What is decided about
/// arrivals, the toxic's ``ToxicBehavior`` says; the stage keeps order and time.
struct ToxicStage: Sendable {
    /// An item that came at `received` and leaves at `release`.
    struct Held: Sendable {
        var item: ToxicItem
        let received: UInt64
        var release: UInt64
    }

    /// When something leaves that never does.
    static let never: UInt64 = .max

    /// The toxic, and what it does to this connection: behind a reference, because stages are copied for each item.
    private final class Role: Sendable {
        let toxic: Toxic
        /// Whether the toxic acts on this connection.
        let isActing: Bool
        /// Nothing, where it does not.
        let behavior: any ToxicBehavior

        init(_ toxic: Toxic, share: UInt64) {
            self.toxic = toxic
            isActing = Self.acts(toxic, on: share)
            behavior = isActing ? toxic.kind.behavior : NoopToxic()
        }

        private static func acts(_ toxic: Toxic, on share: UInt64) -> Bool {
            let (high, low) = toxic.toxicity.numerator.multipliedFullWidth(by: .max)
            guard high < toxic.toxicity.denominator else { return true }
            return share <= toxic.toxicity.denominator.dividingFullWidth((high, low)).quotient
                && toxic.toxicity != .zero
        }
    }

    private var role: Role
    /// Drawn once for the connection, compared with the toxicity in force.
    private let share: UInt64
    private(set) var held: CircularBuffer<Held> = CircularBuffer(initialCapacity: 2)
    /// Bytes in what it holds.
    private(set) var heldBytes: Int = 0
    private var lastRelease: UInt64
    private var hasEnded: Bool = false

    // MARK: What behaviours work with

    /// The toxic's own random numbers.
    var random: RandomStream
    /// What the toxic remembers of the connection: 0 until it says otherwise, and when a toxic of another kind takes its place.
    var memory: UInt64 = 0
    /// When the stage is free for the next item; slicing pauses behind the last piece, too.
    var freeAt: UInt64
    /// When a timeout or reset is due.
    var deadline: UInt64?
    /// What happens at the deadline.
    var deadlineItem: ToxicItem = .close

    init(_ toxic: Toxic, random: RandomStream, now: UInt64) {
        self.random = random
        share = self.random.next()
        role = Role(toxic, share: share)
        lastRelease = now
        freeAt = now
        role.behavior.begin(at: now, in: &self)
    }

    /// The toxic's name.
    var name: String { role.toxic.name }
    /// Whether the toxic acts on this connection.
    var isActing: Bool { role.isActing }
    /// Whether more should come.
    var hasRoom: Bool { heldBytes < role.behavior.heldBytesMax }
    /// Pieces and ends that came while the toxic acted.
    private(set) var hits: UInt64 = 0

    // MARK: Items

    mutating func receive(_ item: ToxicItem, at now: UInt64) {
        guard !hasEnded else { return }
        if role.isActing { hits &+= 1 }
        guard let arrival = ToxicArrival(item) else { return end(with: item, at: now) }
        role.behavior.receive(arrival, at: now, in: &self)
    }

    /// Holds something until a time, or until what was held before has left.
    mutating func hold(_ arrival: ToxicArrival, received: UInt64, until release: UInt64) {
        assert(release >= received, "what came at \(received) cannot leave at \(release)")
        lastRelease = max(lastRelease, release)
        held.append(Held(item: arrival.item, received: received, release: lastRelease))
        if case .data(let buffer) = arrival { heldBytes += buffer.readableBytes }
        freeAt = max(freeAt, lastRelease == Self.never ? freeAt : lastRelease)
    }

    /// Lets nothing through any more, but for an item behind everything that is held.
    mutating func end(with item: ToxicItem, at now: UInt64) {
        endExactly(with: item, at: max(now, lastRelease))
    }

    private mutating func endExactly(with item: ToxicItem, at time: UInt64) {
        hasEnded = true
        deadline = nil
        held.append(Held(item: item, received: time, release: time))
        lastRelease = max(lastRelease, time)
    }

    // MARK: Time

    /// When something happens next by itself.
    var nextWake: UInt64? {
        let first = held.first.flatMap { $0.release == Self.never ? nil : $0.release }
        switch (first, deadline) {
        case (let first?, let deadline?): return min(first, deadline)
        case (let first, let deadline): return first ?? deadline
        }
    }

    /// The next item that has left by `now`, with the time at which it did.
    mutating func take(at now: UInt64) -> (item: ToxicItem, time: UInt64)? {
        if let due = deadline, due <= now {
            endExactly(with: deadlineItem, at: due)
        }
        guard let first = held.first, first.release <= now else { return nil }
        held.removeFirst()
        if case .data(let buffer) = first.item { heldBytes -= buffer.readableBytes }
        return (first.item, first.release)
    }

    // MARK: Changes while it works

    /// Changes what it does: what it holds is planned anew from when it came; what was about to leave leaves.
    mutating func update(to toxic: Toxic, now: UInt64) {
        let waiting = held
        if toxic.type != role.toxic.type { memory = 0 }
        role = Role(toxic, share: share)
        held.removeAll()
        heldBytes = 0
        // A reset that has begun is not taken back: it has swallowed data.
        if deadlineItem == .close { deadline = nil }
        lastRelease = now
        freeAt = now
        let behavior = role.behavior
        behavior.begin(at: now, in: &self)
        var isFirst = true
        for entry in waiting {
            if let arrival = ToxicArrival(entry.item) {
                if case .data = arrival, isFirst, entry.received < now {
                    hold(arrival, received: entry.received, until: now)
                } else {
                    behavior.plan(arrival, received: entry.received, in: &self)
                }
            } else {
                held.append(Held(item: entry.item, received: entry.received, release: now))
            }
            isFirst = false
        }
    }

    /// Lets everything go, in order; a reset that has begun happens, and some toxics close the connection.
    mutating func dissolve(at now: UInt64) -> [ToxicItem] {
        var items = held.map(\.item)
        held.removeAll()
        heldBytes = 0
        if deadlineItem == .reset, deadline != nil {
            items.append(.reset)
        } else if role.behavior.closesWhenRemoved, !hasEnded {
            items.append(.close)
        }
        return items
    }
}
