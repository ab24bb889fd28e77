/// What a consumer asks a broker for: records of partitions, and how long it waits for them.
public struct BrokerFetch: Hashable, Sendable {
    /// Where to go on in a partition.
    public struct Position: Hashable, Sendable {
        /// The partition.
        public let partition: TopicPartition
        /// The offset of the first record.
        public let offset: Int64
        /// The most records that are given.
        public let max: Int

        /// Makes a position of its parts.
        public init(_ partition: TopicPartition, offset: Int64, max: Int) {
            self.partition = partition
            self.offset = offset
            self.max = max
        }
    }

    /// Where to go on; each partition once.
    public let positions: [Position]
    /// How long the broker waits where it has nothing yet.
    public let wait: Duration
    /// Who fetches, for whom the fetch is a sign of life; nil is nobody of a group.
    public let membership: Membership?

    /// A member of a group.
    public struct Membership: Hashable, Sendable {
        /// The group.
        public let group: String
        /// The member's name.
        public let member: String
        /// The sharing of the partitions that the member knows.
        public let generation: Int

        /// Makes a membership of its parts.
        public init(group: String, member: String, generation: Int) {
            self.group = group
            self.member = member
            self.generation = generation
        }
    }

    /// Makes a fetch of its parts.
    public init(_ positions: [Position], wait: Duration, membership: Membership? = nil) {
        self.positions = positions
        self.wait = wait
        self.membership = membership
    }
}

/// What a fetch gives of one partition.
public enum PartitionFetch: Hashable, Sendable {
    /// The records that are there.
    case records(FetchedRecords)
    /// No record has the offset any more, or yet; there are those from the first up to the second.
    case outOfRange(earliest: Int64, latest: Int64)

    /// Whether there is nothing to be done about it.
    var isEmpty: Bool {
        if case .records(let fetched) = self { fetched.records.isEmpty } else { false }
    }
}

/// The records that a partition gives.
public struct FetchedRecords: Hashable, Sendable {
    /// The records.
    public let records: [BrokerRecord]
    /// The offset of the record that comes next in the partition.
    public let latest: Int64

    /// Makes what a partition gives of its parts.
    public init(records: [BrokerRecord], latest: Int64) {
        self.records = records
        self.latest = latest
    }
}
