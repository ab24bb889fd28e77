import Activities
import Documents
import Experiments
import Glibc
import Measurements
import Pipeline
import PipelineTestbed
import Reports
import Sessions
import SimulationKernel
import Testbed

/// Runs an experiment in its simulated landscape: once, or for many seeds.
struct SimulatedSession {
    let experiment: Experiment
    let scenario: Scenario
    let request: ExperimentSession.Request
    let environment: [String: String]
    let options: SimulationOptions
    let mode: ConsoleRecorder.Mode
    /// What there is to be said before anything else.
    let earlyMessages: [EarlyMessage]
    /// Who keeps what comes of the run.
    let recorder: EvaluationRecorder?
    /// Keeps what reports are made of; nil where nobody asked for one.
    let reports: ReportRecorder?

    /// A message before the log has begun.
    typealias EarlyMessage = (level: LogLevel, text: String)

    /// Trace entries that are written.
    private static let traceEntriesMax: Int = 10_000_000

    /// Runs what the options ask for.
    ///
    /// - Parameter arguments: The command line without its seeds, for the processes of a sweep.
    /// - Returns: The exit code.
    /// - Throws: ``SimulationError`` when simulations cannot run here.
    func run(repeating arguments: [String]) async throws -> Int32 {
        let console = ConsoleRecorder(options.worker ? .quiet : mode, redacts: request.redacts, showsProgress: false)
        // The log of a simulated run has the simulation's time; a sweep has none.
        if options.seeds == nil { console.setTime(Simulation.Options().epoch) }
        for message in earlyMessages { console.log(message.level, message.text) }
        if request.validates {
            let findings = await ScenarioRun.findings(
                experiment, in: scenario, environment: environment, variables: request.options.variables)
            console.log(findings, of: experiment)
            if let error = findings.first(where: { $0.severity == .error }) {
                console.writeProblem(.validation, error.message, of: request)
                return 1
            }
        }
        guard let seeds = options.seeds?.seeds else { return try await runOnce(console) }
        if options.worker { return try work(seeds) }
        var sweep = SweepSession(
            experiment: experiment, environment: environment, isStrict: request.isStrict, console: console)
        if let reports { sweep.onEnd = { try? recordSweep($0, in: reports) } }
        return await sweep.run(seeds, repeating: arguments) { verdict in
            recorder?.keep(verdict, profile: profile)
            return recorder?.end(console) ?? true
        }
    }

    private func makeRun(
        seed: UInt64?, _ interruption: ScenarioInterruption, recorder: @escaping @Sendable (RunEvent) -> Void,
        progress: @escaping @Sendable (Duration) -> Void = { _ in }
    ) -> ScenarioRun {
        var scenario = scenario
        if let seed { scenario.seed = Seed(seed) }
        return ScenarioRun(
            experiment, in: scenario, options: request.options, environment: environment,
            recording: options.trace == nil ? nil : TraceRecording.Limits(entries: Self.traceEntriesMax),
            interruption: interruption, samples: isRecorded, recorder: recorder, progress: progress)
    }

    /// The profile that runs have.
    private var profile: EvaluationRecorder.Profile {
        let name = scenario.baseProfile.name
        return EvaluationRecorder.Profile(
            name: name, isOfFile: name == scenario.fileProfile.name, isAsked: options.profile != nil)
    }

    /// Whether anybody keeps what happens, so that samples are worth their time.
    private var isRecorded: Bool { !options.worker && (reports != nil || request.eventsPath != nil) }

    // MARK: One seed

    private func runOnce(_ console: ConsoleRecorder) async throws -> Int32 {
        let outputs: RunOutputs
        let trace: OutputFile?
        do {
            outputs = try RunOutputs(request)
            trace = try options.trace.map { path throws(FileError) in try OutputFile(path) }
        } catch {
            console.log(.critical, "nothing was done, since its result cannot be written: \(error)")
            return 1
        }
        defer { outputs.close() }
        let signals = SimulationSignals(console)
        defer { signals.end() }
        let progress = ProgressMeter(
            console, total: Int(scenario.duration.components.seconds), unit: "virtual seconds")
        defer { progress.end() }
        let run = makeRun(seed: options.seed, signals.interruption) { event in
            // On the simulation's thread, where the clock on the wall is the simulation's.
            let time = Duration.milliseconds(WallClock.milliseconds)
            console.setTime(time)
            console.record(event)
            outputs.record(event, at: time)
        } progress: {
            progress.advance(to: Int($0.components.seconds))
        }
        let result = try run.run()
        progress.end()
        var journal = result.journal
        if journal == nil, let kind = signals.interruption.requested {
            journal = await run.journalOfNothing(interruptedBy: kind)
        }
        if let failure = result.failure { console.log(.critical, failure) }
        if result.stopReason != .finished { console.log(.critical, "the simulation \(result.stopReason)") }
        return finish(result, journal, outputs, trace, console)
    }

