/// Something that can happen now: an event whose time has come, or a Swift job.
///
/// Thirty-two bytes, because the queue moves these and nothing else; what they mean is in ``work``.
struct ReadyItem {
    /// What an item means.
    enum Work {
        /// An event whose time has come, if it is not cancelled by then.
        case event(ScheduledEvent)
        /// A job of the task with this index in the task table.
        case task(index: UInt32, Job)
        /// A job that is no task's: an actor's, which may run tasks of several hosts, or one of the runtime's own.
        case taskless(Job)
    }

    /// Nothing for an event.
    private let job: Job?
    /// The event's index, or the task's; `TaskTable.none` for a job that is no task's.
    private let index: UInt32
    /// The event's generation.
    private let generation: UInt32
    /// The incarnation that it belongs to.
    let incarnation: UInt32
    /// Where a job runs.
    let executor: JobExecutor
    /// Under PCT, who goes first: the larger.
    var priority: UInt64 = 0

    @inline(__always)
    init(event: ScheduledEvent, incarnation: UInt32) {
        job = nil
        index = event.index
        generation = event.generation
        self.incarnation = incarnation
        executor = .generic
    }

    /// A job; `task` is the index of its task, or `TaskTable.none`.
    @inline(__always)
    init(job: Job, task: UInt32, incarnation: UInt32, executor: JobExecutor) {
        self.job = job
        index = task
        generation = 0
        self.incarnation = incarnation
        self.executor = executor
    }

    var work: Work {
        @inline(__always) get {
            guard let job else { return .event(ScheduledEvent(index: index, generation: generation)) }
            return index == TaskTable.none ? .taskless(job) : .task(index: index, job)
        }
    }
}

/// Where a job runs.
enum JobExecutor: UInt8 {
    /// On the default executor.
    case generic
    /// On the main actor's.
    case main
}
