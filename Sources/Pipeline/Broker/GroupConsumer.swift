/// A member of a group of our broker: fetches what its partitions have, hands it on, and commits where it goes on.
public actor GroupConsumer: RecordSource {
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
        /// How long the broker waits when there is nothing (Kafka's `fetch.max.wait.ms`); each fetch is a sign of life.
        public var fetchWait: Duration = .seconds(2)
        /// How long it waits before something that failed is tried again, at first.
        public var retry: Duration = .milliseconds(500)
        /// How long it waits at most.
        public var retryMax: Duration = .seconds(5)
        /// Where a group begins that never committed, or whose offset is gone.
        public var offsetReset: OffsetReset = .earliest
        /// Commits before records are processed: what is in flight when the member dies is lost.
        public var commitsBeforeProcessing: Bool = false
        /// Joins its group again when the broker has fenced it; a member that does not stands still for ever after the broker's restart.
        public var rejoinsWhenFenced: Bool = true
        /// Hands on what was committed as well when it begins, as a replay: to build up again what was in memory.
        public var replaysCommitted: Bool = false
        /// Hears what happens to it.
        package var reach: Waypoint.Listener = Waypoint.unheard

        /// Consumes a topic as a member of a group.
        public init(topic: String, group: String, member: String) {
            self.topic = topic
            self.group = group
            self.member = member
        }
    }

    /// Where a group begins in a partition of which it has no offset (Kafka's `auto.offset.reset`).
    public enum OffsetReset: String, Hashable, Sendable, CaseIterable {
        /// At the first record that is there.
        case earliest
        /// Behind the last record.
        case latest
    }

    private struct Position {
        var next: Int64
        /// Records before this were processed.
        let committed: Int64
    }

    private let options: Options
    private let broker: any BrokerClient
    private var generation: Int?
    private var positions: [Int: Position] = [:]
    /// Times that it joined its group.
    public private(set) var joins: Int = 0
    /// Times that the broker failed it.
    public private(set) var failures: Int = 0
    /// Records that the broker had no longer.
    public private(set) var skipped: Int = 0

    /// Makes a member of a group.
    public init(_ broker: any BrokerClient, options: Options) {
        self.broker = broker
        self.options = options
    }

    /// Hands records to `handler`, batch after batch, for as long as the task lives.
    public func run(_ handler: @escaping RecordHandler) async {
        var wait = options.retry
        var isOut = false
        while !Task.isCancelled, !isOut {
            do throws(BrokerError) {
                try await work(handler)
                wait = options.retry
            } catch {
                failures += 1
                if error == .fenced {
                    generation = nil
                    isOut = !options.rejoinsWhenFenced
                    if !isOut { options.reach(.consumerRejoined) }
                }
                try? await Task.sleep(for: wait)
                wait = min(wait * 2, options.retryMax)
            }
        }
        // Out of its group and without a will to come back: alive, and of no use.
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
    }

    /// Gets its partitions, and hands on what is there.
    private func work(_ handler: RecordHandler) async throws(BrokerError) {
        let generation = try await joined()
        let numbers = positions.keys.sorted()
        // Of more members than partitions, some have none.
        guard !numbers.isEmpty else {
            try? await Task.sleep(for: options.fetchWait)
            return try await broker.heartbeat(options.group, member: options.member, generation: generation)
        }
        let membership = BrokerFetch.Membership(
            group: options.group, member: options.member, generation: generation)
        let results = try await broker.fetch(
            BrokerFetch(numbers.compactMap(position), wait: options.fetchWait, membership: membership))
        for number in numbers {
            guard let result = results[TopicPartition(options.topic, number)] else { continue }
            switch result {
            case .records(let fetched): try await handle(fetched, of: number, generation, handler)
            case .outOfRange(let earliest, let latest): skip(number, earliest, latest)
            }
        }
    }

    private func position(_ number: Int) -> BrokerFetch.Position? {
        guard let position = positions[number] else { return nil }
        let isReplay = position.next < position.committed
        let limit = isReplay ? min(options.recordsMax, Int(position.committed - position.next)) : options.recordsMax
        return BrokerFetch.Position(TopicPartition(options.topic, number), offset: position.next, max: limit)
    }

    private func joined() async throws(BrokerError) -> Int {
        if let generation { return generation }
        let assignment = try await broker.join(options.group, member: options.member, topic: options.topic)
        joins += 1
        positions = assignment.positions.mapValues { position in
            let begin = position.committed ?? beginning(position.earliest, position.latest)
            return Position(next: options.replaysCommitted ? position.earliest : begin, committed: begin)
        }
        generation = assignment.generation
        return assignment.generation
    }

    /// Goes on behind records that are gone: kept for less time than nobody read them.
    private func skip(_ number: Int, _ earliest: Int64, _ latest: Int64) {
        guard let position = positions[number] else { return }
        skipped += max(0, Int(earliest - position.next))
        options.reach(.consumerSkipped)
        let next = beginning(earliest, latest)
        positions[number] = Position(next: next, committed: max(next, position.committed))
    }

    /// Hands on records of a partition.
    private func handle(
        _ fetched: FetchedRecords, of number: Int, _ generation: Int, _ handler: RecordHandler
    ) async throws(BrokerError) {
        guard let position = positions[number], let last = fetched.records.last else { return }
        let isReplay = position.next < position.committed
        let partition = TopicPartition(options.topic, number)
        let next = last.offset + 1
        let (broker, options) = (broker, options)
        let batch = RecordBatch(partition: partition, records: fetched.records, isReplay: isReplay) {
            () throws(BrokerError) in
            try await broker.heartbeat(options.group, member: options.member, generation: generation)
        }
        if options.commitsBeforeProcessing, !isReplay { try await commit(partition, generation, next) }
        try await handler(batch)
        if !options.commitsBeforeProcessing, !isReplay { try await commit(partition, generation, next) }
        positions[number]?.next = next
    }

    private func beginning(_ earliest: Int64, _ latest: Int64) -> Int64 {
        switch options.offsetReset {
        case .earliest: earliest
        case .latest: latest
        }
    }

    private func commit(_ partition: TopicPartition, _ generation: Int, _ offset: Int64) async throws(BrokerError) {
        try await broker.commit(
            options.group, member: options.member, generation: generation, partition, offset)
    }
}
