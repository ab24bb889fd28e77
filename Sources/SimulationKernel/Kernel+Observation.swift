/// What the kernel tells those who observe a run.
extension Kernel {
    /// Nothing is ready: unless an event is due at this instant, tells those who wait for such a moment.
    ///
    /// - Returns: Whether something may have become ready.
    @inline(never)
    func noteIdle() -> Bool {
        guard !state.value.queue.hasPendingEvents(at: state.value.now) else { return false }
        enter(KernelState.world, state)
        for action in idleActions { action() }
        releaseIdleWaiters()
        return state.value.ready.count > 0 || state.value.mustStop
    }

    /// Lets go on who waits for an idle moment.
    func releaseIdleWaiters() {
        state.value.watchesIdle = !idleActions.isEmpty
        let waiters = idleWaiters
        idleWaiters = []
        for waiter in waiters { waiter.resume() }
    }

    /// The watched task may have come to wait.
    @inline(never)
    func noteSuspension() {
        let index = state.value.watchedTask
        guard let task = state.value.tasks[index].task, !task.isComplete else {
            state.value.watchedTask = TaskTable.none
            return
        }
        suspensions.count += 1
        guard suspensions.count == suspensions.cancelAt else { return }
        cancelledTask = describe(index)
        enter(state.value.tasks[index].incarnation, state)
        task.cancel()
    }
}
