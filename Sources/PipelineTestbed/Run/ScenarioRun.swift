import Activities
import Documents
import Durations
public import Experiments
import Faults
import Measurements
import Pipeline
import SimulatedTestbed
public import SimulationKernel
public import Testbed

/// A run of an experiment in a simulated landscape, from one seed.
public struct ScenarioRun: Sendable {
    /// What came of it.
    public struct Result: Sendable {
        /// What the run followed from.
        public let seed: Seed
        /// Whether somebody ended it.
        public let isInterrupted: Bool
        /// What happened in the experiment; nil where it ended without a journal.
        public let journal: Journal?
        /// Why there is no journal.
        public let failure: String?
        /// Takes secrets out.
        public let redactor: Redactor
        /// Why the simulation ended.
        public let stopReason: StopReason
        /// What all decisions fold to.
        public let digest: TraceDigest
        /// How much virtual time passed.
        public let virtualTime: Duration
        /// World events that happened.
        public let events: Int
        /// How old what the poller knew was.
        public let ages: [Scenario.AgeKind: AgeStatistics]
        /// The age that the scenario bounds, and how old it may be.
        public let bound: Scenario.Bound
        /// What became of the readings; nil where the landscape keeps none.
        public let audit: LedgerAudit?
        /// What was claimed of the run, whatever its probes say.
        public let invariants: [String]
        /// Whether the scenario itself claims something, besides what is claimed of every run.
        let hasOwnClaims: Bool
        /// What was violated, in its order.
        public let violations: [Violation]
        /// The faults that were applied, by whomever, with what they hit.
        public let faults: [AppliedFault]
        /// Faults of the scenario's schedule that could not be applied, with why.
        public let problems: [String]
        /// How often each mark was reached.
        public let marks: [Mark: Int]
        /// Faults that were left in place when the experiment ended, and were taken back.
        public let healed: [AppliedFault]
        /// Polls that failed, by kind.
        public let failures: [String: Int]
        /// The trace, if it was recorded.
        public let recording: TraceRecording?
    }

    /// How long a run may take in real time.
    public static let wallTimeMax: Duration = .seconds(600)

    private let experiment: Experiment
    private let scenario: Scenario
    private let options: RunOptions
    private let environment: [String: String]
    private let recording: TraceRecording.Limits?
    private let recorder: @Sendable (RunEvent) -> Void
    private let interruption: ScenarioInterruption
    /// Whether the first violation ends the run: storms have nothing to learn from what follows.
    private let stopsAtViolation: Bool
    private let progress: @Sendable (Duration) -> Void
    /// Whether the recorder gets samples of how the landscape does, too.
    private let samples: Bool

    /// Prepares a run; `recorder` hears of it in virtual time, `interruption` may end it, `progress` hears every second how much time has passed.
    ///
    /// With `samples` it hears each second how the landscape does, and of the messages around the first violation: what reports are made of.
    public init(
        _ experiment: Experiment, in scenario: Scenario, options: RunOptions, environment: [String: String] = [:],
        recording: TraceRecording.Limits? = nil, interruption: ScenarioInterruption = ScenarioInterruption(),
        stopsAtViolation: Bool = false, samples: Bool = false,
        recorder: @escaping @Sendable (RunEvent) -> Void = { _ in },
        progress: @escaping @Sendable (Duration) -> Void = { _ in }
    ) {
        self.progress = progress
        self.interruption = interruption
        self.stopsAtViolation = stopsAtViolation
        self.samples = samples
        self.experiment = experiment
        self.scenario = scenario
        self.options = options
        self.environment = environment
        self.recording = recording
        self.recorder = recorder
    }

    /// What validation finds, for the simulation's providers; without a scenario, for the one that needs no files.
    public static func findings(
        _ experiment: Experiment, in scenario: Scenario? = nil, environment: [String: String], variables: Variables
    ) async -> [Finding] {
        let scenario = scenario ?? (try? Scenario(of: experiment)).flatMap(\.self)
        var validator = Validator(
            experiment,
            providers: SimulatedActivityProviders(http: nil, pipeline: nil, map: scenario.map(PipelineMap.init)),
            environment: environment, variables: variables)
        let warnings = (scenario?.warnings ?? []).map { ScenarioError.warning($0, of: experiment) }
        return await validator.validate() + warnings
    }

    /// The journal of a run that was ended before its experiment began.
    public func journalOfNothing(interruptedBy kind: Interruption) async -> Journal? {
        let run = ExperimentRun(
            experiment, options: options,
            environment: RunEnvironment(
                clock: ContinuousClock(), wallTime: { Simulation.Options().epoch + scenario.warmUp },
                providers: SimulatedActivityProviders(http: nil, pipeline: nil, map: nil), variables: environment,
                platform: "windkanal", node: "simulation", recorder: recorder))
        await run.interrupt(kind)
        return try? await run.run()
    }

