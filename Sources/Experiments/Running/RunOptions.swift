public import Documents

/// How an experiment is run; nil leaves a choice to the experiment and the settings.
public struct RunOptions: Sendable {
    /// When the hypothesis is tested.
    public var hypothesisStrategy: HypothesisStrategy?
    /// When rollbacks are played.
    public var rollbackStrategy: RollbackStrategy?
    /// The gap between two tests of the hypothesis during the method.
    public var hypothesisFrequency: Duration = .seconds(1)
    /// Whether a deviation during the method ends it.
    public var failsFast: Bool = false
    /// What a rehearsal leaves out; nil performs everything.
    public var dry: Dry?
    /// Values in place of the experiment's own.
    public var variables: Variables = Variables()
    /// The user's settings: their `runtime` part says how experiments are run, and controls are shown all of them.
    public var settings: Value?
    /// The controls of the settings and of files, which are called around every experiment.
    public var globalControls: [Control] = []

    /// The `runtime` part of the settings.
    var runtimeSettings: Value? { settings?["runtime"] }

    /// Leaves everything to the experiment.
    public init() {}
}

/// How a run is cut short.
public enum Interruption: String, Hashable, Sendable {
    /// Ctrl-C.
    case interrupt = "SIGINT"
    /// The system asks the process to end.
    case termination = "SIGTERM"
    /// The terminal is gone.
    case hangUp = "SIGHUP"
    /// Ctrl-\.
    case quit = "SIGQUIT"
    /// The experiment asks for the end: what runs in the background is awaited, rollbacks follow their strategy.
    case gracefulExit = "SIGUSR1"
    /// The experiment asks for the end at once: nothing is awaited, nothing is rolled back.
    case ungracefulExit = "SIGUSR2"

    /// Whether journals say which signal it was: experiments that end themselves know.
    var isRecorded: Bool { self != .gracefulExit && self != .ungracefulExit }
}

/// Why a run has no journal.
public struct RunFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What happened.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
