/// Why an activity has no output.
public enum ActivityError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The activity failed in a way that experiments expect: its entry says so, and the run goes on.
    case failed(String)
    /// The activity failed in a way that experiments do not expect: the method is aborted, a hypothesis or a rollback ends the run without a journal.
    case unexpected(String)
    /// The activity was cut short.
    case interrupted

    /// What happened.
    public var description: String {
        switch self {
        case .failed(let message), .unexpected(let message): message
        case .interrupted: "interrupted"
        }
    }
}
