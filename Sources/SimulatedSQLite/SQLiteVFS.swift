import CSQLite
public import Ports
public import SimulatedWorld

/// Lets SQLite keep its files on a simulated disk: a VFS of SQLite's, one for each disk.
///
/// All that SQLite asks of a system comes from the disk and the clock that it is given, its random numbers too. Two simulations on two threads share
/// SQLite's generator, which differs nothing but the salts of WAL files. The VFS is there for as long as this object.
@safe
public final class SQLiteVFS {
    /// The name that connections are opened with.
    public let name: String
    let disk: Disk
    let wall: () -> Int64
    private let registration: UnsafeMutablePointer<sqlite3_vfs>
    private let nameBytes: UnsafeMutablePointer<CChar>
    /// Locks and shared memory by file; those of the processes that live.
    private var locks: [String: FileLocks] = [:]
    private var memory: [String: Weak<SharedMemory>] = [:]
    private var epoch: Int

    private struct Weak<Object: AnyObject> {
        weak var object: Object?
    }

    /// Registers a VFS.
    ///
    /// - Parameters:
    ///   - disk: Where files are.
    ///   - wall: What time it is, in ms since 1970.
    public init(_ disk: Disk, wall: @escaping () -> Int64) {
        self.disk = disk
        self.wall = wall
        epoch = disk.epoch
        unsafe registration = .allocate(capacity: 1)
        // Two disks at the same time are never at the same address.
        let name = "windkanal-\(UInt(bitPattern: ObjectIdentifier(disk)))"
        self.name = name
        unsafe nameBytes = name.withCString { text in
            let count = name.utf8.count + 1
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: count)
            unsafe copy.initialize(from: text, count: count)
            return unsafe copy
        }
        var vfs = unsafe sqlite3_vfs()
        unsafe vfs.iVersion = 2
        unsafe vfs.szOsFile = Int32(MemoryLayout<windkanal_file>.size)
        unsafe vfs.mxPathname = 512
        unsafe vfs.zName = UnsafePointer(nameBytes)
        unsafe vfs.pAppData = Unmanaged.passUnretained(self).toOpaque()
        unsafe vfs.xOpen = { unsafe openFile($0, $1, $2, $3, $4) }
        unsafe vfs.xDelete = { unsafe deleteFile($0, $1, $2) }
        unsafe vfs.xAccess = { unsafe accessFile($0, $1, $2, $3) }
        unsafe vfs.xFullPathname = { unsafe fullPathname($1, $2, $3) }
        unsafe vfs.xRandomness = { unsafe randomness($0, $1, $2) }
        unsafe vfs.xSleep = { unsafe sleepFor($0, $1) }
        unsafe vfs.xCurrentTime = { unsafe currentTime($0, $1) }
        unsafe vfs.xGetLastError = { _, _, _ in 0 }
        unsafe vfs.xCurrentTimeInt64 = { unsafe currentTimeInt64($0, $1) }
        unsafe registration.initialize(to: vfs)
        let code = unsafe sqlite3_vfs_register(registration, 0)
        precondition(code == SQLITE_OK, "SQLite takes no VFS: \(code)")
    }

    deinit {
        unsafe sqlite3_vfs_unregister(registration)
        unsafe registration.deallocate()
        unsafe nameBytes.deallocate()
    }

    /// A database file on the disk.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - sleep: Waits on the clock of the simulation.
    /// - Returns: Where tested code finds it.
    public func location(
        _ path: String, sleep: @escaping @Sendable (Duration) async throws -> Void
    ) -> DiskLocation {
        let keeper = Keeper(vfs: self)
        return DiskLocation(path: path, vfs: name, disk: keeper) {
            let owedLatency = keeper.vfs.disk.takeOwedLatency()
            if owedLatency > .zero { try await sleep(owedLatency) }
        }
    }

    /// The simulation's code runs on one thread; what it hands around is not shared.
    private struct Keeper: @unchecked Sendable {
        let vfs: SQLiteVFS
    }

    // MARK: Processes

    func fileLocks(_ name: String) -> FileLocks {
        dropStaleLocks()
        if let found = locks[name] { return found }
        let made = FileLocks()
        locks[name] = made
        return made
    }

    func sharedMemory(_ name: String) -> SharedMemory {
        dropStaleLocks()
        if let found = memory[name]?.object { return found }
        let made = SharedMemory()
        memory[name] = Weak(object: made)
        return made
    }

    /// Locks and shared memory end with their processes.
    private func dropStaleLocks() {
        guard epoch != disk.epoch else { return }
        epoch = disk.epoch
        locks = [:]
        memory = [:]
    }
}

// MARK: What SQLite calls

private typealias VFSPointer = UnsafeMutablePointer<sqlite3_vfs>

private func vfs(_ pointer: VFSPointer?) -> SQLiteVFS? {
    guard let data = unsafe pointer?.pointee.pAppData else { return nil }
    return unsafe Unmanaged<SQLiteVFS>.fromOpaque(data).takeUnretainedValue()
}

