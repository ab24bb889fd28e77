/// A part of a topic: records in a row.
public struct TopicPartition: Hashable, Sendable, CustomStringConvertible {
    /// The topic's name.
    public let topic: String
    /// Which partition, from 0 on.
    public let partition: Int

    /// Makes a partition's name of its parts.
    public init(_ topic: String, _ partition: Int) {
        self.topic = topic
        self.partition = partition
    }

    /// As in `measurements-0`.
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

/// A message in its place.
public struct BrokerRecord: Hashable, Sendable {
    /// Its place in the partition.
    public let offset: Int64
    /// The message.
    public let message: BrokerMessage
    /// When it was appended, in ms since 1970.
    public let time: Int64
}

/// When a broker says that it has a message.
public enum BrokerAcks: String, Hashable, Sendable, CaseIterable {
    /// Never: it may be lost on the way and nobody knows.
    case none = "0"
    /// When it has it in memory: a power cut takes it away.
    case leader = "1"
    /// When it has it on the disk, which stands for all replicas.
    case all
}

/// Who sends, so that what is sent again is appended once.
public struct BrokerProducer: Hashable, Sendable {
    /// Its name; another one after a break in the numbers.
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
    /// Its name.
    public var name: String
    /// Its partitions.
    public var partitions: Int
    /// For how long records are kept; nil is for ever.
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
    /// No record has this place any more, or yet; there are those from the first up to the second.
    case offsetOutOfRange(earliest: Int64, latest: Int64)
    /// Messages before these are missing.
    case outOfOrder(expected: Int64)
    /// The group has gone on without this member.
    case fenced
    /// A limit is broken; nothing was done.
    case refused(String)
    /// Its disk does not.
    case persistence(PersistenceError)
    /// It cannot be reached, or did not answer: whether it was done is not known.
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
