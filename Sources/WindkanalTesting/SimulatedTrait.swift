public import SimulationTesting
public import Testing

/// Runs the body of a test in virtual time, once for each seed, within one test case.
///
/// Expectations work as everywhere; those that fail say for which seed. The trait provides its scope itself: a provider of another
/// type would be asked twice.
public struct SimulatedTrait: TestTrait, SuiteTrait, TestScoping {
    private let seeds: Seeds
    private let options: Simulation.Options
    private let sweep: SweepOptions

    init(seeds: Seeds, options: Simulation.Options, sweep: SweepOptions) {
        self.seeds = seeds
        self.options = options
        self.sweep = sweep
    }

    /// A suite's trait is each of its tests'.
    public var isRecursive: Bool { true }

    /// Runs the test's body for all seeds.
    ///
    /// - Throws: `SweepError`, and `SimulationError` when simulations cannot run here.
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        try withoutActuallyEscaping(function) { body in
            // Tasks that cannot end keep the body for ever, and never go on: the test ends all the same.
            let references = ClosureReferences(body)
            defer { references.dropThoseOfAbandonedTasks() }
            try runSweep(of: body, as: test, testCase)
        }
    }

    private func runSweep(
        of body: @escaping @concurrent @Sendable () async throws -> Void, as test: Test, _ testCase: Test.Case?
    ) throws {
        let identity = TestIdentity(name: test.name, filePath: test.sourceLocation.filePath)
        let trial = CodeTrial(test.displayName ?? test.name, options: options) { _ in try await body() }
        let sweep = Sweep(trial, in: identity, seeds: seeds, options: sweep, overrides: try .ofProcess())
        let summary = try Reporting.scope(of: identity).run {
            try sweep.run { Reporting.report($0, at: test.sourceLocation) }
        }
        Reporting.tell(summary.notes)
    }
}

extension Trait where Self == SimulatedTrait {
    /// Runs the test in virtual time, once for each seed, within one test case.
    ///
    /// - Parameters:
    ///   - seeds: The seeds; `WINDKANAL_SEED` and `WINDKANAL_SEEDS` override them.
    ///   - sometimes: Rare paths that must be taken for at least one of them.
    ///   - options: How each simulation goes.
    ///   - sweep: How the sweep goes.
    /// - Returns: The trait.
    public static func simulated(
        seeds: Seeds = .only(1), sometimes: [String] = [], options: Simulation.Options = Simulation.Options(),
        sweep: SweepOptions = SweepOptions()
    ) -> Self {
        var sweep = sweep
        sweep.sometimes += sometimes
        return SimulatedTrait(seeds: seeds, options: options, sweep: sweep)
    }
}
