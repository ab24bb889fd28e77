/// Bounds the requests under way, and keeps slow targets from taking the places of fast ones.
///
/// Places are given in the order in which they were asked for, on two lanes: slow targets share a part of the places, the rest is for the
/// fast ones alone.
public struct Bulkhead {
    /// How many places there are.
    public struct Options: Hashable, Sendable {
        /// In all.
        public var total: Int
        /// For slow targets.
        public var slow: Int

        /// Makes options of their parts; both are at least 1, and slow targets do not get all places.
        public init(total: Int, slow: Int) {
            precondition(slow >= 1 && total > slow, "a bulkhead of \(total) places, \(slow) of them for slow targets")
            self.total = total
            self.slow = slow
        }
    }

    /// A target's lane.
    enum Lane: Hashable {
        case fast
        case slow
    }

    private let options: Options
    private var used: [Lane: Int] = [.fast: 0, .slow: 0]
    private var waiting: [Lane: [(id: UInt64, resume: (Bool) -> Void)]] = [.fast: [], .slow: []]

    init(_ options: Options) {
        self.options = options
    }

    private func places(_ lane: Lane) -> Int { lane == .slow ? options.slow : options.total - options.slow }

    /// Takes a place, or waits for one: `resume` is called with true when it is there, with false when the wait is given up.
    mutating func take(_ lane: Lane, id: UInt64, _ resume: @escaping (Bool) -> Void) {
        if used[lane, default: 0] < places(lane) {
            used[lane, default: 0] += 1
            resume(true)
        } else {
            waiting[lane, default: []].append((id, resume))
        }
    }

    /// Gives a place back; who waits longest gets it.
    mutating func release(_ lane: Lane) {
        if waiting[lane, default: []].isEmpty {
            used[lane, default: 0] -= 1
        } else {
            waiting[lane]?.removeFirst().resume(true)
        }
    }

    /// Gives a wait up.
    mutating func cancel(_ lane: Lane, id: UInt64) {
        guard let index = waiting[lane]?.firstIndex(where: { $0.id == id }) else { return }
        waiting[lane]?.remove(at: index).resume(false)
    }
}
