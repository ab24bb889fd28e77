/// How tested code reaches its disk: a file of a database, on the real disk or on a simulated one.
public struct DiskLocation: Sendable {
    /// The file's path.
    public let path: String
    /// The name of the SQLite VFS that reaches it; nil is the system's.
    public let vfs: String?
    /// Waits for what the disk owes.
    private let wait: @Sendable () async throws -> Void
    /// What must live for as long as the file is used.
    private let disk: (any Sendable)?

    /// A file on this machine's disk, which makes its caller wait by itself.
    public init(path: String) {
        self.init(path: path, vfs: nil, disk: nil) {}
    }

    /// A file of a VFS.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - vfs: The name under which the VFS is registered.
    ///   - disk: What must live for as long as the file is used.
    ///   - wait: Waits until the disk has done what it was asked.
    public init(path: String, vfs: String?, disk: (any Sendable)?, wait: @escaping @Sendable () async throws -> Void) {
        self.path = path
        self.vfs = vfs
        self.disk = disk
        self.wait = wait
    }

    /// Waits until the disk has done what it was asked: before that nothing is acknowledged.
    ///
    /// It waits although its caller is cancelled: that a client hangs up does not make the disk forget what it was asked.
    ///
    /// - Throws: What the wait throws: a simulated disk's `CancellationError`, when the run is over.
    public func waitUntilDurable() async throws {
        let wait = wait
        try await Task { try await wait() }.value
    }
}
