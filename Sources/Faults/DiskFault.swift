import Documents
public import Randomness

// Fault model. What a disk may do to a program: fail to read, to write or to sync, now and then; have no space left; take long; say that
// it has synced when it has not; lose a bit at rest; be gone; and, when the power goes, keep of what was not synced any part of any sector.
// After a sync that failed, what it should have made durable is neither durable nor tried again, as on Linux ("Can applications recover
// from fsync failures?", ATC'20). What it never does: lose what it synced truthfully, or change a file that nobody writes, bit rot aside.

/// Something that is wrong with a disk.
public enum DiskFault: Hashable, Sendable {
    /// Operations fail now and then.
    case fail(reads: Ratio, writes: Ratio, syncs: Ratio)
    /// So many bytes still fit.
    case fill(free: Int)
    /// Each sync, and each read or write, takes so long.
    case slow(syncs: Duration, operations: Duration)
    /// Syncs say now and then that they were done, and do nothing.
    case lie(Ratio)
    /// Bits flip at rest, at places drawn from all bytes of all files.
    case rot(bits: Int)
    /// The disk is replaced by an empty one; whoever uses it is killed and started again.
    case lose
}

extension DiskFault {
    var kind: String {
        switch self {
        case .fail: "disk.fail"
        case .fill: "disk.fill"
        case .slow: "disk.slow"
        case .lie: "disk.lie"
        case .rot: "disk.rot"
        case .lose: "disk.lose"
        }
    }

    var arguments: Value.Object {
        switch self {
        case .fail(let reads, let writes, let syncs):
            ["reads": .ratio(reads), "writes": .ratio(writes), "syncs": .ratio(syncs)]
        case .fill(let free): ["free": .integer(free)]
        case .slow(let syncs, .zero): ["seconds": .seconds(syncs)]
        case .slow(let syncs, let operations): ["seconds": .seconds(syncs), "operations": .seconds(operations)]
        case .lie(let share): ["share": .ratio(share)]
        case .rot(let bits): ["bits": .integer(bits)]
        case .lose: [:]
        }
    }

    /// The most bits that flip at once.
    private static let bitsMax: Int = 1_000_000

    static let definitions: [FaultDefinition] = [
        definition(
            "disk.fail", "Lets a disk's operations fail now and then.",
            [often("reads"), often("writes"), often("syncs")]
        ) { arguments throws(FaultError) in
            let (reads, writes, syncs) = (
                arguments.ratio("reads"), arguments.ratio("writes"), arguments.ratio("syncs")
            )
            guard [reads, writes, syncs].contains(where: { $0.numerator > 0 }) else {
                throw FaultError("disk.fail is given no reads, writes or syncs above 0: nothing would fail")
            }
            return .fail(reads: reads, writes: writes, syncs: syncs)
        },
        definition(
            "disk.fill", "Leaves a disk so many bytes of room.", [.optional("free", "bytes that still fit: 0", .bytes)]
        ) { .fill(free: $0.count("free") ?? 0) },
        definition(
            "disk.slow", "Lets each sync of a disk take time.",
            [
                .required("seconds", "what each sync takes", .seconds),
                .optional("operations", "seconds that each read or write takes: 0", .seconds),
            ]
        ) { .slow(syncs: $0.duration("seconds"), operations: $0.duration("operations")) },
        definition(
            "disk.lie", "Lets a disk say now and then that it has synced when it has not.",
            [.required("share", "how often, from 0 to 1", .ratio)]
        ) { .lie($0.ratio("share")) },
        definition(
            "disk.rot", "Flips bits of a disk's files.",
            [.required("bits", "how many bits", .count(1...bitsMax))], .momentary
        ) { .rot(bits: $0.count("bits") ?? 1) },
        definition("disk.lose", "Starts a service with an empty disk in place of its own.", [], .momentary) { _ in .lose
        },
    ]

    private static func often(_ name: String) -> Parameter {
        .optional(name, "how often \(name) fail, from 0 to 1: 0", .ratio)
    }

    private static func definition(
        _ name: String, _ summary: String, _ parameters: [Parameter], _ life: FaultDefinition.Life = .lasting,
        make: @escaping @Sendable (FaultArguments) throws(FaultError) -> DiskFault
    ) -> FaultDefinition {
        let service = Parameter.required("service", "a service with a disk, or a replica of one", .disk)
        return FaultDefinition(name, summary, [service] + parameters, life) { arguments throws(FaultError) in
            .disk(try make(arguments), arguments.target("service"))
        }
    }
}

/// Everything that is wrong with a disk at a moment.
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

    /// Nothing is wrong.
    public init() {}

    /// Lets a lasting fault act too; of two of a kind, the later one.
    ///
    /// - Parameters:
    ///   - fault: The fault; momentary ones change nothing here.
    ///   - usedBytes: The bytes of all files when the fault began.
    public mutating func add(_ fault: DiskFault, usedBytes: Int) {
        switch fault {
        case .fail(let reads, let writes, let syncs):
            (readFailures, writeFailures, syncFailures) = (reads, writes, syncs)
        case .fill(let free): capacity = usedBytes + free
        case .slow(let syncs, let operations): (syncLatency, latency) = (.fixed(syncs), .fixed(operations))
        case .lie(let share): syncLies = share
        case .rot, .lose: break
        }
    }
}

/// How often what is wrong with a disk was felt.
public struct DiskHits: Hashable, Sendable {
    /// Operations that failed.
    public var failures: Int = 0
    /// Writes for which there was no room.
    public var refusals: Int = 0
    /// Operations that took time.
    public var delays: Int = 0
    /// Syncs that did nothing.
    public var lies: Int = 0

    /// Nothing was felt.
    public init() {}

    /// How often a fault was felt, as far as it is told apart from others of its kind.
    public func count(of fault: DiskFault) -> Int {
        switch fault {
        case .fail: failures
        case .fill: refusals
        case .slow: delays
        case .lie: lies
        case .rot, .lose: 0
        }
    }
}

/// What becomes of what was not synced when the power goes.
public enum PowerLossOutcome: String, Hashable, Sendable, CaseIterable {
    /// Nothing of it is there.
    case lostAll = "lost-all"
    /// All of it is there.
    case keptAll = "kept-all"
    /// All up to some write, and nothing after it.
    case prefix
    /// Of each sector, what was written up to some moment of its own; one that was being written may be torn.
    case perSector = "per-sector"
}
