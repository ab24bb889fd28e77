public import SimulationKernel

/// What the checks of one simulated run have found: what failed, what must always be true, which rare paths were taken.
///
/// It belongs to the run's thread.
public final class TestedRun {
    private let world: World
    /// What the run follows from.
    public let seed: Seed
    /// Which of many runs it is, for people: `seed 17`.
    public let label: String
    /// Whether it repeats a run that has failed, to see more of it: what fails is known.
    public let isRepetition: Bool
    /// What failed, in the order in which it was found.
    public private(set) var failures: [TrialFailure] = []
    /// How often each rare path was taken.
    public private(set) var marks: [String: Int] = [:]
    private var claims: [Claim] = []
    private var waiters: [Waiter] = []

    private struct Claim {
        let name: String
        let location: CodeLocation
        let holds: () -> Bool
    }

    private struct Waiter {
        let since: UInt64
        let continuation: CheckedContinuation<Void, Never>
    }

    /// Begins to watch a simulation that has not run.
    init(_ simulation: Simulation, label: String, isRepetition: Bool) {
        self.label = label
        self.isRepetition = isRepetition
        world = simulation.world
        seed = simulation.seed
        world[companion: TestedRun.self] = self
        world.onEnd { [unowned self] in end() }
        world.onIdle { [unowned self] in lookAround() }
    }

    /// The run on this thread; nil where no simulated test runs.
    public static var current: TestedRun? { World.current?[companion: TestedRun.self] }

    /// The run on this thread.
    ///
    /// - Precondition: A simulated test runs on this thread.
    static func required(_ caller: StaticString, _ location: CodeLocation) -> TestedRun {
        guard let current else {
            preconditionFailure(
                "\(caller) at \(location) needs a simulated test: call it in withVirtualTime, in a test with .simulated, or in what assertHolds runs"
            )
        }
        return current
    }

    /// Keeps a failure; what code does that only unwinds, after a crash or the run's end, is none.
    public func fail(_ failure: TrialFailure) {
        guard !world.isMuted else { return }
        failures.append(failure)
    }

    /// Counts a rare path; 0 says that it was looked for.
    func mark(_ name: String, _ count: Int) {
        guard !world.isMuted else { return }
        marks[name, default: 0] += count
    }

    /// What must be true from now on, at every moment between which time passes.
    func claim(_ name: String, at location: CodeLocation, _ holds: @escaping () -> Bool) {
        let claim = Claim(name: name, location: location, holds: holds)
        if ask(claim) { claims.append(claim) }
    }

    private func askClaims() {
        // A claim that failed once is not asked again.
        claims.removeAll { !ask($0) }
    }

    private func lookAround() {
        askClaims()
        guard !waiters.isEmpty else { return }
        let now = world.nanoseconds
        let due = waiters.filter { $0.since < now }
        waiters.removeAll { $0.since < now }
        for waiter in due { waiter.continuation.resume() }
    }

    private func ask(_ claim: Claim) -> Bool {
        if claim.holds() { return true }
        failures.append(TrialFailure("always: '\(claim.name)' is false at \(now)", at: claim.location))
        return false
    }

    /// Suspends until time has passed and nothing can happen before more of it passes; until `deadline` at the latest.
    ///
    /// When the run is over, it returns at once.
    func nextMoment(until deadline: UInt64) async {
        guard !world.isEnding else { return }
        // Something that happens then, if nothing happens before.
        let event = world.schedule(at: deadline) { _ in }
        await withCheckedContinuation { continuation in
            waiters.append(Waiter(since: world.nanoseconds, continuation: continuation))
        }
        world.cancel(event)
    }

    /// Suspends until nothing can happen without time passing.
    func quiescence() async { await world.quiescence() }

    /// The present virtual time.
    var now: VirtualInstant { VirtualInstant(nanoseconds: world.nanoseconds) }

    /// Whether the run is over and what is left only unwinds.
    var isEnding: Bool { world.isEnding }

    /// The tasks of the caller's host that have not ended, without the caller's own.
    var waitingTasks: [WaitingTask] { world.waitingTasks }

    private func end() {
        claims = []
        let left = waiters
        waiters = []
        for waiter in left { waiter.continuation.resume() }
    }
}

extension TestedRun {
    /// Runs code in a simulation from a seed, on this thread, and gathers what its checks find.
    ///
    /// - Parameters:
    ///   - seed: What the run follows from.
    ///   - options: How it goes.
    ///   - label: Which of many runs it is, for people; the seed if it is left out.
    ///   - isRepetition: Whether it repeats a run that has failed.
    ///   - body: The code, with the simulation that it runs in.
    /// - Returns: What the simulation came to, and what was found.
    /// - Throws: `SimulationError` when simulations cannot run here.
    public static func run<Value>(
        seed: Seed, options: Simulation.Options, label: String? = nil, isRepetition: Bool = false,
        _ body: @escaping (Simulation) async throws -> Value
    ) throws(SimulationError) -> (outcome: Outcome<Value>, run: TestedRun) {
        let simulation = Simulation(seed: seed, options: options)
        let run = TestedRun(simulation, label: label ?? "seed \(seed)", isRepetition: isRepetition)
        let scope = RunScope.current
        // The simulation holds the code until it has run; the code must not hold the simulation.
        let outcome = try simulation.run { [unowned simulation] in
            // What was claimed is true at the end, too.
            defer { run.askClaims() }
            guard let scope else { return try await body(simulation) }
            var value: Value?
            try await scope.perform(run) { value = try await body(simulation) }
            guard let value else { preconditionFailure("a test framework's scope has not run its code") }
            return value
        }
        return (outcome, run)
    }
}
