import CSQLite

extension SQLiteDatabase {
    /// Writes the WAL's bytes again, as they are seen, and syncs them.
    ///
    /// After a sync that failed the system may show a WAL that is not on the disk, and count it as clean: no later sync writes it. A checkpoint from
    /// it that the power interrupts leaves a database with half of its pages new and nothing to complete them by. Bytes that are written
    /// again are dirty again ("Can applications recover from fsync failures?", ATC'20).
    ///
    /// A disk that is not powersafe may lose a sector's other bytes when the power goes while it is written: there the cure would do the harm,
    /// and nothing is written.
    ///
    /// - Returns: How many bytes were written.
    /// - Throws: ``SQLiteError``.
    @discardableResult
    public func rewriteWAL() throws(SQLiteError) -> Int {
        // Whoever reads opens the WAL.
        _ = try rows("SELECT count(*) FROM sqlite_schema")
        guard let file = unsafe journalFile, let methods = unsafe file.pointee.pMethods else { return 0 }
        guard unsafe methods.pointee.xDeviceCharacteristics(file) & SQLITE_IOCAP_POWERSAFE_OVERWRITE != 0 else {
            return 0
        }
        var size: sqlite3_int64 = 0
        try check(unsafe methods.pointee.xFileSize(file, &size))
        let piece = 1 << 16
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: piece, alignment: 16)
        defer { unsafe buffer.deallocate() }
        var offset: sqlite3_int64 = 0
        while offset < size {
            let count = Int32(min(sqlite3_int64(piece), size - offset))
            try check(unsafe methods.pointee.xRead(file, buffer, count, offset))
            try check(unsafe methods.pointee.xWrite(file, buffer, count, offset))
            offset += sqlite3_int64(count)
        }
        if size > 0 { try check(unsafe methods.pointee.xSync(file, SQLITE_SYNC_FULL)) }
        return Int(size)
    }

    private func check(_ code: Int32) throws(SQLiteError) {
        guard code == SQLITE_OK else {
            throw unsafe SQLiteError(code, "the WAL cannot be written again: " + String(cString: sqlite3_errstr(code)))
        }
    }

    private var journalFile: UnsafeMutablePointer<sqlite3_file>? {
        var file: UnsafeMutablePointer<sqlite3_file>?
        let code = unsafe sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file)
        return unsafe code == SQLITE_OK ? file : nil
    }
}
