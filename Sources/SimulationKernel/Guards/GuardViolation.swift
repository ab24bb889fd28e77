/// Something that left the simulation, so that the run can no longer be told to repeat: who did what, where and when.
public struct GuardViolation: Hashable, Sendable, CustomStringConvertible {
    /// The way in which code left the simulation.
    public enum Kind: Hashable, Sendable {
        /// A job of a simulated task was enqueued from a thread that is not the kernel's.
        case foreignThreadJob
        /// The real thread was put to sleep.
        case realSleep
        /// A clock that cannot be virtual was read: CPU time, or time by a raw system call.
        case realClockRead
        /// Work was handed to Dispatch.
        case dispatchedWork
        /// A thread was created.
        case threadCreated
        /// A timer of the system was set, or a time limit of a socket.
        case realTimer
        /// A process was created, or this one was to become another program.
        case processCreated
        /// One piece of work held the kernel's thread for longer than the limit.
        case threadBlocked(Duration)
        /// The main actor, whose state belongs to the whole process, was used by a run that did not say so, off the main thread
        /// or while another simulation ran.
        case sharedMainActor
    }

    /// The way in which it left the simulation.
    public let kind: Kind
    /// The host whose code ran, or `world`.
    public let host: String
    /// The name given to the task that ran, where it has one.
    public let task: String?
    /// Where it happened.
    public let place: CallStack
    /// When it happened.
    public let time: VirtualInstant

    /// One line that says all of it.
    public var description: String {
        let who = task.map { "task '\($0)' on host '\(host)'" } ?? "host '\(host)'"
        return "\(what): \(who) at \(time), in \(place)"
    }

    private var what: String {
        switch kind {
        case .foreignThreadJob: "a job came from a foreign thread"
        case .realSleep: "a real sleep (use Task.sleep or a clock)"
        case .realClockRead: "a read of a real clock"
        case .dispatchedWork: "work was handed to Dispatch"
        case .threadCreated: "a thread was created"
        case .realTimer: "a timer of the system was set (use a clock or the event loop)"
        case .processCreated: "a process was created"
        case .threadBlocked(let duration): "the kernel's thread was blocked for \(duration)"
        case .sharedMainActor: "the main actor was used (say so: Simulation.Options(usesMainActor: true))"
        }
    }
}
