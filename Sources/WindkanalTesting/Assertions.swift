public import SimulationTesting
public import Testing

/// Runs a trial over seeds and records an issue for each that fails.
///
/// - Parameters:
///   - trial: What is run, such as `.scenario("scenarios/smoke/device-latency.json")`.
///   - seeds: The seeds; `WINDKANAL_SEED` and `WINDKANAL_SEEDS` override them.
///   - options: How the sweep goes.
///   - test: The test, by whose name failures are kept.
///   - sourceLocation: Where issues are recorded that have no place of their own.
/// - Returns: What came of the seeds.
/// - Throws: Why the trial cannot be run at all, and `SweepError`.
@discardableResult
public func assertHolds(
    _ trial: some Trial, seeds: Seeds = .count(100), options: SweepOptions = SweepOptions(), test: String = #function,
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> SweepSummary {
    let identity = TestIdentity(name: test, filePath: sourceLocation.filePath)
    let sweep = Sweep(trial, in: identity, seeds: seeds, options: options, overrides: try .ofProcess())
    let summary = try Reporting.scope(of: identity).run { try sweep.run { Reporting.report($0, at: sourceLocation) } }
    Reporting.tell(summary.notes)
    return summary
}

/// Runs code in virtual time, for a test that needs no sweep: hours pass at once, and equal seeds give equal runs.
///
/// - Parameters:
///   - seed: What the run follows from; `WINDKANAL_SEED` overrides it.
///   - options: How the simulation goes.
///   - test: The test, which the replay line calls.
///   - sourceLocation: Where issues are recorded that have no place of their own.
///   - body: The code.
/// - Returns: What the code returned.
/// - Throws: What the code threw; `UnfinishedRun` when it does not end; `SimulationError`.
@discardableResult
public func withVirtualTime<Value>(
    seed: Seed = 1, options: Simulation.Options = Simulation.Options(), test: String = #function,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: @escaping () async throws -> Value
) throws -> Value {
    try withVirtualTime(seed: seed, options: options, test: test, sourceLocation: sourceLocation) { _ in
        try await body()
    }
}

/// Runs code in virtual time, with the simulation that it runs in: for hosts, streams of random numbers and events.
///
/// - Parameters:
///   - seed: What the run follows from; `WINDKANAL_SEED` overrides it.
///   - options: How the simulation goes.
///   - test: The test, which the replay line calls.
///   - sourceLocation: Where issues are recorded that have no place of their own.
///   - body: The code.
/// - Returns: What the code returned.
/// - Throws: What the code threw; `UnfinishedRun` when it does not end; `SimulationError`.
@discardableResult
public func withVirtualTime<Value>(
    seed: Seed = 1, options: Simulation.Options = Simulation.Options(), test: String = #function,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: @escaping (Simulation) async throws -> Value
) throws -> Value {
    let code = VirtualCode(seed: seed, options: options, overrides: try .ofProcess(), body)
    return try Reporting.scope(of: TestIdentity(name: test, filePath: sourceLocation.filePath)).run {
        try code.run { Reporting.report($0, at: sourceLocation) }
    }
}

/// Cancels a task at each of its suspensions, one run for each, and records an issue for each cancellation that does harm.
///
/// - Parameters:
///   - seed: What all runs follow from; `WINDKANAL_SEED` overrides it.
///   - options: How the sweep goes.
///   - test: The test's name.
///   - sourceLocation: Where issues are recorded that have no place of their own.
///   - body: A whole test, which runs the task under test by calling what it is given.
/// - Returns: How often the task comes to wait when nobody cancels it.
/// - Throws: `SimulationError` when simulations cannot run here.
@discardableResult
public func withCancellationSweep(
    seed: Seed = 1, options: CancellationSweep.Options = CancellationSweep.Options(), test: String = #function,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: @escaping (TaskUnderTest) async throws -> Void
) throws -> Int {
    let identity = TestIdentity(name: test, filePath: sourceLocation.filePath)
    let seed = try SweepOverrides.ofProcess().seed ?? seed
    let sweep = CancellationSweep(in: identity, seed: seed, options: options, body)
    return try Reporting.scope(of: identity).run { try sweep.run { Reporting.report($0, at: sourceLocation) } }
}

/// Records an issue unless the kernel controls the code under test: one such test belongs beside every simulated one.
///
/// - Parameters:
///   - seed: What both runs follow from.
///   - options: How the simulations go; guards are strict.
///   - sourceLocation: Where issues are recorded.
///   - body: The code under test, which lets time pass or draws a number at least once.
/// - Throws: `SimulationError` when simulations cannot run here.
public func assertControlled(
    seed: Seed = 1, options: Simulation.Options = Simulation.Options(),
    sourceLocation: SourceLocation = #_sourceLocation, _ body: @escaping () async throws -> Void
) throws {
    for problem in try ControlCheck(seed: seed, options: options).problems({ _ in try await body() }) {
        Issue.record(Comment(rawValue: problem), sourceLocation: sourceLocation)
    }
}
