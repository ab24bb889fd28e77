@_exported public import Randomness

/// A run of ordinary async Swift code in virtual time, from one seed.
///
/// While it runs, the calling thread is the simulation's: its clocks, its randomness and every task made on it are
/// virtual. Other threads, and this one afterwards, are untouched. A simulation is run once, on one thread.
public final class Simulation {
    let kernel: Kernel

    /// Prepares a run.
    public init(seed: Seed, options: Options = Options()) {
        kernel = Kernel(seed: seed, options: options)
    }

    deinit {
        kernel.dispose()
    }

    /// What the run follows from.
    public var seed: Seed { kernel.seed }

    /// The clock of the run.
    public var clock: VirtualClock { VirtualClock() }

    /// The present virtual time.
    public var now: VirtualInstant { VirtualInstant(nanoseconds: kernel.state.value.now) }

    // MARK: Running

    /// Runs `main` and everything it starts, on this thread, until it returns or the budget is spent.
    ///
    /// - Parameter main: The root code; it belongs to no host.
    /// - Returns: What the run came to; a failure of `main` is in it, not thrown.
    /// - Throws: ``SimulationError`` when the run cannot begin.
    public func run<Value>(_ main: @escaping () async throws -> Value) throws(SimulationError) -> Outcome<Value> {
        var result: Result<Value, any Error>?
        let kernel = kernel
        let reason = try kernel.run {
            let ended: Result<Value, any Error>
            do {
                ended = .success(try await main())
            } catch {
                ended = .failure(error)
            }
            // Once the run is ending for another reason, what cancellation makes of the root code is no result.
            guard !kernel.state.value.isEnding else { return }
            result = ended
            kernel.stop(.finished)
        }
        return Outcome(
            seed: seed, stopReason: reason, result: result, digest: kernel.state.value.trace.digest,
            recording: kernel.state.value.trace.closedRecording(time: kernel.state.value.now),
            virtualTime: .nanoseconds(Int64(kernel.state.value.now)),
            events: Int(kernel.state.value.events), jobs: Int(kernel.state.value.jobs),
            violations: kernel.violations, violationCount: kernel.violationCount,
            hostFailures: kernel.hosts.all.compactMap { host in
                guard case .failure(let error)? = host.exit else { return nil }
                return (host.name, error)
            },
            abandonedTasks: kernel.abandonedTasks, worldReport: kernel.worldReport)
    }

    /// Runs the hosts for `duration` of virtual time.
    ///
    /// - Throws: ``SimulationError`` when the run cannot begin.
    public func run(for duration: Duration) throws(SimulationError) -> Outcome<Void> {
        guard duration >= .zero else { throw .invalidOptions("a run for \(duration); it must not be negative") }
        return try runFor(duration)
    }

    private func runFor(_ duration: Duration) throws(SimulationError) -> Outcome<Void> {
        try run { try await Task.sleep(for: duration) }
    }

    /// Ends the run after the present piece of work, with ``StopReason/stopped(_:)``.
    public func stop(_ why: String) {
        kernel.stop(.stopped(why))
    }

    // MARK: World

    /// Adds a host: code with a life of its own, that can be crashed, restarted and paused.
    ///
    /// - Parameters:
    ///   - name: Its name, unique in the simulation.
    ///   - starts: Whether it starts at once (when the run begins, if it has not).
    ///   - boot: What runs at each start, as the host's main task; a host without it has events only.
    /// - Returns: The host.
    /// - Throws: ``SimulationError/duplicateHost(_:)``.
    @discardableResult
    public func addHost(
        _ name: String, starts: Bool = true, boot: (() async throws -> Void)? = nil
    ) throws(SimulationError) -> Host {
        try kernel.addHost(name, starts: starts, boot: boot)
    }

    /// The host with this name, or nil.
    public func host(named name: String) -> Host? {
        kernel.hosts.named(name)
    }

    /// Opens the stream of random numbers with this label; draws of one never shift those of another.
    ///
    /// - Throws: ``SimulationError/duplicateStream(_:)``: two streams of one label would draw the same numbers.
    public func stream(_ label: String) throws(SimulationError) -> RandomStream {
        try kernel.openStream(label)
    }

