import CSystemSeam

/// How a run ends: what still waits is named, and everything is made to end.
extension Kernel {
    /// Jobs that each cancelled task may take to unwind before it is abandoned.
    private static let unwindJobsPerTask: Int = 1_000
    /// How often a job that unwinds may read a clock before it counts as a loop that only the end of its cancellation ends.
    private static let clockReadsPerUnwindJob: UInt32 = 1_000

    /// The tasks of living hosts that have not ended: how many, and the oldest.
    func deadlock() -> StopReason {
        let waiting = indicesOfWaitingTasks()
        return .deadlock(waiting.prefix(StopReason.waitingTasksMax).compactMap(describe), count: waiting.count)
    }

    /// The tasks of living hosts that have not ended, the oldest first.
    func indicesOfWaitingTasks() -> [UInt32] {
        state.value.tasks.sweep()
        var waiting: [(number: UInt64, index: UInt32)] = []
        for index in state.value.tasks.indices {
            let token = TaskToken(kernel: state.value.number, index: index)
            guard let task = state.value.tasks[index].task, task.isWaiting(token),
                state.value.incarnationStates[Int(state.value.tasks[index].incarnation)] != .dead
            else { continue }
            waiting.append((state.value.tasks[index].number, index))
        }
        return waiting.sorted { $0.number < $1.number }.map(\.index)
    }

    /// Says of a task that waits who it is and where it waits.
    func describe(_ index: UInt32) -> WaitingTask? {
        heartbeat()
        guard let task = state.value.tasks[index].task else { return nil }
        let record = state.value.tasks[index]
        return WaitingTask(
            number: record.number, name: task.name,
            host: hosts.name(of: state.value.incarnations[Int(record.incarnation)].host), sleeps: record.sleep != nil,
            waitsIn: task.stack, createdAt: CallStack(addresses: record.originAddresses))
    }

    /// Cancels what is left and lets it unwind, so that nothing outlives the run; time stands still, the trace is closed.
    func end() {
        assert(stopReason != nil, "a run ends without a reason")
        let tell = takeReports()
        if stopReason != .finished { worldReport = tell.flatMap { $0() } }
        state.value.isEnding = true
        state.value.watchedTask = TaskTable.none
        releaseIdleWaiters()
        for incarnation in state.value.incarnations.indices {
            enter(UInt32(incarnation), state)
            for action in state.value.takeUnwindActions(of: UInt32(incarnation)) { action() }
        }
        enter(KernelState.world, state)
        for action in takeEndActions().reversed() { action() }
        let indices = state.value.tasks.indices
        for index in indices {
            // The task of an async let is cancelled with its parent.
            guard !state.value.tasks[index].isAsyncLet, let task = state.value.tasks[index].task else { continue }
            enter(state.value.tasks[index].incarnation, state)
            task.cancel()
        }
        state.value.wakeAll()
        for index in indices { unpark(index) }
        for host in hosts.all { host.releaseSetAside() }
        var left = Self.unwindJobsPerTask * (state.value.tasks.count + 10)
        while left > 0, let item = state.value.ready.popFirst() {
            left -= 1
            if left & 0xff == 0 { heartbeat() }
            runToEnd(item, clockReads: Self.clockReadsPerUnwindJob)
        }
        assert(hosts.all.allSatisfy { $0.isEmptyHanded }, "a paused host keeps work that will never run")
        state.value.tasks.sweep()
        abandonedTasks = state.value.tasks.count
        enter(KernelState.world, state)
        // Closures that hold the simulation would keep it for ever.
        for host in hosts.all { host.forget() }
        idleActions = []
        companions = [:]
        state.value.close()
    }
}
