/// What people are shown of what was run: one run, many seeds, or several profiles side by side.
public enum Report: Hashable, Sendable {
    /// One run.
    case run(RunRecord)
    /// One experiment for many seeds.
    case sweep(SweepRecord)
    /// Scenarios with several profiles.
    case comparison(ComparisonRecord)

    /// What it is about.
    public var title: String {
        switch self {
        case .run(let run): run.title
        case .sweep(let sweep): sweep.title
        case .comparison: "Profiles side by side"
        }
    }
}

/// One experiment for many seeds.
public struct SweepRecord: Hashable, Sendable {
    /// What came of a seed.
    public struct Seed: Hashable, Sendable {
        /// The seed, as its digits.
        public let number: String
        /// The verdict's word; `crashed` where its process ended.
        public let verdict: String
        /// Whether it counts as a success.
        public let isSuccess: Bool
        /// The largest value of the age that is bound, in seconds; nil where nothing was measured.
        public let age: Double?
        /// The first violation, or why there is nothing else to tell; nil if nothing went wrong.
        public let problem: String?
        /// When the first violation was found, in seconds.
        public let problemTime: Double?
        /// How many invariants were violated.
        public let violations: Int
    }

    /// The experiment's title.
    public var title: String = ""
    /// The gravest verdict.
    public var verdict: String = ""
    /// Seeds that were to be run.
    public var count: Int = 0
    /// What came of each, in the order of the seeds.
    public var seeds: [Seed] = []
    /// The age that is bound, and its limit in seconds.
    public var bound: RunRecord.Bound?
    /// The command that plays the first failing seed again; empty where none fails.
    public var replay: [String] = []
    /// The worst seed, run again with everything recorded.
    public var worst: RunRecord?

    /// How many seeds came to each verdict, the most first.
    public var verdicts: [(verdict: String, count: Int)] {
        var counts: [String: Int] = [:]
        for seed in seeds { counts[seed.verdict, default: 0] += 1 }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }
}

/// Scenarios with several profiles.
public struct ComparisonRecord: Hashable, Sendable {
    /// A scenario with one profile.
    public struct Row: Hashable, Sendable {
        /// The scenario's name.
        public let scenario: String
        /// The profile's name.
        public let profile: String
        /// What happened.
        public var run: RunRecord
    }

    /// All rows, in their order.
    public var rows: [Row] = []
    /// The command that was given.
    public var replay: [String] = []

    /// The scenarios' names, in their order.
    public var scenarios: [String] {
        rows.reduce(into: []) { names, row in if names.last != row.scenario { names.append(row.scenario) } }
    }
}
