public import Documents

/// What a run needs of the world around it: time, who performs activities, and names for the journal.
public struct RunEnvironment: Sendable {
    /// Who performs activities.
    public var providers: any ActivityProviders
    /// Waits so long; ends early, by throwing, when the task is cancelled.
    public var sleep: @Sendable (Duration) async throws -> Void
    /// Time since some fixed moment, which never goes back: durations are measured with it.
    public var elapsed: @Sendable () -> Duration
    /// What a clock on the wall shows: time since 1970-01-01 00:00 UTC.
    public var wallTime: @Sendable () -> Duration
    /// The process' environment.
    public var variables: [String: String]
    /// The machine's kind, for the journal.
    public var platform: String
    /// The machine's name, for the journal.
    public var node: String
    /// Who hears what happens.
    public var recorder: @Sendable (RunEvent) -> Void

    /// Runs on a clock.
    public init<C: Clock>(
        clock: C, wallTime: @escaping @Sendable () -> Duration, providers: any ActivityProviders,
        variables: [String: String] = [:], platform: String, node: String,
        recorder: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) where C.Duration == Duration {
        self.providers = providers
        sleep = { try await clock.sleep(for: $0) }
        let start = clock.now
        elapsed = { start.duration(to: clock.now) }
        self.wallTime = wallTime
        self.variables = variables
        self.platform = platform
        self.node = node
        self.recorder = recorder
    }
}

/// What became of an activity, for those who hear of it.
public struct EndedActivity: Hashable, Sendable {
    /// Its name.
    public let name: String
    /// `action` or `probe`.
    public let type: String
    /// `succeeded` or `failed`; nil if it ended unexpectedly.
    public let status: String?
    /// How long it took.
    public let seconds: Double
    /// Its output; null if it has none.
    public let output: Value
    /// Why it failed, in lines.
    public let exception: [String]?
}

/// What a run tells while it goes on, in the order in which it happens.
public enum RunEvent: Hashable, Sendable {
    /// The secrets are known: what is told from now on may hold them.
    case secrets(Redactor)
    /// How serious a message is.
    public enum Level: String, Hashable, Sendable {
        /// The course of things.
        case info = "INFO"
        /// Something that deserves a look.
        case warning = "WARNING"
        /// Something failed.
        case error = "ERROR"
        /// The system deviated.
        case critical = "CRITICAL"
    }

    /// When a hypothesis is tested.
    public enum Phase: String, Hashable, Sendable {
        /// Before the method.
        case before
        /// While it is played, again and again.
        case during
        /// After it.
        case after
    }

    /// A line for people.
    case message(Level, String)
    /// The run begins.
    case runBegins(title: Value)
    /// The run has ended.
    case runEnded(status: String, deviated: Bool)
    /// The run is cut short.
    case interrupted(Interruption)
    /// A hypothesis is about to be tested; during the method, again and again with so many seconds between.
    case hypothesisBegins(Phase, frequency: Double?)
    /// A hypothesis was tested, during the method for the how-manieth time; the state is as journals write it.
    case hypothesisEnded(Phase, iteration: Int?, state: Value)
    /// The method begins.
    case methodBegins
    /// The method has ended.
    case methodEnded
    /// Rollbacks begin.
    case rollbacksBegin
    /// Rollbacks have ended.
    case rollbacksEnded
    /// A pause begins, of so many seconds; `isBefore` tells on which side of the activity.
    case pause(seconds: Double, isBefore: Bool)
    /// A pause has ended, or was cut short.
    case pauseEnded
    /// An activity begins.
    case activityBegins(name: String, type: String, isBackground: Bool)
    /// An activity has ended.
    case activityEnded(EndedActivity)
}
