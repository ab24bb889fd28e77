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
    private var anyOwnWallClock: Bool = false
    let root: RandomStream

    private(set) var phase: Phase = .prepared
    private var stopReason: StopReason?
    var violations: [GuardViolation] = []
    var violationCount: Int = 0
    private(set) var hosts: [Simulation.Host] = []
    private var hostsByName: [String: Int] = [:]
    private var streamLabels: Set<String> = []
    private var endActions: [() -> Void] = []
    private var reports: [() -> [String]] = []
    /// Incarnations that crashed and were not unwound yet, in their order.
    private var crashed: [UInt32] = []
    private var extraBeats: UInt64 = 0
    /// How things stood in the world when the run ended before its time.
    private(set) var worldReport: [String] = []
    /// Tasks that no cancellation could end; known when the run has ended.
    private(set) var abandonedTasks: Int = 0

    /// Where the process' monotonic clock stands at a run's beginning: an hour after boot.
    static let monotonicBase: UInt64 = 3_600_000_000_000
    /// Violations that are kept; the rest is counted.
    static let violationsMax: Int = 100
    /// Jobs that each cancelled task may take to unwind before it is abandoned.
    private static let unwindJobsPerTask: Int = 1_000
    /// How often a job that unwinds may read a clock before it counts as a loop that only the end of its cancellation ends.
    private static let clockReadsPerUnwindJob: UInt32 = 1_000
    /// Crashed incarnations that keep their memory; at one more, all are unwound.
    static let crashedMax: Int = 64
    /// Jobs that each task of a crashed host may take to unwind while the run goes on.
    private static let crashedJobsPerTask: UInt32 = 16

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
            KernelState.Incarnation(host: -1, wall: worldWall, random: root.fork("kernel/system")))
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
        if let invalidity = options.invalidity { throw .invalidOptions(invalidity) }
        try RuntimeSeam.verify()
        let mark = context.register(alone: options.usesMainActor)
        guard mark != 0 else { throw .tooManySimulations(limit: Int(SEAM_KERNELS_MAX)) }
        state.value.mark = UInt64(mark) << 32
        phase = .running
        context.enter()
        let wallLimit = seam_real_monotonic() &+ UInt64(options.budget.wallTime.clampedNanoseconds)
        context.setWallDeadline(wallLimit)
        context.watch(limit: options.guards.blockLimit, fatal: options.guards.fatalBlockLimit, seed: seed.value)

        let code = UncheckedTransfer(main)
        Task.detached { await code.value() }
        for host in hosts where host.startsWithRun { host.start() }
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
                attend()
                if seam_real_monotonic() > wallLimit { stop(.wallTimeBudgetSpent(budget.wallTime)) }
            }
            if state.value.mustStop { return }
            guard let item = state.value.ready.popFirst() else {
                guard let instant = state.value.advance() else {
                    if !waitsForForeignWork() { stop(waitingTasks()) }
                    continue
                }
                context.now = min(instant, timeLimit)
                if instant > timeLimit { stop(.virtualTimeBudgetSpent(budget.virtualTime)) }
                continue
            }
            dispatch(item, state)
            let done = state.value.events &+ state.value.jobs
            context.beat(done)
            if done >= eventLimit { stop(.eventBudgetSpent(budget.events)) }
            if done & 0xff == 0, seam_real_monotonic() > wallLimit { stop(.wallTimeBudgetSpent(budget.wallTime)) }
        }
    }

    // MARK: Dispatching

    @inline(__always)
    private func dispatch(_ item: ReadyItem, _ state: Pinned<KernelState>) {
        if state.value.downCount > 0, state.value.incarnationStates[Int(item.incarnation)] != .running {
            // An actor's job runs whatever became of the host: the actor may be shared with others.
            if item.kind == .event || item.index != 0 { return setAside(item) }
        }
        enter(item.incarnation, state)
        if state.value.ready.decides {
            let number = item.kind == .event || item.index == 0 ? 0 : state.value.tasks[item.index - 1].number
            state.value.record(.pick, number, UInt64(state.value.ready.count))
            if item.index != 0, item.kind != .event, let priority = state.value.ready.changedPriority() {
                state.value.tasks[item.index - 1].priority = priority
            }
        }
        switch item.kind {
        case .event:
            let handle = ScheduledEvent(index: item.index, generation: item.generation)
            guard let event = state.value.queue.take(handle) else { return }
            state.value.events &+= 1
            switch event.kind {
            case .action:
                state.value.record(.event, event.argument, 0)
                event.action?(event.argument)
            case .resume:
                state.value.tasks[event.task].sleep = nil
                state.value.record(.wake, 0, 0)
                KernelState.resume(event.argument, returning: true)
            case .wake:
                if event.task != EventQueue.noTask { state.value.tasks[event.task].sleep = nil }
                state.value.record(.wake, 1, 0)
                run(Job(bits: event.argument), .job, state)
            }
        case .job, .mainJob:
            state.value.jobs &+= 1
            guard item.index != 0 else {
                // An actor's job may run tasks of several hosts.
                context.runsActorJob = true
                run(item.job, item.kind, state)
                context.runsActorJob = false
                return
            }
            run(item.job, item.kind, state)
            state.value.tasks.removeIfComplete(item.index - 1)
        }
    }

    /// Makes the code that runs next an incarnation's.
    @inline(__always)
    private func enter(_ incarnation: UInt32, _ state: Pinned<KernelState>) {
        guard state.value.current != incarnation else { return }
        state.value.current = incarnation
        guard anyOwnWallClock, phase == .running else { return }
        context.setWall(state.value.incarnations[Int(incarnation)].wall)
    }

    @inline(__always)
    private func run(_ job: Job?, _ kind: ReadyItem.Kind, _ state: Pinned<KernelState>) {
        guard let job else { return }
        switch kind {
        case .event, .job:
            // On the generic executor a task that calls an actor goes on at once. Where order is a decision, jobs run
            // on an executor of their own, so that each such hop becomes a job and others may go first.
            if state.value.ready.decides {
                unsafe job.run(on: RuntimeSeam.hoppingExecutor)
            } else {
                job.run()
            }
        case .mainJob:
            state.value.runsMainJob = true
            unsafe job.run(on: RuntimeSeam.mainExecutor)
            state.value.runsMainJob = false
        }
    }

    // MARK: Hosts that are down

    /// Keeps what a paused host will need again, and buries what a crashed one never will.
    @inline(never)
    func setAside(_ item: ReadyItem) {
        if state.value.incarnationStates[Int(item.incarnation)] == .paused {
            hosts[state.value.incarnations[Int(item.incarnation)].host].setAside(item)
        } else if item.kind == .event {
            bury(ScheduledEvent(index: item.index, generation: item.generation))
        } else if let job = item.job {
            state.value.tasks[item.index - 1].buried = .job(job, item.kind)
        }
    }

    /// Ends an incarnation: its tasks never go on, its sleeps are no longer events.
    func kill(_ incarnation: UInt32) {
        state.value.setState(.dead, of: incarnation)
        for index in state.value.tasks.tasks(of: incarnation) {
            if let sleep = state.value.tasks[index].sleep { bury(sleep) }
        }
        crashed.append(incarnation)
        // In the middle of a job no other can run: the loop does it before the next.
        if crashed.count > Self.crashedMax { context.attention = true }
    }

    /// Gives back the memory of crashed hosts once there are many: their tasks are cancelled and end, unseen.
    ///
    /// What they note, draw, send or schedule reaches nobody. A task that has not ended after a few jobs ignores that it
    /// was cancelled, and stays until the run ends.
    func unwindCrashed() {
        guard crashed.count > Self.crashedMax else { return }
        let incarnations = crashed
        crashed = []
        for incarnation in incarnations { unwind(incarnation) }
        let dropped = state.value.queue.removeAll { [state] in state.value.incarnationStates[Int($0)] == .dead }
        // What the events hold dies here, when the queue is in order.
        withExtendedLifetime(dropped) {}
        enter(KernelState.world, state)
    }

    private func unwind(_ incarnation: UInt32) {
        state.value.setState(.unwinding, of: incarnation)
        enter(incarnation, state)
        for action in state.value.takeUnwindActions(of: incarnation) { action() }
        let indices = state.value.tasks.tasks(of: incarnation)
        for index in indices {
            guard !state.value.tasks[index].isAsyncLet, let task = state.value.tasks[index].task else { continue }
            task.cancel()
        }
        for index in indices { exhume(index) }
        var next = 0
        while next < state.value.unwinding.count {
            let item = state.value.unwinding[next]
            next += 1
            beat()
            if item.index != 0 {
                state.value.tasks[item.index - 1].unwindJobs += 1
                if state.value.tasks[item.index - 1].unwindJobs > Self.crashedJobsPerTask {
                    if let job = item.job { state.value.tasks[item.index - 1].buried = .job(job, item.kind) }
                    continue
                }
            }
            runToEnd(item)
        }
        state.value.unwinding = []
        state.value.setState(.dead, of: incarnation)
        context.allowClockReads(0)
    }

    /// Takes an event of a crashed host out of the world.
    private func bury(_ handle: ScheduledEvent) {
        guard let event = state.value.queue.remove(handle), event.task != EventQueue.noTask else { return }
        state.value.tasks[event.task].sleep = nil
        switch event.kind {
        case .action: break
        case .resume: state.value.tasks[event.task].buried = .continuation(event.argument)
        case .wake: state.value.tasks[event.task].buried = Job(bits: event.argument).map { .wake($0) } ?? .nothing
        }
    }

    // MARK: World

    /// Runs `body` as an incarnation's code, in the middle of somebody else's.
    @inline(__always)
    func perform(as incarnation: UInt32, _ body: () -> Void) {
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
        guard hostsByName[name] == nil else { throw .duplicateHost(name) }
        // When nobody can run it any more, code that holds the simulation is not kept.
        let code = phase == .ended ? nil : boot
        let host = Simulation.Host(name: name, index: hosts.count, kernel: self, starts: starts, boot: code)
        hostsByName[name] = host.index
        hosts.append(host)
        if starts, phase == .running { host.start() }
        return host
    }

    func host(named name: String) -> Simulation.Host? {
        hostsByName[name].map { hosts[$0] }
    }

    /// The name of the host at `index`; the world has index -1.
    func hostName(_ index: Int) -> String {
        index < 0 ? "world" : hosts[index].name
    }

    var currentHost: Simulation.Host? {
        state.value.syncHost()
        let index = state.value.incarnations[Int(state.value.current)].host
        return index < 0 ? nil : hosts[index]
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

    // MARK: Ending

    /// The tasks of living hosts that have not ended: how many, and the oldest.
    private func waitingTasks() -> StopReason {
        state.value.tasks.sweep()
        var waiting: [(number: UInt64, index: UInt32)] = []
        for index in state.value.tasks.indices {
            let mark = state.value.mark | UInt64(index + 1)
            guard let task = state.value.tasks[index].task, task.isWaiting(mark: mark),
                state.value.incarnationStates[Int(state.value.tasks[index].incarnation)] != .dead
            else { continue }
            waiting.append((state.value.tasks[index].number, index))
        }
        waiting.sort { $0.number < $1.number }
        let oldest = waiting.prefix(StopReason.waitingTasksMax).compactMap { number, index -> WaitingTask? in
            beat()
            guard let task = state.value.tasks[index].task else { return nil }
            let incarnation = state.value.incarnations[Int(state.value.tasks[index].incarnation)]
            return WaitingTask(
                number: number, host: hostName(incarnation.host), waitsIn: task.stack,
                createdAt: CallStack(addresses: state.value.tasks[index].originAddresses))
        }
        return .deadlock(oldest, count: waiting.count)
    }

    /// Tells the watchdog that the kernel itself is at work.
    func beat() {
        extraBeats &+= 1
        context.beat(state.value.events &+ state.value.jobs &+ extraBeats << 32)
    }

    /// Cancels what is left and lets it unwind, so that nothing outlives the run; time stands still, the trace is closed.
    private func end() {
        if stopReason != .finished { worldReport = reports.flatMap { $0() } }
        reports = []
        state.value.isEnding = true
        for incarnation in state.value.incarnations.indices {
            enter(UInt32(incarnation), state)
            for action in state.value.takeUnwindActions(of: UInt32(incarnation)) { action() }
        }
        enter(KernelState.world, state)
        for action in endActions.reversed() { action() }
        endActions = []
        let indices = state.value.tasks.indices
        for index in indices {
            // The task of an async let is cancelled with its parent.
            guard !state.value.tasks[index].isAsyncLet, let task = state.value.tasks[index].task else { continue }
            enter(state.value.tasks[index].incarnation, state)
            task.cancel()
        }
        state.value.wakeAll()
        for index in indices { exhume(index) }
        for host in hosts { host.releaseSetAside() }
        var left = Self.unwindJobsPerTask * (state.value.tasks.count + 10)
        while left > 0, let item = state.value.ready.popFirst() {
            left -= 1
            if left & 0xff == 0 { beat() }
            if item.kind != .event { runToEnd(item) }
        }
        state.value.tasks.sweep()
        abandonedTasks = state.value.tasks.count
        enter(KernelState.world, state)
        // Closures that hold the simulation would keep it for ever.
        for host in hosts { host.forget() }
        state.value.close()
    }

    /// Nobody can run it any more: lets go of what holds it.
    func dispose() {
        phase = .ended
        for host in hosts { host.forget() }
        hosts = []
        hostsByName = [:]
        endActions = []
        reports = []
    }

    /// Runs a job of code that is being made to end: it is no decision of the run.
    private func runToEnd(_ item: ReadyItem) {
        enter(item.incarnation, state)
        context.allowClockReads(state.value.isEnding ? Self.clockReadsPerUnwindJob : UInt32(Self.crashedJobsPerTask))
        context.runsActorJob = item.index == 0
        run(item.job, item.kind, state)
        context.runsActorJob = false
        if item.index != 0 { state.value.tasks.removeIfComplete(item.index - 1) }
    }

    /// Lets the task of a crashed host go on, now that it cannot be seen any more.
    private func exhume(_ index: UInt32) {
        let buried = state.value.tasks[index].buried
        state.value.tasks[index].buried = .nothing
        switch buried {
        case .nothing: break
        case .job(let job, let kind): state.value.enqueue(job, kind: kind)
        case .wake(let job):
            let item = ReadyItem(job: job, record: 0, incarnation: KernelState.world, kind: .job)
            if state.value.isEnding { state.value.ready.append(item) } else { state.value.unwinding.append(item) }
        case .continuation(let bits): KernelState.resume(bits, returning: false)
        }
    }
}