    /// Schedules an event: synchronous work at a moment, without a task.
    ///
    /// It belongs to whoever runs now: a host's code or event schedules for that host, and the event is dropped when
    /// the host crashes; everything else schedules for the world.
    ///
    /// - Parameters:
    ///   - instant: When; not before now.
    ///   - argument: What `action` gets, so that one closure can serve many events.
    ///   - action: What happens.
    /// - Returns: A handle to cancel it.
    @discardableResult
    public func schedule(
        at instant: VirtualInstant, argument: UInt64 = 0, _ action: @escaping (UInt64) -> Void
    ) -> ScheduledEvent {
        kernel.state.value.syncHost()
        return kernel.schedule(at: instant, argument: argument, incarnation: kernel.state.value.current, action)
    }

    /// Schedules an event `delay` from now; the delay is not negative.
    @discardableResult
    public func schedule(
        after delay: Duration, argument: UInt64 = 0, _ action: @escaping (UInt64) -> Void
    ) -> ScheduledEvent {
        schedule(at: kernel.instant(after: delay), argument: argument, action)
    }

    /// Cancels an event; false when it has happened or was cancelled.
    @discardableResult
    public func cancel(_ event: ScheduledEvent) -> Bool {
        kernel.state.value.queue.remove(event) != nil
    }

    /// Events that are scheduled, sleeps included.
    public var pendingEvents: Int { kernel.state.value.queue.count }

    /// Events that the queue's memory has room for.
    var memoryInEvents: Int { kernel.state.value.queue.memoryInEntries }

    /// Tasks that have not been found complete.
    public var liveTasks: Int { kernel.state.value.tasks.count }

    // MARK: Trace

    /// Folds a decision of a part of the world into the trace.
    public func record(_ kind: TraceKind, _ first: UInt64 = 0, _ second: UInt64 = 0, text: String? = nil) {
        guard !kernel.state.value.isMuted else { return }
        kernel.state.value.record(kind, first, second, text: text)
    }

    /// Notes something in the trace of the simulation that runs on this thread; elsewhere it does nothing.
    public static func note(_ text: String, _ value: UInt64 = 0) {
        guard let state = Kernel.current, !state.value.isMuted else { return }
        state.value.record(.note, value, 0, text: text)
    }
}

extension Simulation {
    /// How a simulation runs; everything but the seed.
    public struct Options: Sendable {
        /// How far it may go.
        public var budget: Budget
        /// Who goes first among what is ready at one instant.
        public var policy: SchedulingPolicy
        /// What happens when something leaves the simulation.
        public var guards: Guards
        /// How much of the trace is kept; nil keeps the digest alone.
        public var recording: TraceRecording.Limits?
        /// Whether its code uses the main actor, whose state belongs to the whole process.
        ///
        /// Such a run waits until it is the only one of the process, and others wait for it. A strict run that does not say so
        /// is refused the main actor, except on the process' main thread while no other simulation runs.
        public var usesMainActor: Bool
        /// What the hosts' wall clocks show at the beginning: time since 1970-01-01 00:00 UTC.
        public var epoch: Duration

        /// Makes options; those that are left out are the standard.
        public init(
            budget: Budget = .standard,
            policy: SchedulingPolicy = .firstInFirstOut,
            guards: Guards = .strict,
            recording: TraceRecording.Limits? = nil,
            usesMainActor: Bool = false,
            epoch: Duration = .seconds(1_767_225_600)  // 2026-01-01
        ) {
            self.budget = budget
            self.policy = policy
            self.guards = guards
            self.recording = recording
            self.usesMainActor = usesMainActor
            self.epoch = epoch
        }

        var epochNanoseconds: Int64 { epoch.clampedNanoseconds }

        /// What is wrong with the options, or nil.
        var validationError: String? {
            if let validationError = budget.validationError { return validationError }
            if case .pct(let depth, let steps) = policy, depth < 1 || steps < 1 {
                return "PCT needs a depth and a number of steps of at least 1, not \(depth) and \(steps)"
            }
            if let limit = guards.blockLimit, limit <= .zero || guards.fatalBlockLimit < limit {
                return "the block limit \(limit) must be above 0 and at most the fatal one, \(guards.fatalBlockLimit)"
            }
            // Wall clocks hold nanoseconds since 1970 in 64 bits; half of it leaves room for steps and drift.
            if epoch < .zero || epoch > .nanoseconds(Int64.max / 2) {
                return "the epoch \(epoch) lies outside 1970 to 2116"
            }
            if let recording, recording.first < 0 || recording.entries < 1 {
                return "a recording needs a first entry of at least 0 and at least 1 entry"
            }
            return nil
        }
    }
}
