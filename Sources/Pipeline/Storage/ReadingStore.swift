public import Measurements

/// Keeps readings: a batch that it acknowledges is there, whatever happens to process, disk and power.
///
/// ``StorageService`` works on any store; which database is behind it, it does not know.
public protocol ReadingStore: Sendable {
    /// Stores a batch, all of it or nothing, and returns when no power cut can take it away any more.
    ///
    /// A batch that was stored before, under the same name, is acknowledged again and changes nothing.
    ///
    /// - Returns: How many readings were new and how many known.
    /// - Throws: ``PersistenceError``; only after ``PersistenceError/unknownOutcome(_:)`` the batch may be stored nevertheless.
    func write(_ batch: StorageBatch) async throws(PersistenceError) -> StorageReceipt

    /// Gives readings of a flat in order of time.
    ///
    /// - Parameters:
    ///   - flat: The flat.
    ///   - from: The first moment, in ms since 1970.
    ///   - to: The moment before which they end, in ms since 1970.
    ///   - limit: The most readings that are given.
    /// - Returns: The earliest of them, `limit` at most.
    /// - Throws: ``PersistenceError``.
    func readings(of flat: String, from: Int64, to: Int64, limit: Int) async throws(PersistenceError) -> [Reading]

    /// Gives the latest reading of each series of a flat, or of all flats where that is nil.
    ///
    /// - Throws: ``PersistenceError``.
    func latest(of flat: String?) async throws(PersistenceError) -> [Reading]

    /// Why the store has stopped; nil while it works.
    var stopReason: PersistenceError? { get async }

    /// Waits until the store has stopped, and says why; one caller waits.
    ///
    /// - Throws: `CancellationError`.
    func untilStopped() async throws -> PersistenceError

    /// What was done, for metrics.
    var counters: StorageCounters { get async }
}

extension ReadingStore {
    /// Gives the latest reading of each series.
    ///
    /// - Throws: ``PersistenceError``.
    public func latest() async throws(PersistenceError) -> [Reading] { try await latest(of: nil) }
}

/// What a store has done since it was opened.
public struct StorageCounters: Hashable, Sendable {
    /// Batches that were acknowledged.
    public var batches: Int = 0
    /// Readings that were new.
    public var stored: Int = 0
    /// Readings that were known.
    public var known: Int = 0
    /// Batches that failed.
    public var failures: Int = 0
    /// Batches for which there was no room in the queue.
    public var refused: Int = 0
}
