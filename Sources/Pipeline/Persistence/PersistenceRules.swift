/// What keeps measurements from being lost: each rule closes a hole that was found by cutting the power (docs/storage.md).
///
/// Only ``sound`` is for use. The others are what the trials must find out.
package struct PersistenceRules: Hashable, Sendable {
    /// `journal_mode`: only a WAL survives what this storage promises to survive; a database in memory has none.
    package var journal: String = "WAL"
    /// `synchronous`: every commit is synced.
    package var synchronous: String = "FULL"
    /// The file is locked: one process alone has it open.
    package var locksExclusively: Bool = true
    /// The WAL is written again when the file is opened: after a sync that failed, what is seen of it may not be on the disk.
    package var rewritesOnOpen: Bool = true
    /// The WAL is written back, and synced, when the file is opened: what a process left unsynced is not taken for stored.
    package var checkpointsOnOpen: Bool = true
    /// Every acknowledged batch changes a row of its own: a batch that changes nothing else would not be synced.
    package var recordsBatches: Bool = true
    /// Every row has a checksum: a flipped bit is told and not delivered.
    package var checksRows: Bool = true
    /// A commit that failed is not taken for done.
    package var treatsFailedCommitAsUnknown: Bool = true

    /// Pages that are kept in memory; nil is what SQLite keeps by itself.
    ///
    /// With few of them, what is asked for is read from the disk.
    package var cachePages: Int?
    /// Pages of the WAL after which it is written back.
    package var checkpointPages: Int = 1000
    /// Messages of a broker's log after which its WAL is written back.
    package var checkpointMessages: Int = 5000

    /// The rules by which nothing is lost.
    package static let sound: PersistenceRules = PersistenceRules()

    /// Makes the rules by which nothing is lost.
    package init() {}
}
