import Faults
import Ports
public import Randomness
import SQLite
import SimulatedSQLite
public import SimulatedWorld

/// Writes to a database until the power goes in the middle of some operation, and looks what is left of it.
///
/// What must be there is exactly what was acknowledged, or that and transactions after it: one that was under way, and those that nobody was told were
/// on the disk.
public struct CrashTrial {
    /// A way to keep a database, and what happens to it.
    public struct Mode: Hashable, Sendable {
        /// The name of the way.
        public let name: String
        let journal: String
        let synchronous: String
        var locksExclusively: Bool = false
        var liesOnSync: Bool = false
        /// Files are truncated all the time, and the power often goes right after.
        var truncates: Bool = false
        /// Syncs fail now and then, only every second transaction is synced and acknowledged, and who has seen the disk fail does this.
        var afterFailure: AfterFailure?
        /// The process dies, and the machine lives.
        var keepsPower: Bool = false
        /// Whether nothing that was acknowledged may be lost.
        public let isSafe: Bool
        /// Whether anything is promised on disks whose sectors are not safe from their neighbours: not where syncs fail, too.
        public var isForEveryDisk: Bool { afterFailure == nil }
    }

    /// What a program does that has seen its disk fail.
    enum AfterFailure: Hashable, Sendable {
        /// The program uses the file as it has it open, as if nothing had been.
        case goesOn
        /// The program ends; the next one writes the WAL again before it uses it.
        case ends
    }

    /// What a database lost.
    public enum Damage: Hashable, Sendable, CustomStringConvertible {
        /// The file cannot be read, or says itself that it is damaged.
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
    /// The operation in which the process or the power ends.
    private var fate: Int = 0

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
        fate = 1 + random.index(below: Self.operationsMax)
        disk.scheduleCrash(mode.keepsPower ? .process : .powerLoss(nil), atOperation: fate)
        var model = Model()
        work(&model)
        if !model.isOver {
            if mode.keepsPower { disk.crash() } else { disk.cutPower() }
        }
        disk.faults = DiskFaults()
        // Now and then the power goes again while the database recovers.
        if !mode.keepsPower, random.index(below: 4) == 0 {
            disk.scheduleCrash(.powerLoss(nil), atOperation: 1 + random.index(below: 20))
            _ = try? open().rows("SELECT count(*) FROM row")
            disk.cutPower()
        }
        return judge(model)
    }

    // MARK: Work

    private typealias Rows = [Int64: [UInt8]]

    /// What the database may hold.
    private struct Model {
        /// As it was acknowledged, and after each transaction since that was done and not acknowledged; never empty.
        var done: [Rows] = [[:]]
        /// With what is under way.
        var underWay: Rows = [:]
        var isOver: Bool = false

        var last: Rows { done.last ?? [:] }
        func allows(_ rows: Rows) -> Bool { rows == underWay || done.contains(rows) }
    }

    private func open() throws(SQLiteError) -> SQLiteDatabase {
        let database = try SQLiteDatabase(vfs.location("data.db", sleep: { _ in }))
        if mode.locksExclusively { _ = try database.pragma("locking_mode", "EXCLUSIVE") }
        if mode.truncates { try database.execute("PRAGMA auto_vacuum = FULL") }
        _ = try database.pragma("journal_mode", mode.journal)
        _ = try database.pragma("synchronous", mode.synchronous)
        // SQLite says nothing of a checkpoint of its own that failed: who cares for failures asks for each.
        let pages = mode.afterFailure == nil ? 12 : 0
        try database.execute("PRAGMA wal_autocheckpoint = \(pages); PRAGMA cache_size = 8")
        return database
    }

