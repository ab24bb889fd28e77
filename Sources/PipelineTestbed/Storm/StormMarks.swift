public import Testbed

/// Rare paths of the pipeline that a sweep of storms must have taken.
public enum StormMarks {
    /// All of them.
    public static let all: [Mark] = []

    /// Those that faults are tied to, in the middle of what they mark.
    static let triggers: [Mark] = []
}
