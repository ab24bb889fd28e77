/// A station of the cycle that every hypothesis goes through, again and again.
public enum Stage: String, CaseIterable, Hashable, Sendable {
    /// Something is believed, and nobody has said yet how to try it.
    case hypothesis
    /// Experiments are planned, and something is missing before they can be run.
    case planning
    /// An experiment can be run that has not been.
    case experiment
    /// Every experiment that can be run has been.
    case evaluation

    /// What is done at the station, for people.
    public var meaning: String {
        switch self {
        case .hypothesis: "believed; no experiment is planned"
        case .planning: "planned; something is missing before it can be run"
        case .experiment: "ready; an experiment has not been run yet"
        case .evaluation: "run; what was learned is what counts"
        }
    }
}
