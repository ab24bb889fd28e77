public import Documents
public import Experiments

/// Performs activities for real: programs, requests and functions of the user's Python.
public final class RealActivityProviders: ActivityProviders, ControlProvider, Sendable {
    private let process: ProcessActivityProvider
    private let python: PythonActivityProvider
    /// Sends requests; asked for with each, since most experiments never need it.
    public let http: @Sendable () -> HTTPActivityProvider

    /// Makes performers.
    ///
    /// - Parameters:
    ///   - environment: The environment of programs and of Python.
    ///   - http: Gives whoever sends requests.
    ///   - log: Takes what Python functions log.
    public init(
        environment: [String: String], http: @escaping @Sendable () -> HTTPActivityProvider,
        log: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) {
        process = ProcessActivityProvider(environment: environment)
        python = PythonActivityProvider(environment: environment, log: log)
        self.http = http
    }

    /// Performs an activity.
    ///
    /// - Throws: ``ActivityError``; ``ActivityError/interrupted`` when the calling task was cancelled.
    public func perform(_ call: ActivityCall) async throws(ActivityError) -> Value {
        switch call {
        case .process(let call): try await process.perform(call)
        case .python(let call): try await python.perform(call)
        case .http(let call): try await http().perform(call)
        }
    }

    /// The program that a process activity would start.
    public func locate(program: String) -> String? { process.locate(program) }

    /// What is wrong with Python functions.
    public func problems(of functions: [PythonFunction]) async -> [ActivityProblem?] {
        zip(functions, await python.problems(of: functions)).map { function, problem in
            guard problem != nil, function.module.hasPrefix("windkanal.") else { return problem }
            return ActivityProblem(
                "\(function.module).\(function.name) in activity '\(function.activity)' is performed in a simulated landscape only",
                remedy: "give the experiment the extension 'windkanal'")
        }
    }

    /// Calls a function of a control.
    ///
    /// - Throws: ``ActivityError/interrupted`` when the calling task was cancelled.
    public func call(_ call: ControlCall) async throws(ActivityError) -> ControlOutcome { try await python.call(call) }

    /// What is wrong with controls.
    public func problems(of controls: [Control]) async -> [ControlProblem?] { await python.problems(of: controls) }
}
