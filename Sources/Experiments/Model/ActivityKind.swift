/// What an activity is for: it does something to a system, or it looks at it.
public enum ActivityKind: Hashable, Sendable, RawRepresentable {
    /// Does something to a system.
    case action
    /// Looks at a system.
    case probe
    /// A word that validation refuses; it is performed all the same in a run without validation.
    case other(String)

    /// Reads the word that a file has for it.
    public init(rawValue: String) {
        self =
            switch rawValue {
            case "action": .action
            case "probe": .probe
            default: .other(rawValue)
            }
    }

    /// The word that files have for it.
    public var rawValue: String {
        switch self {
        case .action: "action"
        case .probe: "probe"
        case .other(let word): word
        }
    }
}

/// How an activity ended that did not end unexpectedly.
public enum EntryStatus: String, Hashable, Sendable {
    /// The activity has an output.
    case succeeded
    /// The activity failed in a way that experiments expect.
    case failed
}

/// A part of a run, in which activities are performed.
public enum Phase: String, CaseIterable, Hashable, Sendable {
    /// The hypothesis is tested before the method.
    case before
    /// The hypothesis is tested beside the method, again and again.
    case during
    /// The method is played.
    case method
    /// The hypothesis is tested after the method.
    case after
    /// What was done is undone.
    case rollbacks

    /// Where the activities of a phase stand.
    public var section: Section {
        switch self {
        case .before, .during, .after: .hypothesis
        case .method: .method
        case .rollbacks: .rollbacks
        }
    }
}
