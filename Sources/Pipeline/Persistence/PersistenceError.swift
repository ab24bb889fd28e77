import SQLite

/// Why a service that keeps something does not do what it is asked, and what is known of the outcome.
public enum PersistenceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file is another program's, or of a version that is not known; nothing was changed.
    case foreign(String)
    /// The file is damaged; it is left as it is, and the service stops.
    case damaged(String)
    /// SQLite does not keep to a rule that no measurement may be lost without.
    case unsafe(String)
    /// The file cannot be opened.
    case unavailable(String)
    /// What was asked breaks a limit, or repeats another's name; nothing was stored.
    case refused(String)
    /// There is no space left; nothing was stored.
    case full
    /// The queue is full; nothing was stored.
    case overloaded
    /// The disk failed while something was being stored: it may be there or not. The service has stopped.
    case unknownOutcome(String)
    /// The service has stopped since the disk failed; nothing was stored.
    case stopped(String)

    /// What happened.
    public var description: String {
        switch self {
        case .foreign(let reason): "the file is another program's: \(reason)"
        case .damaged(let reason): "the file is damaged: \(reason)"
        case .unsafe(let reason): "SQLite would lose measurements here: \(reason)"
        case .unavailable(let reason): "the file cannot be opened: \(reason)"
        case .refused(let reason): reason
        case .full: "the disk is full"
        case .overloaded: "too much waits already"
        case .unknownOutcome(let reason): "the disk failed, and it may be stored or not: \(reason)"
        case .stopped(let reason): "the service has stopped: \(reason)"
        }
    }

    /// What SQLite's error is where nothing was being stored.
    init(_ error: SQLiteError) {
        // A statement of ours that means nothing to SQLite: the schema is not what it was.
        let isDamage = error.isDamage || error.isMeaningless
        self =
            error.isFull ? .full : isDamage ? .damaged(error.description) : .unavailable(error.description)
    }

    /// Gives the errors of SQLite their meaning here.
    static func mapped<Result>(_ body: () throws -> Result) throws(PersistenceError) -> Result {
        do {
            return try body()
        } catch let error as PersistenceError {
            throw error
        } catch let error as SQLiteError {
            throw PersistenceError(error)
        } catch {
            throw .unavailable("\(error)")
        }
    }

    /// Whether it may be done although there was an error.
    public var isUnknown: Bool {
        if case .unknownOutcome = self { true } else { false }
    }

    /// Whether the service is to end: its disk failed, or holds what nobody wrote, and only a new process may open the file again.
    public var endsService: Bool {
        switch self {
        case .unknownOutcome, .stopped, .damaged: true
        case .foreign, .unsafe, .unavailable, .refused, .full, .overloaded: false
        }
    }
}
