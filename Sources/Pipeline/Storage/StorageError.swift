import SQLite

/// Why the storage does not do what it is asked, and what is known of the outcome.
public enum StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file is another program's, or of a version that is not known; nothing was changed.
    case foreign(String)
    /// The file is damaged; it is left as it is.
    case damaged(String)
    /// SQLite does not keep to a rule that no measurement may be lost without.
    case unsafe(String)
    /// The file cannot be opened.
    case unavailable(String)
    /// A batch breaks a limit or repeats another's name; nothing was stored.
    case refused(String)
    /// There is no space left; nothing was stored.
    case full
    /// As many batches wait as may; nothing was stored.
    case overloaded
    /// The disk failed while a batch was being stored: it may be there or not. The storage has stopped.
    case unknownOutcome(String)
    /// The storage has stopped since the disk failed; nothing was stored.
    case stopped(String)

    /// What happened.
    public var description: String {
        switch self {
        case .foreign(let reason): "the file is not this storage's: \(reason)"
        case .damaged(let reason): "the file is damaged: \(reason)"
        case .unsafe(let reason): "SQLite would lose measurements here: \(reason)"
        case .unavailable(let reason): "the file cannot be opened: \(reason)"
        case .refused(let reason): reason
        case .full: "the disk is full"
        case .overloaded: "too many batches wait"
        case .unknownOutcome(let reason): "the disk failed, and the batch may be stored or not: \(reason)"
        case .stopped(let reason): "the storage has stopped: \(reason)"
        }
    }

    /// What SQLite's error is where nothing was being stored.
    init(_ error: SQLiteError) {
        // A statement of ours that means nothing to SQLite: the schema is not what it was.
        let isDamage = error.isDamage || error.isMeaningless
        self =
            error.isFull ? .full : isDamage ? .damaged(error.description) : .unavailable(error.description)
    }
}
