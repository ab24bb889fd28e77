import CSystemSeam
import Randomness

/// The owner of a run: its loop, its hosts and what they reported.
///
/// One thread, one queue. World events and jobs of the tested code that are ready at the same virtual instant are
/// dispatched as the policy says; when none is left, time jumps to the next event.
final class Kernel {
    enum Phase {
        case prepared
        case running
        case ended
    }

    let seed: Seed
    let options: Simulation.Options
    let state: Pinned<KernelState>
    let context: ThreadContext
    /// The wall clock of the world and of every host whose clock was never changed.
    let worldWall: Pinned<seam_wall_clock>
    /// Whether any host has a wall clock of its own.
    var anyOwnWallClock: Bool = false
    let root: RandomStream

    private(set) var phase: Phase = .prepared
    private(set) var stopReason: StopReason?
    var violations: [GuardViolation] = []
    var violationCount: Int = 0
    var hosts: HostRegistry = HostRegistry()
    private var streamLabels: Set<String> = []
    /// What parts of the world do when the run ends, and how they tell how things stand, in the order of registration.
    private(set) var endActions: [() -> Void] = []
    private(set) var reports: [() -> [String]] = []
    /// What is called whenever nothing can happen any more without time passing, in the order of registration.
    var idleActions: [() -> Void] = []
    /// Tasks that wait until then.
    var idleWaiters: [CheckedContinuation<Void, Never>] = []
    /// How often the watched task came to wait, and at which time it is to be cancelled.
    var suspensions: (count: Int, cancelAt: Int?) = (0, nil)
    /// Where the watched task waited when it was cancelled.
    var cancelledTask: WaitingTask?
    /// What libraries keep for the run.
    var companions: [ObjectIdentifier: AnyObject] = [:]
    /// Incarnations that crashed and were not unwound yet, in their order.
    var crashed: [UInt32] = []
    private var extraHeartbeats: UInt64 = 0
    /// How things stood in the world when the run ended before its time.
    var worldReport: [String] = []
    /// Tasks that no cancellation could end; known when the run has ended.
    var abandonedTasks: Int = 0

    /// Where the process' monotonic clock stands at a run's beginning: an hour after boot.
    static let monotonicBase: UInt64 = 3_600_000_000_000
    /// Violations that are kept; the rest is counted.
    static let violationsMax: Int = 100
    init(seed: Seed, options: Simulation.Options) {
        self.seed = seed
        self.options = options
        root = RandomStream(seed: seed)
        worldWall = Pinned(making: seam_wall_clock(wall_at: options.epochNanoseconds, since: 0, drift_ppb: 0))
        context = ThreadContext(
            monotonicBase: Self.monotonicBase, wall: worldWall, strict: options.guards.strict)
        state = unsafe Pinned(.allocate(capacity: 1))
        unsafe state.pointer.initialize(
            to: KernelState(
                kernel: self, context: context,
                ready: ReadyQueue(policy: options.policy, random: root.fork("kernel/policy")),
                trace: Trace(limits: options.recording), recordsTaskOrigins: options.guards.recordsTaskOrigins))
        _ = state.value.addIncarnation(
            KernelState.Incarnation(host: nil, wall: worldWall, random: root.fork("kernel/system")))
        context.connect(state)
    }

    deinit {
        state.free()
        context.free()
        worldWall.free()
    }

    /// The kernel that owns this thread, or nil.
    static var current: Pinned<KernelState>? {
        @inline(__always) get { ThreadContext.current?.kernel }
    }

    // MARK: Running

    /// Runs until something stops it; `main` is the root task's code.
    func run(_ main: @escaping () async -> Void) throws(SimulationError) -> StopReason {
        guard phase == .prepared else { throw .alreadyRan }
        guard ThreadContext.current == nil else { throw .nestedRun }
        if let validationError = options.validationError { throw .invalidOptions(validationError) }
        try RuntimeSeam.verify()
        let mark = context.register(alone: options.usesMainActor)
        guard mark != 0 else { throw .tooManySimulations(limit: Int(SEAM_KERNELS_MAX)) }
        state.value.number = mark
        phase = .running
        context.enter()
        let wallLimit = seam_real_monotonic() &+ UInt64(options.budget.wallTime.clampedNanoseconds)
        context.setWallDeadline(wallLimit)
        context.watch(limit: options.guards.blockLimit, fatal: options.guards.fatalBlockLimit, seed: seed.value)

        let code = UncheckedTransfer(main)
        // It inherits the caller's task-local values: a test runner knows by them which test an expectation belongs to.
        Task { await code.value() }
        for host in hosts.all where host.startsWithRun { host.start() }
        loop(wallLimit: wallLimit)

        let reason = stopReason ?? .finished
        end()
        context.unwatch()
        ThreadContext.leave()
        seam_unregister_kernel(mark)
        phase = .ended
        return reason
    }

