/// Bounds the requests in flight, and keeps slow targets from taking the permits of fast ones.
///
/// Permits are given in the order in which they were asked for, on two lanes: slow targets share a part of the permits, the rest is for the fast
/// ones alone. A value that waits for nothing: it hands out tickets, and whoever holds one is told when it has become a permit.
public struct Bulkhead {
    /// The numbers of permits.
    public struct Options: Hashable, Sendable {
        /// Permits in all.
        public var total: Int
        /// Permits for slow targets.
        public var slow: Int

        /// Makes options of their parts; both are at least 1, and slow targets do not get all permits.
        public init(total: Int, slow: Int) {
            precondition(slow >= 1 && total > slow, "a bulkhead of \(total) permits, \(slow) of them for slow targets")
            self.total = total
            self.slow = slow
        }
    }

    /// A target's lane.
    enum Lane: Hashable {
        case fast
        case slow
    }

    /// A claim to a permit.
    struct Ticket: Hashable {
        let lane: Lane
        let number: UInt64
    }

    /// The permits of one lane.
    private struct Permits {
        let limit: Int
        var used: Int = 0
        var waiting: [UInt64] = []
    }

    private var fast: Permits
    private var slow: Permits
    private var last: UInt64 = 0

    init(_ options: Options) {
        fast = Permits(limit: options.total - options.slow)
        slow = Permits(limit: options.slow)
    }

    /// Permits that somebody has.
    var permitsInUse: Int { fast.used + slow.used }

    private subscript(lane: Lane) -> Permits {
        get { lane == .fast ? fast : slow }
        _modify { if lane == .fast { yield &fast } else { yield &slow } }
    }

    /// Hands out a ticket, which is a permit at once or waits for one behind those that were handed out before.
    mutating func take(_ lane: Lane) -> (ticket: Ticket, isPermit: Bool) {
        last += 1
        let ticket = Ticket(lane: lane, number: last)
        assert(self[lane].waiting.isEmpty || self[lane].used == self[lane].limit, "a permit was left while some wait")
        guard self[lane].used == self[lane].limit else {
            self[lane].used += 1
            return (ticket, true)
        }
        self[lane].waiting.append(ticket.number)
        return (ticket, false)
    }

    /// Takes a permit back.
    ///
    /// - Returns: The ticket that has become a permit, the one that waited longest; nil if none waits.
    mutating func release(_ permit: Ticket) -> Ticket? {
        let lane = permit.lane
        assert(self[lane].used > 0, "a permit is given back that nobody has")
        assert(!self[lane].waiting.contains(permit.number), "a ticket is given back that is no permit yet")
        guard !self[lane].waiting.isEmpty else {
            self[lane].used -= 1
            return nil
        }
        return Ticket(lane: lane, number: self[lane].waiting.removeFirst())
    }

    /// Takes a ticket back that waits; false if it has become a permit or was taken back already.
    mutating func cancel(_ ticket: Ticket) -> Bool {
        guard let index = self[ticket.lane].waiting.firstIndex(of: ticket.number) else { return false }
        self[ticket.lane].waiting.remove(at: index)
        return true
    }
}
