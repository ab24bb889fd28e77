public import Faults
public import SimulatedWorld
@_exported public import SimulationKernel
@_exported public import Testbed

/// A run of a deployment in virtual time, from one seed: faults are played, invariants are asked, everything is healed, and must recover.
public struct SimulatedRun {
    /// How a run goes.
    public struct Options: Sendable {
        /// For how long faults may act.
        public var duration: Duration = .seconds(60)
        /// For how long the system may recover after everything was healed.
        public var recovery: Duration = .seconds(30)
        /// How often invariants are asked.
        public var checkInterval: Duration = .seconds(1)
        /// Whether the first violation ends the run.
        public var stopsAtViolation: Bool = true
        /// How far the simulation may go.
        public var budget: Budget = Budget(virtualTime: .seconds(86_400), events: 100_000_000, wallTime: .seconds(600))
        /// Who goes first among what is ready at one instant.
        public var policy: SchedulingPolicy = .firstInFirstOut
        /// How all disks keep bytes.
        public var disk: DiskOptions = DiskOptions()
        /// How much of the trace is kept; nil keeps the digest alone.
        public var recording: TraceRecording.Limits?

        /// A minute of faults, half a minute to recover, a check each second.
        public init() {}
    }

    /// What came of a run.
    public struct Result: Sendable {
        /// What it followed from.
        public let seed: Seed
        /// The violations, in their order.
        public let violations: [Violation]
        /// The faults that were applied, with what they hit.
        public let faults: [AppliedFault]
        /// Faults of the schedule that could not be applied, with why.
        public let problems: [String]
        /// How often each mark was reached.
        public let marks: [Mark: Int]
        /// Why the simulation ended.
        public let stopReason: StopReason
        /// What all decisions fold to.
        public let digest: TraceDigest
        /// How much virtual time passed.
        public let virtualTime: Duration
        /// World events that happened.
        public let events: Int
        /// The trace, if it was recorded.
        public let recording: TraceRecording?

        /// Whether nothing was violated, every fault could be applied, and the simulation came to its end.
        public var holds: Bool { violations.isEmpty && problems.isEmpty && stopReason == .finished }
    }

    private let deployment: Deployment
    private let seed: Seed
    private let options: Options
    private let schedule: FaultSchedule
    private let handlers: [any CustomFaultHandler]

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - deployment: The services and where they run.
    ///   - seed: What everything follows from.
    ///   - options: How it goes.
    ///   - schedule: What goes wrong, and when.
    ///   - handlers: Who does the deployment's own faults.
    public init(
        _ deployment: Deployment, seed: Seed, options: Options = Options(), schedule: FaultSchedule = FaultSchedule(),
        handlers: [any CustomFaultHandler] = []
    ) {
        self.deployment = deployment
        self.seed = seed
        self.options = options
        self.schedule = schedule
        self.handlers = handlers
    }

    /// Runs, on this thread.
    ///
    /// - Parameters:
    ///   - invariants: Makes what must be true, for the deployment as it is simulated.
    ///   - driver: What is done to the services from outside while faults act; ends with the faults.
    /// - Returns: What came of it.
    /// - Throws: `DeploymentError`, `SimulationError` when simulations cannot run here, and what `driver` throws.
    public func run(
        invariants: (SimulatedDeployment) -> [any Invariant],
        driver: (@Sendable (SimulatedPorts) async throws -> Void)? = nil
    ) throws -> Result {
        let simulation = Simulation(
            seed: seed,
            options: Simulation.Options(budget: options.budget, policy: options.policy, recording: options.recording))
        let world = try SimulatedDeployment(
            deployment, in: simulation, disk: options.disk, handlers: handlers)
        for invariant in invariants(world) { world.monitor.add(invariant) }
        let player = SchedulePlayer(schedule, on: world)
        let stop = StopSignal()
        world.repeatedly(every: options.checkInterval) { [options] in
            world.monitor.check()
            if options.stopsAtViolation, !world.monitor.violations.isEmpty { stop.fire() }
        }
        let outcome = try simulation.run { try await play(world, player, stop, driver) }
        let faults = world.faults.applied
        if outcome.stopReason == .finished { try outcome.get() }
        return Result(
            seed: seed, violations: world.monitor.violations, faults: faults, problems: player.problems,
            marks: world.log.marks, stopReason: outcome.stopReason, digest: outcome.digest,
            virtualTime: outcome.virtualTime, events: outcome.events, recording: outcome.recording)
    }

    private func play(
        _ world: SimulatedDeployment, _ player: SchedulePlayer, _ stop: StopSignal,
        _ driver: (@Sendable (SimulatedPorts) async throws -> Void)?
    ) async throws {
        let ports = world.ports
        let driving = Task { if let driver, let ports { try await driver(ports) } }
        await stop.sleep(for: options.duration)
        player.stop()
        driving.cancel()
        try await finish(driving)
        guard !stop.isFired else { return }
        world.heal()
        await stop.sleep(for: options.recovery)
        guard !stop.isFired else { return }
        world.monitor.check(isEnd: true)
    }

    private func finish(_ driving: Task<Void, any Error>) async throws {
        do { try await driving.value } catch is CancellationError {}
    }
}

/// Ends a sleep early.
final class StopSignal: @unchecked Sendable {
    private(set) var isFired: Bool = false
    private var sleeper: Task<Void, any Error>?

    func fire() {
        isFired = true
        sleeper?.cancel()
    }

    /// Sleeps, or returns at once when it was fired.
    func sleep(for duration: Duration) async {
        guard !isFired else { return }
        let sleeper = Task { try await Task.sleep(for: duration) }
        self.sleeper = sleeper
        _ = await sleeper.result
    }
}
