public import Documents

/// An action or a probe as a file declares it.
///
/// It keeps the file's own words: what they mean is decided when it is used, since values may come from the configuration and since a
/// run without validation must meet a mistake where the reference does.
public struct Activity: Hashable, Sendable {
    /// Where it stands in the experiment.
    public let pointer: Pointer
    /// What stands there.
    public let source: Value.Object

    /// Takes what stands at a place; nil if it is not an object.
    public init?(_ value: Value?, at pointer: Pointer) {
        guard let object = value?.object else { return nil }
        self.pointer = pointer
        source = object
    }

    /// Stands for what is not an activity.
    init(none pointer: Pointer) {
        self.pointer = pointer
        source = [:]
    }

    /// The activity's name, in Python's words if it is not a string.
    public var name: String { source["name"].map(PythonText.str) ?? "" }

    /// What it is for.
    public var kind: ActivityKind { ActivityKind(rawValue: source["type"].map(PythonText.str) ?? "") }

    /// The name of the activity that it stands for.
    public var reference: Value? { source["ref"].flatMap { $0.isTruthy ? $0 : nil } }

    /// Whether the next activity starts without waiting for it.
    public var isBackground: Bool { source["background"]?.isTruthy ?? false }

    /// Who performs it.
    public var provider: Value.Object? { source["provider"]?.object }

    /// What its output must be; nil if nothing is said.
    public var tolerance: Value? { source["tolerance"] }
}

/// The activities of an experiment by the part that they play.
public enum Section: Hashable, Sendable {
    /// Probes of the steady-state hypothesis.
    case hypothesis
    /// What is done.
    case method
    /// What undoes it.
    case rollbacks

    /// Where its activities stand.
    public var pointer: Pointer {
        switch self {
        case .hypothesis: Pointer(tokens: ["steady-state-hypothesis", "probes"])
        case .method: Pointer(tokens: ["method"])
        case .rollbacks: Pointer(tokens: ["rollbacks"])
        }
    }
}
