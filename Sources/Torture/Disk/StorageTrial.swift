import Faults
import Measurements
import Pipeline
import Ports
public import Randomness
import SimulatedSQLite
public import SimulatedWorld

/// Stores batches while processes die, syncs fail and the power goes, sends again what was not acknowledged, and looks at the end whether
/// all that was acknowledged is there.
public struct StorageTrial {
    /// The storage, as it is or with one of its rules left out.
    public struct Variant: Sendable {
        /// The name of the variant.
        public let name: String
        let rules: PersistenceRules
        /// Whether nothing that was acknowledged may be lost.
        public let isSafe: Bool
        /// Whether tens of seeds are enough to find out that it is not safe.
        public var isFoundSoon: Bool = false
        /// Bits that flip at rest before the end.
        var rottenBits: Int = 0
        /// Readings of a batch, at most: where bits flip, so many that most of the file is readings.
        var batchReadings: Int { rottenBits > 0 ? 60 : 5 }
    }

    /// What the storage did that it must not.
    public enum Violation: Hashable, Sendable, CustomStringConvertible {
        /// Readings that were acknowledged and are not there.
        case lost([String])
        /// Readings with another value than was sent.
        case wrong([String])
        /// Readings that nobody sent.
        case unexpected([String])
        /// The storage cannot be opened any more.
        case closed(String)

        /// What the storage did, in words.
        public var description: String {
            switch self {
            case .lost(let readings): "\(readings.count) acknowledged and lost: \(readings.prefix(3))"
            case .wrong(let readings): "\(readings.count) with a wrong value: \(readings.prefix(3))"
            case .unexpected(let readings): "\(readings.count) that nobody sent: \(readings.prefix(3))"
            case .closed(let reason): "it cannot be opened: \(reason)"
            }
        }
    }

    private let variant: Variant
    private var random: RandomStream
    private let disk: Disk
    private let vfs: SQLiteVFS
    private var database: StorageDatabase?
    private var sent: [Reading.Identity: Double] = [:]
    private var acknowledged: Set<Reading.Identity> = []

    private static let batches: Int = 10
    /// Times that a batch is sent again.
    private static let attemptsMax: Int = 12

    /// Prepares a trial.
    public init(_ variant: Variant, seed: Seed, options: DiskOptions = DiskOptions()) {
        self.variant = variant
        random = RandomStream(seed: seed).fork("storage trial")
        disk = Disk(RandomStream(seed: seed).fork("disk"), options: options)
        vfs = SQLiteVFS(disk, wall: { 1_767_225_600_000 })
    }

    /// Runs the trial.
    ///
    /// - Returns: What the storage did that it must not; nil if nothing.
    public mutating func run() -> Violation? {
        var earlier: [Reading] = []
        for number in 0..<Self.batches {
            // A part of each batch was sent before, as after a crash of the sender.
            var readings = earlier.suffix(random.index(below: 3))
            for index in 0...random.index(below: variant.batchReadings) {
                let id = Reading.Identity(
                    flat: "SD\(random.index(below: 3))", room: "1", channel: "temperature",
                    milliseconds: Int64(number * 1000 + index))
                readings.append(Reading(id, value: Double(random.index(below: 10_000)) + 0.1))
            }
            earlier += readings
            guard let batch = try? StorageBatch(name: "batch \(number)", readings: Array(readings)) else { continue }
            for reading in readings where sent[reading.id] == nil { sent[reading.id] = reading.value }
            send(batch)
        }
        kill()
        disk.scheduleCrash(nil)
        disk.faults = DiskFaults()
        if variant.rottenBits > 0 {
            // Rot is about what lies still; the rest was tried before.
            _ = try? StorageDatabase(vfs.location(Self.file, sleep: { _ in }), rules: variant.rules)
            _ = try? disk.applyBitRot(to: Self.file, bits: variant.rottenBits)
        } else {
            disk.cutPower()
        }
        return judge()
    }

    private static let file: String = "storage.db"

    // MARK: Sending

