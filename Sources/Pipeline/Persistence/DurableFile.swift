import Ports
import SQLite

/// A database file of a service: opened by the rules, and known to be the service's own.
struct DurableFile {
    /// What the file's header says, and how an empty one is filled.
    struct Schema {
        /// The application id: four letters.
        let application: Int64
        let version: Int64
        let sql: String
    }

    let database: SQLiteDatabase
    /// Whether there was a WAL when it was opened, which a process had left.
    let hadLog: Bool
    private let begin: SQLiteStatement
    private let commit: SQLiteStatement

    /// Opens the file, makes it if it is not there, and brings what a process left unsynced to the disk.
    init(_ location: DiskLocation, _ schema: Schema, rules: PersistenceRules) throws(PersistenceError) {
        (database, hadLog, begin, commit) = try PersistenceError.mapped {
            let database = try SQLiteDatabase(location)
            // Nobody else may have it open: what is kept in memory, and the WAL that is written again, are ours alone.
            if rules.locksExclusively { _ = try database.pragma("locking_mode", "EXCLUSIVE") }
            // Before anything is changed.
            let isEmpty = try Self.isEmpty(database, schema)
            let hadLog = try Self.prepare(database, rules)
            if isEmpty {
                try Self.create(schema, in: database)
            } else {
                let verdict = try database.pragma("integrity_check(1)")
                guard verdict == "ok" else { throw PersistenceError.damaged(verdict) }
            }
            try database.execute(
                "PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = \(rules.checkpointPages); PRAGMA cell_size_check = ON"
            )
            if let pages = rules.cachePages { try database.execute("PRAGMA cache_size = \(pages)") }
            return (database, hadLog, try database.prepare("BEGIN IMMEDIATE"), try database.prepare("COMMIT"))
        }
    }

    private static func prepare(_ database: SQLiteDatabase, _ rules: PersistenceRules) throws -> Bool {
        let levels = ["OFF": "0", "NORMAL": "1", "FULL": "2"]
        for (name, value, expected) in [
            ("journal_mode", rules.journal, rules.journal.lowercased()),
            ("synchronous", rules.synchronous, levels[rules.synchronous]),
        ] {
            let answer = try database.pragma(name, value)
            guard answer == expected else { throw PersistenceError.unsafe("\(name) is \(answer), not \(value)") }
        }
        let logBytes = rules.rewritesOnOpen ? try database.rewriteWAL() : 0
        if rules.checkpointsOnOpen, try database.rows("PRAGMA wal_checkpoint(TRUNCATE)").first?.first != .integer(0) {
            throw PersistenceError.unavailable("another process has it open")
        }
        return logBytes > 0
    }

    private static func create(_ schema: Schema, in database: SQLiteDatabase) throws {
        let header = "PRAGMA application_id = \(schema.application); PRAGMA user_version = \(schema.version);"
        try database.execute("BEGIN IMMEDIATE; \(header) \(schema.sql) COMMIT;")
    }

    /// Whether nothing is in the file yet; throws if it is not the service's own.
    static func isEmpty(_ database: SQLiteDatabase, _ schema: Schema) throws -> Bool {
        let application = try database.rows("PRAGMA application_id")[0][0].integer ?? 0
        let version = try database.rows("PRAGMA user_version")[0][0].integer ?? 0
        let isEmpty = try database.rows("SELECT count(*) FROM sqlite_schema")[0][0] == .integer(0)
        if isEmpty, application == 0, version == 0 { return true }
        guard application == schema.application else {
            throw PersistenceError.foreign("its application id is \(application), not \(schema.application)")
        }
        guard version == schema.version else {
            throw PersistenceError.foreign(
                "its schema is version \(version); this service knows version \(schema.version)")
        }
        return false
    }

    /// Runs a transaction; nothing of it is there when it throws, but for ``PersistenceError/unknownOutcome(_:)``.
    ///
    /// - Throws: ``PersistenceError``.
    func transaction<Result>(
        treatsFailedCommitAsUnknown: Bool = true, _ body: () throws -> Result
    ) throws(PersistenceError) -> Result {
        let result: Result
        do {
            try begin.run()
            result = try body()
        } catch {
            rollBack()
            throw Self.meaning(of: error)
        }
        do throws(SQLiteError) {
            try commit.run()
        } catch {
            rollBack()
            // Whatever it says, the commit may be found on the disk later; only where there was no room for its last page it is not.
            if treatsFailedCommitAsUnknown { throw error.isFull ? .full : .unknownOutcome(error.description) }
        }
        return result
    }

    private func rollBack() {
        if !database.isOutsideTransaction { try? database.execute("ROLLBACK") }
    }

    /// What an error in a transaction means: a disk that failed stops its service.
    private static func meaning(of error: any Error) -> PersistenceError {
        switch error {
        case let error as PersistenceError: error
        case let error as SQLiteError: error.isFull ? .full : .stopped(error.description)
        default: .stopped("\(error)")
        }
    }
}
