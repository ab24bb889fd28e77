import CSystemSeam

/// What the kernel does about work that leaves the simulation.
extension Kernel {
    /// Counts a violation of whoever runs now; in strict mode the first one ends the run.
    ///
    /// The place is found only when the violation is kept.
    private func report(_ kind: GuardViolation.Kind, of owner: UInt32? = nil, place: () -> CallStack) {
        guard phase == .running, !state.value.isEnding else { return }
        violationCount += 1
        guard violations.count < (options.guards.strict ? 1 : Self.violationsMax) else { return }
        state.value.syncHost()
        let incarnation = state.value.incarnations[Int(owner ?? state.value.current)]
        let task = unsafe seam_current_task_name().map { unsafe String(cString: $0) }
        let violation = GuardViolation(
            kind: kind, host: hosts.name(of: incarnation.host), task: task, place: place(),
            time: VirtualInstant(nanoseconds: state.value.now))
        violations.append(violation)
        if options.guards.strict { stop(.guardViolation(violation)) }
    }

    /// An interposed function tells that tested code left the simulation.
    func report(_ leak: seam_leak, stack: () -> [UInt]) {
        let kind: GuardViolation.Kind
        switch leak {
        case SEAM_LEAK_REAL_SLEEP: kind = .realSleep
        case SEAM_LEAK_REAL_CLOCK: kind = .realClockRead
        case SEAM_LEAK_DISPATCH: kind = .dispatchedWork
        case SEAM_LEAK_TIMER: kind = .realTimer
        case SEAM_LEAK_PROCESS: kind = .processCreated
        default: kind = .threadCreated
        }
        report(kind) { CallStack(addresses: stack()) }
    }

    /// The main actor was asked to run something.
    func noteMainActor(_ job: Job) {
        guard options.guards.strict, !options.usesMainActor, !seam_on_main_thread() || seam_active_kernels() > 1 else {
            return
        }
        // Who asked has already left the stack: the task knows where it goes on, and for whom.
        report(.sharedMainActor) { job.isTask ? job.stack : CallStack.here }
    }

    /// Takes what other threads set the flag for: a job came from there, or the watchdog fired.
    @inline(never)
    func handleForeignWork() {
        context.attention = false
        unwindCrashed()
        while let (job, tag, detail, stack) = ThreadContext.takeForeign(mark: state.value.number) {
            switch tag {
            case .cancelledSleep:
                let sleep = CancelledSleep(bits: detail)
                report(.foreignThreadJob, of: state.value.tasks[sleep.index].incarnation) {
                    CallStack(addresses: stack)
                }
                state.value.cancel(sleep)
            case .job, .mainJob:
                let index = job.flatMap { state.value.record(of: $0) }
                report(.foreignThreadJob, of: index.map { state.value.tasks[$0].incarnation }) {
                    CallStack(addresses: stack)
                }
                if let job { state.value.enqueue(job, on: tag == .mainJob ? .main : .generic) }
            }
        }
        if let (duration, stack) = context.takeStuck() {
            report(.threadBlocked(duration)) { CallStack(addresses: stack) }
        }
    }

    /// With nothing left to do here, waits in real time for a job from a foreign thread, as long as the guards allow:
    /// it is what a deadlock may really be.
    func waitsForForeignWork() -> Bool {
        let limit = seam_real_monotonic() &+ UInt64(options.guards.foreignWorkLimit.clampedNanoseconds)
        while seam_real_monotonic() < limit {
            if context.attention { return true }
            seam_real_pause(100_000)
            heartbeat()
        }
        return false
    }
}
