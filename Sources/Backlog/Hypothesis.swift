/// A hypothesis of the backlog: what is believed of a system, how that is tried, and what came of it.
public struct Hypothesis: Sendable {
    /// What a text says in the language that it was first said in.
    public struct Original: Hashable, Sendable {
        /// The language's name.
        public var language: String
        /// The text.
        public var text: String
        /// Whether the text was translated into that language, and nobody said it so.
        public var isTranslation: Bool
    }

    /// Something that has to be true, as a number.
    public struct Binding: Hashable, Sendable {
        /// What is measured.
        public var metric: String
        /// Which values are good.
        public var bound: String
        /// Of how many things that is claimed, such as every flat; nil where there is one thing only.
        public var share: String?
    }

    /// An experiment that is to try the hypothesis.
    public struct PlannedExperiment: Hashable, Sendable {
        /// The experiment's file, relative to the hypothesis' own.
        public var file: String
        /// The poller's profile; nil is the one of the file.
        public var profile: String?
        /// The seeds, as in `1...100`; nil is the one of the file.
        public var seeds: String?
        /// The verdict that is expected, and that the design was chosen for.
        public var expected: String?
        /// Why this experiment.
        public var reason: String?
        /// What is missing before it can be run; nil for one that can.
        public var waitsFor: String?
    }

    /// What was learned.
    public struct Learning: Hashable, Sendable {
        /// The lesson.
        public var text: String
        /// The lesson in the language that it was first said in.
        public var original: Original?
        /// Experiments that show it, relative to the hypothesis' file.
        public var experiments: [String]
        /// What is missing before an experiment can show it.
        public var waitsFor: String?
    }

    /// The file's name without its ending, by which people call the hypothesis.
    public let name: String
    /// The file.
    public let path: String
    /// The hypothesis in a line.
    public var title: String = ""
    /// The hypothesis in full.
    public var statement: String = ""
    /// The statement in the language that it was first made in.
    public var original: Original?
    /// What has to be true for it to hold.
    public var bindings: [Binding] = []
    /// What else is to be looked at.
    public var observations: [String] = []
    /// The experiments that are planned, in their order.
    public var experiments: [PlannedExperiment] = []
    /// How everything is put back, step by step.
    public var rollback: [String] = []
    /// What was learned.
    public var learnings: [Learning] = []
    /// What came of experiments, the oldest first.
    public var evaluations: [Evaluation] = []

    init(path: String) {
        self.path = path
        let file = path.split(separator: "/").last.map(String.init) ?? path
        name = file.lastIndex(of: ".").map { String(file[..<$0]) } ?? file
    }

    /// Where the hypothesis is in the cycle, which follows from what its file holds.
    public var stage: Stage {
        if experiments.isEmpty { return .hypothesis }
        let ready = experiments.filter { $0.waitsFor == nil }
        if ready.isEmpty { return .planning }
        return ready.allSatisfy { latest(of: $0) != nil } ? .evaluation : .experiment
    }

    /// What came last of a planned experiment; nil if it was never run.
    public func latest(of experiment: PlannedExperiment) -> Evaluation? {
        evaluations.last { $0.isOf(experiment) }
    }

    /// The file of an experiment as it is reached from where the hypothesis' path begins.
    public func path(of file: String) -> String {
        guard !file.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return file }
        return Self.withoutDots(String(path[...slash]) + file)
    }

    /// A path without the steps that lead nowhere: `hypotheses/../scenarios/a.json` is `scenarios/a.json`.
    static func withoutDots(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else {
                parts.append(part)
            }
        }
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }

    /// The command that runs a planned experiment and records what comes of it.
    public func command(for experiment: PlannedExperiment) -> String {
        var words = ["windkanal", "run", path(of: experiment.file)]
        if let profile = experiment.profile { words += ["--profile", profile] }
        if let seeds = experiment.seeds { words += ["--seeds", seeds] }
        return (words + ["--record"]).joined(separator: " ")
    }
}
