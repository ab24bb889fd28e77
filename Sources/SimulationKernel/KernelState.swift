import CSystemSeam
import Randomness

/// The hot part of a kernel: time, queues, tasks and the digest, behind one unsafe pointer.
///
/// A struct behind a pointer, because checks of exclusive access to class properties cost up to four times as much as
/// the work on this path.
@safe
struct KernelState: ~Copyable {
    /// A life of a host, from start to crash; number 0 is the world, which never ends.
    struct Incarnation {
        /// Nil for the world.
        let host: HostID?
        /// The host's wall clock.
        var wall: Pinned<seam_wall_clock>
        /// What the system's randomness answers from.
        var random: RandomStream
        /// What the world does so that what its code waits for ends.
        var unwindActions: [() -> Void] = []
    }

    enum IncarnationState: UInt8 {
        case running
        case paused
        /// Crashed: its code does not run.
        case dead
        /// Crashed, and made to end for good, so that what it holds is freed: nothing that its code does now counts.
        case unwinding
    }

    static let world: UInt32 = 0

    let context: ThreadContext
    /// The kernel whose state this is.
    unowned let kernel: Kernel
    let recordsTaskOrigins: Bool
    /// The mark by which the process finds the kernel; 0 before it runs.
    var number: UInt32 = 0

    var queue: EventQueue = EventQueue()
    var ready: ReadyQueue
    /// What incarnations that unwind have to do, in its order.
    var unwinding: [ReadyItem] = []
    var tasks: TaskTable = TaskTable()
    var trace: Trace
    private(set) var incarnations: [Incarnation] = []
    private(set) var incarnationStates: [IncarnationState] = []
    /// Incarnations that do not run; while there are none, no piece of work has to look.
    private(set) var downCount: Int = 0

    /// Whose code runs now.
    var current: UInt32 = world
    /// Whether the code that runs now is the main actor's.
    var runsMainJob: Bool = false
    /// Cancelling what is left, after the run's end: nothing may start to wait.
    var isEnding: Bool = false
    /// Set when the run is to stop after the present piece of work.
    var mustStop: Bool = false
    /// Whether somebody wants to know when nothing can happen any more without time passing.
    var watchesIdle: Bool = false
    /// The task whose suspensions are counted.
    var watchedTask: UInt32 = TaskTable.none
    /// World events and jobs dispatched.
    var events: UInt64 = 0
    var jobs: UInt64 = 0

    init(
        kernel: Kernel, context: ThreadContext, ready: consuming ReadyQueue, trace: consuming Trace,
        recordsTaskOrigins: Bool
    ) {
        self.kernel = kernel
        self.context = context
        self.ready = ready
        self.trace = trace
        self.recordsTaskOrigins = recordsTaskOrigins
    }

    var now: UInt64 {
        @inline(__always) get { context.now }
    }

    mutating func addIncarnation(_ incarnation: Incarnation) -> UInt32 {
        incarnations.append(incarnation)
        incarnationStates.append(.running)
        assert(incarnations.count == incarnationStates.count, "an incarnation without a state")
        tasks.addIncarnation()
        return UInt32(incarnations.count - 1)
    }

    mutating func setState(_ state: IncarnationState, of incarnation: UInt32) {
        precondition(incarnation != Self.world, "the world neither pauses nor crashes")
        downCount += (state == .running ? 0 : 1) - (incarnationStates[Int(incarnation)] == .running ? 0 : 1)
        incarnationStates[Int(incarnation)] = state
        assert((0..<incarnationStates.count).contains(downCount), "\(downCount) incarnations are counted as down")
    }

    /// Registers what the world does when an incarnation is made to end for good.
    mutating func addUnwindAction(_ action: @escaping () -> Void, of incarnation: UInt32) {
        incarnations[Int(incarnation)].unwindActions.append(action)
    }

