/// A member of a group: fetches what its partitions have, hands it on, and commits where it goes on.
public actor GroupConsumer {
    /// What it consumes.
    public struct Options: Sendable {
        /// The topic.
        public var topic: String
        /// The group.
        public var group: String
        /// This member of it.
        public var member: String
        /// Records that are handed on together, at most.
        public var recordsMax: Int = 500
        /// How long it waits when there is nothing.
        public var pause: Duration = .milliseconds(500)
        /// How often it says that it is still there when there is nothing to commit.
        public var heartbeat: Duration = .seconds(3)
        /// How long it waits before something that failed is tried again, at first.
        public var retry: Duration = .milliseconds(500)
        /// How long it waits at most.
        public var retryMax: Duration = .seconds(5)
        /// Where a group begins that never committed, or whose place is gone: at the first record that is there, or behind the last.
        public var beginsAtEarliest: Bool = true
        /// Commits before records are dealt with: what is under way when it dies is lost.
        public var commitsFirst: Bool = false
        /// Joins its group again when the broker does not know it any more; who does not, stands still for ever after the broker's restart.
        public var rejoins: Bool = true
        /// Hands on what was committed as well when it begins, as known: to build up again what was in memory.
        public var replaysCommitted: Bool = false

        /// Consumes a topic as a member of a group.
        public init(topic: String, group: String, member: String) {
            self.topic = topic
            self.group = group
            self.member = member
        }
    }

    /// Records of a partition, in their order.
    public struct Batch: Sendable {
        /// Where they come from.
        public let partition: TopicPartition
        /// The records; at least one.
        public let records: [BrokerRecord]
        /// Whether they were dealt with before.
        public let isKnown: Bool
        /// Says that the member is still there; to be called now and then by who takes long.
        public let heartbeat: @Sendable () async throws(BrokerError) -> Void
    }

    /// Deals with records, and returns when they need not come again.
    public typealias Handler = @Sendable (Batch) async throws(BrokerError) -> Void

    private struct Position {
        var next: Int64
        /// Records before this were dealt with.
        let committed: Int64
    }

    private let options: Options
    private let broker: any BrokerClient
    private let handler: Handler
    private var generation: Int?
    private var positions: [Int: Position] = [:]
    /// When the broker last heard that it is there.
    private var lastHeard: ContinuousClock.Instant = .now
    /// Times that it joined its group.
    public private(set) var joins: Int = 0
    /// Times that the broker failed it.
    public private(set) var failures: Int = 0
    /// Records that the broker had no longer.
    public private(set) var skipped: Int = 0

    /// Makes a member that hands records to a handler.
    public init(_ broker: any BrokerClient, options: Options, handler: @escaping Handler) {
        self.broker = broker
        self.options = options
        self.handler = handler
    }

    /// Works for as long as the task lives.
    public func run() async {
        var wait = options.retry
        var isOut = false
        while !Task.isCancelled, !isOut {
            do throws(BrokerError) {
                try await work()
                wait = options.retry
            } catch {
                failures += 1
                if error == .fenced {
                    generation = nil
                    isOut = !options.rejoins
                }
                try? await Task.sleep(for: wait)
                wait = min(wait * 2, options.retryMax)
            }
        }
        // Out of its group and without a will to come back: alive, and of no use.
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
    }

    /// Gets its partitions, and hands on what is there.
    private func work() async throws(BrokerError) {
        let generation = try await joined()
        var isIdle = true
        for number in positions.keys.sorted() {
            if try await advance(number, generation) { isIdle = false }
        }
        guard isIdle else { return }
        try? await Task.sleep(for: options.pause)
        guard lastHeard.duration(to: .now) >= options.heartbeat else { return }
        try await broker.heartbeat(options.group, member: options.member, generation: generation)
        lastHeard = .now
    }

    private func joined() async throws(BrokerError) -> Int {
        if let generation { return generation }
        let assignment = try await broker.join(options.group, member: options.member, topic: options.topic)
        joins += 1
        lastHeard = .now
        positions = assignment.positions.mapValues { position in
            let begin = position.committed ?? (options.beginsAtEarliest ? position.earliest : position.latest)
            return Position(next: options.replaysCommitted ? position.earliest : begin, committed: begin)
        }
        generation = assignment.generation
        return assignment.generation
    }

    /// Hands on some records of a partition; false if there are none.
    private func advance(_ number: Int, _ generation: Int) async throws(BrokerError) -> Bool {
        guard let position = positions[number] else { return false }
        let partition = TopicPartition(options.topic, number)
        let isKnown = position.next < position.committed
        let limit = isKnown ? min(options.recordsMax, Int(position.committed - position.next)) : options.recordsMax
        let fetched: Broker.Fetched
        do throws(BrokerError) {
            fetched = try await broker.fetch(partition, from: position.next, max: limit)
        } catch {
            guard case .offsetOutOfRange(let earliest, let latest) = error else { throw error }
            // What was between is gone: kept for less time than nobody read it.
            skipped += max(0, Int(earliest - position.next))
            let next = options.beginsAtEarliest ? earliest : latest
            positions[number] = Position(next: next, committed: max(next, position.committed))
            return true
        }
        guard let last = fetched.records.last else { return false }
        let next = last.offset + 1
        let (broker, options) = (broker, options)
        let batch = Batch(partition: partition, records: fetched.records, isKnown: isKnown) { () throws(BrokerError) in
            try await broker.heartbeat(options.group, member: options.member, generation: generation)
        }
        if options.commitsFirst, !isKnown { try await commit(partition, generation, next) }
        try await handler(batch)
        if !options.commitsFirst, !isKnown { try await commit(partition, generation, next) }
        positions[number]?.next = next
        return true
    }

    private func commit(_ partition: TopicPartition, _ generation: Int, _ offset: Int64) async throws(BrokerError) {
        try await broker.commit(
            options.group, member: options.member, generation: generation, partition, offset)
        lastHeard = .now
    }
}
