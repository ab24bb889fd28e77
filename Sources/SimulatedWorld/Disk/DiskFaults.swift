public import Randomness

// Fault model. What a disk may do to a program: fail to read, to write or to sync, now and then; have no space left; take long; say that
// it has synced when it has not; lose a bit at rest; and, when the power goes, keep of what was not synced any part of any sector. After
// a sync that failed, what it should have made durable is neither durable nor tried again, as on Linux ("Can applications recover
// from fsync failures?", ATC'20). What it never does: lose what it synced truthfully, or change a file that nobody writes, bit rot aside.

/// What goes wrong on a disk.
public struct DiskFaults: Hashable, Sendable {
    /// How often a read fails.
    public var readFailures: Ratio = .zero
    /// How often a write fails.
    public var writeFailures: Ratio = .zero
    /// How often a sync fails.
    public var syncFailures: Ratio = .zero
    /// How often a sync says that it was done and does nothing.
    public var syncLies: Ratio = .zero
    /// How long each sync takes.
    public var syncLatency: DurationDistribution = .fixed(.zero)
    /// How long each read or write takes.
    public var latency: DurationDistribution = .fixed(.zero)
    /// The most bytes that all files may have; nil is without limit.
    public var capacity: Int?

    /// None.
    public init() {}
}

/// What becomes of what was not synced when the power goes.
public enum PowerCut: Hashable, Sendable, CaseIterable {
    /// Nothing of it is there.
    case nothing
    /// All of it is there.
    case everything
    /// All up to some write, and nothing after it.
    case prefix
    /// Of each sector, what was written up to some moment of its own.
    case anySectors
}

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
