import Experiments
import Glibc
import Pipeline
import PipelineTestbed
import RealWorld
import SimulationKernel

/// Runs an experiment in its simulated landscape: once, or for many seeds.
struct SimulatedSession {
    let experiment: Experiment
    let scenario: Scenario
    let request: ExperimentSession.Request
    let environment: [String: String]
    let options: SimulationOptions
    let mode: ConsoleRecorder.Mode

    /// Trace entries that are written.
    private static let traceEntriesMax: Int = 10_000_000

    /// Runs what the options ask for.
    ///
    /// - Parameter arguments: The command line without its seeds, for the processes of a sweep.
    /// - Returns: The exit code.
    /// - Throws: ``SimulationError`` when simulations cannot run here.
    func run(repeating arguments: [String]) async throws -> Int32 {
        let console = ConsoleRecorder(options.worker ? .quiet : mode, redacts: request.redacts, showsProgress: false)
        if request.validates {
            let findings = await ScenarioRun.findings(
                experiment, environment: environment, variables: request.options.variables)
            console.say(findings, of: experiment)
            guard !findings.contains(where: { $0.severity == .error }) else { return 1 }
        }
        guard let seeds = options.seeds?.seeds else { return try runOnce(console) }
        if options.worker { return try work(seeds, console) }
        return await sweep(seeds, arguments, console)
    }

    private func makeRun(seed: UInt64?, recorder: @escaping @Sendable (RunEvent) -> Void) -> ScenarioRun {
        var scenario = scenario
        if let seed { scenario.seed = Seed(seed) }
        return ScenarioRun(
            experiment, in: scenario, options: request.options, environment: environment,
            recording: options.trace == nil ? nil : TraceRecording.Limits(entries: Self.traceEntriesMax),
            recorder: recorder)
    }

    // MARK: One seed

    private func runOnce(_ console: ConsoleRecorder) throws -> Int32 {
        let result = try makeRun(seed: options.seed) { console.record($0) }.run()
        if let failure = result.failure { console.say(.critical, failure) }
        if result.stopReason != .finished { console.say(.critical, "the simulation \(result.stopReason)") }
        if let journal = result.journal {
            console.sayReasons(of: journal, strict: request.isStrict)
            let value = journal.value(redactedBy: request.redacts ? result.redactor : nil)
            guard console.write(value, to: request.journalPath) else { return 1 }
        }
        if let path = options.trace {
            do {
                try Files.write(result.recording?.lines ?? "", to: path)
            } catch {
                console.say(.critical, "the trace cannot be written: \(error)")
                return 1
            }
        }
        for fault in result.healed { console.say(.warning, "left in place, and taken back: \(fault)") }
        console.summarize(
            ([result.ageLines, result.boundLine] + (result.audit.map { [$0.text] } ?? [])).joined(separator: "\n"))
        console.print("\(result.line(strict: request.isStrict)) cpu \(Self.processSeconds)")
        return result.isSuccess(strict: request.isStrict) ? 0 : 1
    }

    /// CPU time of this process, in seconds.
    private static var processSeconds: String {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        let milliseconds = time.tv_sec * 1000 + time.tv_nsec / 1_000_000
        let digits = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits
    }

    // MARK: Many seeds

    /// What one process of a sweep does.
    private func work(_ seeds: ClosedRange<UInt64>, _ console: ConsoleRecorder) throws -> Int32 {
        var isSuccess = true
        for seed in seeds {
            let result = try makeRun(seed: seed) { _ in }.run()
            let succeeds = result.isSuccess(strict: request.isStrict)
            console.print("\(result.line(strict: request.isStrict)) success \(succeeds)")
            isSuccess = isSuccess && succeeds
        }
        return isSuccess ? 0 : 1
    }

    /// A word as the shell reads it back.
    private static func shellWord(_ word: String) -> String {
        let isPlain =
            !word.isEmpty && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-=:,+".contains($0)) }
        return isPlain ? word : "'\(word.replacing("'", with: "'\\''"))'"
    }

    private func sweep(_ seeds: ClosedRange<UInt64>, _ arguments: [String], _ console: ConsoleRecorder) async -> Int32 {
        let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        // The run's own limit comes first, and has a name.
        let sweep = SeedSweep(
            path: "/proc/self/exe", environment: environment, workers: cores,
            seedTimeout: ScenarioRun.wallTimeMax + .seconds(60))
        let count = Int(seeds.upperBound - seeds.lowerBound) + 1
        let summary = await sweep.run(seeds) { chunk in
            arguments + ["--seeds", "\(chunk.lowerBound)...\(chunk.upperBound)", "--worker"]
        } progress: { done in
            console.showProgress("\(done) of \(count) seeds")
        }
        console.endProgress()
        for (seed, problem) in summary.crashes.sorted(by: { $0.key < $1.key }).prefix(20) {
            console.say(.critical, "seed \(seed): \(problem)")
        }
        var verdicts: [String: [UInt64]] = [:]
        var failing = Array(summary.crashes.keys)
        for (seed, line) in summary.lines.sorted(by: { $0.key < $1.key }) {
            verdicts[String(line.split(separator: " ").dropFirst().first ?? ""), default: []].append(seed)
            if !line.hasSuffix("success true") { failing.append(seed) }
        }
        for (verdict, list) in verdicts.sorted(by: { $0.key < $1.key }) {
            let examples = list.prefix(10).map(String.init).joined(separator: ", ") + (list.count > 10 ? ", ..." : "")
            console.print("\(verdict): \(list.count) of \(count) seeds (\(examples))")
        }
        if let first = failing.min() {
            let words = arguments.map(Self.shellWord) + ["--seed", String(first)]
            console.print("replay: windkanal \(words.joined(separator: " "))")
        }
        return failing.isEmpty ? 0 : 1
    }
}
