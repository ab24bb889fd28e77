import Documents

/// Something that happens to a process, or to the node under it.
public enum ProcessFault: Hashable, Sendable {
    /// When a process ends by itself in the middle of something.
    public enum Moment: Hashable, Sendable {
        /// At once.
        case now
        /// In the middle of the n-th operation of its disk from now on: 1 is the next.
        case operation(Int)
    }

    /// The process is killed; it is started again after `down`, or, with nil, when the fault is taken back.
    case crash(Moment, down: Duration?)
    /// The process is killed so long after it starts, once: in the middle of its recovery, if that takes longer.
    case crashStarting(after: Duration)
    /// The process stops in the middle of everything; its machine still answers for it.
    case pause
    /// The node loses power: what its disks had not synced becomes what `outcome` says, or, with nil, what is drawn; nobody is told.
    case powerLoss(Moment, down: Duration?, outcome: PowerLossOutcome? = nil)
}

extension ProcessFault {
    /// How long what crashed stays down where nothing else is said.
    public static let downUsually: Duration = .seconds(2)

    var kind: String {
        switch self {
        case .crash: "service.crash"
        case .crashStarting: "service.crash_starting"
        case .pause: "service.pause"
        case .powerLoss: "service.cut_power"
        }
    }

    var arguments: Value.Object {
        switch self {
        case .crash(let moment, let down): return Self.arguments(moment, down)
        case .powerLoss(let moment, let down, let outcome):
            var arguments = Self.arguments(moment, down)
            if let outcome { arguments["outcome"] = .string(outcome.rawValue) }
            return arguments
        case .crashStarting(let time): return ["seconds": .seconds(time)]
        case .pause: return [:]
        }
    }

    private static func arguments(_ moment: Moment, _ down: Duration?) -> Value.Object {
        var arguments: Value.Object = ["down": down.map { .seconds($0) } ?? .null]
        if case .operation(let number) = moment { arguments["operation"] = .integer(number) }
        return arguments
    }

    private static let service: Parameter = .required("service", "a service, a replica of one, or a node", .process)
    private static let down: Parameter = .optional(
        "down", "seconds until it is started again: 2, or null for never by itself", .secondsOrNull)
    private static let operation: Parameter = .optional(
        "operation", "in the middle of the n-th operation of its disk: at once", .count(1...1_000_000))

    private static let outcome: Parameter = .optional(
        "outcome", "what becomes of what was not synced: drawn",
        .choice(PowerLossOutcome.allCases.map(\.rawValue)))

    static let definitions: [FaultDefinition] = [
        definition(
            "service.crash", "Kills a service's process; its machine and disk stay.", [down, operation], .momentary
        ) { .crash(moment($0), down: time($0)) },
        definition(
            "service.crash_starting", "Kills a service's process while it starts, the next time it does.",
            [.required("seconds", "how long after it started", .seconds)]
        ) { .crashStarting(after: $0.duration("seconds")) },
        definition("service.pause", "Stops a service's process in the middle of everything.", []) { _ in .pause },
        definition(
            "service.cut_power", "Takes the power from a service's machine: what was not synced may be lost.",
            [down, operation, outcome], .momentary
        ) {
            .powerLoss(
                moment($0), down: time($0), outcome: $0.string("outcome").flatMap(PowerLossOutcome.init(rawValue:)))
        },
    ]

    private static func moment(_ arguments: FaultArguments) -> Moment {
        arguments.count("operation").map { .operation($0) } ?? .now
    }

    private static func time(_ arguments: FaultArguments) -> Duration? {
        arguments.values["down"].map { _ in arguments.optionalDuration("down") } ?? downUsually
    }

    private static func definition(
        _ name: String, _ summary: String, _ parameters: [Parameter], _ life: FaultDefinition.Life = .lasting,
        make: @escaping @Sendable (FaultArguments) -> ProcessFault
    ) -> FaultDefinition {
        FaultDefinition(name, summary, [service] + parameters, life) { .process(make($0), $0.target("service")) }
    }
}
