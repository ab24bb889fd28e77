import CSQLite
import SimulatedWorld

/// What SQLite calls to use an open file.
enum FileMethods {
    /// The table of methods, made once and never freed, as SQLite expects of it.
    nonisolated(unsafe) static let pointer: UnsafeMutablePointer<sqlite3_io_methods> = {
        var methods = sqlite3_io_methods()
        methods.iVersion = 2
        unsafe methods.xClose = { unsafe close($0) }
        unsafe methods.xRead = { unsafe read($0, $1, $2, $3) }
        unsafe methods.xWrite = { unsafe write($0, $1, $2, $3) }
        unsafe methods.xTruncate = { file, size in
            unsafe perform(file) { (file) throws(DiskError) in try file.resize(Int(size)) }
        }
        unsafe methods.xSync = { file, _ in
            unsafe perform(file) { (file) throws(DiskError) in try file.sync() }
        }
        unsafe methods.xFileSize = { unsafe size($0, $1) }
        unsafe methods.xLock = { file, level in unsafe opened(file)?.lock(level) ?? SQLITE_IOERR }
        unsafe methods.xUnlock = { file, level in
            unsafe opened(file)?.unlock(level)
            return SQLITE_OK
        }
        unsafe methods.xCheckReservedLock = { file, result in
            if let result = unsafe result { unsafe result.pointee = opened(file)?.isReserved ?? false ? 1 : 0 }
            return SQLITE_OK
        }
        unsafe methods.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
        unsafe methods.xSectorSize = { file in
            unsafe Int32(opened(file)?.vfs.disk.options.sectorBytes ?? 4096)
        }
        unsafe methods.xDeviceCharacteristics = { file in
            unsafe opened(file)?.vfs.disk.options.isPowersafe ?? false ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0
        }
        unsafe methods.xShmMap = { unsafe mapMemory($0, $1, $2, $3, $4) }
        unsafe methods.xShmLock = { file, offset, count, flags in
            unsafe opened(file)?.lockMemory(Int(offset)..<Int(offset + count), flags) ?? windkanal_ioerr_shmlock
        }
        unsafe methods.xShmBarrier = { _ in }
        unsafe methods.xShmUnmap = { file, _ in
            unsafe opened(file)?.unmapMemory()
            return SQLITE_OK
        }
        let pointer = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        unsafe pointer.initialize(to: methods)
        return unsafe pointer
    }()

    private typealias FilePointer = UnsafeMutablePointer<sqlite3_file>

    private static func handle(_ file: FilePointer?) -> UnsafeMutableRawPointer? {
        guard let file = unsafe file else { return nil }
        return unsafe UnsafeMutableRawPointer(file).assumingMemoryBound(to: windkanal_file.self).pointee.handle
    }

    private static func opened(_ file: FilePointer?) -> OpenFile? {
        guard let handle = unsafe handle(file) else { return nil }
        return unsafe Unmanaged<OpenFile>.fromOpaque(handle).takeUnretainedValue()
    }

    private static func close(_ file: FilePointer?) -> Int32 {
        guard let handle = unsafe handle(file) else { return SQLITE_OK }
        unsafe Unmanaged<OpenFile>.fromOpaque(handle).takeRetainedValue().close()
        return SQLITE_OK
    }

    private static func perform(_ file: FilePointer?, _ action: (OpenFile) throws(DiskError) -> Void) -> Int32 {
        guard let file = unsafe opened(file) else { return SQLITE_IOERR }
        do throws(DiskError) {
            try action(file)
            return SQLITE_OK
        } catch {
            return code(error)
        }
    }

    private static func code(_ error: DiskError) -> Int32 {
        switch error {
        case .dead, .notFound: SQLITE_IOERR
        case .full: SQLITE_FULL
        case .io(.read): windkanal_ioerr_read
        case .io(.write): windkanal_ioerr_write
        case .io(.sync): windkanal_ioerr_fsync
        }
    }

    private static func read(
        _ file: FilePointer?, _ out: UnsafeMutableRawPointer?, _ count: Int32, _ offset: sqlite3_int64
    ) -> Int32 {
        guard let file = unsafe opened(file), let out = unsafe out else { return windkanal_ioerr_read }
        let buffer = unsafe UnsafeMutableRawBufferPointer(start: out, count: Int(count))
        do throws(DiskError) {
            let read = try unsafe file.read(into: buffer, at: Int(offset))
            guard read < buffer.count else { return SQLITE_OK }
            // SQLite relies on zeros behind the end.
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[read...]).initializeMemory(
                as: UInt8.self, repeating: 0)
            return windkanal_ioerr_short_read
        } catch {
            return code(error)
        }
    }

    private static func write(
        _ file: FilePointer?, _ bytes: UnsafeRawPointer?, _ count: Int32, _ offset: sqlite3_int64
    ) -> Int32 {
        guard let bytes = unsafe bytes else { return windkanal_ioerr_write }
        let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: Int(count))
        return unsafe perform(file) { (file) throws(DiskError) in try unsafe file.write(buffer, at: Int(offset)) }
    }

    private static func size(_ file: FilePointer?, _ out: UnsafeMutablePointer<sqlite3_int64>?) -> Int32 {
        guard let file = unsafe opened(file), let out = unsafe out else { return windkanal_ioerr_fstat }
        unsafe out.pointee = sqlite3_int64(file.file.size)
        return SQLITE_OK
    }

    private static func mapMemory(
        _ file: FilePointer?, _ index: Int32, _ bytes: Int32, _ extends: Int32,
        _ out: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Int32 {
        guard let file = unsafe opened(file), let out = unsafe out else { return windkanal_ioerr_shmmap }
        do throws(DiskError) {
            unsafe out.pointee = try file.region(Int(index), bytes: Int(bytes), extends: extends != 0)
            return SQLITE_OK
        } catch {
            return windkanal_ioerr_shmmap
        }
    }
}
