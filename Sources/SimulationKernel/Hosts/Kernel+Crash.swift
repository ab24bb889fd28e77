import CSystemSeam

/// What becomes of code whose host is paused or has crashed.
///
/// A crash runs none of the crashed code. What would have let it go on is parked with its task, until there are so many dead
/// incarnations that they are made to end, unseen, to give back their memory; the rest ends with the run.
extension Kernel {
    /// Crashed incarnations that keep their memory; at one more, all are unwound.
    static let crashedMax: Int = 64
    /// Jobs that each task of a crashed host may take to unwind while the run goes on.
    private static let crashedJobsPerTask: UInt32 = 16

    /// Keeps what a paused host will need again, and parks what a crashed one never will.
    @inline(never)
    func setAside(_ item: ReadyItem) {
        if state.value.incarnationStates[Int(item.incarnation)] == .paused {
            guard let host = state.value.incarnations[Int(item.incarnation)].host else {
                preconditionFailure("the world was paused, which no fault can do")
            }
            return hosts[host].setAside(item)
        }
        switch item.work {
        case .event(let handle): park(handle)
        case .task(let index, let job): state.value.tasks[index].parked = .job(job, item.executor)
        case .taskless: preconditionFailure("a job of an actor was set aside, which may be shared with living hosts")
        }
    }

    /// Ends an incarnation: its tasks never go on, its sleeps are no longer events.
    func kill(_ incarnation: UInt32) {
        precondition(incarnation != KernelState.world, "the world does not crash")
        assert(!state.value.incarnationStates[Int(incarnation)].isGone, "incarnation \(incarnation) died twice")
        state.value.setState(.dead, of: incarnation)
        for index in state.value.tasks.tasks(of: incarnation) {
            if let sleep = state.value.tasks[index].sleep { park(sleep) }
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
        assert(state.value.incarnationStates[Int(incarnation)] == .dead, "incarnation \(incarnation) still lives")
        assert(state.value.unwinding.isEmpty, "two incarnations unwind at once")
        state.value.setState(.unwinding, of: incarnation)
        enter(incarnation, state)
        for action in state.value.takeUnwindActions(of: incarnation) { action() }
        let indices = state.value.tasks.tasks(of: incarnation)
        for index in indices {
            guard !state.value.tasks[index].isAsyncLet, let task = state.value.tasks[index].task else { continue }
            task.cancel()
        }
        for index in indices { unpark(index) }
        var next = 0
        while next < state.value.unwinding.count {
            let item = state.value.unwinding[next]
            next += 1
            heartbeat()
            if case .task(let index, let job) = item.work {
                state.value.tasks[index].unwindJobs += 1
                if state.value.tasks[index].unwindJobs > Self.crashedJobsPerTask {
                    state.value.tasks[index].parked = .job(job, item.executor)
                    continue
                }
            }
            runToEnd(item, clockReads: Self.crashedJobsPerTask)
        }
        state.value.unwinding = []
        state.value.setState(.dead, of: incarnation)
        context.allowClockReads(0)
    }

    /// Takes an event of a crashed host out of the world; its task keeps what the event would have gone on with.
    private func park(_ handle: ScheduledEvent) {
        guard let event = state.value.queue.remove(handle), event.task != EventQueue.noTask else { return }
        state.value.tasks[event.task].sleep = nil
        switch event.kind {
        case .action: preconditionFailure("an action ends no task's sleep")
        case .resume: state.value.tasks[event.task].parked = .continuation(event.argument)
        case .wake: state.value.tasks[event.task].parked = Job(bits: event.argument).map { .wake($0) } ?? .nothing
        }
    }

    /// Lets the task of a crashed host go on, now that it cannot be seen any more.
    func unpark(_ index: UInt32) {
        let parked = state.value.tasks[index].parked
        state.value.tasks[index].parked = .nothing
        switch parked {
        case .nothing: break
        case .job(let job, let executor): state.value.enqueue(job, on: executor)
        case .wake(let job):
            let item = ReadyItem(
                job: job, task: TaskTable.none, incarnation: KernelState.world, executor: .generic)
            if state.value.isEnding { state.value.ready.append(item) } else { state.value.unwinding.append(item) }
        case .continuation(let bits): KernelState.resume(bits, returning: false)
        }
    }

    /// Runs a job of code that is being made to end: it is no decision of the run.
    ///
    /// - Parameters:
    ///   - item: A job; an event does nothing any more.
    ///   - clockReads: How often it may read a clock before it counts as a loop that only the end of its cancellation ends.
    func runToEnd(_ item: ReadyItem, clockReads: UInt32) {
        enter(item.incarnation, state)
        context.allowClockReads(clockReads)
        switch item.work {
        case .event: break
        case .task(let index, let job):
            run(job, item.executor, state)
            state.value.tasks.removeIfComplete(index)
        case .taskless(let job):
            context.runsActorJob = true
            run(job, item.executor, state)
            context.runsActorJob = false
        }
    }
}
