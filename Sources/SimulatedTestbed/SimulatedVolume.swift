import Glibc
public import Ports
import Randomness
import SimulatedSQLite
public import SimulatedWorld

/// A disk of a process: it outlives the process, and may be lost and replaced.
public final class SimulatedVolume {
    /// The disk that there is now.
    public private(set) var disk: Disk
    private var vfs: SQLiteVFS
    private let label: String
    private let seed: Seed
    private var disksMade: Int = 1

    init(label: String, seed: Seed, options: DiskOptions) {
        self.label = label
        self.seed = seed
        disk = Disk(RandomStream(seed: seed).fork("disk of \(label)"), options: options)
        vfs = Self.makeVFS(disk)
    }

    /// A file on it.
    public func file(_ path: String) -> DiskLocation {
        vfs.location(path, sleep: { try await Task.sleep(for: $0) })
    }

    /// Puts an empty disk in its place.
    func replace() {
        disksMade += 1
        disk = Disk(RandomStream(seed: seed).fork("disk \(disksMade) of \(label)"), options: disk.options)
        vfs = Self.makeVFS(disk)
    }

    private static func makeVFS(_ disk: Disk) -> SQLiteVFS { SQLiteVFS(disk, wall: { wallMilliseconds }) }

    /// What the host's wall clock shows: the simulation answers for the system's.
    private static var wallMilliseconds: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
