public import Documents
import Durations

/// What happened in a run.
public struct Journal: Sendable {
    /// How a run ended.
    public enum Status: String, Hashable, Sendable {
        /// The run went to its end.
        case completed
        /// A hypothesis could not be tested, or a deviation was to end the run.
        case failed
        /// Something unexpected ended the method.
        case aborted
        /// Somebody ended the run.
        case interrupted
    }

    /// What became of an activity.
    public struct Entry: Hashable, Sendable {
        /// Where the activity stands in the experiment.
        public let pointer: Pointer
        /// The activity as it stood there when it began.
        public internal(set) var activity: Value.Object
        /// The output; null as long as there is none.
        public internal(set) var output: Value = .null
        /// When it began.
        public let start: Duration
        /// How it ended; nil if it did unexpectedly or not at all.
        public internal(set) var status: EntryStatus?
        /// The failure, in lines.
        public internal(set) var exception: [String]?
        /// When it ended.
        public internal(set) var end: Duration?
        /// How long it took.
        public internal(set) var duration: Duration?
        /// Whether its output was within the tolerance; nil where that is not looked at.
        public internal(set) var toleranceMet: Bool?
        /// The entry as a control left it; nil if none changed it.
        var rewritten: Value.Object?
    }

    /// What a test of the hypothesis found.
    public struct SteadyState: Hashable, Sendable {
        /// Whether every probe was within its tolerance; nil if the test did not get to its end.
        public internal(set) var isMet: Bool?
        /// The probes as far as they were performed.
        public internal(set) var probes: [Entry] = []
        /// What controls added.
        var additions: Value.Object = [:]
    }

    /// The machine's kind.
    public let platform: String
    /// The machine's name.
    public let node: String
    /// The experiment, with the title's names replaced.
    public internal(set) var experiment: Value
    /// When the run began, since 1970.
    public let start: Duration
    /// How it ended; nil while it goes on.
    public internal(set) var status: Status?
    /// Whether the system left its steady state.
    public internal(set) var deviated: Bool = false
    /// The hypothesis before the method; nil if it was not tested.
    public internal(set) var before: SteadyState?
    /// The hypothesis after the method; nil if it was not tested.
    public internal(set) var after: SteadyState?
    /// The hypothesis during the method, each time that it was tested.
    public internal(set) var during: [SteadyState] = []
    /// The method's activities, in the order in which they began.
    public internal(set) var run: [Entry] = []
    /// The rollbacks, in the order in which they began.
    public internal(set) var rollbacks: [Entry] = []
    /// What controls added to the method's entries.
    var runAdditions: [Value] = []
    /// What controls added to the rollbacks' entries.
    var rollbackAdditions: [Value] = []
    /// When the run ended, since 1970.
    public internal(set) var end: Duration?
    /// How long it took.
    public internal(set) var duration: Duration = .zero
    /// What cut it short; nil if nothing did, or the experiment itself.
    public internal(set) var interruption: Interruption?
    /// The journal as a control left it; nil if none changed it.
    var rewritten: Value.Object?

    init(experiment: Value, platform: String, node: String, start: Duration) {
        self.experiment = experiment
        self.platform = platform
        self.node = node
        self.start = start
    }

    /// Whether the reference would exit with 0.
    public var isSuccess: Bool { status == .completed && !deviated }
}

extension Journal {
    /// The version of the reference whose journals these are.
    public static let version: String = "1.45.1"

    /// The journal as the reference writes it, names and order alike.
    public var value: Value {
        if let rewritten { return .object(rewritten) }
        var journal = Value.Object()
        journal["chaoslib-version"] = .string(Self.version)
        journal["platform"] = .string(platform)
        journal["node"] = .string(node)
        journal["experiment"] = experiment
        journal["start"] = .string(WallTime.iso8601(start))
        journal["status"] = status.map { .string($0.rawValue) } ?? .null
        journal["deviated"] = .bool(deviated)
        var states = Value.Object()
        states["before"] = before.map(value) ?? .null
        states["after"] = after.map(value) ?? .null
        states["during"] = .array(during.map(value))
        journal["steady_states"] = .object(states)
        journal["run"] = .array(run.map(value) + runAdditions)
        journal["rollbacks"] = .array(rollbacks.map(value) + rollbackAdditions)
        journal["end"] = end.map { .string(WallTime.iso8601($0)) } ?? .null
        journal["duration"] = .real(duration.secondsToMicrosecond)
        if let interruption {
            journal["interruption"] = [
                "kind": "signal", "name": .string(interruption.rawValue),
                "reason": .string("received \(interruption.rawValue)"),
            ]
        }
        return .object(journal)
    }

    func value(_ state: SteadyState) -> Value {
        let object: Value.Object = [
            "steady_state_met": state.isMet.map(Value.bool) ?? .null, "probes": .array(state.probes.map(value)),
        ]
        return .object(object.merging(state.additions))
    }

    func value(_ entry: Entry) -> Value {
        var object = entry.rewritten ?? [:]
        if entry.rewritten == nil {
            object["activity"] = .object(entry.activity)
            object["output"] = entry.output
            object["start"] = .string(WallTime.iso8601(entry.start))
            if let status = entry.status { object["status"] = .string(status.rawValue) }
            if let exception = entry.exception { object["exception"] = .array(exception.map(Value.string)) }
            if let end = entry.end { object["end"] = .string(WallTime.iso8601(end)) }
            if let duration = entry.duration { object["duration"] = .real(duration.secondsToMicrosecond) }
        }
        // The reference's entries share what lies inside an activity with the experiment, so that later changes show.
        if var activity = object["activity"]?.object, let current = experiment[entry.pointer]?.object {
            for (name, value) in activity where value.object != nil { activity[name] = current[name] ?? value }
            object["activity"] = .object(activity)
        }
        if let met = entry.toleranceMet { object["tolerance_met"] = .bool(met) }
        return .object(object)
    }
}
