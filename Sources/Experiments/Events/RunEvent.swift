public import Documents

/// What happens in a run, in the order in which it happens.
///
/// Recorders get nothing else: what people read, what programs read and what files hold is made of events.
public enum RunEvent: Hashable, Sendable {
    /// The secrets are known: what is recorded from now on may hold them.
    case secretsKnown(Redactor)
    /// What the run will do.
    case planned(PlanSummary)
    /// The run begins.
    case runBegan(RunBeginning)
    /// The run was interrupted before anything was done.
    case notBegun
    /// The run has ended.
    case runEnded(RunEnding)
    /// A phase begins.
    case phaseBegan(PhaseBeginning)
    /// A phase has ended.
    case phaseEnded(Phase)
    /// A test of the hypothesis begins.
    case hypothesisBegan(HypothesisTest)
    /// A test of the hypothesis has ended.
    case hypothesisEnded(HypothesisTest, HypothesisResult)
    /// A test of the hypothesis beside the method could not be made; with the reason.
    case hypothesisFailed(HypothesisTest, String)
    /// The tests beside the method are over: how many there were, and how many were met.
    case continuousHypothesisEnded(tests: Int, met: Int)
    /// An activity begins.
    case activityBegan(ActivityOccurrence)
    /// An activity has ended.
    case activityEnded(ActivityOccurrence, ActivityResult)
    /// A probe's output was compared with its tolerance.
    case toleranceChecked(ActivityOccurrence, ToleranceResult)
    /// A pause begins.
    case pauseBegan(ActivityOccurrence, Pause)
    /// A pause has ended, or was cut short.
    case pauseEnded(ActivityOccurrence)
    /// The decision whether rollbacks are played.
    case rollbacksDecided(RollbackStrategy, RollbackDecision)
    /// A rollback is next.
    case rollbackBegan(ActivityOccurrence)
    /// A control was called.
    case controlCalled(ControlOccurrence)
    /// The run is cut short.
    case interrupted(Interruption)
    /// Something unexpected ends the method; with the reason.
    case aborted(String)
    /// Something deserves a look.
    case warning(RunWarning)
    /// Something happened in the world around the run, such as a fault: its name, and what is known of it.
    ///
    /// A member `text` is what people read, at the `level` (`info`, `warning`, `error`, `critical`) that stands beside it.
    case testbed(String, Value.Object)
    /// Something for records alone, such as a sample of how the system does: an object with the member `event`.
    case noted(Value.Object)
    /// A line that somebody else wrote, such as an activity's driver.
    case log(LogLevel, String)
}

/// How serious a line is.
public enum LogLevel: String, Hashable, Sendable {
    /// The course of things.
    case info = "INFO"
    /// Something that deserves a look.
    case warning = "WARNING"
    /// Something failed.
    case error = "ERROR"
    /// The system deviated.
    case critical = "CRITICAL"
}

/// A plan as recorders get it.
public struct PlanSummary: Hashable, Sendable {
    /// How many steps are performed once.
    public let steps: Int
    /// The plan as JSON.
    public let value: Value

    /// Sums a plan up.
    public init(_ plan: Plan) {
        steps = plan.count
        value = plan.value
    }
}

/// What is known when a run begins.
public struct RunBeginning: Hashable, Sendable {
    /// The experiment's title, with names replaced.
    public let title: Value
    /// When the hypothesis is tested and rollbacks are played.
    public let strategies: Strategies
    /// Whether a hypothesis is tested at all.
    public let testsHypothesis: Bool
}

/// What is known when a run has ended.
public struct RunEnding: Hashable, Sendable {
    /// How it ended.
    public let status: Journal.Status
    /// Whether the system left its steady state.
    public let hasDeviated: Bool
    /// How many seconds it took.
    public let seconds: Double
}

/// What is known when a phase begins.
public struct PhaseBeginning: Hashable, Sendable {
    /// The phase.
    public let phase: Phase
    /// How many steps it has.
    public let steps: Int
    /// The seconds between two tests beside the method; nil for other phases.
    public let frequency: Double?
}

/// A test of the hypothesis.
public struct HypothesisTest: Hashable, Sendable {
    /// When it is made.
    public let phase: Phase
    /// The test's number among those beside the method, from 1 on; nil before and after the method.
    public let iteration: Int?
    /// The hypothesis' title, in Python's words if it is not a string.
    public let title: String
}

