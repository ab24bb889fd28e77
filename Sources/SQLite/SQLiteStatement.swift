import CSQLite

/// A prepared statement; used by its database's task only.
@safe
public final class SQLiteStatement {
    private let statement: OpaquePointer
    /// Lives as long as its statements.
    private let database: SQLiteDatabase

    init(_ statement: OpaquePointer, of database: SQLiteDatabase) {
        unsafe self.statement = statement
        self.database = database
    }

    deinit {
        unsafe sqlite3_finalize(statement)
    }

    private var error: SQLiteError {
        let connection = unsafe sqlite3_db_handle(statement)
        return unsafe SQLiteError(
            sqlite3_extended_errcode(connection), String(cString: sqlite3_errmsg(connection)))
    }

    // MARK: Parameters

    /// Binds all parameters, in their order.
    ///
    /// - Throws: ``SQLiteError``.
    public func bind(_ values: [SQLiteValue]) throws(SQLiteError) {
        for (index, value) in values.enumerated() { try bind(value, at: index + 1) }
    }

    /// Binds a parameter, from 1 on.
    ///
    /// - Throws: ``SQLiteError``.
    public func bind(_ value: SQLiteValue, at index: Int) throws(SQLiteError) {
        let place = Int32(index)
        let code: Int32 =
            switch value {
            case .null: unsafe sqlite3_bind_null(statement, place)
            case .integer(let number): unsafe sqlite3_bind_int64(statement, place, number)
            case .real(let number): unsafe sqlite3_bind_double(statement, place, number)
            case .text(let text): bind(text, place)
            case .blob(let bytes): bind(bytes, place)
            }
        guard code == SQLITE_OK else { throw error }
    }

    private func bind(_ text: String, _ place: Int32) -> Int32 {
        var text = text
        return text.withUTF8 { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
                unsafe windkanal_bind_text(statement, place, characters.baseAddress ?? Self.empty, Int32(bytes.count))
            }
        }
    }

    private func bind(_ bytes: [UInt8], _ place: Int32) -> Int32 {
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe windkanal_bind_blob(statement, place, buffer.baseAddress ?? Self.emptyBytes, Int32(buffer.count))
        }
    }

    /// An address for what has no bytes: none at all would bind NULL.
    nonisolated(unsafe) private static let empty: UnsafePointer<CChar> = {
        let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        unsafe pointer.initialize(to: 0)
        return unsafe UnsafePointer(pointer)
    }()

    private static var emptyBytes: UnsafeRawPointer { unsafe UnsafeRawPointer(empty) }

    // MARK: Rows

    /// Goes on to the next row; false when there is none.
    ///
    /// - Throws: ``SQLiteError``.
    public func step() throws(SQLiteError) -> Bool {
        switch unsafe sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let error = error
            unsafe sqlite3_reset(statement)
            throw error
        }
    }

    /// Runs a statement that gives no rows, and makes it ready to be run again.
    ///
    /// - Throws: ``SQLiteError``.
    public func run() throws(SQLiteError) {
        _ = try step()
        reset()
    }

    /// Makes the statement ready to be run again; parameters stay.
    public func reset() { unsafe sqlite3_reset(statement) }

    /// A column of the row, from 0 on.
    public func column(_ index: Int) -> SQLiteValue {
        let place = Int32(index)
        switch unsafe sqlite3_column_type(statement, place) {
        case SQLITE_INTEGER: return unsafe .integer(sqlite3_column_int64(statement, place))
        case SQLITE_FLOAT: return unsafe .real(sqlite3_column_double(statement, place))
        case SQLITE_TEXT: return .text(text(index))
        case SQLITE_BLOB:
            let count = unsafe Int(sqlite3_column_bytes(statement, place))
            guard count > 0, let bytes = unsafe sqlite3_column_blob(statement, place) else { return .blob([]) }
            return unsafe .blob([UInt8](UnsafeRawBufferPointer(start: bytes, count: count)))
        default: return .null
        }
    }

    /// A column's whole number, as SQLite converts it.
    public func integer(_ index: Int) -> Int64 { unsafe sqlite3_column_int64(statement, Int32(index)) }

    /// A column's number, as SQLite converts it.
    public func real(_ index: Int) -> Double { unsafe sqlite3_column_double(statement, Int32(index)) }

    /// A column's text, as SQLite converts it.
    public func text(_ index: Int) -> String {
        guard let bytes = unsafe sqlite3_column_text(statement, Int32(index)) else { return "" }
        let count = unsafe Int(sqlite3_column_bytes(statement, Int32(index)))
        return unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    /// All columns of the row.
    public var row: [SQLiteValue] { (0..<(unsafe Int(sqlite3_column_count(statement)))).map(column) }
}