    private func finish(
        _ result: ScenarioRun.Result, _ journal: Journal?, _ outputs: RunOutputs, _ trace: OutputFile?,
        _ console: ConsoleRecorder
    ) -> Int32 {
        var isWritten = true
        let value = journal?.value(redactedBy: request.redacts ? result.redactor : nil)
        if let journal, let value {
            console.logReasons(of: journal, by: ScenarioRun.Result.rule(request.isStrict))
            isWritten = console.write(value, to: outputs.journal)
        }
        if let trace {
            do {
                try trace.write(result.recording?.lines ?? "")
            } catch {
                console.log(.critical, "the trace cannot be written: \(error)")
                isWritten = false
            }
        }
        if result.isInterrupted { console.log(.info, "Nothing is left behind: the landscape ended with its run") }
        outputs.record(.noted(verdict(of: result, journal)), at: Simulation.Options().epoch + result.virtualTime)
        for fault in result.healed { console.log(.warning, "left in place, and taken back: \(fault.fault)") }
        for violation in result.violations { console.log(.critical, violation.description) }
        for problem in result.problems {
            console.log(.error, "a fault of the schedule could not be applied: \(problem)")
        }
        for fault in result.missed {
            console.log(options.requireImpact ? .critical : .warning, "hit nothing: \(fault.fault)")
        }
        console.summarize(
            ([result.ageLines, result.boundLine] + [result.invariantLine].compactMap(\.self)
                + (result.audit.map { [result.violations.isEmpty ? $0.text : $0.summary] } ?? [])).joined(
                    separator: "\n"))
        recorder?.keep(
            EvaluationRecorder.Outcome(
                verdict: result.verdict(strict: request.isStrict), seeds: "\(result.seed.value)",
                digest: "\(result.digest)"), profile: profile)
        let isRecorded = recorder?.end(console) ?? true
        let status: Int32 =
            isWritten && isRecorded && result.isSuccess(strict: request.isStrict, requiresImpact: options.requireImpact)
            ? 0 : 1
        if request.reportsToAgents {
            if let value {
                console.report(value, of: request, status: status)
            } else {
                console.writeProblem(.run, result.failure ?? "the simulation \(result.stopReason)", of: request)
            }
        } else {
            let processor = Self.processSeconds
            var object = result.json(strict: request.isStrict)
            object["cpu"] = .real(Double(processor) ?? 0)
            console.writeResult("\(result.line(strict: request.isStrict)) cpu \(processor)", object)
        }
        return status
    }

    /// A run's verdict with all that is known at its end, for records.
    private func verdict(of result: ScenarioRun.Result, _ journal: Journal?) -> Value.Object {
        result.verdictEvent(
            of: experiment, journal: journal, strict: request.isStrict, requiresImpact: options.requireImpact,
            replay: request.replay + ["--seed", String(result.seed.value)])
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

    /// Records what came of a sweep, and its worst seed once more with everything.
    private func recordSweep(_ end: SweepSession.End, in reports: ReportRecorder) throws {
        reports.note([
            "event": "sweep-begins", "title": experiment["title"] ?? .null, "seeds": .integer(end.count),
            "bound": [
                "age": .string(scenario.bound.age.rawValue), "seconds": .real(scenario.bound.seconds),
                "binds": .bool(scenario.bound.binds),
            ],
        ])
        let seeds = Set(end.summary.results.keys).union(end.summary.crashes.keys).sorted()
        for seed in seeds {
            if let result = end.summary.results[seed] {
                reports.note(result.shortened)
            } else {
                reports.note([
                    "event": "seed", "seed": Value(seed: seed), "verdict": "crashed", "success": false,
                    "problem": .string(end.summary.crashes[seed] ?? ""),
                ])
            }
        }
        if let worst = end.summary.worst(age: scenario.bound.age.rawValue) {
            let result = try makeRun(seed: worst, ScenarioInterruption()) { event in
                reports.record(event, at: .milliseconds(WallClock.milliseconds))
            }.run()
            reports.note(
                verdict(of: result, result.journal), at: Simulation.Options().epoch + result.virtualTime)
        }
        reports.note([
            "event": "sweep-ended", "verdict": .string(end.verdict),
            "replay": .array(end.replay.map { .string($0) }),
        ])
    }

    /// What one process of a sweep does: a line for each seed, for the one that started it.
    private func work(_ seeds: ClosedRange<UInt64>) throws -> Int32 {
        // Ctrl-C reaches the whole group; who started us ends us.
        for number in [SIGINT, SIGQUIT, SIGHUP, SIGTERM] { signal(number, SIG_IGN) }
        let parent = getppid()
        var isSuccess = true
        for seed in seeds {
            let result = try makeRun(seed: seed, ScenarioInterruption()) { _ in }.run()
            let succeeds = result.isSuccess(strict: request.isStrict, requiresImpact: options.requireImpact)
            let line = SeedResult(
                seed: seed, verdict: result.verdict(strict: request.isStrict), isSuccess: succeeds,
                details: result.json(strict: request.isStrict)
            ).line
            StandardStream.output.writeLine(line)
            isSuccess = isSuccess && succeeds
            // Nobody reads any more.
            guard getppid() == parent else { return 1 }
        }
        return isSuccess ? 0 : 1
    }
}
