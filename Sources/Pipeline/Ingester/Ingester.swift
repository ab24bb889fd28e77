import HTTP
import HTTPTypes
import Measurements
import NIOCore
public import Ports

/// Brings readings from the broker to the storage, and commits where it goes on once the storage has acknowledged them.
public actor Ingester {
    /// The consumer group that brings readings to the storage.
    public static let group: String = "ingester"

    /// Where it writes.
    public struct Options: Sendable {
        /// Where the storage answers.
        public var storage: Endpoint
        /// How long it waits before a batch is sent again, at first.
        public var retry: Duration = .milliseconds(500)
        /// How long it waits at most.
        public var retryMax: Duration = .seconds(5)
        /// Hears what happens to it.
        package var reach: Waypoint.Listener = Waypoint.unheard

        /// Brings readings to a storage.
        public init(storage: Endpoint) {
            self.storage = storage
        }
    }

    private let options: Options
    private let source: any RecordSource
    private let client: HTTPClient
    /// What was done, for metrics and trials.
    public private(set) var counters: IngesterCounters = IngesterCounters()

    /// Makes an ingester that reaches the storage through `ports`.
    ///
    /// - Throws: What keeps the client from being made.
    public static func make(_ ports: any Ports, source: any RecordSource, options: Options) async throws -> Ingester {
        let timeout = TimeAmount.seconds(10)
        let client = try await HTTPClient.make(
            ports,
            options: HTTPClient.Options(
                connect: timeout, firstByte: timeout, total: timeout, connectionsMax: 4, waitingMax: 100,
                bodyBytesMax: 1 << 20, idle: .seconds(60)))
        return Ingester(source, client, options)
    }

    private init(_ source: any RecordSource, _ client: HTTPClient, _ options: Options) {
        self.source = source
        self.client = client
        self.options = options
    }

    /// Works for as long as the task lives.
    public func run() async {
        await source.run { (batch) throws(BrokerError) in try await self.store(batch) }
        await client.shutDown()
    }

    /// Gives records to the storage, again and again until it acknowledges them.
    private func store(_ batch: RecordBatch) async throws(BrokerError) {
        var readings: [Reading] = []
        for record in batch.records {
            guard let reading = try? Reading(jsonText: record.message.value) else {
                // Nobody will ever understand it; it must not hold up the rest.
                counters.malformed += 1
                options.reach(.ingesterMalformed)
                continue
            }
            readings.append(reading)
        }
        guard !readings.isEmpty, let first = batch.records.first, let last = batch.records.last else { return }
        // A broker that lost its log gives the same offsets to other readings: the content is a part of the name.
        let content = String(UInt64(bitPattern: Checksum.of(readings)), radix: 16)
        let name = "\(batch.partition)@\(first.offset)-\(last.offset)/\(content)"
        let body = StorageBatch.json(name: name, readings)
        let request = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/batches")
        var wait = options.retry
        while !Task.isCancelled {
            // Whether it was stored is not known when there is no answer: the batch has a name.
            let answer = try? await client.send(request, body: body, to: options.storage)
            switch answer?.response.status.code {
            case 200?:
                counters.batches += 1
                counters.stored += readings.count
                return
            case 400?:
                counters.refused += readings.count
                options.reach(.ingesterRefused)
                return
            default:
                counters.retries += 1
                options.reach(.ingesterRetried)
                try? await Task.sleep(for: wait)
                wait = min(wait * 2, options.retryMax)
                try await batch.heartbeat()
            }
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
    /// Messages that are no readings.
    public var malformed: Int = 0
    /// Readings that the storage will never take.
    public var refused: Int = 0
}
