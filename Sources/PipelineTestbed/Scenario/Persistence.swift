import Measurements
public import Pipeline
import SimulatedWorld

/// How a scenario's landscape keeps readings: what sends them to the broker, the broker's topic, and what brings them to the storage.
public struct Persistence: Sendable {
    /// What sends readings.
    public enum Sender: Sendable {
        /// From the poller's disk.
        case outbox(BrokerAcks, keep: Duration)
        /// From the poller's memory.
        case memory(acks: BrokerAcks, readingsMax: Int, deliveryTimeout: Duration)
    }

    /// What sends readings.
    public var sender: Sender = .outbox(.all, keep: .zero)
    /// Partitions of the topic of measurements.
    public var partitions: Int = 2
    /// For how long the broker keeps them; nil is for ever.
    public var retention: Duration?
    /// The ingester commits before the storage has acknowledged.
    public var commitsBeforeProcessing: Bool = false
    /// The ingester begins at the first record that is there, and not behind the last.
    public var resetsToEarliest: Bool = true
    /// The ingester joins its group again when the broker does not know it any more.
    public var rejoinsWhenFenced: Bool = true
    /// The storage syncs every commit.
    public var storageSyncs: Bool {
        get { storageRules.synchronous == "FULL" }
        set { storageRules.synchronous = newValue ? "FULL" : "NORMAL" }
    }

    /// Members of the group that brings readings to the storage.
    public var ingesters: Int = 1
    /// Records that the ingester brings to the storage together, at most; nil is what it does by itself.
    public var batch: Int?
    /// Batches that may wait at the storage; nil is as many as it takes by itself.
    public var storageQueue: Int?
    /// By which rules the storage keeps its file.
    var storageRules: PersistenceRules = .sound
    /// By which rules the broker keeps its file.
    var brokerRules: PersistenceRules = .sound
    /// By which rules the outbox keeps its file.
    var outboxRules: PersistenceRules = .sound
    /// What the disks of all machines are like.
    var disk: DiskOptions = DiskOptions()

    /// An outbox, acknowledged by all, and an ingester that loses nothing.
    public init() {}

    var topic: BrokerTopic { BrokerTopic("measurements", partitions: partitions, retention: retention) }
}
