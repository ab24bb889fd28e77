/// Hands on the records of a topic: a member of a consumer group, of our broker or of another.
///
/// Which wire the records come by, who shares the partitions and where offsets are committed is the source's affair.
public protocol RecordSource: Sendable {
    /// Hands records to `handler`, batch after batch, for as long as the task lives.
    ///
    /// A batch whose handler has returned is not handed on again to the group, as far as its offset could be committed; one whose handler throws is.
    func run(_ handler: @escaping RecordHandler) async
}

/// Processes records, and returns when they need not come again.
public typealias RecordHandler = @Sendable (RecordBatch) async throws(BrokerError) -> Void

/// Records of a partition, in their order.
public struct RecordBatch: Sendable {
    /// Where they come from.
    public let partition: TopicPartition
    /// The records; at least one.
    public let records: [BrokerRecord]
    /// Whether the group had committed them before: they are handed on to build up again what was in memory.
    public let isReplay: Bool
    /// Says that the member is still there; to be called now and then by who takes long.
    public let heartbeat: @Sendable () async throws(BrokerError) -> Void

    /// Makes a batch of its parts.
    public init(
        partition: TopicPartition, records: [BrokerRecord], isReplay: Bool,
        heartbeat: @escaping @Sendable () async throws(BrokerError) -> Void
    ) {
        self.partition = partition
        self.records = records
        self.isReplay = isReplay
        self.heartbeat = heartbeat
    }
}
