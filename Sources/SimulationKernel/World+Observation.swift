/// What a test library needs of a run: when nothing can happen any more, who waits, and how often a task came to wait.
extension World {
    /// What a library keeps for this run, one object of each class; let go of when the run is over.
    public subscript<Companion: AnyObject>(companion type: Companion.Type) -> Companion? {
        get { kernel.companions[ObjectIdentifier(type)] as? Companion }
        nonmutating set { kernel.companions[ObjectIdentifier(type)] = newValue }
    }

    // MARK: Idle moments

    /// Suspends until nothing can happen any more without time passing: every task waits, for a time or for another.
    ///
    /// When the run is over, it returns at once.
    public func quiescence() async {
        guard !isEnding else { return }
        let kernel = UncheckedTransfer(kernel)
        await withCheckedContinuation { continuation in
            kernel.value.idleWaiters.append(continuation)
            kernel.value.state.value.watchesIdle = true
        }
    }

    /// Registers what is called whenever nothing can happen any more without time passing.
    ///
    /// It is called as the world, in the order of registration, once for each instant or oftener.
    public func onIdle(_ action: @escaping () -> Void) {
        guard !isEnding else { return }
        kernel.idleActions.append(action)
        kernel.state.value.watchesIdle = true
    }

    // MARK: Tasks

    /// The tasks of the caller's host that have not ended, the oldest first, without the caller's own.
    ///
    /// Outside a task, in an event, all of them are the host's others.
    public var waitingTasks: [WaitingTask] {
        let own = Job.currentTask.flatMap { kernel.state.value.owns($0) ? $0.token.index : nil }
        kernel.state.value.syncHost()
        let incarnation = kernel.state.value.current
        return kernel.indicesOfWaitingTasks().filter {
            $0 != own && kernel.state.value.tasks[$0].incarnation == incarnation
        }.compactMap(kernel.describe)
    }

    /// Counts from now on how often the calling task comes to wait, and may cancel it at one of these times.
    ///
    /// A time at which it waits is counted when the piece of work in which it ran is over; while an actor's work is done,
    /// of which nobody sees what belongs to whom, a time may be counted twice.
    ///
    /// - Parameter number: At which time it is cancelled, the first is 1; nil only counts.
    /// - Precondition: The caller is a task of this run, and no other is watched.
    public func countSuspensions(cancellingAt number: Int? = nil) {
        guard let task = Job.currentTask, kernel.state.value.owns(task) else {
            preconditionFailure("who counts suspensions is no task of this run")
        }
        precondition(kernel.state.value.watchedTask == TaskTable.none, "suspensions of two tasks are counted at once")
        kernel.suspensions = (0, number)
        kernel.state.value.watchedTask = task.token.index
    }

    /// How often the watched task has come to wait.
    public var suspensionCount: Int { kernel.suspensions.count }

    /// The watched task as it waits now; nil when it has ended.
    public var watchedTask: WaitingTask? {
        let index = kernel.state.value.watchedTask
        return index == TaskTable.none ? nil : kernel.describe(index)
    }

    /// The watched task as it waited when it was cancelled; nil if it was not.
    public var cancelledTask: WaitingTask? { kernel.cancelledTask }

    /// Ends the count.
    public func endCountingSuspensions() {
        kernel.state.value.watchedTask = TaskTable.none
    }
}