    private mutating func work(_ model: inout Model) {
        do throws(SQLiteError) {
            var database = try open()
            try database.execute("CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
            if mode.afterFailure != nil { disk.faults.syncFailures = Ratio(1, outOf: 6) }
            for number in 0..<Self.transactions {
                do throws(SQLiteError) {
                    try transact(database, number, &model)
                    guard try !truncate(database) else { return model.isOver = true }
                } catch {
                    guard let afterFailure = mode.afterFailure, !hasEnded() else { throw error }
                    if !database.isOutsideTransaction { try database.execute("ROLLBACK") }
                    if afterFailure == .ends { database = try openAgain(&model) }
                }
            }
        } catch {
            model.isOver = hasEnded()
        }
    }

    /// Whether the fate of the trial has come.
    private func hasEnded() -> Bool { disk.operations >= fate }

    private mutating func transact(
        _ database: SQLiteDatabase, _ number: Int, _ model: inout Model
    ) throws(SQLiteError) {
        let isAcknowledged = mode.afterFailure == nil || number % 2 == 1
        if mode.afterFailure != nil { _ = try database.pragma("synchronous", isAcknowledged ? "FULL" : "NORMAL") }
        let insert = try database.prepare("INSERT OR REPLACE INTO row (id, body) VALUES (?, ?)")
        let delete = try database.prepare("DELETE FROM row WHERE id = ?")
        model.underWay = model.last
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
        if mode.afterFailure != nil {
            // What changes nothing is not synced, and would acknowledge what came before it on trust.
            let body = [UInt8(truncatingIfNeeded: number)]
            try insert.bind([.integer(-1), .blob(body)])
            try insert.run()
            model.underWay[-1] = body
        }
        try database.execute("COMMIT")
        if isAcknowledged { model.done = [] }
        model.done.append(model.underWay)
    }

    /// Writes the WAL back and cuts it off now and then, where the mode says so; whether the power went right after.
    private mutating func truncate(_ database: SQLiteDatabase) throws(SQLiteError) -> Bool {
        guard mode.truncates || mode.afterFailure != nil, random.index(below: 3) == 0 else { return false }
        _ = try database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        guard mode.truncates, random.index(below: 6) == 0 else { return false }
        disk.cutPower()
        return true
    }

    /// Ends the process and begins another, which brings all that it finds to the disk: from then on that must be there.
    private mutating func openAgain(_ model: inout Model) throws(SQLiteError) -> SQLiteDatabase {
        disk.crash()
        disk.faults = DiskFaults()
        disk.scheduleCrash(.powerLoss(nil), atOperation: max(1, fate - disk.operations))
        let database = try open()
        try database.rewriteWAL()
        _ = try database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        let found = try rows(of: database)
        if model.allows(found) { model.done = [found] }
        disk.faults.syncFailures = Ratio(1, outOf: 6)
        return database
    }

    private func rows(of database: SQLiteDatabase) throws(SQLiteError) -> Rows {
        var found: Rows = [:]
        for row in try database.rows("SELECT id, body FROM row") {
            if let id = row[0].integer, case .blob(let body) = row[1] { found[id] = body }
        }
        return found
    }

    private func judge(_ model: Model) -> Damage? {
        do throws(SQLiteError) {
            let database = try open()
            let verdict = try database.pragma("integrity_check")
            guard verdict == "ok" else { return .corrupt(verdict) }
            guard try !database.rows("SELECT 1 FROM sqlite_schema WHERE name = 'row'").isEmpty else {
                return model.done[0].isEmpty ? nil : .wrongRows(expected: model.done[0].count, found: 0)
            }
            let found = try rows(of: database)
            return model.allows(found) ? nil : .wrongRows(expected: model.last.count, found: found.count)
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
        .init(name: "WAL/FULL, truncated", journal: "WAL", synchronous: "FULL", truncates: true, isSafe: true),
        .init(name: "DELETE/EXTRA, truncated", journal: "DELETE", synchronous: "EXTRA", truncates: true, isSafe: true),
        .init(
            name: "WAL/FULL now and then, ends after a failed disk", journal: "WAL", synchronous: "FULL",
            locksExclusively: true, afterFailure: .ends, isSafe: true),
        .init(name: "WAL/OFF, process killed", journal: "WAL", synchronous: "OFF", keepsPower: true, isSafe: true),
        .init(name: "DELETE/FULL", journal: "DELETE", synchronous: "FULL", isSafe: false),
        .init(name: "WAL/NORMAL", journal: "WAL", synchronous: "NORMAL", isSafe: false),
        .init(name: "WAL/OFF", journal: "WAL", synchronous: "OFF", isSafe: false),
        .init(name: "WAL/OFF, truncated", journal: "WAL", synchronous: "OFF", truncates: true, isSafe: false),
        .init(name: "DELETE/OFF", journal: "DELETE", synchronous: "OFF", isSafe: false),
        .init(name: "journal OFF", journal: "OFF", synchronous: "FULL", isSafe: false),
        .init(
            name: "WAL/FULL now and then, goes on after a failed disk", journal: "WAL", synchronous: "FULL",
            locksExclusively: true, afterFailure: .goesOn, isSafe: false),
        .init(name: "WAL/FULL, syncs that lie", journal: "WAL", synchronous: "FULL", liesOnSync: true, isSafe: false),
    ]
}
