import CSystemSeam

/// A kernel's face towards the interposed functions of the process; not owned unless made here.
@safe
struct ThreadContext {
    private let pointer: UnsafeMutablePointer<seam_context>

    private init(_ pointer: UnsafeMutablePointer<seam_context>) {
        unsafe self.pointer = unsafe pointer
    }

    /// Makes a context of one's own; `free` frees it.
    init(monotonicBase: UInt64, wall: Pinned<seam_wall_clock>, strict: Bool) {
        unsafe pointer = .allocate(capacity: 1)
        unsafe pointer.initialize(to: seam_context())
        unsafe pointer.pointee.monotonic_base = monotonicBase
        unsafe pointer.pointee.strict = strict
        setWall(wall)
    }

    func free() {
        unsafe pointer.deallocate()
    }

    /// The context that owns this thread, or nil.
    static var current: ThreadContext? {
        @inline(__always) get {
            guard let context = unsafe seam_current() else { return nil }
            return unsafe ThreadContext(context)
        }
    }

    /// Makes this context the owner of the thread.
    func enter() { unsafe seam_enter(pointer) }
    /// Gives the thread back to the real world.
    static func leave() { seam_enter(nil) }

    /// The kernel behind it; nil while the runtime is being verified.
    var kernel: Pinned<KernelState>? {
        @inline(__always) get {
            guard let kernel = unsafe pointer.pointee.kernel else { return nil }
            return unsafe Pinned(kernel.assumingMemoryBound(to: KernelState.self))
        }
    }

    /// Virtual nanoseconds since the run's beginning.
    var now: UInt64 {
        @inline(__always) get { unsafe pointer.pointee.now }
        nonmutating set { unsafe pointer.pointee.now = newValue }
    }

    /// The last job that was enqueued while there was no kernel.
    var caught: Job? {
        get { unsafe pointer.pointee.caught.map(Job.init) }
        nonmutating set {
            unsafe pointer.pointee.caught = UnsafeMutableRawPointer(bitPattern: UInt(newValue?.bits ?? 0))
        }
    }

    /// Set by other threads when the kernel must look up.
    var attention: Bool {
        @inline(__always) get { unsafe seam_attention(pointer) }
        nonmutating set { unsafe seam_set_attention(pointer, newValue) }
    }

    /// Sets the wall clock of the host whose code runs next.
    @inline(__always)
    func setWall(_ wall: Pinned<seam_wall_clock>) {
        unsafe pointer.pointee.wall = UnsafePointer(wall.pointer)
    }

    /// Tells the watchdog that work was done.
    @inline(__always)
    func heartbeat(_ count: UInt64) {
        unsafe seam_heartbeat(pointer, count)
    }

    /// While code is made to end: how often its present job may read a clock before its task counts as not cancelled; 0 when
    /// nothing is made to end.
    ///
    /// A cancelled task that sleeps in a loop and ignores the error never suspends. Once its cancellation is taken back, the
    /// next sleep suspends it for good.
    func allowClockReads(_ count: UInt32) {
        unsafe pointer.pointee.unwind_reads_left = count
    }

    /// One more read of a clock, or sleep, of a job that unwinds.
    func noteClockRead() { unsafe seam_unwind_read(pointer) }

    /// Connects the kernel whose state stays at `state`.
    func connect(_ state: Pinned<KernelState>) {
        unsafe pointer.pointee.kernel = UnsafeMutableRawPointer(state.pointer)
        unsafe pointer.pointee.fill_random = { kernel, bytes, count in
            unsafe ThreadContext.state(kernel).value.fillRandom(
                UnsafeMutableRawBufferPointer(start: bytes, count: count))
        }
        unsafe pointer.pointee.note_task = { kernel, task in
            guard let task = unsafe task else { return }
            _ = unsafe ThreadContext.state(kernel).value.record(of: Job(task))
        }
        unsafe pointer.pointee.sync_host = { kernel in
            unsafe ThreadContext.state(kernel).value.syncHost()
        }
        unsafe pointer.pointee.report_leak = { kernel, leak, stack, depth in
            unsafe ThreadContext.state(kernel).value.kernel.report(leak) {
                unsafe Array(UnsafeBufferPointer(start: stack, count: Int(depth)))
            }
        }
    }

    /// Whether an actor's job runs, in which the host is the current task's.
    var runsActorJob: Bool {
        @inline(__always) get { unsafe pointer.pointee.runs_actor_job }
        nonmutating set { unsafe pointer.pointee.runs_actor_job = newValue }
    }

    /// When the budget of real time ends, on the real monotonic clock.
    func setWallDeadline(_ nanoseconds: UInt64) {
        unsafe pointer.pointee.wall_deadline = nanoseconds
    }

    private static func state(_ kernel: UnsafeMutableRawPointer?) -> Pinned<KernelState> {
        unsafe Pinned(kernel.unsafelyUnwrapped.assumingMemoryBound(to: KernelState.self))
    }

    /// Takes a place among the process' kernels; 0 when all are taken.
    ///
    /// When it must be `alone`, this waits for those that run.
    func register(alone: Bool) -> UInt32 { unsafe seam_register_kernel(pointer, alone) }

    /// Lets the watchdog look at this thread until `unwatch`.
    ///
    /// Without a limit it looks at the wall deadline only.
    func watch(limit: Duration?, fatal: Duration, seed: UInt64) {
        unsafe seam_watch(
            pointer, UInt64(limit?.clampedNanoseconds ?? 0), UInt64(fatal.clampedNanoseconds), seed)
    }

    func unwatch() { unsafe seam_unwatch(pointer) }

    /// How long the thread was stuck, and where, if it was since the last call.
    func takeStuck() -> (duration: Duration, stack: [UInt])? {
        var nanoseconds: UInt64 = 0
        var depth: Int32 = 0
        var stack = [UInt](repeating: 0, count: Int(SEAM_STACK_DEPTH))
        guard unsafe seam_was_stuck(pointer, &nanoseconds, &stack, &depth) else { return nil }
        // The innermost address is where the thread was, not where it will return to.
        return (.nanoseconds(Int64(nanoseconds)), stack.prefix(Int(depth)).enumerated().map { $0 == 0 ? $1 + 1 : $1 })
    }

    /// The next job that a foreign thread handed to the kernel with `mark`.
    static func takeForeign(mark: UInt32) -> (job: Job?, tag: ForeignTag, detail: UInt64, stack: [UInt])? {
        var depth: Int32 = 0
        var tag: Int32 = 0
        var detail: UInt64 = 0
        var job: UnsafeMutableRawPointer?
        var stack = [UInt](repeating: 0, count: Int(SEAM_STACK_DEPTH))
        guard unsafe seam_foreign_pop(mark, &job, &tag, &detail, &stack, &depth) else { return nil }
        return (unsafe job.map(Job.init), ForeignTag(rawValue: tag) ?? .job, detail, Array(stack.prefix(Int(depth))))
    }
}
