public import Measurements
public import Ports

/// Keeps readings in a file of SQLite.
///
/// One batch at a time, and as many waiting as may. When the disk fails it stops; who wants to go on opens it again, in another process.
public actor SQLiteReadingStore: ReadingStore {
    /// Batches that may wait; more are refused.
    public static let waitingMax: Int = 64

    private let database: StorageDatabase
    private let location: DiskLocation
    private let lock: FIFOLock
    private let stop: ServiceStop = ServiceStop()
    private let reach: Waypoint.Listener
    /// What was done, for metrics.
    public private(set) var counters: StorageCounters = StorageCounters()

    /// Opens a file, and makes it if it is not there.
    ///
    /// - Throws: ``PersistenceError``.
    public init(_ location: DiskLocation) async throws { try await self.init(location, rules: .sound) }

    /// Opens a file by other rules than those that are sound, to show what they are for.
    package init(
        _ location: DiskLocation, rules: PersistenceRules, waitingMax: Int = waitingMax,
        reach: @escaping Waypoint.Listener = Waypoint.unheard
    ) async throws {
        self.location = location
        self.reach = reach
        lock = FIFOLock(waitingMax: waitingMax)
        database = try StorageDatabase(location, rules: rules, reach: reach)
        try await location.waitUntilDurable()
    }

    // MARK: Writing

    /// Stores a batch, all of it or nothing, and returns when no power cut can take it away any more.
    ///
    /// - Returns: How many readings were new and how many known.
    /// - Throws: ``PersistenceError``.
    public func write(_ batch: StorageBatch) async throws(PersistenceError) -> StorageReceipt {
        guard await lock.acquire() else {
            counters.refused += 1
            reach(.storageOverloaded)
            throw .overloaded
        }
        defer { lock.release() }
        try stop.check()
        do throws(PersistenceError) {
            let receipt = try database.write(batch)
            reach(.storageCommit)
            try await settle()
            counters.batches += 1
            counters.stored += receipt.stored
            counters.known += receipt.known
            return receipt
        } catch {
            counters.failures += 1
            note(error)
            throw error
        }
    }

    private func note(_ error: PersistenceError) {
        if error == .full { reach(.storageFull) }
        if error.isUnknown { reach(.storageUnknownOutcome) }
        if error.endsService, stop.reason == nil { reach(.storageStopped) }
        stop.note(error)
    }

    private func settle() async throws(PersistenceError) {
        do {
            try await location.waitUntilDurable()
        } catch {
            throw .unknownOutcome("the disk was not waited for: \(error)")
        }
    }

    /// Waits until the storage has stopped; why it has.
    ///
    /// One caller waits.
    ///
    /// - Throws: `CancellationError`.
    public func untilStopped() async throws -> PersistenceError { try await stop.wait() }

    /// Why it has stopped; nil while it works.
    public var stopReason: PersistenceError? { stop.reason }

    // MARK: Reading

    /// Readings of a flat from a moment up to another, in order of time, at most so many.
    ///
    /// - Throws: ``PersistenceError``.
    public func readings(of flat: String, from: Int64, to: Int64, limit: Int) throws(PersistenceError) -> [Reading] {
        try read { database throws(PersistenceError) in
            try database.readings(of: flat, from: from, to: to, limit: limit)
        }
    }

    /// The latest reading of each series of a flat, or of all flats.
    ///
    /// - Throws: ``PersistenceError``.
    public func latest(of flat: String?) throws(PersistenceError) -> [Reading] {
        try read { database throws(PersistenceError) in try database.latest(of: flat) }
    }

    private func read(
        _ body: (StorageDatabase) throws(PersistenceError) -> [Reading]
    ) throws(PersistenceError) -> [Reading] {
        do throws(PersistenceError) {
            return try body(database)
        } catch {
            reach(.storageReadFailed)
            note(error)
            throw error
        }
    }
}
