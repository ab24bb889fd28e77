import Glibc
import SimulationKernel

/// What the environment says of a sweep, so that a test is run otherwise without an edit.
public struct SweepOverrides: Sendable {
    /// `WINDKANAL_SEED`: the one seed that is run.
    public var seed: Seed?
    /// `WINDKANAL_SEEDS`: how many seeds are run, or the first and the last.
    public var seeds: Seeds?
    /// `WINDKANAL_BUDGET`: how much real time the sweep of each test may take.
    public var budget: Duration?

    /// Overrides nothing.
    public init() {}

    /// Reads the variables of an environment.
    ///
    /// - Parameter environment: Gives the value of a variable, or nil.
    /// - Throws: ``SweepError/environment(variable:value:form:)`` for a value that says nothing.
    public init(_ environment: (String) -> String?) throws(SweepError) {
        seed = try Self.read("WINDKANAL_SEED", environment, "a seed is a number, such as 17") { Seed($0) }
        seeds = try Self.read("WINDKANAL_SEEDS", environment, "seeds look like 1000 or 1...1000") { Seeds($0) }
        budget = try Self.read(
            "WINDKANAL_BUDGET", environment, "a budget of real time looks like 90s, 10m or 2h", Self.duration)
    }

    /// What the process' environment says.
    ///
    /// - Throws: ``SweepError/environment(variable:value:form:)`` for a value that says nothing.
    public static func ofProcess() throws(SweepError) -> SweepOverrides {
        try SweepOverrides { name in unsafe getenv(name).map { unsafe String(cString: $0) } }
    }

    private static func read<Value>(
        _ variable: String, _ environment: (String) -> String?, _ form: String, _ parse: (String) -> Value?
    ) throws(SweepError) -> Value? {
        guard let text = environment(variable), !text.isEmpty else { return nil }
        guard let value = parse(text) else { throw .environment(variable: variable, value: text, form: form) }
        return value
    }

    private static func duration(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), number > 0, number < 1 << 40 else { return nil }
        return switch text.dropFirst(digits.count) {
        case "ms": .milliseconds(number)
        case "", "s": .seconds(number)
        case "m": .seconds(60 * number)
        case "h": .seconds(3600 * number)
        default: nil
        }
    }
}

/// Why a sweep cannot begin.
public enum SweepError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A variable of the environment says nothing that could be meant.
    case environment(variable: String, value: String, form: String)
    /// A file of kept failures cannot be read.
    case keptFailures(path: String, problem: String)

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .environment(let variable, let value, let form): "\(variable) is '\(value)'; \(form)"
        case .keptFailures(let path, let problem):
            "\(path), where failing seeds are kept, cannot be read: \(problem); remove it to forget them"
        }
    }
}
