import CSystemSeam

/// A job of Swift's runtime, not owned; a task is its own job.
@safe
struct Job {
    private let pointer: UnsafeMutableRawPointer

    init(_ pointer: UnsafeMutableRawPointer) {
        unsafe self.pointer = unsafe pointer
    }

    init(_ job: consuming ExecutorJob) {
        unsafe pointer = unsafe unsafeBitCast(UnownedJob(job), to: UnsafeMutableRawPointer.self)
    }

    init?(bits: UInt64) {
        guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: UInt(bits)) else { return nil }
        unsafe self.init(pointer)
    }

    /// The task that runs on this thread.
    static var currentTask: Job? {
        guard let task = unsafe seam_current_task() else { return nil }
        return unsafe Job(task)
    }

    var bits: UInt64 { UInt64(UInt(bitPattern: unsafe pointer)) }

    var unowned: UnownedJob { unsafe unsafeBitCast(pointer, to: UnownedJob.self) }

    /// False for the jobs that belong to an actor.
    var isTask: Bool { unsafe seam_job_is_task(pointer) }

    /// What a kernel noted in the job; none in a new one.
    var token: TaskToken {
        @inline(__always) get { TaskToken(bits: unsafe seam_job_mark(pointer).pointee) }
        nonmutating set { unsafe seam_job_mark(pointer).pointee = newValue.bits }
    }

    // What follows is for tasks.

    /// Whether it belongs to an `async let`, so that its memory cannot be retained.
    var isAsyncLet: Bool { unsafe seam_task_is_async_let(pointer) }
    /// Whether it still is the task with this token and has not ended; for tasks that may be gone.
    func isWaiting(_ token: TaskToken) -> Bool { unsafe seam_task_is_waiting(pointer, token.bits) }
    /// Whether it has ended; only for a retained task.
    var isComplete: Bool { unsafe seam_task_is_complete(pointer) }
    /// Where it and its async callers go on.
    var stack: CallStack {
        var addresses = [UInt](repeating: 0, count: Int(SEAM_STACK_DEPTH))
        let depth = unsafe seam_task_stack(pointer, &addresses, SEAM_STACK_DEPTH)
        // These are the beginnings of functions, not addresses behind a call.
        return CallStack(addresses: addresses.prefix(Int(depth)).map { $0 + 1 })
    }

    /// The name that `Task(name:)` gave it; only while it is suspended.
    var name: String? { unsafe seam_task_name(pointer).map { unsafe String(cString: $0) } }

    func retain() { unsafe seam_retain(pointer) }
    func release() { unsafe seam_release(pointer) }
    func cancel() { unsafe seam_cancel_task(pointer) }

    /// Runs it as far as it goes, on the generic executor.
    @inline(__always)
    func run() { unsafe seam_run_job(pointer, 0, 0) }
    /// Runs it as far as it goes on an executor.
    func run(on executor: UnownedSerialExecutor) { unsafe unowned.runSynchronously(on: executor) }

    /// Gives it to the kernel of its token, from a thread that is not the kernel's.
    func returnToKernel(_ executor: JobExecutor) {
        assert(!token.isNone, "a job that no kernel has seen belongs to none")
        let tag: ForeignTag = executor == .main ? .mainJob : .job
        _ = unsafe seam_foreign_push(token.kernel, pointer, tag.rawValue, 0)
    }
}

/// What a foreign thread hands to a kernel.
enum ForeignTag: Int32 {
    case job = 0
    case mainJob = 1
    /// No job: the sleep of a task on the virtual clock was cancelled; the detail is a ``CancelledSleep``.
    case cancelledSleep = 2
}
