import CSystemSeam

/// What the kernel does about work that leaves the simulation.
public struct Guards: Hashable, Sendable {
    /// Whether the first violation ends the run; otherwise violations are counted and the run goes on.
    public var strict: Bool
    /// How long one piece of work may hold the kernel's thread, in real time; nil watches nothing.
    public var blockLimit: Duration?
    /// How long it may hold the thread before the process is ended with status 70, because nothing can unwind it.
    public var fatalBlockLimit: Duration
    /// How long a run that has nothing left to do here waits, in real time, for a job from another thread, before it is
    /// called a deadlock.
    public var foreignWorkLimit: Duration
    /// Whether tasks remember where they were created, for deadlock reports; costs about 20 ns a task.
    public var recordsTaskOrigins: Bool

    /// The default, meant for tests: any violation ends the run.
    ///
    /// A piece of work may take 5 s, and 10 times as long in a program that is built with a sanitizer.
    public static let strict: Guards = Guards(
        strict: true, blockLimit: .seconds(5) * sanitizerSlowdown, fatalBlockLimit: .seconds(60) * sanitizerSlowdown,
        foreignWorkLimit: .milliseconds(50), recordsTaskOrigins: true)
    /// Violations are counted, nothing is watched.
    public static let counting: Guards = Guards(
        strict: false, blockLimit: nil, fatalBlockLimit: .seconds(60) * sanitizerSlowdown,
        foreignWorkLimit: .seconds(1), recordsTaskOrigins: false)

    /// How many times as long the same work may take because a sanitizer watches it.
    private static let sanitizerSlowdown: Int = Int(seam_sanitizer_slowdown())

    /// Makes guards from a value for each.
    public init(
        strict: Bool, blockLimit: Duration?, fatalBlockLimit: Duration, foreignWorkLimit: Duration,
        recordsTaskOrigins: Bool
    ) {
        self.strict = strict
        self.blockLimit = blockLimit
        self.fatalBlockLimit = fatalBlockLimit
        self.foreignWorkLimit = foreignWorkLimit
        self.recordsTaskOrigins = recordsTaskOrigins
    }
}
