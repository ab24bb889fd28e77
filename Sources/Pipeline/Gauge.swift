/// How much waits in a service, or has gone through it: told whenever it changes, to whoever watches.
package enum Gauge: Hashable, Sendable {
    /// So many readings wait in the poller, on its disk or in its memory, and are not yet with the broker.
    case outboxWaiting(Int)
    /// A partition's log ends at this offset.
    case logEnd(TopicPartition, Int64)
    /// A group goes on at this offset of a partition.
    case committed(group: String, TopicPartition, Int64)

    /// Hears of a change.
    package typealias Listener = @Sendable (Gauge) -> Void

    /// Does nothing: nobody listens.
    package static let unheard: Listener = { _ in }
}
