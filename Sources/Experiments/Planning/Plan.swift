public import Documents

/// What a run will do, step by step, decided before it begins.
///
/// Mistakes of the file that the reference meets only on its way are part of the plan: they are thrown when their step's turn comes.
public struct Plan: Sendable {
    /// An activity in its phase.
    public struct Step: Sendable {
        /// The step's number among those that are performed once, from 1 on; nil for those of the continuous hypothesis.
        public let number: Int?
        /// The phase that it belongs to.
        public let phase: Phase
        /// The activity where it is declared.
        public let declared: Activity
        /// What is performed, or why nothing can be.
        public let activity: Result<PlannedActivity, ActivityError>
    }

    /// The steps of a phase, or why there are none.
    private typealias Steps = Result<[Step], ActivityError>

    /// When the hypothesis is tested and rollbacks are played.
    public let strategies: Strategies
    /// What a rehearsal leaves out; nil performs everything.
    public let dry: Dry?
    /// Whether a hypothesis is tested at all.
    public let testsHypothesis: Bool
    /// The phases that take place unless something ends the run before, in the order in which they begin.
    public let phases: [Phase]
    private var steps: [Phase: Steps] = [:]
    private var controls: [Control.Level: [Control]] = [:]

    /// Plans a run.
    ///
    /// - Parameters:
    ///   - experiment: What is run.
    ///   - strategies: When the hypothesis is tested and rollbacks are played.
    ///   - dry: What a rehearsal leaves out.
    ///   - controls: The controls of the settings and of files, which are called around every experiment.
    public init(
        _ experiment: Experiment, strategies: Strategies = Strategies(), dry: Dry? = nil, controls: [Control] = []
    ) {
        self.strategies = strategies
        self.dry = dry
        let hypothesis = strategies.hypothesis
        testsHypothesis = hypothesis != .skip && experiment.hasProbes
        var phases: [Phase] = []
        if testsHypothesis, hypothesis.testsBefore { phases.append(.before) }
        if testsHypothesis, hypothesis.testsDuring { phases.append(.during) }
        phases.append(.method)
        if testsHypothesis, hypothesis.testsAfter { phases.append(.after) }
        if strategies.rollbacks != .never { phases.append(.rollbacks) }
        self.phases = phases
        var last = 0
        for phase in phases {
            let found = Self.steps(of: phase, in: experiment, behind: phase == .during ? nil : last, dry, controls)
            steps[phase] = found
            if phase != .during, case .success(let steps) = found { last += steps.count }
        }
        for (level, part) in [
            (Control.Level.experiment, experiment.document.value), (.method, experiment.document.value),
            (.rollback, experiment.document.value), (.hypothesis, experiment["steady-state-hypothesis"] ?? .null),
        ] {
            self.controls[level] = Control.around(level, part, of: experiment, global: controls)
        }
    }

    private static func steps(
        of phase: Phase, in experiment: Experiment, behind last: Int?, _ dry: Dry?, _ controls: [Control]
    ) -> Steps {
        let pointer = phase.section.pointer
        guard let value = experiment.document.value[pointer], value.isTruthy else { return .success([]) }
        guard let array = value.array else {
            return .failure(.unexpected("\(pointer) is \(value.kind), not a list"))
        }
        var steps: [Step] = []
        for (index, element) in array.enumerated() {
            let pointer = pointer.appending(index)
            let declared = Activity(element, at: pointer) ?? Activity(none: pointer)
            let activity: Result<PlannedActivity, ActivityError>
            do throws(ActivityError) {
                guard element.object != nil else { throw .unexpected("\(pointer) is not an activity") }
                activity = .success(try PlannedActivity(declared, in: experiment, dry: dry, controls: controls))
            } catch {
                activity = .failure(error)
            }
            steps.append(
                Step(number: last.map { $0 + index + 1 }, phase: phase, declared: declared, activity: activity))
        }
        return .success(steps)
    }

    // MARK: Reading

    /// The steps of a phase in their order.
    ///
    /// - Throws: ``ActivityError/unexpected(_:)`` when the file has something else in the place of a list.
    public func steps(of phase: Phase) throws(ActivityError) -> [Step] { try steps[phase]?.get() ?? [] }

