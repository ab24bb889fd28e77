import Durations
import Measurements
public import Ports

/// A broker with Kafka's semantics, as far as this landscape needs them: topics in partitions, producers whose repetitions are appended once, groups
/// that share partitions and commit where they go on, retention.
///
/// It stands for a cluster: what it acknowledges to all is on its disk, which stands for the replicas.
public actor Broker {
    /// Requests that may wait; more are refused.
    public static let waitingMax: Int = 256
    /// How long a member of a group may be silent before it is left behind.
    public static let sessionTimeout: Duration = .seconds(10)

    private let log: BrokerLog
    private let location: DiskLocation
    private let lock: FIFOLock = FIFOLock(waitingMax: waitingMax)
    private var groups: [String: Group] = [:]
    private let stop: ServiceStop = ServiceStop()
    private let reach: Waypoint.Listener
    private let measure: Gauge.Listener
    private var lastExpiry: ContinuousClock.Instant?
    /// Fetches that wait, in the order in which they came.
    private var waiters: [Waiter] = []
    private var lastWaiter: UInt64 = 0
    /// What was done, for metrics.
    public private(set) var counters: BrokerCounters = BrokerCounters()

    /// Opens the broker's file, and makes topics that are not there.
    ///
    /// - Throws: ``PersistenceError``.
    public init(_ location: DiskLocation, topics: [BrokerTopic]) async throws {
        try await self.init(location, topics: topics, rules: .sound)
    }

    /// Opens the broker's file by rules of which all but the sound ones are for trials.
    ///
    /// - Throws: ``PersistenceError``.
    package init(
        _ location: DiskLocation, topics: [BrokerTopic], rules: PersistenceRules,
        reach: @escaping Waypoint.Listener = Waypoint.unheard, measure: @escaping Gauge.Listener = Gauge.unheard
    ) async throws {
        self.location = location
        self.reach = reach
        self.measure = measure
        log = try BrokerLog(location, topics: topics, rules: rules, reach: reach)
        try await location.waitUntilDurable()
    }

    /// Does one thing after the other, and waits for the disk where that is asked.
    private func perform<Result: Sendable>(
        settles: Bool, _ body: (BrokerLog) throws(BrokerError) -> Result
    ) async throws(BrokerError) -> Result {
        guard await lock.acquire() else { throw .persistence(.overloaded) }
        defer { lock.release() }
        do throws(PersistenceError) { try stop.check() } catch { throw .persistence(error) }
        do throws(BrokerError) {
            // That nothing can be forgotten for want of room is no reason not to give what is there.
            do throws(BrokerError) { try expire() } catch { guard error == .persistence(.full) else { throw error } }
            let result = try body(log)
            guard settles else { return result }
            do {
                try await location.waitUntilDurable()
            } catch {
                throw BrokerError.persistence(.unknownOutcome("the disk was not waited for: \(error)"))
            }
            return result
        } catch {
            note(error)
            throw error
        }
    }

    private func note(_ error: BrokerError) {
        switch error {
        case .persistence(let reason):
            if reason == .full { reach(.brokerFull) }
            if reason.endsService, stop.reason == nil { reach(.brokerStopped) }
            stop.note(reason)
            if stop.reason != nil { wake { _ in true } }
        case .outOfOrder: reach(.brokerOutOfOrder)
        case .offsetOutOfRange: reach(.brokerOffsetOutOfRange)
        case .unknownTopic, .fenced, .refused, .unreachable: break
        }
    }

    /// Waits until the broker has stopped; why it has.
    ///
    /// One caller waits.
    ///
    /// - Throws: `CancellationError`.
    public func untilStopped() async throws -> PersistenceError { try await stop.wait() }

    /// Whether it works.
    public var isUp: Bool { stop.reason == nil }

    private func expire() throws(BrokerError) {
        let now = ContinuousClock.now
        if let lastExpiry, lastExpiry.duration(to: now) < .seconds(1) { return }
        lastExpiry = now
        try log.expire(now: WallClock.milliseconds)
    }

    // MARK: Producing

    /// Appends messages to a partition.
    ///
    /// - Returns: The offset of the first; nil where a producer sent them again.
    /// - Throws: ``BrokerError``.
    public func produce(
        _ messages: [BrokerMessage], to partition: TopicPartition, from producer: BrokerProducer?, acks: BrokerAcks
    ) async throws(BrokerError) -> Int64? {
        let offset = try await perform(settles: acks == .all) { log throws(BrokerError) in
            try log.append(messages, to: partition, from: producer, acks: acks, time: WallClock.milliseconds)
        }
        if offset == nil { counters.duplicates += messages.count } else { counters.appended += messages.count }
        if let offset { measure(.logEnd(partition, offset + Int64(messages.count))) }
        if offset != nil { wake { $0.partitions.contains(partition) } }
        return offset
    }

    // MARK: Consuming

    /// Gives records of a partition from an offset on.
    ///
    /// - Throws: ``BrokerError``.
    public func fetch(_ partition: TopicPartition, from offset: Int64, max: Int) async throws(BrokerError)
        -> FetchedRecords
    {
        let fetched = try await perform(settles: false) { log throws(BrokerError) in
            FetchedRecords(
                records: try log.fetch(partition, from: offset, max: max), latest: try log.ends(of: partition).latest)
        }
        counters.fetched += fetched.records.count
        return fetched
    }

    /// The longest wait of a fetch.
    public static let fetchWaitMax: Duration = .seconds(5)
    /// Partitions of one fetch.
    public static let fetchPartitionsMax: Int = 1000

    /// Gives records of partitions, and where there are none waits until there are, as long as the fetch says.
    ///
    /// - Throws: ``BrokerError``, ``BrokerError/fenced`` when the group has gone on without the member; what is wrong with one partition
    ///   stands in its result.
    public func fetch(_ fetch: BrokerFetch) async throws(BrokerError) -> [TopicPartition: PartitionFetch] {
        guard (1...Self.fetchPartitionsMax).contains(fetch.positions.count) else {
            throw .refused("a fetch has 1 to \(Self.fetchPartitionsMax) partitions, not \(fetch.positions.count)")
        }
        if let member = fetch.membership {
            try heartbeat(member.group, member: member.member, generation: member.generation)
        }
        let results = try await fetchNow(fetch)
        guard fetch.wait > .zero, results.values.allSatisfy(\.isEmpty) else { return results }
        await waitForNews(of: Set(fetch.positions.map(\.partition)), for: min(fetch.wait, Self.fetchWaitMax))
        return try await fetchNow(fetch)
    }

    private func fetchNow(_ fetch: BrokerFetch) async throws(BrokerError) -> [TopicPartition: PartitionFetch] {
        // No partition keeps the others from being given.
        let bytesMax = BrokerLog.fetchBytesMax / fetch.positions.count
        let (results, count) = try await perform(settles: false) { [reach] log throws(BrokerError) in
            var results: [TopicPartition: PartitionFetch] = [:]
            var count = 0
            for position in fetch.positions {
                let partition = position.partition
                do throws(BrokerError) {
                    let records = try log.fetch(
                        partition, from: position.offset, max: position.max, bytesMax: bytesMax)
                    let latest = try log.ends(of: partition).latest
                    results[partition] = .records(FetchedRecords(records: records, latest: latest))
                    count += records.count
                } catch {
                    guard case .offsetOutOfRange(let earliest, let latest) = error else { throw error }
                    reach(.brokerOffsetOutOfRange)
                    results[partition] = .outOfRange(earliest: earliest, latest: latest)
                }
            }
            return (results, count)
        }
        counters.fetched += count
        return results
    }

    /// A fetch that waits for records of some partitions.
    private struct Waiter {
        let number: UInt64
        let partitions: Set<TopicPartition>
        let continuation: CheckedContinuation<Void, Never>
    }

    private func waitForNews(of partitions: Set<TopicPartition>, for time: Duration) async {
        lastWaiter += 1
        let number = lastWaiter
        let timer = Task {
            try? await Task.sleep(for: time)
            wake { $0.number == number }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A client that is gone already waits for nothing.
                guard !Task.isCancelled else { return continuation.resume() }
                waiters.append(Waiter(number: number, partitions: partitions, continuation: continuation))
            }
        } onCancel: {
            timer.cancel()
        }
        timer.cancel()
    }

    private func wake(where isMeant: (Waiter) -> Bool) {
        let woken = waiters.filter(isMeant)
        guard !woken.isEmpty else { return }
        waiters.removeAll(where: isMeant)
        for waiter in woken { waiter.continuation.resume() }
    }

    // MARK: Groups

    /// Groups that a broker knows at the same time, and members of each.
    public static let groupsMax: Int = 1000
    /// Members of a group.
    public static let membersMax: Int = 1000

    /// A group reads one topic.
    private struct Group {
        let topic: String
        var generation: Int = 0
        /// The time at which each member was last heard of.
        var members: [String: ContinuousClock.Instant] = [:]
    }

    /// Says that a member is still there.
    ///
    /// - Throws: ``BrokerError/fenced`` when the group has gone on without the member, as after the broker's restart.
    public func heartbeat(_ name: String, member: String, generation: Int) throws(BrokerError) {
        guard let group = groups[name], group.generation == generation, group.members[member] != nil else {
            reach(.brokerFenced)
            throw .fenced
        }
        groups[name]?.members[member] = .now
        let now = ContinuousClock.now
        func isGone(_ other: String, _ heard: ContinuousClock.Instant) -> Bool {
            other != member && heard.duration(to: now) > Self.sessionTimeout
        }
        guard group.members.contains(where: { isGone($0.key, $0.value) }) else { return }
        groups[name]?.members = group.members.filter { !isGone($0.key, $0.value) }
        groups[name]?.members[member] = now
        groups[name]?.generation += 1
        reach(.brokerFenced)
        throw .fenced
    }

    /// Joins a group.
    ///
    /// - Returns: What it works on.
    /// - Throws: ``BrokerError``.
    public func join(_ name: String, member: String, topic: String) async throws(BrokerError) -> GroupAssignment {
        // What is refused changes nothing.
        _ = try await perform(settles: false) { log throws(BrokerError) in try log.partitions(of: topic) }
        var group = groups[name] ?? Group(topic: topic)
        guard group.topic == topic else { throw .refused("the group '\(name)' reads the topic '\(group.topic)'") }
        guard groups[name] != nil || groups.count < Self.groupsMax, group.members.count < Self.membersMax else {
            throw .refused("there are as many groups or members as may be")
        }
        let now = ContinuousClock.now
        let isNew = group.members[member] == nil
        group.members[member] = now
        let gone = group.members.filter { $0.value.duration(to: now) > Self.sessionTimeout }.keys
        for member in gone { group.members[member] = nil }
        if isNew || !gone.isEmpty {
            group.generation += 1
            if group.members.count > 1 { reach(.brokerRebalanced) }
        }
        groups[name] = group
        let members = group.members.keys.sorted()
        let generation = group.generation
        return try await perform(settles: false) { log throws(BrokerError) in
            var positions: [Int: PartitionPosition] = [:]
            for number in 0..<(try log.partitions(of: topic)) where members[number % members.count] == member {
                let partition = TopicPartition(topic, number)
                let ends = try log.ends(of: partition)
                positions[number] = PartitionPosition(
                    committed: try log.committed(name, partition), earliest: ends.earliest, latest: ends.latest)
            }
            return GroupAssignment(generation: generation, positions: positions)
        }
    }

    /// Notes where a group goes on.
    ///
    /// - Throws: ``BrokerError/fenced`` when the group has gone on without the member.
    public func commit(
        _ name: String, member: String, generation: Int, _ partition: TopicPartition, _ offset: Int64
    ) async throws(BrokerError) {
        try heartbeat(name, member: member, generation: generation)
        let members = (groups[name]?.members ?? [:]).keys.sorted()
        guard groups[name]?.topic == partition.topic, !members.isEmpty, partition.partition >= 0,
            members[partition.partition % members.count] == member
        else { throw .refused("the member '\(member)' does not have \(partition)") }
        try await perform(settles: true) { [reach] log throws(BrokerError) in
            let ends = try log.ends(of: partition)
            guard (0...ends.latest).contains(offset) else {
                throw BrokerError.offsetOutOfRange(earliest: ends.earliest, latest: ends.latest)
            }
            try log.commit(name, partition, offset)
            reach(.brokerCommit)
        }
        measure(.committed(group: name, partition, offset))
        counters.commits += 1
    }
}

/// What a broker has done since it was opened.
public struct BrokerCounters: Hashable, Sendable {
    /// Messages that were appended.
    public var appended: Int = 0
    /// Messages that a producer sent again.
    public var duplicates: Int = 0
    /// Records that were given.
    public var fetched: Int = 0
    /// Commits of groups.
    public var commits: Int = 0
}