    /// Ends the run after the present piece of work; the first reason stays.
    func stop(_ reason: StopReason) {
        if stopReason == nil { stopReason = reason }
        state.value.mustStop = true
    }

    private func loop(wallLimit: UInt64) {
        let budget = options.budget
        let timeLimit = UInt64(budget.virtualTime.clampedNanoseconds)
        let eventLimit = UInt64(budget.events)
        let state = self.state
        let context = self.context
        while true {
            if context.attention {
                handleForeignWork()
                if seam_real_monotonic() > wallLimit { stop(.wallTimeBudgetSpent(budget.wallTime)) }
            }
            if state.value.mustStop { return }
            guard let item = state.value.ready.popFirst() else {
                if state.value.watchesIdle, noteIdle() { continue }
                guard let instant = state.value.advance() else {
                    if !waitsForForeignWork() { stop(deadlock()) }
                    continue
                }
                assert(instant >= context.now, "time runs back to \(instant)")
                context.now = min(instant, timeLimit)
                if instant > timeLimit { stop(.virtualTimeBudgetSpent(budget.virtualTime)) }
                continue
            }
            dispatch(item, state)
            assert(!context.runsActorJob && !state.value.runsMainJob, "a piece of work has not ended")
            let done = state.value.events &+ state.value.jobs
            context.heartbeat(done)
            if done >= eventLimit { stop(.eventBudgetSpent(budget.events)) }
            if done & 0xff == 0, seam_real_monotonic() > wallLimit { stop(.wallTimeBudgetSpent(budget.wallTime)) }
        }
    }

    // MARK: Dispatching

    @inline(__always)
    private func dispatch(_ item: ReadyItem, _ state: Pinned<KernelState>) {
        let work = item.work
        if state.value.downCount > 0, state.value.incarnationStates[Int(item.incarnation)] != .running {
            // An actor's job runs whatever became of the host: the actor may be shared with others.
            guard case .taskless = work else { return setAside(item) }
        }
        enter(item.incarnation, state)
        if state.value.ready.decides { recordPick(work, state) }
        switch work {
        case .event(let handle):
            guard let event = state.value.queue.take(handle) else { return }
            state.value.events &+= 1
            happen(event, state)
        case .task(let index, let job):
            state.value.jobs &+= 1
            run(job, item.executor, state)
            state.value.tasks.removeIfComplete(index)
            if index == state.value.watchedTask { noteSuspension() }
        case .taskless(let job):
            state.value.jobs &+= 1
            // An actor's job may run tasks of several hosts.
            context.runsActorJob = true
            run(job, item.executor, state)
            context.runsActorJob = false
            if state.value.watchedTask != TaskTable.none { noteSuspension() }
        }
    }

    @inline(__always)
    private func happen(_ event: EventQueue.Event, _ state: Pinned<KernelState>) {
        switch event.kind {
        case .action:
            state.value.record(.event, event.argument, 0)
            event.action?(event.argument)
        case .resume:
            assert(event.task != EventQueue.noTask, "a sleep on the virtual clock is some task's")
            state.value.tasks[event.task].sleep = nil
            state.value.record(.wake, 0, 0)
            KernelState.resume(event.argument, returning: true)
        case .wake:
            if event.task != EventQueue.noTask { state.value.tasks[event.task].sleep = nil }
            state.value.record(.wake, 1, 0)
            if let job = Job(bits: event.argument) { run(job, .generic, state) }
        }
    }

    /// Folds what the policy picked; under PCT, the task that was picked may lose its priority.
    @inline(never)
    private func recordPick(_ work: ReadyItem.Work, _ state: Pinned<KernelState>) {
        guard case .task(let index, _) = work else {
            return state.value.record(.pick, 0, UInt64(state.value.ready.count))
        }
        state.value.record(.pick, state.value.tasks[index].number, UInt64(state.value.ready.count))
        if let priority = state.value.ready.changedPriority() { state.value.tasks[index].priority = priority }
    }

    /// Makes the code that runs next an incarnation's.
    @inline(__always)
    func enter(_ incarnation: UInt32, _ state: Pinned<KernelState>) {
        guard state.value.current != incarnation else { return }
        state.value.current = incarnation
        guard anyOwnWallClock, phase == .running else { return }
        context.setWall(state.value.incarnations[Int(incarnation)].wall)
    }