    /// How many steps are performed once.
    public var count: Int {
        phases.filter { $0 != .during }.reduce(0) { $0 + (((try? steps(of: $1)) ?? []).count) }
    }

    /// Whether the outputs of probes are compared with their tolerances.
    public var checksTolerances: Bool { !(dry?.leavesOutProbes ?? false) }

    /// The controls that are called around a part other than an activity.
    func controls(around level: Control.Level) -> [Control] { controls[level] ?? [] }
}

/// An activity of a plan: what is performed, and how.
public struct PlannedActivity: Hashable, Sendable {
    /// The activity, a reference followed.
    public let activity: Activity
    /// What it is for.
    public let kind: ActivityKind
    /// Who performs it; nil for a word that validation refuses, for which nothing is done.
    public let provider: ProviderKind?
    /// Whether the next one starts without waiting for it.
    public let isBackground: Bool
    /// Whether a rehearsal leaves it out, its pauses with it.
    public let isLeftOut: Bool
    /// The pauses around it, as the file has them; nil if there are none or a rehearsal leaves them out.
    public let pauses: Value?
    /// The controls that are called around it.
    public let controls: [Control]

    /// Plans an activity.
    ///
    /// - Throws: ``ActivityError/unexpected(_:)`` for what the reference cannot perform.
    init(_ declared: Activity, in experiment: Experiment, dry: Dry?, controls: [Control]) throws(ActivityError) {
        activity = try Self.resolve(declared, in: experiment)
        guard activity.source["type"]?.string != nil else { throw .unexpected("an activity needs a type") }
        guard activity.source["name"] != nil else { throw .unexpected("an activity needs a name") }
        kind = activity.kind
        provider = activity.provider?["type"]?.string.flatMap(ProviderKind.init)
        isBackground = declared.isBackground
        // A value in the file takes the rehearsal back for this activity.
        let dry = activity.source["dry"] == nil ? dry : nil
        isLeftOut = dry?.leavesOut(kind) ?? false
        pauses = isLeftOut || dry == .pause ? nil : activity.source["pauses"]
        self.controls = Control.around(.activity, .object(activity.source), of: experiment, global: controls)
    }

    private static func resolve(_ activity: Activity, in experiment: Experiment) throws(ActivityError) -> Activity {
        guard let reference = activity.reference else { return activity }
        guard let name = reference.string, let target = experiment.activity(named: name) else {
            throw .unexpected("could not find referenced activity '\(PythonText.str(reference))'")
        }
        return target
    }
}

/// Who performs an activity.
public enum ProviderKind: String, Hashable, Sendable {
    /// A program.
    case process
    /// An HTTP request.
    case http
    /// A Python function.
    case python
}

extension Plan {
    /// The plan as JSON: strategies, phases, and a list of steps.
    public var value: Value {
        var steps: [Value] = []
        for phase in phases {
            steps += ((try? self.steps(of: phase)) ?? []).map(\.value)
        }
        return [
            "hypothesis_strategy": .string(strategies.hypothesis.rawValue),
            "rollback_strategy": .string(strategies.rollbacks.rawValue),
            "dry": dry.map { .string($0.rawValue) } ?? .null,
            "phases": .array(phases.map { .string($0.rawValue) }), "steps": .array(steps),
        ]
    }
}

extension Plan.Step {
    /// The step as JSON.
    fileprivate var value: Value {
        var object: Value.Object = [
            "step": number.map(Value.integer) ?? .null, "phase": .string(phase.rawValue),
            "pointer": .string(declared.pointer.description),
        ]
        switch activity {
        case .success(let planned):
            object["name"] = .string(planned.activity.name)
            object["kind"] = .string(planned.kind.rawValue)
            object["provider"] = planned.provider.map { .string($0.rawValue) } ?? .null
            object["background"] = .bool(planned.isBackground)
            object["left_out"] = .bool(planned.isLeftOut)
            object["controls"] = .array(planned.controls.map { .string($0.name ?? "") })
        case .failure(let error): object["problem"] = .string(error.description)
        }
        return .object(object)
    }
}
