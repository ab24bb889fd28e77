public import SimulationKernel

/// What came of a sweep.
public struct SweepSummary: Sendable {
    /// What came of one seed.
    public struct SeedRun: Sendable {
        /// The seed.
        public let seed: Seed
        /// The verdict's word.
        public let verdict: String
        /// Whether it counts as a success.
        public let holds: Bool
        /// What all decisions of the run fold to.
        public let digest: TraceDigest
    }

    /// The seeds that were run, in the order in which they were: those that failed before come first.
    public internal(set) var runs: [SeedRun] = []
    /// What is worth saying and is no failure: seeds that pass now, and why a sweep ended early.
    public internal(set) var notes: [String] = []
    /// How often each rare path was taken, over all seeds.
    public internal(set) var marks: [String: Int] = [:]

    /// Whether every seed that was run counts as a success.
    public var holds: Bool { runs.allSatisfy(\.holds) }
    /// The seeds that failed.
    public var failing: [Seed] { runs.filter { !$0.holds }.map(\.seed) }
}

/// Something wrong that a sweep found: a failing seed, or a rare path that no seed took.
public struct SweepFinding: Sendable {
    /// All that there is to be said of it, in lines.
    public let message: String
    /// Where in the test it was claimed; nil for the test as a whole.
    public let location: CodeLocation?
    /// What came of the seed; nil for a finding about the whole sweep.
    public let outcome: TrialOutcome?
    /// The files that were kept of it, and where each lies.
    public let evidence: [(file: Evidence, path: String?)]
}