    private mutating func send(_ batch: StorageBatch) {
        for attempt in 0..<Self.attemptsMax {
            if attempt < Self.attemptsMax - 1 { chooseFate() } else { disk.scheduleCrash(nil) }
            guard let storage = opened() else { continue }
            let isStored: Bool
            do {
                _ = try storage.write(batch)
                isStored = true
            } catch {
                isStored = false
                // A storage that has stopped is ended and started again; nothing is closed in an orderly way.
                if error != .full { kill() }
            }
            disk.faults = DiskFaults()
            if isStored {
                for reading in batch.readings { acknowledged.insert(reading.id) }
                // The rest of its life is short, too.
                if random.index(below: 6) == 0 { end() }
                return
            }
        }
    }

    private mutating func chooseFate() {
        disk.scheduleCrash(nil)
        switch random.index(below: 6) {
        case 0: disk.scheduleCrash(.powerLoss(nil), atOperation: 1 + random.index(below: 40))
        case 1: disk.scheduleCrash(.process, atOperation: 1 + random.index(below: 40))
        // Not both: nothing is promised of a disk whose syncs fail and whose sectors are not safe from their neighbours.
        case 2 where disk.options.isPowersafe: disk.faults.syncFailures = Ratio(1, outOf: 2)
        case 3: disk.faults.capacity = disk.usedBytes + random.index(below: 20_000)
        default: break
        }
    }

    private mutating func end() {
        if random.next() & 1 == 0 { kill() } else { disk.cutPower() }
        database = nil
    }

    private mutating func kill() {
        disk.crash()
        database = nil
    }

    private mutating func opened() -> StorageDatabase? {
        if database == nil {
            database = try? StorageDatabase(vfs.location(Self.file, sleep: { _ in }), rules: variant.rules)
        }
        return database
    }

    // MARK: Judging

    private mutating func judge() -> Violation? {
        do {
            let storage = try StorageDatabase(vfs.location(Self.file, sleep: { _ in }), rules: variant.rules)
            var found: [Reading.Identity: Double] = [:]
            for flat in 0..<3 {
                for reading in try storage.readings(of: "SD\(flat)", from: 0, to: .max, limit: .max) {
                    found[reading.id] = reading.value
                }
            }
            func names(_ ids: [Reading.Identity]) -> [String] { ids.map(\.description).sorted() }
            let unexpected = found.keys.filter { sent[$0] == nil }
            if !unexpected.isEmpty { return .unexpected(names(unexpected)) }
            let wrong = found.keys.filter { found[$0] != sent[$0] }
            if !wrong.isEmpty { return .wrong(names(wrong)) }
            let lost = acknowledged.filter { found[$0] == nil }
            return lost.isEmpty ? nil : .lost(names(Array(lost)))
        } catch {
            // What rotted and is told of is not delivered: that is what is wanted.
            switch error {
            case .damaged where variant.rottenBits > 0, .foreign where variant.rottenBits > 0: return nil
            default: return .closed("\(error)")
            }
        }
    }
}

extension StorageTrial.Variant {
    /// The storage, and what it would be without each of its rules.
    public static let all: [StorageTrial.Variant] = [
        .init(name: "as it is", rules: rules(), isSafe: true),
        .init(name: "as it is, bits flip", rules: rules(), isSafe: true, rottenBits: 3),
        .init(name: "synchronous NORMAL", rules: rules { $0.synchronous = "NORMAL" }, isSafe: false, isFoundSoon: true),
        .init(
            name: "no ledger, no rewriting and no checkpoint on open",
            rules: rules { ($0.recordsBatches, $0.rewritesOnOpen, $0.checkpointsOnOpen) = (false, false, false) },
            isSafe: false, isFoundSoon: true),
        .init(name: "no rewriting of the WAL on open", rules: rules { $0.rewritesOnOpen = false }, isSafe: false),
        .init(
            name: "takes a failed commit for done", rules: rules { $0.treatsFailedCommitAsUnknown = false },
            isSafe: false,
            isFoundSoon: true),
        .init(
            name: "no checksums, bits flip", rules: rules { $0.checksRows = false }, isSafe: false, isFoundSoon: true,
            rottenBits: 3),
    ]

    private static func rules(_ change: (inout PersistenceRules) -> Void = { _ in }) -> PersistenceRules {
        var rules = PersistenceRules.sound
        // Small, so that what a checkpoint does happens.
        rules.checkpointPages = 12
        change(&rules)
        return rules
    }
}