    /// Runs, on this thread.
    ///
    /// - Throws: ``SimulationError`` when simulations cannot run here.
    public func run() throws -> Result {
        let seed = scenario.seed
        let simulation = Simulation(
            seed: seed,
            options: Simulation.Options(
                budget: Budget(
                    virtualTime: Scenario.durationMax * 2, events: 2_000_000_000, wallTime: Self.wallTimeMax),
                recording: recording))
        let pipeline = try SimulatedPipeline(scenario, in: simulation)
        let box = Box()
        let look: () -> Void = { [interruption] in
            guard let kind = interruption.requested, !box.isInterrupted else { return }
            box.isInterrupted = true
            interruption.heed()
            // Before the experiment began, and behind its end, there is nothing to be brought to an end in order.
            guard let run = box.running else { return simulation.stop("interrupted by \(kind.rawValue)") }
            Task { await run.interrupt(kind) }
        }
        let (log, monitor) = (pipeline.deployment.log, pipeline.deployment.monitor)
        if samples { box.samples = SampleRecorder(pipeline) { [recorder] in recorder(.noted($0)) } }
        log.listen { [recorder] event in
            look()
            guard var document = event.document else { return }
            if let narration = event.narration {
                document["level"] = narration.isWarning ? "warning" : "info"
                document["text"] = .string(narration.text)
            }
            recorder(.testbed(document["event"]?.string ?? "", document))
        }
        let claims = PipelineClaims(scenario, pipeline)
        for invariant in claims.invariants { monitor.add(invariant) }
        let player = SchedulePlayer(scenario.faults, on: pipeline.deployment)
        let outcome = try simulation.run {
            try await play(pipeline, claims, player, box) {
                look()
                if stopsAtViolation, !monitor.violations.isEmpty { simulation.stop(Self.violated) }
            }
        }
        if outcome.stopReason == .finished { try outcome.get() }
        return Result(
            seed: seed, isInterrupted: box.isInterrupted, journal: box.journal, failure: box.failure,
            redactor: box.redactor, stopReason: outcome.stopReason, digest: outcome.digest,
            virtualTime: outcome.virtualTime, events: outcome.events, ages: pipeline.ages.statistics,
            bound: scenario.bound, audit: box.audit, invariants: claims.names,
            hasOwnClaims: scenario.bound.binds || scenario.chosenClaims != nil, violations: monitor.violations,
            faults: pipeline.faults,
            problems: player.problems, marks: log.marks, healed: box.healed, failures: pipeline.ages.failures,
            recording: outcome.recording)
    }

    /// Why a run ends that is to end with the first violation.
    static let violated: String = "an invariant is violated"

    private func play(
        _ pipeline: SimulatedPipeline, _ claims: PipelineClaims, _ player: SchedulePlayer, _ box: Box,
        _ look: @escaping () -> Void
    ) async throws {
        let began = ContinuousClock.now
        box.samples?.begin()
        try await Task.sleep(for: scenario.warmUp)
        watch(pipeline, box) {
            look()
            progress(began.duration(to: .now))
        }
        let asking = scenario.faults.faults.isEmpty ? nil : Task { await claims.ask() }
        await experiment(on: pipeline, box)
        if !box.isInterrupted, !scenario.faults.faults.isEmpty {
            try await Task.sleep(until: began + scenario.duration - scenario.recovery, clock: .continuous)
        }
        asking?.cancel()
        player.stop()
        // Nothing that was left in place outlives the experiment; what is on its way has time to arrive.
        box.healed = pipeline.deployment.heal()
        guard !box.isInterrupted else { return }
        let end = max(began + scenario.duration, ContinuousClock.now + scenario.recovery)
        try await claims.recover(until: end)
        box.isOver = true
        pipeline.deployment.monitor.check(isEnd: true)
        box.samples?.end()
        guard scenario.persistence != nil else { return }
        let audit = pipeline.audit()
        // The digest stands for what was kept, too.
        Simulation.note(audit.text)
        box.audit = audit
        if samples { recorder(.noted(audit.event)) }
    }

    /// Samples ages and asks invariants, from now on and every second.
    private func watch(_ pipeline: SimulatedPipeline, _ box: Box, _ look: @escaping () -> Void) {
        box.samples?.start()
        pipeline.deployment.repeatedly(every: .seconds(1)) {
            guard !box.isOver else { return }
            pipeline.ages.sample()
            pipeline.deployment.monitor.check()
            box.samples?.sample()
            look()
        }
    }

    private func experiment(on pipeline: SimulatedPipeline, _ box: Box) async {
        let providers = SimulatedActivityProviders(
            http: pipeline.deployment.ports.map { HTTPActivityProvider($0) }, pipeline: pipeline,
            map: PipelineMap(scenario))
        let run = ExperimentRun(
            experiment, options: options,
            environment: RunEnvironment(
                clock: ContinuousClock(), wallTime: { .milliseconds(WallClock.milliseconds) }, providers: providers,
                variables: environment, platform: "windkanal", node: "simulation",
                recorder: { [recorder] event in
                    box.samples?.hear(event)
                    recorder(event)
                }))
        box.running = run
        do {
            box.journal = try await run.run()
        } catch {
            box.failure = error.description
        }
        box.running = nil
        box.redactor = await run.redactor
    }
}

/// What the simulation's code hands to the one who started it, on the same thread.
private final class Box: @unchecked Sendable {
    var journal: Journal?
    var failure: String?
    var audit: LedgerAudit?
    var healed: [AppliedFault] = []
    var redactor: Redactor = Redactor()
    /// Who samples; nil where nobody wants to know.
    var samples: SampleRecorder?
    /// The experiment while it runs.
    var running: ExperimentRun?
    var isInterrupted: Bool = false
    /// Nothing is watched any more.
    var isOver: Bool = false
}
