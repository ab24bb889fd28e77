public import SimulationKernel

/// Finds out whether the kernel controls the code under test: a simulated test of code that runs elsewhere proves nothing.
///
/// It looks at the process first: that time passes virtually and by itself, that randomness follows from the seed, that a thread
/// which is made is noticed. Then the code is run twice from one seed: it must do something in the simulation, leave it nowhere, and
/// decide the same both times.
public struct ControlCheck {
    private let seed: Seed
    private let options: Simulation.Options

    /// Decisions that are compared one by one, to name the first that differs.
    private static let entriesMax: Int = 1_000_000

    /// Prepares a check; guards are strict, whatever the options say.
    public init(seed: Seed = 1, options: Simulation.Options = Simulation.Options()) {
        self.seed = seed
        var options = options
        options.guards.strict = true
        options.recording = TraceRecording.Limits(entries: Self.entriesMax)
        self.options = options
    }

    /// What is wrong with this process, whatever the code under test; nothing if the kernel controls it.
    public func problemsOfProcess() -> [String] {
        do {
            let first = try Self.sample(seed: seed)
            let second = try Self.sample(seed: seed)
            let other = try Self.sample(seed: Seed(seed.value &+ 1))
            var problems: [String] = []
            if first.slept != .seconds(3600) {
                problems.append("an hour's Task.sleep took \(first.slept) of virtual time")
            }
            if first.real > .seconds(60) { problems.append("an hour's Task.sleep took \(first.real) of real time") }
            if first.draws != second.draws { problems.append("the system's randomness does not follow from the seed") }
            if first.draws == other.draws { problems.append("the system's randomness is the same for two seeds") }
            return problems
        } catch {
            return ["simulations cannot run here: \(error)"]
        }
    }

    private struct Sample {
        var slept: Duration = .zero
        var real: Duration = .zero
        var draws: [UInt64] = []
    }

    private static func sample(seed: Seed) throws -> Sample {
        let began = ContinuousClock.now
        var sample = try Simulation(seed: seed).run {
            let began = ContinuousClock.now
            try await Task.sleep(for: .seconds(3600))
            return Sample(slept: began.duration(to: .now), draws: (0..<4).map { _ in UInt64.random(in: 0 ... .max) })
        }.get()
        sample.real = began.duration(to: .now)
        return sample
    }

    /// What is wrong with the kernel's control of some code; nothing if it has it.
    ///
    /// - Parameter body: The code under test, which lets time pass or draws a number at least once.
    /// - Returns: Each problem in words for people.
    /// - Throws: `SimulationError` when simulations cannot run here.
    public func problems(_ body: @escaping (Simulation) async throws -> Void) throws -> [String] {
        let problems = problemsOfProcess()
        guard problems.isEmpty else { return problems }
        let (first, _) = try TestedRun.run(seed: seed, options: options, body)
        if let problem = Self.problem(of: first) { return [problem] }
        let (second, _) = try TestedRun.run(seed: seed, options: options, body)
        if let problem = Self.problem(of: second) { return [problem] }
        guard first.digest == second.digest else { return [Self.difference(first, second)] }
        return []
    }

    /// What is wrong with one run.
    private static func problem(of outcome: Outcome<Void>) -> String? {
        if case .guardViolation(let violation) = outcome.stopReason {
            return "the code under test leaves the simulation: \(violation)"
        }
        if outcome.stopReason != .finished { return "the code under test does not end: \(outcome.stopReason)" }
        if case .failure(let error)? = outcome.result { return "the code under test failed: \(error)" }
        let isUntouched = outcome.virtualTime == .zero && outcome.digest == TraceDigest()
        guard isUntouched else { return nil }
        return "nothing of the code under test happened in the simulation: no time passed and nothing was drawn; "
            + "does it wait for its own threads, or was it replaced by something that returns at once?"
    }

    private static func difference(_ first: Outcome<Void>, _ second: Outcome<Void>) -> String {
        let lines = (first.recording?.lines ?? "").split(separator: "\n")
        let others = (second.recording?.lines ?? "").split(separator: "\n")
        let index = zip(lines, others).enumerated().first { $1.0 != $1.1 }?.offset ?? min(lines.count, others.count)
        let (line, other) = (lines.dropFirst(index).first ?? "nothing", others.dropFirst(index).first ?? "nothing")
        return "two runs of one seed differ: \(first.digest) and \(second.digest); first in decision \(index): "
            + "\(line), and then \(other); something outside the simulation decides: a static variable, an address, the order of a set"
    }
}
