/// Sends messages that need no outbox: whoever sends them sends them again when that fails.
public protocol MessageSink: Sendable {
    /// Appends a message to a topic, in the partition of its key, and returns when all replicas have it.
    ///
    /// - Throws: ``BrokerError``; the message may be there nevertheless.
    func send(_ message: BrokerMessage, to topic: BrokerTopic) async throws(BrokerError)
}

/// Sends messages to our broker.
public struct BrokerMessageSink: MessageSink {
    private let broker: any BrokerClient

    /// Sends to a broker.
    public init(_ broker: any BrokerClient) {
        self.broker = broker
    }

    /// Appends a message to a topic, in the partition of its key, and returns when the broker's disk has it.
    ///
    /// - Throws: ``BrokerError``; the message may be there nevertheless.
    public func send(_ message: BrokerMessage, to topic: BrokerTopic) async throws(BrokerError) {
        let partition = TopicPartition.of(key: message.key, topic: topic.name, partitions: topic.partitions)
        _ = try await broker.produce([message], to: partition, from: nil, acks: .all)
    }
}
