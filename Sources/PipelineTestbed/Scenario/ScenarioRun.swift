import Activities
import Documents
import Durations
public import Experiments
import Measurements
import Pipeline
public import SimulationKernel

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
        /// Faults that the experiment left in place and that were taken back, for people.
        public let healed: [String]
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

    /// Prepares a run; `recorder` hears of it in virtual time, `interruption` may end it.
    public init(
        _ experiment: Experiment, in scenario: Scenario, options: RunOptions, environment: [String: String] = [:],
        recording: TraceRecording.Limits? = nil, interruption: ScenarioInterruption = ScenarioInterruption(),
        recorder: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) {
        self.interruption = interruption
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
            providers: SimulatedActivityProviders(http: nil, landscape: nil, map: scenario.map(LandscapeMap.init)),
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
                providers: SimulatedActivityProviders(http: nil, landscape: nil, map: nil), variables: environment,
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
        let landscape = try Landscape(simulation, scenario)
        let box = Box()
        landscape.recorder.look = { [interruption] in
            guard let kind = interruption.requested, !box.isInterrupted else { return }
            box.isInterrupted = true
            interruption.heed()
            // Before the experiment began, and behind its end, there is nothing to be brought to an end in order.
            guard let run = box.running else { return simulation.stop("interrupted by \(kind.rawValue)") }
            Task { await run.interrupt(kind) }
        }
        let outcome = try simulation.run { try await play(in: landscape, box) }
        landscape.recorder.look = {}
        if outcome.stopReason == .finished { try outcome.get() }
        return Result(
            seed: seed, isInterrupted: box.isInterrupted, journal: box.journal, failure: box.failure,
            redactor: box.redactor,
            stopReason: outcome.stopReason,
            digest: outcome.digest, virtualTime: outcome.virtualTime, events: outcome.events,
            ages: landscape.recorder.statistics, bound: scenario.bound, audit: box.audit, healed: box.healed,
            failures: landscape.recorder.failures,
            recording: outcome.recording)
    }

    private func play(in landscape: Landscape, _ box: Box) async throws {
        let began = ContinuousClock.now
        try await Task.sleep(for: scenario.warmUp)
        landscape.recorder.start()
        let map = LandscapeMap(scenario)
        let providers = SimulatedActivityProviders(
            http: landscape.ports.map { HTTPActivityProvider($0) },
            landscape: LandscapeActivityProvider(landscape, map), map: map)
        let run = ExperimentRun(
            experiment, options: options,
            environment: RunEnvironment(
                clock: ContinuousClock(), wallTime: { .milliseconds(WallClock.milliseconds) }, providers: providers,
                variables: environment, platform: "windkanal", node: "simulation", recorder: recorder))
        box.running = run
        do {
            box.journal = try await run.run()
        } catch {
            box.failure = error.description
        }
        box.running = nil
        box.redactor = await run.redactor
        // Nothing that an experiment left in place outlives it; what is on its way has time to arrive.
        box.healed = landscape.healAll()
        guard !box.isInterrupted else { return }
        try await Task.sleep(until: began + scenario.duration, clock: .continuous)
        landscape.recorder.stop()
        guard scenario.persistence != nil else { return }
        let audit = landscape.ledger.audit(landscape.machines)
        // The digest stands for what was kept, too.
        Simulation.note(audit.text)
        box.audit = audit
    }
}

/// What the simulation's code hands to the one who started it, on the same thread.
private final class Box: @unchecked Sendable {
    var journal: Journal?
    var failure: String?
    var audit: LedgerAudit?
    var healed: [String] = []
    var redactor: Redactor = Redactor()
    /// The experiment while it runs.
    var running: ExperimentRun?
    var isInterrupted: Bool = false
}
