/// Why a run ended.
public enum StopReason: Hashable, Sendable, CustomStringConvertible {
    /// The root code returned or threw.
    case finished
    /// Tested code or a test asked for it.
    case stopped(String)
    /// Nothing is left that could happen, and the root code still waits: the oldest waiting tasks, and how many there are.
    case deadlock([WaitingTask], count: Int)
    /// Something left the simulation, and guards are strict.
    case guardViolation(GuardViolation)
    /// The virtual time that the budget allows has passed.
    case virtualTimeBudgetSpent(Duration)
    /// As many events were dispatched as the budget allows.
    case eventBudgetSpent(Int)
    /// The real time that the budget allows has passed.
    case wallTimeBudgetSpent(Duration)

    /// Waiting tasks that a deadlock names.
    public static let waitingTasksMax: Int = 20

    /// One line, or one for each waiting task.
    public var description: String {
        switch self {
        case .finished: "finished"
        case .stopped(let why): "stopped: \(why)"
        case .deadlock(let tasks, let count):
            (["deadlock: nothing is left to happen, and \(count) task(s) wait"]
                + tasks.map { "  \($0)" }).joined(separator: "\n")
        case .guardViolation(let violation): "guard violation: \(violation)"
        case .virtualTimeBudgetSpent(let limit): "the budget of \(limit) of virtual time is spent"
        case .eventBudgetSpent(let limit): "the budget of \(limit) events is spent"
        case .wallTimeBudgetSpent(let limit): "the budget of \(limit) of real time is spent"
        }
    }
}
