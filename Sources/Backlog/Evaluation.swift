public import Documents

/// What came of an experiment, as it is kept with its hypothesis.
public struct Evaluation: Hashable, Sendable {
    /// Verdicts that an evaluation may have: those of runs.
    public static let verdicts: [String] = [
        "held", "refuted", "unsteady", "inconclusive", "untested", "failed", "aborted", "stopped", "crashed",
    ]

    /// When it was recorded, in UTC.
    public var date: String
    /// The experiment's file, relative to the hypothesis' own.
    public var file: String
    /// The poller's profile that was asked for; nil is the one of the file.
    public var profile: String?
    /// The verdict's word; of many seeds the gravest.
    public var verdict: String
    /// The seed, or the first and the last of many, as in `1...100`; nil outside of simulations.
    public var seeds: String?
    /// How many of many seeds had each verdict.
    public var counts: Value.Object = [:]
    /// The first of many seeds that failed.
    public var failingSeed: String?
    /// What all decisions of a simulated run fold to.
    public var digest: String?
    /// Options that made the verdict stricter or the run another one.
    public var options: String?
    /// The build of the command.
    public var build: String?
    /// The report's file.
    public var report: String?
    /// What was learned, in a line that people fill in.
    public var learning: String?

    /// Makes an evaluation of what is always known.
    public init(date: String, file: String, profile: String?, verdict: String) {
        self.date = date
        self.file = file
        self.profile = profile
        self.verdict = verdict
    }

    /// Whether it is one of this planned experiment.
    func isOf(_ experiment: Hypothesis.PlannedExperiment) -> Bool {
        Hypothesis.withoutDots(file) == Hypothesis.withoutDots(experiment.file) && profile == experiment.profile
            && (experiment.seeds == nil || experiment.seeds == seeds)
    }

    /// The members as the file has them, in their order; what is not known is left out, and the learning is for people.
    var members: Value.Object {
        var members: Value.Object = ["date": .string(date), "experiment": .string(file)]
        if let profile { members["profile"] = .string(profile) }
        members["verdict"] = .string(verdict)
        if let seeds {
            // A single seed is a number, as large as it may be.
            let isRange = seeds.contains(".")
            members[isRange ? "seeds" : "seed"] =
                isRange ? .string(seeds) : Int(seeds).map(Value.integer) ?? .string(seeds)
        }
        if !counts.isEmpty { members["counts"] = .object(counts) }
        if let failingSeed { members["failing-seed"] = Int(failingSeed).map(Value.integer) ?? .string(failingSeed) }
        if let digest { members["digest"] = .string(digest) }
        if let options { members["options"] = .string(options) }
        if let build { members["build"] = .string(build) }
        if let report { members["report"] = .string(report) }
        members["learning"] = learning.map(Value.string) ?? .null
        return members
    }
}
