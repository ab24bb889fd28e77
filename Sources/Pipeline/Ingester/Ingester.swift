import Documents
import HTTP
import HTTPTypes
import NIOCore
public import Ports

/// Brings readings from the broker to the storage, and commits where it goes on once the storage has acknowledged them.
public actor Ingester {
    /// What it reads and where it writes.
    public struct Options: Sendable {
        /// The topic of readings.
        public var topic: String
        /// The group whose place is committed.
        public var group: String = "ingester"
        /// This member of it.
        public var member: String = "ingester-1"
        /// Where the storage answers.
        public var storage: Endpoint
        /// Readings of a batch at most.
        public var batchMax: Int = 500
        /// How long it waits when there is nothing to read.
        public var pause: Duration = .milliseconds(500)
        /// How long it waits before something that failed is tried again, at first.
        public var retry: Duration = .milliseconds(500)
        /// How long it waits at most.
        public var retryMax: Duration = .seconds(5)
        /// Where a group begins that never committed, or whose place is gone: at the first record that is there, or behind the last.
        public var beginsAtEarliest: Bool = true
        /// Commits before the storage has acknowledged: what is under way when it dies is lost.
        public var commitsFirst: Bool = false
        /// Joins its group again when the broker does not know it any more; who does not, stands still for ever after the broker's restart.
        public var rejoins: Bool = true

        /// Brings a topic to a storage.
        public init(topic: String, storage: Endpoint) {
            self.topic = topic
            self.storage = storage
        }
    }

    private let options: Options
    private let broker: any BrokerClient
    private let client: HTTPClient
    private var assignment: Broker.Assignment?
    /// Where each of its partitions goes on.
    private var positions: [Int: Int64] = [:]
    private var isOut: Bool = false
    /// What was done, for metrics and trials.
    public private(set) var counters: IngesterCounters = IngesterCounters()

    /// Makes an ingester that reaches the storage through `ports`.
    public static func make(_ ports: any Ports, broker: any BrokerClient, options: Options) async throws -> Ingester {
        let deadline = TimeAmount.seconds(10)
        let client = try await HTTPClient.make(
            ports,
            options: HTTPClient.Options(
                connect: deadline, firstByte: deadline, total: deadline, connectionsMax: 4, waitingMax: 100,
                bodyBytesMax: 1 << 20, idle: .seconds(60)))
        return Ingester(broker, client, options)
    }

    private init(_ broker: any BrokerClient, _ client: HTTPClient, _ options: Options) {
        self.broker = broker
        self.client = client
        self.options = options
    }

    // MARK: Running

    /// Works for as long as the task lives.
    public func run() async {
        var wait = options.retry
        while !Task.isCancelled, !isOut {
            do throws(BrokerError) {
                try await work()
                wait = options.retry
            } catch {
                counters.failures += 1
                if error == .fenced {
                    assignment = nil
                    isOut = !options.rejoins
                }
                try? await Task.sleep(for: wait)
                wait = min(wait * 2, options.retryMax)
            }
        }
        // Out of its group and without a will to come back: alive, and of no use.
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
        await client.shutDown()
    }

    /// Gets its partitions, and brings all that is there to the storage.
    private func work() async throws(BrokerError) {
        let assignment: Broker.Assignment
        if let known = self.assignment {
            assignment = known
        } else {
            assignment = try await broker.join(options.group, member: options.member, topic: options.topic)
            counters.joins += 1
            positions = assignment.positions.mapValues(start)
            self.assignment = assignment
        }
        var isIdle = true
        for number in positions.keys.sorted() {
            guard let position = positions[number] else { continue }
            let partition = TopicPartition(options.topic, number)
            let (next, count) = try await advance(partition, position, assignment.generation)
            positions[number] = next
            if count > 0 { isIdle = false }
        }
        guard isIdle else { return }
        try? await Task.sleep(for: options.pause)
        try await broker.heartbeat(options.group, member: options.member, generation: assignment.generation)
    }

    private func start(_ position: Broker.Position) -> Int64 {
        if let committed = position.committed { return committed }
        return options.beginsAtEarliest ? position.earliest : position.latest
    }

    /// Brings some records of a partition to the storage; where it goes on, and how many there were.
    private func advance(
        _ partition: TopicPartition, _ position: Int64, _ generation: Int
    ) async throws(BrokerError) -> (Int64, Int) {
        let fetched: Broker.Fetched
        do throws(BrokerError) {
            fetched = try await broker.fetch(partition, from: position, max: options.batchMax)
        } catch {
            guard case .offsetOutOfRange(let earliest, let latest) = error else { throw error }
            // What was between is gone: kept for less time than nobody read it.
            counters.skipped += max(0, Int(earliest - position))
            return (options.beginsAtEarliest ? earliest : latest, 1)
        }
        guard let last = fetched.records.last else { return (position, 0) }
        let next = last.offset + 1
        if options.commitsFirst { try await commit(partition, generation, next) }
        try await store(fetched.records, of: partition, generation)
        if !options.commitsFirst { try await commit(partition, generation, next) }
        return (next, fetched.records.count)
    }

    private func commit(_ partition: TopicPartition, _ generation: Int, _ offset: Int64) async throws(BrokerError) {
        try await broker.commit(
            options.group, member: options.member, generation: generation, partition, offset)
    }

    // MARK: Storing

    /// Gives records to the storage, again and again until it acknowledges them.
    private func store(
        _ records: [BrokerRecord], of partition: TopicPartition, _ generation: Int
    ) async throws(BrokerError) {
        var readings: [Value] = []
        for record in records {
            guard let json = try? JSONReader.read(record.message.value.utf8), (try? Reading(json: json)) != nil else {
                // Nobody will ever understand it; it must not hold up the rest.
                counters.malformed += 1
                continue
            }
            readings.append(json)
        }
        guard !readings.isEmpty, let first = records.first, let last = records.last else { return }
        let batch: Value = [
            "name": .string("\(partition)@\(first.offset)-\(last.offset)"), "readings": .array(readings),
        ]
        let body = ByteBuffer(string: JSONWriter.write(batch))
        var wait = options.retry
        while !Task.isCancelled {
            let request = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/batches")
            do throws(HTTPFailure) {
                let (response, _) = try await client.send(request, body: body, to: options.storage)
                if response.status.code == 200 {
                    counters.batches += 1
                    counters.stored += readings.count
                    return
                }
                if response.status.code == 400 {
                    counters.refused += readings.count
                    return
                }
            } catch {
                // Whether it was stored is not known: the batch has a name.
            }
            counters.retries += 1
            try? await Task.sleep(for: wait)
            wait = min(wait * 2, options.retryMax)
            try await broker.heartbeat(options.group, member: options.member, generation: generation)
        }
        // Not stored, and not to be committed.
        throw .unreachable("the ingester ends")
    }
}

/// What an ingester has done.
public struct IngesterCounters: Hashable, Sendable {
    /// Batches that the storage acknowledged.
    public var batches: Int = 0
    /// Readings that the storage acknowledged.
    public var stored: Int = 0
    /// Batches that were sent again.
    public var retries: Int = 0
    /// Times that it joined its group.
    public var joins: Int = 0
    /// Times that the broker failed it.
    public var failures: Int = 0
    /// Messages that are no readings.
    public var malformed: Int = 0
    /// Readings that the storage will never take.
    public var refused: Int = 0
    /// Records that the broker had no longer.
    public var skipped: Int = 0
}
