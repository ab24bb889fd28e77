/// The memory that the connections to a WAL database share, and its locks; gone when the last of them is.
@safe
final class SharedMemory {
    private var regions: [UnsafeMutableRawPointer]
    /// Who has each lock to itself, and who shares it.
    private var exclusive: [ObjectIdentifier?] = Array(repeating: nil, count: locks)
    private var shared: [Set<ObjectIdentifier>] = Array(repeating: [], count: locks)

    /// Locks that WAL knows (`SQLITE_SHM_NLOCK`).
    private static let locks: Int = 8

    init() {
        unsafe regions = []
    }

    deinit {
        while let region = unsafe regions.popLast() { unsafe region.deallocate() }
    }

    /// A region; nil if it is not there and must not be made.
    func region(_ index: Int, bytes: Int, extends: Bool) -> UnsafeMutableRawPointer? {
        precondition(index >= 0 && bytes > 0, "SQLite asks for region \(index) of \(bytes) bytes")
        while unsafe regions.count <= index {
            guard extends else { return nil }
            let region = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
            unsafe region.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
            unsafe regions.append(region)
        }
        return unsafe regions[index]
    }

    /// Takes locks; false if somebody has one of them.
    func lock(_ range: Range<Int>, isExclusive: Bool, by owner: ObjectIdentifier) -> Bool {
        precondition(range.lowerBound >= 0 && range.upperBound <= Self.locks, "WAL has no locks \(range)")
        for slot in range {
            if let other = exclusive[slot], other != owner { return false }
            if isExclusive, shared[slot].contains(where: { $0 != owner }) { return false }
        }
        for slot in range {
            if isExclusive { exclusive[slot] = owner } else { shared[slot].insert(owner) }
            assert(
                exclusive[slot] == nil || shared[slot].allSatisfy { $0 == exclusive[slot] },
                "lock \(slot) is shared while somebody has it to himself")
        }
        return true
    }

    /// Gives locks back.
    func unlock(_ range: Range<Int>, isExclusive: Bool, by owner: ObjectIdentifier) {
        for slot in range {
            if isExclusive {
                if exclusive[slot] == owner { exclusive[slot] = nil }
            } else {
                shared[slot].remove(owner)
            }
        }
    }

    /// Gives all locks back.
    func unlockAll(of owner: ObjectIdentifier) {
        let all = 0..<Self.locks
        unlock(all, isExclusive: true, by: owner)
        unlock(all, isExclusive: false, by: owner)
    }
}

/// The locks of a database file, as SQLite's levels have them.
final class FileLocks {
    private var levels: [ObjectIdentifier: Int32] = [:]

    /// The levels, in their order.
    enum Level {
        static let none: Int32 = 0
        static let shared: Int32 = 1
        static let reserved: Int32 = 2
        static let pending: Int32 = 3
        static let exclusive: Int32 = 4
    }

    /// Raises a lock; false if somebody else's stands against it.
    func lock(_ level: Int32, by owner: ObjectIdentifier) -> Bool {
        let own = levels[owner] ?? Level.none
        guard level > own else { return true }
        let highest = levels.filter { $0.key != owner }.values.max() ?? Level.none
        switch level {
        case Level.shared: guard highest < Level.pending else { return false }
        case Level.reserved: guard highest < Level.reserved else { return false }
        default:
            guard highest < Level.reserved else { return false }
            // No new readers; those that are there go on.
            guard highest == Level.none else {
                levels[owner] = max(own, Level.pending)
                return false
            }
        }
        levels[owner] = level
        assert(levels.values.count { $0 >= Level.reserved } <= 1, "two prepare to write")
        assert(level < Level.exclusive || levels.count == 1, "somebody reads what another writes")
        return true
    }

    /// Lowers a lock.
    func unlock(_ level: Int32, by owner: ObjectIdentifier) {
        precondition(level == Level.none || level == Level.shared, "SQLite lowers a lock to \(level)")
        levels[owner] = level == Level.none ? nil : min(level, levels[owner] ?? Level.none)
    }

    /// Whether somebody prepares to write.
    var isReserved: Bool { levels.values.contains { $0 >= Level.reserved } }
}
