/// A point in the code of a service that whoever watches is told of: a rare path that a sweep over many seeds must take, or the middle of something that
/// a fault may be tied to.
package enum Waypoint: String, CaseIterable, Hashable, Sendable {
    /// The broker has written its WAL back.
    case brokerCheckpoint = "broker.checkpoint"
    /// A group's offset is written, and not yet synced.
    case brokerCommit = "broker.commit"
    /// Records were too old and are gone.
    case brokerExpired = "broker.expired"
    /// A member of a group was turned away.
    case brokerFenced = "broker.fenced"
    /// The broker's disk was full.
    case brokerFull = "broker.full"
    /// An offset that is gone, or not there yet, was asked for.
    case brokerOffsetOutOfRange = "broker.offset-out-of-range"
    /// A producer's messages were refused since some before them are missing.
    case brokerOutOfOrder = "broker.out-of-order"
    /// Of a request some messages were known, and the others taken.
    case brokerPartialRepetition = "broker.partial-repetition"
    /// Records could not be read.
    case brokerReadFailed = "broker.read-failed"
    /// A group of several members shares its partitions anew.
    case brokerRebalanced = "broker.rebalanced"
    /// A log was found when the broker's file was opened, and written back.
    case brokerRecovered = "broker.recovered"
    /// A producer sent again what was there already.
    case brokerRepetition = "broker.repetition"
    /// The broker's disk has failed it.
    case brokerStopped = "broker.stopped"
    /// A member that was turned away joins its group again.
    case consumerRejoined = "consumer.rejoined"
    /// A member goes on behind records that are gone.
    case consumerSkipped = "consumer.skipped"
    /// The gateway could not reach the service behind it.
    case gatewayError = "gateway.error"
    /// The gateway passed on that the service behind it failed.
    case gatewayForwardedError = "gateway.forwarded-error"
    /// The service behind the gateway did not answer in time.
    case gatewayLate = "gateway.late"
    /// A record is no reading, and was left out.
    case ingesterMalformed = "ingester.malformed"
    /// The storage has refused a batch for good.
    case ingesterRefused = "ingester.refused"
    /// The storage did not acknowledge a batch, which is sent again.
    case ingesterRetried = "ingester.retried"
    /// The outbox's disk was full.
    case outboxFull = "outbox.full"
    /// A log was found when the outbox's file was opened, and written back.
    case outboxRecovered = "outbox.recovered"
    /// The outbox goes on as another producer, with all that it keeps.
    case outboxRenumbered = "outbox.renumbered"
    /// The broker did not take messages, which are sent again.
    case outboxRetried = "outbox.retried"
    /// The outbox's disk has failed it.
    case outboxStopped = "outbox.stopped"
    /// A batch is written, and not yet synced.
    case storageCommit = "storage.commit"
    /// The storage's disk was full.
    case storageFull = "storage.full"
    /// A batch came again whose acknowledgement was lost.
    case storageKnownBatch = "storage.known-batch"
    /// As many batches waited as may.
    case storageOverloaded = "storage.overloaded"
    /// Readings could not be read.
    case storageReadFailed = "storage.read-failed"
    /// A log was found when the storage's file was opened, and written back.
    case storageRecovered = "storage.recovered"
    /// The storage's disk has failed it.
    case storageStopped = "storage.stopped"
    /// The disk failed in the middle of a commit.
    case storageUnknownOutcome = "storage.unknown-outcome"

    /// Hears that a point was passed.
    package typealias Listener = @Sendable (Waypoint) -> Void

    /// Does nothing: nobody listens.
    package static let unheard: Listener = { _ in }
}
