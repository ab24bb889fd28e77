/// What a test framework wraps around code that runs in a simulation, so that it hears of expectations that fail there.
///
/// Whoever begins a run on the same task finds it, however deep below the test that is.
public struct RunScope: Sendable {
    /// Runs code of a simulated run.
    public typealias Performing = @Sendable (TestedRun, @escaping () async throws -> Void) async throws -> Void

    @TaskLocal static var current: RunScope?

    let perform: Performing
    let repeatsFailedRuns: Bool
    let isReported: @Sendable (any Error) -> Bool

    /// Makes a scope.
    ///
    /// - Parameters:
    ///   - repeatsFailedRuns: Whether a failed run may be repeated to see more of it, as ``TestedRun/isRepetition`` says then: not where
    ///     expectations would be told again.
    ///   - isReported: Whether the framework knows of an error already that the code throws.
    ///   - perform: Runs the code, on the simulation's thread.
    public init(
        repeatsFailedRuns: Bool, isReported: @escaping @Sendable (any Error) -> Bool, _ perform: @escaping Performing
    ) {
        self.repeatsFailedRuns = repeatsFailedRuns
        self.isReported = isReported
        self.perform = perform
    }

    /// Lets the runs that begin in `body` have this scope.
    public func run<Value>(_ body: () throws -> Value) rethrows -> Value {
        try Self.$current.withValue(self, operation: body)
    }
}
