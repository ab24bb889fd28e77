/// How tested code reaches its disk: a file of a database, on the real disk or on a simulated one.
public struct DiskLocation: Sendable {
    /// The file's path.
    public let path: String
    /// The name of the SQLite VFS that reaches it; nil is the system's.
    public let vfs: String?
    /// Waits until the disk has done what it was asked: before that nothing is acknowledged.
    ///
    /// A real disk makes its caller wait by itself.
    public let settle: @Sendable () async throws -> Void
    /// What must live for as long as the file is used.
    private let disk: (any Sendable)?

    /// A file on this machine's disk.
    public init(path: String) {
        self.init(path: path, vfs: nil, disk: nil) {}
    }

    /// A file of a VFS.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - vfs: The name under which the VFS is registered.
    ///   - disk: What must live for as long as the file is used.
    ///   - settle: Waits for the disk.
    public init(path: String, vfs: String?, disk: (any Sendable)?, settle: @escaping @Sendable () async throws -> Void)
    {
        self.path = path
        self.vfs = vfs
        self.disk = disk
        self.settle = settle
    }

    /// Waits for the disk whatever becomes of the caller: that a client hangs up does not make the disk forget what it was asked.
    public func settleToTheEnd() async throws {
        let settle = settle
        try await Task { try await settle() }.value
    }

    /// Another file beside this one.
    public func beside(_ name: String) -> DiskLocation {
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
        return DiskLocation(path: folder + name, vfs: vfs, disk: disk, settle: settle)
    }
}
