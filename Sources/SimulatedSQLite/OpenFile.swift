import CSQLite
import SimulatedWorld

/// A file that SQLite has open.
final class OpenFile {
    let vfs: SQLiteVFS
    let name: String?
    let file: DiskFile
    private let deletesOnClose: Bool
    /// Which processes lived when it was opened: when they are dead, it does nothing any more.
    private let epoch: Int
    private let locks: FileLocks
    private var memory: SharedMemory?

    init(_ vfs: SQLiteVFS, name: String, creates: Bool, deletesOnClose: Bool) throws(DiskError) {
        self.vfs = vfs
        self.name = name
        self.deletesOnClose = deletesOnClose
        file = try vfs.disk.open(name, creates: creates)
        epoch = vfs.disk.epoch
        locks = vfs.fileLocks(name)
    }

    /// A file without a name, which nobody else sees.
    init(temporaryOn vfs: SQLiteVFS) {
        self.vfs = vfs
        name = nil
        deletesOnClose = false
        file = DiskFile()
        epoch = vfs.disk.epoch
        locks = FileLocks()
    }

    private var owner: ObjectIdentifier { ObjectIdentifier(self) }

    private func checkLife() throws(DiskError) {
        guard epoch == vfs.disk.epoch else { throw .dead }
    }

    func close() {
        unmapMemory()
        locks.unlock(FileLocks.Level.none, by: owner)
        if deletesOnClose, let name, epoch == vfs.disk.epoch { try? vfs.disk.delete(name, syncsFolder: false) }
    }

    // MARK: Bytes

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        try checkLife()
        return try unsafe vfs.disk.read(file, into: buffer, at: offset)
    }

    func write(_ buffer: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        try checkLife()
        try unsafe vfs.disk.write(file, buffer, at: offset)
    }

    func resize(_ size: Int) throws(DiskError) {
        try checkLife()
        try vfs.disk.resize(file, size)
    }

    func sync() throws(DiskError) {
        try checkLife()
        try vfs.disk.sync(file)
    }

    // MARK: Locks

    func lock(_ level: Int32) -> Int32 {
        guard epoch == vfs.disk.epoch else { return windkanal_ioerr_lock }
        return locks.lock(level, by: owner) ? SQLITE_OK : SQLITE_BUSY
    }

    func unlock(_ level: Int32) { locks.unlock(level, by: owner) }

    var isReserved: Bool { locks.isReserved }

    // MARK: Shared memory

    func region(_ index: Int, bytes: Int, extends: Bool) throws(DiskError) -> UnsafeMutableRawPointer? {
        try checkLife()
        let memory = self.memory ?? vfs.sharedMemory(name ?? "")
        self.memory = memory
        return unsafe memory.region(index, bytes: bytes, extends: extends)
    }

    func lockMemory(_ range: Range<Int>, _ flags: Int32) -> Int32 {
        let isExclusive = flags & SQLITE_SHM_EXCLUSIVE != 0
        if flags & SQLITE_SHM_UNLOCK != 0 {
            memory?.unlock(range, isExclusive: isExclusive, by: owner)
            return SQLITE_OK
        }
        guard epoch == vfs.disk.epoch, let memory else { return windkanal_ioerr_shmlock }
        assert(!range.isEmpty, "SQLite locks nothing")
        return memory.lock(range, isExclusive: isExclusive, by: owner) ? SQLITE_OK : SQLITE_BUSY
    }

    func unmapMemory() {
        memory?.unlockAll(of: owner)
        memory = nil
    }
}
