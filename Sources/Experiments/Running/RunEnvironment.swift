/// What a run needs of the world around it: time, who performs activities, and names for the journal.
public struct RunEnvironment: Sendable {
    /// Who performs activities.
    public var providers: any ActivityProviders
    /// Who calls controls; nil leaves them out.
    public var controls: (any ControlProvider)?
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
        controls: (any ControlProvider)? = nil, variables: [String: String] = [:], platform: String, node: String,
        recorder: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) where C.Duration == Duration {
        self.providers = providers
        self.controls = controls
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
