public import Documents

/// A kind of fault: its name, what it does, what it is given.
///
/// Everything that reads or shows faults (schedules, activities, validation, documentation) goes by these.
public struct FaultDefinition: Sendable {
    /// Whether a fault can be taken back.
    public enum Life: Hashable, Sendable {
        /// It acts until it is taken back.
        case lasting
        /// It happens, and what it did is done; taking it back starts what it ended, if anything.
        case momentary
    }

    /// Its name, such as `network.cut`.
    public let name: String
    /// What it does, in a sentence.
    public let summary: String
    /// What it is given.
    public let parameters: [Parameter]
    /// Whether it can be taken back.
    public let life: Life
    /// Makes the fault of arguments that were checked; throws what cannot be checked one by one.
    let make: @Sendable (FaultArguments) throws(FaultError) -> Fault

    init(
        _ name: String, _ summary: String, _ parameters: [Parameter], _ life: Life = .lasting,
        make: @escaping @Sendable (FaultArguments) throws(FaultError) -> Fault
    ) {
        self.name = name
        self.summary = summary
        self.parameters = parameters
        self.life = life
        self.make = make
    }

    /// All kinds of faults, family by family.
    public static let all: [FaultDefinition] =
        LinkFault.definitions + ListenerFault.definitions + ProcessFault.definitions + ClockFault.definitions
        + DiskFault.definitions + [CustomFault.definition]

    /// The kind of a name; nil if there is none.
    public static func named(_ name: String) -> FaultDefinition? { all.first { $0.name == name } }

    /// Checks arguments.
    ///
    /// - Parameters:
    ///   - arguments: The arguments by name.
    ///   - undecided: Names of those whose values are not known yet.
    ///   - names: The names of the deployment; nil where that is not known.
    /// - Returns: What is wrong; nil if nothing is.
    public func problem(of arguments: Value.Object, undecided: Set<String> = [], names: DeploymentNames?) -> String? {
        if let problem = parameters.problem(of: arguments, undecided: undecided, names: names, for: name) {
            return problem
        }
        guard undecided.isEmpty else { return nil }
        do {
            _ = try make(FaultArguments(arguments))
            return nil
        } catch {
            return error.description
        }
    }

    /// The fault of arguments.
    ///
    /// - Throws: ``FaultError`` if an argument is unknown, missing or wrong.
    public func fault(_ arguments: Value.Object) throws(FaultError) -> Fault {
        if let problem = parameters.problem(of: arguments, names: nil, for: name) { throw FaultError(problem) }
        return try make(FaultArguments(arguments))
    }
}

extension [Parameter] {
    /// Checks arguments for these parameters.
    ///
    /// - Parameters:
    ///   - arguments: The arguments by name.
    ///   - undecided: Names of those whose values are not known yet.
    ///   - names: The names of the deployment; nil where that is not known.
    ///   - owner: Who takes them, for the message.
    /// - Returns: What is wrong; nil if nothing is.
    public func problem(
        of arguments: Value.Object, undecided: Set<String> = [], names: DeploymentNames?, for owner: String
    ) -> String? {
        let known = map(\.name)
        if let unknown = arguments.keys.first(where: { !known.contains($0) }) {
            return
                "\(owner) has no argument '\(unknown)'; it has \(known.isEmpty ? "none" : known.joined(separator: ", "))"
        }
        if let missing = first(where: { !$0.isOptional && arguments[$0.name] == nil }) {
            return "\(owner) needs the argument '\(missing.name)': \(missing.meaning)"
        }
        for parameter in self where !undecided.contains(parameter.name) {
            guard let value = arguments[parameter.name] else { continue }
            if let problem = parameter.problem(of: value, names: names) {
                return "the argument '\(parameter.name)' of \(owner) \(problem)"
            }
        }
        return nil
    }
}

/// Why something is no fault, or cannot be applied.
public struct FaultError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, and what would be right.
    public let description: String

    /// Makes an error of its text.
    public init(_ description: String) {
        self.description = description
    }
}
