/// What has befallen a run: it decides what is still done, and in the end the journal's status.
struct RunState: Hashable {
    /// Why the method is not gone on with.
    private enum Stop: Hashable {
        /// The hypothesis was not met before the method.
        case unsteady(Journal.Status)
        /// The hypothesis was not met beside the method, and that was to end it.
        case failedFast
        /// Something unexpected happened.
        case aborted
        /// Somebody, or an activity, asked for the end.
        case interrupted
    }

    private var stop: Stop?
    /// How the run ends because the hypothesis was not met after the method.
    private var statusAfter: Journal.Status?
    /// What cut the run short from outside; nil if nothing did.
    private(set) var interruption: Interruption?
    /// Whether the method has ended, and with it the tests beside it.
    private(set) var isMethodOver: Bool = false

    // MARK: What is still done

    /// Whether the method and the tests beside it go on.
    var goesOn: Bool { stop == nil }

    /// Whether the run was asked to end.
    var isInterrupted: Bool { stop == .interrupted }

    /// Whether the hypothesis may be tested after the method.
    var allowsTestAfterMethod: Bool { stop == nil || stop == .failedFast }

    /// Whether the system left its steady state.
    var hasDeviated: Bool { statusAfter != nil }

    /// How the run ends if nothing else happens.
    var status: Journal.Status {
        switch stop {
        case .interrupted: .interrupted
        case .aborted: .aborted
        case .unsteady(let status): status
        case .failedFast: statusAfter ?? .failed
        case nil: statusAfter ?? .completed
        }
    }

    // MARK: What happens

    /// Somebody interrupts the run; ``interruption`` is the last that did.
    mutating func interrupt(_ kind: Interruption) {
        interruption = kind
        stop = .interrupted
    }

    /// An activity or a control asks for the end of the run.
    mutating func endEarly() { stop = .interrupted }

    /// The method ran into something unexpected.
    mutating func abort() { if stop != .interrupted { stop = .aborted } }

    /// A test beside the method ran into something unexpected.
    mutating func abortFromBeside() { stop = stop ?? .aborted }

    /// A test beside the method was not met, and is to end the method.
    mutating func failFast() { stop = stop ?? .failedFast }

    /// The hypothesis was not met before the method.
    mutating func foundUnsteady(_ state: Journal.SteadyState) { stop = stop ?? .unsteady(Self.status(of: state)) }

    /// The hypothesis was not met after the method.
    mutating func foundDeviated(_ state: Journal.SteadyState) { statusAfter = Self.status(of: state) }

    /// The method has ended.
    mutating func endMethod() { isMethodOver = true }

    private static func status(of state: Journal.SteadyState) -> Journal.Status {
        state.probes.contains { $0.status != .succeeded } ? .failed : .completed
    }
}
