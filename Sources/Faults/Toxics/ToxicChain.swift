import NIOCore
public import Randomness

/// The toxics of one direction of one connection, one behind the other.
///
/// A value that transforms timestamped items: who uses it (a simulated link, a real proxy) says what time it is and asks
/// what has left by now and when to ask again. Times are nanoseconds of any clock that does not go back.
public struct ToxicChain: Sendable {
    private var stages: [ToxicStage] = []
    private let random: RandomStream
    private var output: CircularBuffer<ToxicItem> = CircularBuffer(initialCapacity: 2)
    private var isOver: Bool = false

    /// Makes the chain of a connection; each toxic gets a stream of its own, forked from `random` by its name.
    public init(_ toxics: [Toxic], random: RandomStream, now: UInt64) {
        self.random = random
        for toxic in toxics { stages.append(ToxicStage(toxic, random: random.fork(toxic.name), now: now)) }
    }

    /// Whether nothing is held.
    public var isEmpty: Bool { output.isEmpty && stages.allSatisfy { $0.held.isEmpty } }

    /// Whether there is a toxic in it.
    public var hasToxics: Bool { !stages.isEmpty }

    /// What reached a toxic while it acted, pieces and ends; nil where it does not act on this connection.
    public func hits(of name: String) -> UInt64? {
        stages.first { $0.name == name && $0.isActing }.map(\.hits)
    }

    /// Bytes in what is held.
    public var heldBytes: Int { stages.reduce(0) { $0 + $1.heldBytes } }

    /// Whether more should come; a sender that heeds it is slowed down by what slows the data down.
    public var hasRoom: Bool { stages.allSatisfy(\.hasRoom) }

    /// Takes an item at the beginning of the chain.
    public mutating func receive(_ item: ToxicItem, at now: UInt64) {
        advance(to: now)
        feed(item, to: 0, at: now)
        advance(to: now)
    }

    /// The next item that has left the chain by `now`.
    public mutating func take(at now: UInt64) -> ToxicItem? {
        advance(to: now)
        return output.popFirst()
    }

    /// When to ask again; nil when nothing happens by itself.
    public var nextWake: UInt64? { nextStage?.time }

    /// The first of the stages in which something happens next, and when; by index, because copies of stages cost more than the rest.
    private var nextStage: (index: Int, time: UInt64)? {
        var earliest: (index: Int, time: UInt64)?
        for index in stages.indices {
            guard let time = stages[index].nextWake, time < earliest?.time ?? .max else { continue }
            earliest = (index, time)
        }
        return earliest
    }

    // MARK: Changes while connections live

    /// Adds a toxic at the end of the chain; it acts on what comes through from now on.
    public mutating func add(_ toxic: Toxic, at now: UInt64) {
        advance(to: now)
        stages.append(ToxicStage(toxic, random: random.fork(toxic.name), now: now))
    }

    /// Changes the toxic of the same name; false when there is none.
    @discardableResult
    public mutating func update(_ toxic: Toxic, at now: UInt64) -> Bool {
        advance(to: now)
        guard let index = stages.firstIndex(where: { $0.name == toxic.name }) else { return false }
        stages[index].update(to: toxic, now: now)
        advance(to: now)
        return true
    }

    /// Removes a toxic: what it held goes on at once; false when there is none.
    @discardableResult
    public mutating func remove(_ name: String, at now: UInt64) -> Bool {
        advance(to: now)
        guard let index = stages.firstIndex(where: { $0.name == name }) else { return false }
        let items = stages[index].dissolve(at: now)
        stages.remove(at: index)
        for item in items { feed(item, to: index, at: now) }
        advance(to: now)
        return true
    }

    // MARK: Time

    private mutating func feed(_ item: ToxicItem, to index: Int, at time: UInt64) {
        guard !isOver else { return }
        guard index < stages.count else {
            if item == .close || item == .reset { isOver = true }
            return output.append(item)
        }
        stages[index].receive(item, at: time)
    }

    /// Lets everything happen that is due, in the order of its time.
    private mutating func advance(to now: UInt64) {
        while let (index, time) = nextStage, time <= now {
            guard let (item, left) = stages[index].take(at: time) else { continue }
            feed(item, to: index + 1, at: left)
        }
    }
}
