/// Why a disk does not do what it is asked.
public enum DiskError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The process that opened the file is dead, or the machine is without power.
    case dead
    /// There is no such file.
    case notFound(String)
    /// An operation failed (EIO).
    case io(Operation)
    /// There is no space left (ENOSPC).
    case full

    /// What was tried.
    public enum Operation: String, CaseIterable, Hashable, Sendable {
        /// Bytes were read.
        case read
        /// Bytes were written, or a file's size was changed.
        case write
        /// What was written was to be made durable.
        case sync
    }

    /// What happened.
    public var description: String {
        switch self {
        case .dead: "the process is dead"
        case .notFound(let name): "there is no file '\(name)'"
        case .io(let operation): "the disk failed to \(operation.rawValue)"
        case .full: "the disk is full"
        }
    }
}
