import Randomness

/// Who goes next among everything that can happen at the same virtual instant.
public enum SchedulingPolicy: Hashable, Sendable {
    /// First in, first out: what a lightly loaded system usually does.
    case firstInFirstOut
    /// Any item, each equally likely, decided by the seed; actor hops become points where others may go first.
    case random
    /// Random priorities, changed at `depth - 1` random moments of the first `steps` decisions; finds a bug that needs
    /// `depth` ordering constraints with a probability of at least 1 in tasks x steps^(depth - 1).
    ///
    /// Source: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized scheduler with probabilistic guarantees of
    /// finding bugs", 2010.
    case pct(depth: Int, steps: Int)
}

/// The items of the present instant, and the policy that picks among them.
@safe
struct ReadyQueue: ~Copyable {
    private let policy: SchedulingPolicy
    private var random: RandomStream

    /// A ring under FIFO, a bag under `random`, a heap under PCT; the capacity is a power of two.
    private var items: UnsafeMutablePointer<ReadyItem>
    private var capacity: Int
    private var head: Int = 0
    private(set) var count: Int = 0

    // PCT: the steps at which the running task loses its priority, and what it gets instead.
    private var changePoints: [Int] = []
    private var step: Int = 0

    init(policy: SchedulingPolicy, random: RandomStream, capacity: Int = 64) {
        precondition(capacity.nonzeroBitCount == 1, "a ring of \(capacity) places: its size must be a power of two")
        self.policy = policy
        self.capacity = capacity
        self.random = random
        unsafe items = .allocate(capacity: capacity)
        if case .pct(let depth, let steps) = policy {
            for _ in 1..<max(depth, 1) { changePoints.append(self.random.index(below: max(steps, 1))) }
            changePoints.sort()
        }
    }

    deinit {
        unsafe items.deallocate()
    }

    /// Whether order is a decision here, so that it belongs into the trace.
    var decides: Bool { policy != .firstInFirstOut }

    /// A priority for a new task, above all that change points hand out.
    mutating func drawPriority() -> UInt64 {
        guard case .pct = policy else { return 0 }
        return random.next() | 1 << 63
    }

    /// Under PCT, the priority that the task which just ran has from now on, if this step is a change point.
    mutating func changedPriority() -> UInt64? {
        guard case .pct(let depth, _) = policy else { return nil }
        defer { step += 1 }
        guard let index = changePoints.firstIndex(of: step) else { return nil }
        // The later the change, the lower: later ones go below all earlier.
        return UInt64(depth - index)
    }

    @inline(__always)
    mutating func append(_ item: ReadyItem) {
        if count == capacity { grow() }
        switch policy {
        case .firstInFirstOut:
            unsafe items[(head + count) & (capacity - 1)] = item
        case .random:
            unsafe items[count] = item
        case .pct:
            unsafe items[count] = item
            if item.priority == 0 { unsafe items[count].priority = random.next() | 1 << 63 }
            assert(unsafe items[count].priority != 0, "an item without a priority would never go first")
            siftUp(count)
        }
        count += 1
    }

    /// The next item, as the policy says.
    @inline(__always)
    mutating func popFirst() -> ReadyItem? {
        guard count > 0 else { return nil }
        switch policy {
        case .firstInFirstOut:
            let item = unsafe items[head]
            head = (head + 1) & (capacity - 1)
            count -= 1
            return item
        case .random:
            let pick = random.index(below: count)
            let item = unsafe items[pick]
            count -= 1
            unsafe items[pick] = items[count]
            return item
        case .pct:
            let item = unsafe items[0]
            count -= 1
            unsafe items[0] = items[count]
            siftDown()
            assert(unsafe count == 0 || items[0].priority <= item.priority, "a lower priority went first")
            return item
        }
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<ReadyItem>.allocate(capacity: 2 * capacity)
        for position in 0..<count {
            unsafe (larger + position).initialize(to: items[(head + position) & (capacity - 1)])
        }
        unsafe items.deallocate()
        unsafe items = larger
        capacity *= 2
        head = 0
        assert(count < capacity, "\(count) items in \(capacity) places")
    }

    private func siftUp(_ start: Int) {
        var position = start
        while position > 0 {
            let parent = (position - 1) / 2
            guard unsafe items[parent].priority < items[position].priority else { return }
            unsafe swap(&items[parent], &items[position])
            position = parent
        }
    }

    private func siftDown() {
        var position = 0
        while true {
            var largest = position
            for child in [2 * position + 1, 2 * position + 2] where child < count {
                if unsafe items[child].priority > items[largest].priority { largest = child }
            }
            guard largest != position else { return }
            unsafe swap(&items[largest], &items[position])
            position = largest
        }
    }
}
