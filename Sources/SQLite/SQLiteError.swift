import CSQLite

/// Why SQLite does not do what it is asked.
public struct SQLiteError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The extended result code (https://www.sqlite.org/rescode.html).
    public let code: Int32
    /// What SQLite says.
    public let message: String

    init(_ code: Int32, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The result code without its extension.
    public var primaryCode: Int32 { code & 0xff }

    /// Another connection has a lock; trying again later may help.
    public var isBusy: Bool { primaryCode == SQLITE_BUSY || primaryCode == SQLITE_LOCKED }
    /// The disk has no space left.
    public var isFull: Bool { primaryCode == SQLITE_FULL }
    /// The disk failed, or the process is dead.
    public var isDisk: Bool { primaryCode == SQLITE_IOERR }
    /// The file is damaged, or no database.
    public var isDamage: Bool { primaryCode == SQLITE_CORRUPT || primaryCode == SQLITE_NOTADB }
    /// SQLite does not understand what it is asked, such as a table that it does not know.
    public var isMeaningless: Bool { primaryCode == SQLITE_ERROR }

    /// What SQLite says, with the code's number.
    public var description: String { "\(message) (SQLite \(code))" }
}
