/// Why an activity has no output.
public enum ActivityError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It failed in a way that experiments expect: its entry says so, and the run goes on.
    case failed(String)
    /// It failed in a way that they do not: the method is aborted, a hypothesis or a rollback ends the run without a journal.
    case unexpected(String)
    /// It was cut short.
    case interrupted

    /// What happened.
    public var description: String {
        switch self {
        case .failed(let message), .unexpected(let message): message
        case .interrupted: "interrupted"
        }
    }
}