    @inline(__always)
    func run(_ job: Job, _ executor: JobExecutor, _ state: Pinned<KernelState>) {
        switch executor {
        case .generic:
            // On the generic executor a task that calls an actor goes on at once. Where order is a decision, jobs run
            // on an executor of their own, so that each such hop becomes a job and others may go first.
            if state.value.ready.decides {
                unsafe job.run(on: RuntimeSeam.hoppingExecutor)
            } else {
                job.run()
            }
        case .main:
            state.value.runsMainJob = true
            unsafe job.run(on: RuntimeSeam.mainExecutor)
            state.value.runsMainJob = false
        }
    }

    // MARK: World

    /// Runs `body` as an incarnation's code, in the middle of somebody else's.
    @inline(__always)
    func perform(as incarnation: UInt32, _ body: () -> Void) {
        assert(!state.value.incarnationStates[Int(incarnation)].isGone, "a dead incarnation runs code")
        let previous = state.value.current
        enter(incarnation, state)
        body()
        enter(previous, state)
    }

    /// The instant `delay` from now, which must not be negative.
    func instant(after delay: Duration) -> VirtualInstant {
        let nanoseconds = delay.clampedNanoseconds
        precondition(nanoseconds >= 0, "an event was scheduled after a negative delay of \(delay)")
        // Both are below 2^63.
        return VirtualInstant(nanoseconds: state.value.now &+ UInt64(nanoseconds))
    }

    /// Schedules an event of the world, or of a host when `incarnation` says so.
    func schedule(
        at instant: VirtualInstant, argument: UInt64, incarnation: UInt32, _ action: @escaping (UInt64) -> Void
    ) -> ScheduledEvent {
        let now = state.value.now
        precondition(
            instant.nanoseconds >= now,
            "an event was scheduled at \(instant), but it is already \(VirtualInstant(nanoseconds: now))")
        guard !state.value.isEnding else { return .never }
        return state.value.queue.schedule(
            at: instant.nanoseconds, kind: .action, action: action, argument: argument, task: EventQueue.noTask,
            incarnation: incarnation)
    }

    /// Gives a host a wall clock of its own.
    func setWallClock(_ wall: Pinned<seam_wall_clock>, of incarnation: UInt32?) {
        anyOwnWallClock = true
        if let incarnation, phase == .running { state.value.setWallClock(wall, of: incarnation) }
    }

    func addHost(
        _ name: String, starts: Bool, boot: (() async throws -> Void)?
    ) throws(SimulationError) -> Simulation.Host {
        guard hosts.named(name) == nil else { throw .duplicateHost(name) }
        // When nobody can run it any more, code that holds the simulation is not kept.
        let code = phase == .ended ? nil : boot
        let host = Simulation.Host(name: name, id: hosts.nextID, kernel: self, starts: starts, boot: code)
        hosts.add(host)
        if starts, phase == .running { host.start() }
        return host
    }

    var currentHost: Simulation.Host? {
        state.value.syncHost()
        return state.value.incarnations[Int(state.value.current)].host.map { hosts[$0] }
    }

    func openStream(_ label: String) throws(SimulationError) -> RandomStream {
        guard streamLabels.insert(label).inserted else { throw .duplicateStream(label) }
        if !state.value.isMuted { state.value.record(.stream, 0, 0, text: label) }
        return root.fork("simulation/" + label).observed
    }

    /// Registers what a part of the world does when the run ends; last registered, first called.
    func onEnd(_ action: @escaping () -> Void) {
        if phase != .ended { endActions.append(action) }
    }

    /// Registers what tells, in lines, how things stand in a part of the world; for the text of failed runs.
    func onReport(_ report: @escaping () -> [String]) {
        if phase != .ended { reports.append(report) }
    }

    /// Tells the watchdog that the kernel itself is at work.
    func heartbeat() {
        extraHeartbeats &+= 1
        context.heartbeat(state.value.events &+ state.value.jobs &+ extraHeartbeats << 32)
    }

    /// Takes what parts of the world do when the run ends.
    func takeEndActions() -> [() -> Void] {
        defer { endActions = [] }
        return endActions
    }

    /// Takes what tells how things stand.
    func takeReports() -> [() -> [String]] {
        defer { reports = [] }
        return reports
    }

    /// Nobody can run it any more: lets go of what holds it.
    func dispose() {
        phase = .ended
        for host in hosts.all { host.forget() }
        hosts = HostRegistry()
        endActions = []
        reports = []
        idleActions = []
        companions = [:]
    }
}