/// What a test of the hypothesis found.
public struct HypothesisResult: Hashable, Sendable {
    /// What came of a probe.
    public struct Probe: Hashable, Sendable {
        /// The activity's name.
        public let name: Value
        /// Where it stands in the experiment.
        public let pointer: Pointer
        /// How it ended; nil if it did unexpectedly.
        public let status: EntryStatus?
        /// Whether its output was within the tolerance; nil where that was not looked at.
        public let toleranceMet: Bool?
        /// The output; null if there is none.
        public let output: Value
    }

    /// Whether every probe was within its tolerance.
    public let isMet: Bool
    /// The probes as far as they were performed.
    public let probes: [Probe]

    init(_ state: Journal.SteadyState) {
        isMet = state.isMet == true
        probes = state.probes.map { entry in
            Probe(
                name: entry.activity["name"] ?? .null, pointer: entry.pointer, status: entry.status,
                toleranceMet: entry.toleranceMet, output: entry.output)
        }
    }
}

/// An activity of a run that is performed once, or once in each test of the hypothesis.
public struct ActivityOccurrence: Hashable, Sendable {
    /// The activity's name.
    public let name: String
    /// What it is for.
    public let kind: ActivityKind
    /// The phase in which it is performed.
    public let phase: Phase
    /// Where it stands in the experiment.
    public let pointer: Pointer
    /// The step's number in the plan, from 1 on; nil in tests beside the method.
    public let step: Int?
    /// The number of the test beside the method; nil elsewhere.
    public let iteration: Int?
    /// Whether the next one starts without waiting for it.
    public let isBackground: Bool
    /// Whether a rehearsal leaves it out.
    public let isLeftOut: Bool
}

/// What came of an activity.
public struct ActivityResult: Hashable, Sendable {
    /// How it ended; nil if it did unexpectedly or was cut short.
    public let status: EntryStatus?
    /// How many seconds it took.
    public let seconds: Double
    /// The output; null if there is none.
    public let output: Value
    /// Why it failed or ended unexpectedly; nil if it did neither.
    public let failure: String?
    /// The failure as the journal has it, in lines.
    public let exception: [String]?
}

/// Whether an output was within a tolerance, and how that was found out.
public enum ToleranceResult: Hashable, Sendable {
    /// The output was compared.
    case compared(isMet: Bool)
    /// A rehearsal leaves it out, and takes it for met.
    case leftOut
    /// There is no output to compare, since the probe failed.
    case probeFailed
    /// The probe that was to decide failed; with the reason.
    case deciderFailed(String)

    /// Whether the hypothesis is still met with it.
    public var isMet: Bool {
        switch self {
        case .compared(let isMet): isMet
        case .leftOut: true
        case .probeFailed, .deciderFailed: false
        }
    }
}

/// A pause before or after an activity.
public struct Pause: Hashable, Sendable {
    /// The length as it was given, in seconds.
    public let length: Value
    /// The length in seconds.
    public let seconds: Double
    /// Whether it is before the activity.
    public let isBefore: Bool
}

/// Whether rollbacks are played, and why not.
public enum RollbackDecision: Hashable, Sendable {
    /// Rollbacks are played.
    case played
    /// Rollbacks are left out after a run that ended with this status.
    case leftOutAfter(Journal.Status)
    /// Rollbacks are left out since the run was interrupted ungracefully.
    case leftOutAtUngracefulExit
    /// Rollbacks are left out since the strategy is never to play them.
    case never
    /// Rollbacks are left out since the system did not deviate.
    case noDeviation
}

/// A call of a control.
public struct ControlOccurrence: Hashable, Sendable {
    /// The control's name.
    public let name: String
    /// The function that was called.
    public let function: ControlCall.Function
    /// How the call ended.
    public let end: ControlOutcome.End
    /// Whether it was made for a test beside the method.
    public let isDuring: Bool
}

/// Something in a run that deserves a look.
public enum RunWarning: Hashable, Sendable {
    /// A dynamic value of the configuration could not be found, and the key is left out.
    case valueNotFound(key: String, reason: String)
    /// A program of an activity returned something other than 0.
    case processStatus(ActivityOccurrence, Int)
    /// An HTTP request of an activity was answered with an error.
    case httpStatus(ActivityOccurrence, Int)
    /// An activity in the background ended unexpectedly.
    case backgroundActivityFailed(name: String, reason: String)
}
