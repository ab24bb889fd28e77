import CSQLite
public import Ports

/// A connection to a database file; used by one task at a time, and never leaves it.
///
/// A thin layer of our own: a well-known wrapper runs its asynchronous calls on threads of its own, which a simulation cannot follow, and turns
/// `synchronous` down when it turns WAL on, which loses what was acknowledged.
@safe
public final class SQLiteDatabase {
    private(set) var connection: OpaquePointer?
    /// Where the file is; keeps its disk alive for as long as the connection.
    private let location: DiskLocation

    /// Opens a file, and makes it if it is not there.
    ///
    /// Closing it writes no WAL back: an end in disorder must not become one in order, and what a checkpoint does on a disk that
    /// failed is the opener's to decide.
    ///
    /// - Throws: ``SQLiteError``.
    public init(_ location: DiskLocation) throws(SQLiteError) {
        self.location = location
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = unsafe sqlite3_open_v2(location.path, &connection, flags, location.vfs)
        guard code == SQLITE_OK else {
            let error = unsafe SQLiteError(code, Self.message(connection, code))
            unsafe sqlite3_close_v2(connection)
            unsafe connection = nil
            throw error
        }
        _ = unsafe windkanal_keep_wal_on_close(connection)
    }

    deinit {
        unsafe sqlite3_close_v2(connection)
    }

    /// Closes the connection; statements that are still there end with it.
    public func close() {
        unsafe sqlite3_close_v2(connection)
        unsafe connection = nil
    }

    private static func message(_ connection: OpaquePointer?, _ code: Int32) -> String {
        if let text = unsafe sqlite3_errmsg(connection) { return unsafe String(cString: text) }
        return unsafe String(cString: sqlite3_errstr(code))
    }

    private func error(_ code: Int32) -> SQLiteError { unsafe SQLiteError(code, Self.message(connection, code)) }

    // MARK: Statements

    /// Runs statements that give nothing.
    ///
    /// - Throws: ``SQLiteError``.
    public func execute(_ sql: String) throws(SQLiteError) {
        let code = unsafe sqlite3_exec(connection, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code) }
    }

    /// Prepares a statement.
    ///
    /// - Throws: ``SQLiteError``.
    public func prepare(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
        var statement: OpaquePointer?
        let code = unsafe sqlite3_prepare_v3(
            connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement = unsafe statement else { throw error(code) }
        return unsafe SQLiteStatement(statement, of: self)
    }

    /// Runs a query once; all its rows.
    ///
    /// - Throws: ``SQLiteError``.
    public func rows(_ sql: String, _ values: [SQLiteValue] = []) throws(SQLiteError) -> [[SQLiteValue]] {
        let statement = try prepare(sql)
        try statement.bind(values)
        var rows: [[SQLiteValue]] = []
        while try statement.step() { rows.append(statement.row) }
        return rows
    }

    /// Sets a pragma and reads it back, or only reads it.
    ///
    /// - Throws: ``SQLiteError``.
    public func pragma(_ name: String, _ value: String? = nil) throws(SQLiteError) -> String {
        if let value { _ = try rows("PRAGMA \(name) = \(value)") }
        return try rows("PRAGMA \(name)").first?.first?.text ?? ""
    }

    /// Rows that the latest statement changed.
    public var changes: Int { unsafe Int(sqlite3_changes64(connection)) }

    /// The number of the row that was inserted last.
    public var lastInsertedRow: Int64 { unsafe sqlite3_last_insert_rowid(connection) }

    /// Whether no transaction is open.
    public var isOutsideTransaction: Bool { unsafe sqlite3_get_autocommit(connection) != 0 }
}
