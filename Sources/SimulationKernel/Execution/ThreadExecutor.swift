@_spi(ExperimentalCustomExecutors) @_spi(ExperimentalScheduling) import _Concurrency

/// The process' default executor: the kernel of the thread that enqueues, else the platform's.
final class ThreadExecutor: TaskExecutor, SchedulingExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        ThreadJobs.enqueue(Job(job), executor: .generic) { job in
            PlatformExecutorFactory.defaultExecutor.enqueue(job)
        }
    }

    func enqueue<C: Clock>(
        _ job: consuming ExecutorJob, after delay: C.Duration, tolerance: C.Duration?, clock: C
    ) {
        ThreadJobs.enqueue(Job(job), after: { ThreadJobs.nanoseconds(delay, C.self) }) { job in
            ThreadJobs.platformScheduler?.enqueue(job, after: delay, tolerance: tolerance, clock: clock)
        }
    }

    func enqueue<C: Clock>(
        _ job: consuming ExecutorJob, at instant: C.Instant, tolerance: C.Duration?, clock: C
    ) {
        let delay = { ThreadJobs.nanoseconds(clock.now.duration(to: instant), C.self) }
        ThreadJobs.enqueue(Job(job), after: delay) { job in
            ThreadJobs.platformScheduler?.enqueue(job, at: instant, tolerance: tolerance, clock: clock)
        }
    }
}

/// The process' main executor: the kernel of the thread that enqueues, else the platform's.
final class ThreadMainExecutor: MainExecutor {
    static let shared: ThreadMainExecutor = ThreadMainExecutor()

    func enqueue(_ job: consuming ExecutorJob) {
        ThreadJobs.enqueue(Job(job), executor: .main) { job in
            PlatformExecutorFactory.mainExecutor.enqueue(job)
        }
    }

    func run() throws {
        try PlatformExecutorFactory.mainExecutor.run()
    }

    func runUntil(_ condition: () -> Bool) throws {
        try PlatformExecutorFactory.mainExecutor.runUntil(condition)
    }

    func stop() {
        PlatformExecutorFactory.mainExecutor.stop()
    }

    func checkIsolated() {
        guard let state = Kernel.current else { return PlatformExecutorFactory.mainExecutor.checkIsolated() }
        guard !state.value.runsMainJob else { return }
        preconditionFailure("main actor code was entered from code that is not on the main actor")
    }

    func isIsolatingCurrentContext() -> Bool? {
        guard let state = Kernel.current else {
            return PlatformExecutorFactory.mainExecutor.isIsolatingCurrentContext()
        }
        return state.value.runsMainJob
    }
}

/// An executor identity that equals no other; nothing is ever enqueued on it.
final class HoppingExecutor: SerialExecutor {
    static let shared: HoppingExecutor = HoppingExecutor()

    func enqueue(_ job: consuming ExecutorJob) {
        ThreadExecutor.shared.enqueue(job)
    }
}

extension ThreadExecutor {
    static let shared: ThreadExecutor = ThreadExecutor()
}

/// What both executors do with a job.
private enum ThreadJobs {
    static var platformScheduler: (any SchedulingExecutor)? {
        PlatformExecutorFactory.defaultExecutor as? any SchedulingExecutor
    }

    @inline(__always)
    static func enqueue(_ job: Job, executor: JobExecutor, elsewhere: (consuming ExecutorJob) -> Void) {
        guard let context = ThreadContext.current else {
            // A simulated task's job on a foreign thread. If its simulation has ended, it is dropped: running it in
            // reality would let a simulated task act on the real world.
            guard !job.isTask || job.token.isNone else { return job.returnToKernel(executor) }
            return elsewhere(ExecutorJob(job.unowned))
        }
        guard let state = context.kernel else {
            context.caught = job
            return
        }
        if job.isTask, !job.token.isNone, !state.value.owns(job) {
            // Another simulation's task, resumed on this one's thread.
            return job.returnToKernel(executor)
        }
        state.value.enqueue(job, on: executor)
        if executor == .main { state.value.kernel.noteMainActor(job) }
    }

    @inline(__always)
    static func enqueue(_ job: Job, after delay: () -> Int64, elsewhere: (consuming ExecutorJob) -> Void) {
        guard let state = Kernel.current else { return elsewhere(ExecutorJob(job.unowned)) }
        state.value.enqueue(job, after: delay())
    }

    static func nanoseconds<C: Clock>(_ duration: C.Duration, _ clock: C.Type) -> Int64 {
        if let duration = duration as? Duration { return duration.clampedNanoseconds }
        preconditionFailure("a sleep on \(clock) needs that clock's own sleep(until:): its durations are no Duration")
    }
}

/// The executors that are installed for the process.
private struct ThreadExecutorFactory: ExecutorFactory {
    static var mainExecutor: any MainExecutor { ThreadMainExecutor.shared }
    static var defaultExecutor: any TaskExecutor { ThreadExecutor.shared }
}

/// Called before main, by the C target's constructor.
@_cdecl("windkanal_install_executors")
func installExecutors() {
    _createExecutors(factory: ThreadExecutorFactory.self)
}
