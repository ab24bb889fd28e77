public import SimulationKernel

/// Async code as a trial: it holds when it returns and none of its checks fails.
public struct CodeTrial: Trial {
    /// What is tried.
    public let name: String
    private let options: Simulation.Options
    private let body: (Simulation) async throws -> Void

    /// Makes a trial of code.
    ///
    /// - Parameters:
    ///   - name: What is tried, in a few words.
    ///   - options: How each simulation goes.
    ///   - body: The code, with the simulation that it runs in.
    public init(
        _ name: String, options: Simulation.Options = Simulation.Options(),
        _ body: @escaping (Simulation) async throws -> Void
    ) {
        self.name = name
        self.options = options
        self.body = body
    }

    /// Runs the code from a seed.
    ///
    /// - Throws: `SimulationError` when simulations cannot run here.
    public func run(seed: Seed) throws -> TrialOutcome {
        let (outcome, run) = try TestedRun.run(seed: seed, options: options, body)
        return TrialOutcome(outcome, run)
    }

    /// The last of what the run decided, where the test framework lets it be repeated.
    public func evidence(of outcome: TrialOutcome) throws -> [Evidence] {
        guard RunScope.current?.repeatsFailedRuns ?? true else { return [] }
        var options = options
        options.recording = TraceRecording.Limits(entries: Self.entriesMax)
        let (repeated, _) = try TestedRun.run(seed: outcome.seed, options: options, isRepetition: true, body)
        let lines = repeated.recording?.lines.split(separator: "\n") ?? []
        guard !lines.isEmpty else { return [] }
        return [Evidence("trace.jsonl", lines.suffix(Self.linesMax).joined(separator: "\n") + "\n")]
    }

    private static let entriesMax: Int = 1_000_000
    /// Decisions that are kept of a failed run.
    private static let linesMax: Int = 200
}

extension TrialOutcome {
    /// What came of code and its checks.
    init<Value>(_ outcome: Outcome<Value>, _ run: TestedRun) {
        var failures = run.failures
        var verdict = failures.isEmpty ? "held" : "refuted"
        if case .failure(let error)? = outcome.result, outcome.stopReason == .finished {
            if !(RunScope.current?.isReported(error) ?? false) { failures.append(TrialFailure("threw: \(error)")) }
            verdict = "failed"
        }
        if outcome.stopReason != .finished {
            let report = ([outcome.stopReason.description] + outcome.worldReport).joined(separator: "\n")
            failures.append(TrialFailure(report))
            verdict = "stopped"
        }
        self.init(
            seed: outcome.seed, verdict: verdict, holds: verdict == "held", digest: outcome.digest,
            virtualTime: outcome.virtualTime, failures: failures,
            impact: outcome.hostFailures.map { "host '\($0.host)' threw: \($0.error)" }, marks: run.marks)
    }
}
