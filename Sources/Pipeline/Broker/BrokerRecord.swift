/// A part of a topic: records in a row.
public struct TopicPartition: Hashable, Sendable, CustomStringConvertible {
    /// The topic's name.
    public let topic: String
    /// The partition's number, from 0 on.
    public let partition: Int

    /// Makes a partition's name of its parts.
    public init(_ topic: String, _ partition: Int) {
        self.topic = topic
        self.partition = partition
    }

    /// The topic and the number, as in `measurements-0`.
    public var description: String { "\(topic)-\(partition)" }

    /// The partition of a key: the same for the same key, so that its records keep their order, and the one that Kafka's default partitioner takes.
    public static func of(key: String, topic: String, partitions: Int) -> TopicPartition {
        // As `Utils.toPositive`: the sign is dropped, not the number negated.
        let positive = Int(Murmur2.hash(key.utf8) & 0x7fff_ffff)
        return TopicPartition(topic, positive % max(1, partitions))
    }
}

/// What is sent.
public struct BrokerMessage: Hashable, Sendable {
    /// What decides on the partition.
    public let key: String
    /// What it says.
    public let value: String

    /// Makes a message of its parts.
    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

/// A message that was appended to a partition.
public struct BrokerRecord: Hashable, Sendable {
    /// The record's offset in the partition.
    public let offset: Int64
    /// The message.
    public let message: BrokerMessage
    /// The time at which the record was appended, in ms since 1970.
    public let time: Int64
}

/// The moment at which a broker acknowledges a message.
public enum BrokerAcks: String, Hashable, Sendable, CaseIterable {
    /// Never: it may be lost on the way and nobody knows.
    case none = "0"
    /// As soon as the leader has it in memory: a power cut takes it away.
    case leader = "1"
    /// As soon as it is on the broker's disk, which stands for all replicas.
    case all
}

/// A sender that numbers its messages, so that what is sent again is appended once.
public struct BrokerProducer: Hashable, Sendable {
    /// The producer's name; another one after a break in the numbers.
    public let id: String
    /// The number of the first message of a request; each partition has its own, from 0 on.
    public let sequence: Int64

    /// Makes a producer of its parts.
    public init(id: String, sequence: Int64) {
        self.id = id
        self.sequence = sequence
    }
}

/// What a topic is like.
public struct BrokerTopic: Hashable, Sendable {
    /// The topic's name.
    public var name: String
    /// The number of the topic's partitions.
    public var partitions: Int
    /// The time for which records are kept; nil is for ever.
    public var retention: Duration?

    /// Makes a topic of its parts.
    public init(_ name: String, partitions: Int = 1, retention: Duration? = nil) {
        self.name = name
        self.partitions = partitions
        self.retention = retention
    }
}

/// Why a broker does not do what it is asked.
public enum BrokerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no such topic or partition.
    case unknownTopic(String)
    /// No record has this offset any more, or yet; there are those from the first up to the second.
    case offsetOutOfRange(earliest: Int64, latest: Int64)
    /// Messages before these are missing.
    case outOfOrder(expected: Int64)
    /// The group has gone on without this member.
    case fenced
    /// A limit is broken; nothing was done.
    case refused(String)
    /// The broker's disk fails it.
    case persistence(PersistenceError)
    /// The broker cannot be reached, or did not answer: whether it was done is not known.
    case unreachable(String)

    /// What happened.
    public var description: String {
        switch self {
        case .unknownTopic(let name): "there is no topic or partition '\(name)'"
        case .offsetOutOfRange(let earliest, let latest): "there are records from \(earliest) up to \(latest) only"
        case .outOfOrder(let expected): "the next message has the number \(expected)"
        case .fenced: "the group has gone on without this member"
        case .refused(let reason): reason
        case .persistence(let error): "\(error)"
        case .unreachable(let reason): "the broker cannot be reached: \(reason)"
        }
    }
}
