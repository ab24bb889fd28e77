public import SimulationKernel

/// What came of one seed.
public struct TrialOutcome: Sendable {
    /// The seed.
    public let seed: Seed
    /// The verdict's word, such as `held` or `refuted`.
    public let verdict: String
    /// Whether it counts as a success.
    public let holds: Bool
    /// What all decisions of the run fold to.
    public let digest: TraceDigest
    /// The virtual time that passed.
    public let virtualTime: Duration
    /// What was wrong, in the order in which it was found.
    public var failures: [TrialFailure]
    /// The faults of the run and what each hit, in lines.
    public var impact: [String]
    /// How often each rare path was taken; 0 for one that was looked for and not taken.
    public var marks: [String: Int]
    /// How the seed is run again without the test, as a line for a shell; nil if the test is the only way.
    public var replay: String?

    /// Makes an outcome of its parts.
    public init(
        seed: Seed, verdict: String, holds: Bool, digest: TraceDigest, virtualTime: Duration,
        failures: [TrialFailure] = [], impact: [String] = [], marks: [String: Int] = [:], replay: String? = nil
    ) {
        self.seed = seed
        self.verdict = verdict
        self.holds = holds
        self.digest = digest
        self.virtualTime = virtualTime
        self.failures = failures
        self.impact = impact
        self.marks = marks
        self.replay = replay
    }
}

/// One thing that was wrong with a run.
public struct TrialFailure: Sendable {
    /// What was wrong.
    public let message: String
    /// Where in the test it was claimed; nil for the test as a whole.
    public let location: CodeLocation?
    /// Whether the test framework knows it already, as of its own expectations.
    public let isReported: Bool

    /// Makes a failure of its parts.
    public init(_ message: String, at location: CodeLocation? = nil, isReported: Bool = false) {
        self.message = message
        self.location = location
        self.isReported = isReported
    }
}