    /// Takes what the world does when an incarnation is made to end for good.
    mutating func takeUnwindActions(of incarnation: UInt32) -> [() -> Void] {
        defer { incarnations[Int(incarnation)].unwindActions = [] }
        return incarnations[Int(incarnation)].unwindActions
    }

    /// At the run's end, lets even crashed incarnations run, so that they can unwind.
    mutating func wakeAll() {
        for index in incarnationStates.indices { incarnationStates[index] = .running }
        downCount = 0
    }

    /// The run is over: gives back all memory that nobody will need, for a task that cannot end may keep the rest.
    mutating func close() {
        assert(isEnding, "a kernel closes while it runs")
        queue = EventQueue(closed: ())
        tasks = TaskTable(capacity: 1)
        ready = ReadyQueue(policy: .firstInFirstOut, random: incarnations[0].random, capacity: 1)
        unwinding = []
        incarnations = Array(incarnations.prefix(1))
        incarnationStates = Array(incarnationStates.prefix(1))
        current = Self.world
    }

    /// Changes the wall clock that an incarnation sees.
    mutating func setWallClock(_ wall: Pinned<seam_wall_clock>, of incarnation: UInt32) {
        incarnations[Int(incarnation)].wall = wall
        if current == incarnation { context.setWall(wall) }
    }

    /// Moves what happens at the next instant to `ready`; returns the instant, or nil when nothing is left to happen.
    @inline(__always)
    mutating func advance() -> UInt64? {
        queue.advance(from: now, to: &ready)
    }

    // MARK: Jobs of the tested code

    /// A job became ready, on this kernel's thread.
    mutating func enqueue(_ job: Job, on executor: JobExecutor) {
        guard job.isTask else {
            return append(ReadyItem(job: job, task: TaskTable.none, incarnation: current, executor: executor))
        }
        guard let index = record(of: job) else { return }
        if let sleep = tasks[index].sleep {
            // It goes on before its Task.sleep is over, so the sleep was cancelled: the job that would have ended
            // it now only frees memory. It runs at once, and no timer is left behind.
            tasks[index].sleep = nil
            if let event = queue.remove(sleep), let wake = Job(bits: event.argument) {
                ready.append(
                    ReadyItem(job: wake, task: TaskTable.none, incarnation: Self.world, executor: .generic))
            }
        }
        var item = ReadyItem(job: job, task: index, incarnation: tasks[index].incarnation, executor: executor)
        item.priority = tasks[index].priority
        append(item)
    }

    @inline(__always)
    private mutating func append(_ item: ReadyItem) {
        if downCount > 0, incarnationStates[Int(item.incarnation)] == .unwinding {
            unwinding.append(item)
        } else {
            ready.append(item)
        }
    }

    /// A job is to become ready `delay` nanoseconds from now: it ends the current task's `Task.sleep`.
    mutating func enqueue(_ job: Job, after delay: Int64) {
        let instant = now.addingReportingOverflow(UInt64(max(0, delay)))
        syncHost()
        let sleeper = Job.currentTask.flatMap { record(of: $0) }
        let event = queue.schedule(
            at: instant.overflow ? .max : instant.partialValue, kind: .wake, action: nil,
            argument: job.bits, task: sleeper ?? EventQueue.noTask, incarnation: current)
        if let sleeper { tasks[sleeper].sleep = event }
    }

    /// Whether a task is this kernel's; no task that has no token is.
    func owns(_ task: Job) -> Bool { task.token.kernel == number }

    /// While an actor's job runs, which may hold tasks of several hosts, makes the current task's host the current one.
    mutating func syncHost() {
        guard context.runsActorJob, let task = Job.currentTask, owns(task) else { return }
        let incarnation = tasks[task.token.index].incarnation
        guard incarnation != current else { return }
        current = incarnation
        context.setWall(incarnations[Int(incarnation)].wall)
    }

    /// Whether what the code that runs now does is to have no effect: its host has crashed, or the run is over.
    var isMuted: Bool {
        mutating get {
            syncHost()
            return isEnding || (downCount > 0 && incarnationStates[Int(current)].isGone)
        }
    }