private func openFile(
    _ pointer: VFSPointer?, _ name: UnsafePointer<CChar>?, _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32,
    _ outFlags: UnsafeMutablePointer<Int32>?
) -> Int32 {
    guard let vfs = unsafe vfs(pointer), let file = unsafe file else { return SQLITE_CANTOPEN }
    // Without methods SQLite does not close it.
    unsafe file.pointee.pMethods = nil
    let opened: OpenFile
    if let name = unsafe name {
        do throws(DiskError) {
            opened = try OpenFile(
                vfs, name: unsafe String(cString: name), creates: flags & SQLITE_OPEN_CREATE != 0,
                deletesOnClose: flags & SQLITE_OPEN_DELETEONCLOSE != 0)
        } catch {
            return SQLITE_CANTOPEN
        }
    } else {
        opened = OpenFile(temporaryOn: vfs)
    }
    // The salts of a WAL follow from the disk and not from what other databases did before.
    if flags & SQLITE_OPEN_MAIN_DB != 0 { vfs.seedSQLite() }
    unsafe UnsafeMutableRawPointer(file).assumingMemoryBound(to: windkanal_file.self).pointee.handle =
        Unmanaged.passRetained(opened).toOpaque()
    unsafe file.pointee.pMethods = UnsafePointer(FileMethods.pointer)
    if let outFlags = unsafe outFlags { unsafe outFlags.pointee = flags }
    return SQLITE_OK
}

private func deleteFile(_ pointer: VFSPointer?, _ name: UnsafePointer<CChar>?, _ syncsFolder: Int32) -> Int32 {
    guard let vfs = unsafe vfs(pointer), let name = unsafe name else { return windkanal_ioerr_delete }
    do throws(DiskError) {
        try vfs.disk.delete(unsafe String(cString: name), syncsFolder: syncsFolder != 0)
        return SQLITE_OK
    } catch {
        if case .notFound = error { return windkanal_ioerr_delete_noent }
        return windkanal_ioerr_delete
    }
}

private func accessFile(
    _ pointer: VFSPointer?, _ name: UnsafePointer<CChar>?, _ flags: Int32, _ result: UnsafeMutablePointer<Int32>?
) -> Int32 {
    guard let vfs = unsafe vfs(pointer), let name = unsafe name, let result = unsafe result else { return SQLITE_IOERR }
    let path = unsafe String(cString: name)
    unsafe result.pointee = vfs.disk.contains(path) ? 1 : 0
    return SQLITE_OK
}

private func fullPathname(
    _ name: UnsafePointer<CChar>?, _ capacity: Int32, _ out: UnsafeMutablePointer<CChar>?
) -> Int32 {
    guard let name = unsafe name, let out = unsafe out else { return SQLITE_CANTOPEN }
    let bytes = Array(unsafe String(cString: name).utf8CString)
    guard bytes.count <= Int(capacity) else { return SQLITE_CANTOPEN }
    unsafe out.update(from: bytes, count: bytes.count)
    return SQLITE_OK
}

private func randomness(_ pointer: VFSPointer?, _ count: Int32, _ out: UnsafeMutablePointer<CChar>?) -> Int32 {
    guard let vfs = unsafe vfs(pointer), let out = unsafe out else { return 0 }
    unsafe vfs.disk.fill(UnsafeMutableRawBufferPointer(start: out, count: Int(count)))
    return count
}

/// A connection that would wait for another waits on the simulation's clock, later: nothing else can happen while SQLite runs.
private func sleepFor(_ pointer: VFSPointer?, _ microseconds: Int32) -> Int32 {
    unsafe vfs(pointer)?.disk.add(owedLatency: .microseconds(Int64(microseconds)))
    return microseconds
}

/// Milliseconds from the beginning of SQLite's calendar, noon of -4714-11-24, to 1970.
private let julianEpoch: Int64 = 210_866_760_000_000

private func currentTimeInt64(_ pointer: VFSPointer?, _ out: UnsafeMutablePointer<sqlite3_int64>?) -> Int32 {
    guard let vfs = unsafe vfs(pointer), let out = unsafe out else { return SQLITE_ERROR }
    unsafe out.pointee = julianEpoch + vfs.wall()
    return SQLITE_OK
}

private func currentTime(_ pointer: VFSPointer?, _ out: UnsafeMutablePointer<Double>?) -> Int32 {
    guard let vfs = unsafe vfs(pointer), let out = unsafe out else { return SQLITE_ERROR }
    unsafe out.pointee = Double(julianEpoch + vfs.wall()) / 86_400_000
    return SQLITE_OK
}

extension SQLiteVFS {
    /// Makes SQLite's random numbers follow from the disk's; seed 0 would ask the system.
    fileprivate func seedSQLite() {
        var seed: UInt32 = 0
        unsafe withUnsafeMutableBytes(of: &seed) { unsafe disk.fill($0) }
        _ = windkanal_seed_randomness(Int32(truncatingIfNeeded: seed | 1))
    }
}
