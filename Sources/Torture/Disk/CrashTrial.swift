import Ports
public import Randomness
import SQLite
import SimulatedSQLite
public import SimulatedWorld

/// Writes to a database until the power goes in the middle of some operation, and looks what is left of it.
///
/// What must be there is exactly what was acknowledged, or that and the transaction that was under way.
public struct CrashTrial {
    /// A way to keep a database, and what happens to it.
    public struct Mode: Hashable, Sendable {
        /// Its name.
        public let name: String
        let journal: String
        let synchronous: String
        var locksExclusively: Bool = false
        var liesOnSync: Bool = false
        /// The process dies, and the machine lives.
        var keepsPower: Bool = false
        /// Whether nothing that was acknowledged may be lost.
        public let isSafe: Bool
    }

    /// What a database lost.
    public enum Damage: Hashable, Sendable, CustomStringConvertible {
        /// It cannot be read, or says itself that it is damaged.
        case corrupt(String)
        /// Transactions that were acknowledged are not there, or not whole.
        case wrongRows(expected: Int, found: Int)

        /// What is wrong.
        public var description: String {
            switch self {
            case .corrupt(let reason): "corrupt: \(reason)"
            case .wrongRows(let expected, let found): "\(found) rows that differ from the \(expected) acknowledged"
            }
        }
    }

    private let mode: Mode
    private let options: DiskOptions
    private var random: RandomStream
    private let disk: Disk
    private let vfs: SQLiteVFS

    /// Transactions of a trial.
    private static let transactions: Int = 24
    /// Operations among which the power goes; most trials do as many.
    private static let operationsMax: Int = 400

    /// Prepares a trial.
    public init(_ mode: Mode, seed: Seed, options: DiskOptions = DiskOptions()) {
        self.mode = mode
        self.options = options
        random = RandomStream(seed: seed).fork("crash trial")
        disk = Disk(RandomStream(seed: seed).fork("disk"), options: options)
        vfs = SQLiteVFS(disk, wall: { 1_767_225_600_000 })
    }

    /// Runs the trial.
    ///
    /// - Returns: What is damaged; nil if nothing is.
    public mutating func run() -> Damage? {
        if mode.liesOnSync { disk.faults.syncLies = Ratio(1, outOf: 1) }
        let fate = 1 + random.index(below: Self.operationsMax)
        disk.end(mode.keepsPower ? .ofProcess : .ofPower(nil), atOperation: fate)
        var model = Rows()
        work(&model)
        if !model.isOver {
            if mode.keepsPower { disk.crash() } else { disk.cutPower() }
        }
        disk.faults.syncLies = .zero
        // Now and then the power goes again while the database recovers.
        if !mode.keepsPower, random.index(below: 4) == 0 {
            disk.end(.ofPower(nil), atOperation: 1 + random.index(below: 20))
            _ = try? open().rows("SELECT count(*) FROM row")
            disk.cutPower()
        }
        return judge(model)
    }

    // MARK: Work

    /// What the database holds, by what was acknowledged and with what was under way.
    private struct Rows {
        var acknowledged: [Int64: [UInt8]] = [:]
        var underWay: [Int64: [UInt8]] = [:]
        var isOver: Bool = false
    }

    private func open() throws(SQLiteError) -> SQLiteDatabase {
        let database = try SQLiteDatabase(vfs.location("data.db", sleep: { _ in }))
        if mode.locksExclusively { _ = try database.pragma("locking_mode", "EXCLUSIVE") }
        _ = try database.pragma("journal_mode", mode.journal)
        _ = try database.pragma("synchronous", mode.synchronous)
        try database.execute("PRAGMA wal_autocheckpoint = 12; PRAGMA cache_size = 8")
        return database
    }

    private mutating func work(_ model: inout Rows) {
        do throws(SQLiteError) {
            let database = try open()
            try database.execute("CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
            let insert = try database.prepare("INSERT OR REPLACE INTO row (id, body) VALUES (?, ?)")
            let delete = try database.prepare("DELETE FROM row WHERE id = ?")
            for _ in 0..<Self.transactions {
                model.underWay = model.acknowledged
                try database.execute("BEGIN IMMEDIATE")
                for _ in 0...random.index(below: 6) {
                    let id = Int64(random.index(below: 60))
                    if random.index(below: 5) == 0 {
                        try delete.bind([.integer(id)])
                        try delete.run()
                        model.underWay[id] = nil
                    } else {
                        let byte = UInt8(truncatingIfNeeded: random.next())
                        let body = [UInt8](repeating: byte, count: 20 + random.index(below: 900))
                        try insert.bind([.integer(id), .blob(body)])
                        try insert.run()
                        model.underWay[id] = body
                    }
                }
                try database.execute("COMMIT")
                model.acknowledged = model.underWay
            }
        } catch {
            model.isOver = true
        }
    }

    private func judge(_ model: Rows) -> Damage? {
        do throws(SQLiteError) {
            let database = try open()
            let verdict = try database.pragma("integrity_check")
            guard verdict == "ok" else { return .corrupt(verdict) }
            guard try !database.rows("SELECT 1 FROM sqlite_schema WHERE name = 'row'").isEmpty else {
                return model.acknowledged.isEmpty
                    ? nil : .wrongRows(expected: model.acknowledged.count, found: 0)
            }
            var found: [Int64: [UInt8]] = [:]
            for row in try database.rows("SELECT id, body FROM row") {
                guard let id = row[0].integer, case .blob(let body) = row[1] else { return .corrupt("a row's types") }
                found[id] = body
            }
            guard found != model.acknowledged, found != model.underWay else { return nil }
            return .wrongRows(expected: model.acknowledged.count, found: found.count)
        } catch {
            return .corrupt("\(error)")
        }
    }
}

extension CrashTrial.Mode {
    /// Modes that keep what they acknowledge, and modes that do not.
    public static let all: [CrashTrial.Mode] = [
        .init(name: "WAL/FULL", journal: "WAL", synchronous: "FULL", isSafe: true),
        .init(name: "WAL/FULL exclusive", journal: "WAL", synchronous: "FULL", locksExclusively: true, isSafe: true),
        .init(name: "DELETE/EXTRA", journal: "DELETE", synchronous: "EXTRA", isSafe: true),
        .init(name: "TRUNCATE/FULL", journal: "TRUNCATE", synchronous: "FULL", isSafe: true),
        .init(name: "PERSIST/FULL", journal: "PERSIST", synchronous: "FULL", isSafe: true),
        .init(name: "WAL/OFF, process killed", journal: "WAL", synchronous: "OFF", keepsPower: true, isSafe: true),
        .init(name: "DELETE/FULL", journal: "DELETE", synchronous: "FULL", isSafe: false),
        .init(name: "WAL/NORMAL", journal: "WAL", synchronous: "NORMAL", isSafe: false),
        .init(name: "WAL/OFF", journal: "WAL", synchronous: "OFF", isSafe: false),
        .init(name: "DELETE/OFF", journal: "DELETE", synchronous: "OFF", isSafe: false),
        .init(name: "journal OFF", journal: "OFF", synchronous: "FULL", isSafe: false),
        .init(name: "WAL/FULL, syncs that lie", journal: "WAL", synchronous: "FULL", liesOnSync: true, isSafe: false),
    ]
}