    /// The index of a task of this kernel; a new task is added; nil for a task that an earlier kernel left behind.
    @inline(__always)
    mutating func record(of task: Job) -> UInt32? {
        assert(number != 0, "a task was seen before the kernel ran")
        let token = task.token
        if token.isNone { return addTask(task) }
        return token.kernel == number ? token.index : nil
    }

    @inline(never)
    private mutating func addTask(_ task: Job) -> UInt32 {
        syncHost()
        // A task that is being made is not yet the current one.
        let parent = Job.currentTask.map { owns($0) ? $0.token.index : TaskTable.none } ?? TaskTable.none
        let index = tasks.add(
            task, parent: parent, incarnation: current, priority: ready.drawPriority(),
            recordsOrigin: recordsTaskOrigins)
        task.token = TaskToken(kernel: number, index: index)
        if !task.isAsyncLet, isEnding || incarnationStates[Int(current)] == .unwinding { task.cancel() }
        return index
    }

    // MARK: Sleeps on the virtual clock

    /// Lets the current task sleep; the continuation gets false when the sleep is cancelled.
    mutating func sleep(until instant: UInt64, task: UInt32, continuation: UnsafeContinuation<Bool, Never>) {
        assert(tasks[task].sleep == nil, "a task sleeps twice at once")
        let event = queue.schedule(
            at: instant, kind: .resume, action: nil, argument: unsafe unsafeBitCast(continuation, to: UInt64.self),
            task: task, incarnation: tasks[task].incarnation)
        tasks[task].sleep = event
    }

    /// Ends a task's sleep on the virtual clock before its time.
    mutating func cancel(_ cancelled: CancelledSleep) {
        let task = cancelled.index
        guard UInt32(truncatingIfNeeded: tasks[task].number) == cancelled.number, tasks[task].task != nil,
            let sleep = tasks[task].sleep, let event = queue.remove(sleep)
        else { return }
        tasks[task].sleep = nil
        Self.resume(event.argument, returning: false)
    }

    /// Ends a sleep on the virtual clock: `bits` are its continuation.
    static func resume(_ bits: UInt64, returning wasCompleted: Bool) {
        unsafe unsafeBitCast(bits, to: UnsafeContinuation<Bool, Never>.self).resume(returning: wasCompleted)
    }

    // MARK: Randomness

    /// Answers the system's randomness for the host whose code runs now.
    mutating func fillRandom(_ bytes: UnsafeMutableRawBufferPointer) {
        syncHost()
        var first: UInt64 = 0
        var offset = 0
        while offset < bytes.count {
            let value = incarnations[Int(current)].random.next()
            if offset == 0 { first = value }
            let count = min(8, bytes.count - offset)
            for byte in 0..<count {
                unsafe bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
            }
            offset += count
        }
        // The runtime asks for nothing to see whether it may ask: that is no draw.
        if unsafe !bytes.isEmpty, !isMuted { record(.draw, first, UInt64(bytes.count)) }
    }

    // MARK: Trace

    /// Folds a decision of the host whose code runs now.
    @inline(__always)
    mutating func record(
        _ kind: TraceKind, _ first: UInt64, _ second: UInt64, contents: UInt64 = 0, text: String? = nil
    ) {
        trace.fold(kind, time: now, incarnation: current, first, second, contents: contents, text: text)
        if trace.recording != nil { keep(kind, first, second, contents, text) }
    }

    @inline(never)
    private mutating func keep(
        _ kind: TraceKind, _ first: UInt64, _ second: UInt64, _ contents: UInt64, _ text: String?
    ) {
        let host = kernel.hosts.name(of: incarnations[Int(current)].host)
        trace.keep(kind, time: now, host: host, first, second, contents: contents, text: text)
    }
}

extension KernelState.IncarnationState {
    /// Whether its host has crashed, so that nothing its code does counts.
    var isGone: Bool { self == .dead || self == .unwinding }
}
