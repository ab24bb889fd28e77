public import Measurements

/// Sends readings from memory, as producers do that nobody configured: what the poller must not rely on.
///
/// ``publish(_:)`` returns before the broker has anything. A process that ends, a queue that is full and a broker that is away for longer than a message
/// waits each lose readings.
public actor VolatileProducer: MeasurementSink {
    /// How it sends.
    public struct Options: Sendable {
        /// Where readings go.
        public var topic: BrokerTopic
        /// The acknowledgement that counts as having readings.
        public var acks: BrokerAcks = .leader
        /// Readings that may wait; more are dropped.
        public var readingsMax: Int = 10_000
        /// How long a reading waits for the broker before it is dropped.
        public var deliveryTimeout: Duration = .seconds(120)
        /// How long to wait before something that failed is tried again.
        public var retry: Duration = .seconds(1)
        /// Hears how much waits.
        package var measure: Gauge.Listener = Gauge.unheard

        /// Sends to a topic.
        public init(topic: BrokerTopic) {
            self.topic = topic
        }
    }

    private let options: Options
    private let broker: any BrokerClient
    private var queue: [(reading: Reading, since: ContinuousClock.Instant)] = [] {
        didSet { options.measure(.outboxWaiting(queue.count)) }
    }
    private var waker: CheckedContinuation<Void, Never>?
    /// Readings that were dropped because the queue was full.
    public private(set) var overflowed: Int = 0
    /// Readings that were dropped because they waited for too long.
    public private(set) var expired: Int = 0

    /// Sends to a broker.
    public init(broker: any BrokerClient, options: Options) {
        self.broker = broker
        self.options = options
    }

    /// Takes readings, and says so at once.
    ///
    /// - Throws: Nothing; what cannot wait is dropped.
    public func publish(_ readings: [Reading]) async throws {
        let room = max(0, options.readingsMax - queue.count)
        overflowed += max(0, readings.count - room)
        let now = ContinuousClock.now
        queue += readings.prefix(room).map { ($0, now) }
        waker?.resume()
        waker = nil
    }

    /// Sends what waits, for as long as the task lives.
    public func run() async {
        while !Task.isCancelled {
            dropExpired()
            guard let first = queue.first else {
                await idle()
                continue
            }
            let partition = partition(of: first.reading)
            let piece = Array(queue.prefix(200).prefix { self.partition(of: $0.reading) == partition })
            let messages = piece.map {
                BrokerMessage(key: $0.reading.id.flat, value: $0.reading.jsonText)
            }
            do throws(BrokerError) {
                _ = try await broker.produce(messages, to: partition, from: nil, acks: options.acks)
                queue.removeFirst(min(piece.count, queue.count))
            } catch {
                try? await Task.sleep(for: options.retry)
            }
        }
    }

    private func partition(of reading: Reading) -> TopicPartition {
        .of(key: reading.id.flat, topic: options.topic.name, partitions: options.topic.partitions)
    }

    private func dropExpired() {
        let now = ContinuousClock.now
        let count = queue.prefix { $0.since.duration(to: now) > options.deliveryTimeout }.count
        queue.removeFirst(count)
        expired += count
    }

    private func idle() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { continuation.resume() } else { waker = continuation }
            }
        } onCancel: {
            Task { await self.wake() }
        }
    }

    private func wake() {
        waker?.resume()
        waker = nil
    }
}
