public import SimulationKernel

/// One run of async code in virtual time, for a test that needs no sweep.
public struct VirtualCode<Value> {
    private let seed: Seed
    private let options: Simulation.Options
    private let body: (Simulation) async throws -> Value

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - seed: What it follows from; `WINDKANAL_SEED` overrides it.
    ///   - options: How the simulation goes.
    ///   - overrides: What the environment says.
    ///   - body: The code.
    public init(
        seed: Seed, options: Simulation.Options, overrides: SweepOverrides,
        _ body: @escaping (Simulation) async throws -> Value
    ) {
        self.seed = overrides.seed ?? seed
        self.options = options
        self.body = body
    }

    /// Runs the code on this thread.
    ///
    /// - Parameter report: Hears of each failed check, with the seed.
    /// - Returns: What the code returned.
    /// - Throws: What the code threw; `UnfinishedRun` when something else ended the run; `SimulationError`.
    public func run(report: (TrialFailure) -> Void) throws -> Value {
        let (outcome, run) = try TestedRun.run(seed: seed, options: options, body)
        for failure in run.failures where !failure.isReported {
            report(TrialFailure("seed \(seed): \(failure.message)", at: failure.location))
        }
        return try outcome.get()
    }
}
