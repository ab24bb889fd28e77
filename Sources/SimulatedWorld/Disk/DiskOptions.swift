/// A way in which a simulated disk is not what it claims to be, planted to find out whether the instruments notice; each would hide the losses that
/// storms and trials look for, or invent some.
public enum DiskSabotage: String, Hashable, Sendable, CaseIterable {
    /// Syncing does nothing, and never says so.
    case syncsDoNothing = "syncs-do-nothing"
    /// What a sync that failed should have saved is saved nevertheless.
    case failedSyncsAreMadeGood = "failed-syncs-are-made-good"
    /// A power cut loses nothing.
    case cutsLoseNothing = "cuts-lose-nothing"
    /// What is created and deleted is durable at once.
    case entriesAreDurableAtOnce = "entries-are-durable-at-once"
}

/// How a disk keeps bytes.
public struct DiskOptions: Hashable, Sendable {
    /// Bytes that are written together; a power of two from 512 to 65,536.
    public var sectorBytes: Int = 4096
    /// Whether a sector that is being written when the power goes may be written in part.
    public var tearsSectors: Bool = true
    /// Whether bytes of such a sector that are not written keep their values (`SQLITE_IOCAP_POWERSAFE_OVERWRITE`).
    public var isPowersafe: Bool = true
    /// What is wrong with the simulation of it; nil for use.
    public var sabotage: DiskSabotage?

    /// Sectors of 4,096 bytes that may tear and are powersafe.
    public init() {}
}
