public import Documents
public import Experiments
public import Faults

/// Something that experiments do with a test-bed, as a function of a module of our own: its name, what it is given, and what it does, in one place.
public struct ActivityDefinition<Context>: Sendable {
    /// The module, such as `windkanal.network`.
    public let module: String
    /// The function in it.
    public let function: String
    /// Whether it only looks.
    public let isProbe: Bool
    /// What it does, in a sentence.
    public let summary: String
    /// What it is given.
    public let parameters: [Parameter]
    /// What it gives back.
    public let output: OutputKind
    /// What is wrong with arguments of which each is right; nil if nothing is.
    let problemTogether: @Sendable (Value.Object) -> String?
    /// Does it, with arguments that were checked.
    let perform: @Sendable (FaultArguments, Context) async throws(ActivityError) -> Value

    /// Makes an action.
    public static func action(
        _ module: String, _ function: String, _ summary: String, _ parameters: [Parameter],
        checking problem: @escaping @Sendable (Value.Object) -> String? = { _ in nil },
        perform: @escaping @Sendable (FaultArguments, Context) async throws(ActivityError) -> Void
    ) -> ActivityDefinition {
        ActivityDefinition(
            module: module, function: function, isProbe: false, summary: summary, parameters: parameters,
            output: .truth, problemTogether: problem
        ) { arguments, context async throws(ActivityError) in
            try await perform(arguments, context)
            return .bool(true)
        }
    }

    /// Makes a probe.
    public static func probe(
        _ module: String, _ function: String, _ summary: String, _ parameters: [Parameter] = [], _ output: OutputKind,
        perform: @escaping @Sendable (FaultArguments, Context) async throws(ActivityError) -> Value
    ) -> ActivityDefinition {
        ActivityDefinition(
            module: module, function: function, isProbe: true, summary: summary, parameters: parameters,
            output: output, problemTogether: { _ in nil }, perform: perform)
    }

    /// Checks arguments.
    ///
    /// - Parameters:
    ///   - arguments: The arguments by name.
    ///   - undecided: Names of those whose values only the run will tell.
    ///   - names: The names of the deployment; nil where that is not known.
    /// - Returns: What is wrong; nil if nothing is.
    public func problem(of arguments: Value.Object, undecided: Set<String> = [], names: DeploymentNames?) -> String? {
        if let problem = parameters.problem(
            of: arguments, undecided: undecided, names: names, for: "\(module).\(function)")
        {
            return problem
        }
        return undecided.isEmpty ? problemTogether(arguments) : nil
    }
}

/// The activities of a test-bed: validation, documentation and dispatch come from this one list.
public struct ActivityCatalog<Context>: Sendable {
    /// The activities, in the order in which they are shown.
    public let activities: [ActivityDefinition<Context>]

    /// Makes a catalogue.
    public init(_ activities: [ActivityDefinition<Context>]) {
        self.activities = activities
    }

    /// The activity of a name; nil if there is none.
    public func named(_ module: String, _ function: String) -> ActivityDefinition<Context>? {
        activities.first { $0.module == module && $0.function == function }
    }

    /// Performs an activity.
    ///
    /// - Parameters:
    ///   - call: Which, and its arguments.
    ///   - context: What it is performed on.
    ///   - names: The names of the deployment.
    /// - Returns: What it gives back.
    /// - Throws: `ActivityError` when there is none of that name, its arguments are wrong, or it fails.
    public func perform(
        _ call: PythonCall, in context: Context, names: DeploymentNames
    ) async throws(ActivityError) -> Value {
        guard let activity = named(call.module, call.function) else {
            throw .failed("there is no activity \(call.module).\(call.function) in the simulation")
        }
        if let problem = activity.problem(of: call.arguments, names: names) { throw .failed(problem) }
        return try await activity.perform(FaultArguments(call.arguments), context)
    }
}
