public import Documents
public import Experiments
import Pipeline
public import SimulationKernel

/// Scenarios with every profile of the poller: who bears what.
public struct ProfileComparison: Sendable {
    /// What a scenario came to with a profile.
    public struct Row: Sendable {
        /// The scenario's file, without its folder.
        public let scenario: String
        /// The profile's name.
        public let profile: String
        /// What came of it.
        public let result: ScenarioRun.Result

        /// The row as an object.
        public var json: Value.Object {
            var object: Value.Object = [
                "event": "row", "scenario": .string(scenario), "profile": .string(profile),
            ]
            for (name, value) in result.json(strict: false) where name != "event" { object[name] = value }
            return object
        }
    }

    /// The columns of the table.
    private static let header: [String] = [
        "| scenario | profile | verdict | global last success | per-flat last success | per-flat data | beyond the bound |",
        "|---|---|---|---|---|---|---|",
    ]

    private let environment: [String: String]
    private let interruption: ScenarioInterruption

    /// Prepares a comparison; `interruption` may end it.
    public init(environment: [String: String], interruption: ScenarioInterruption) {
        self.environment = environment
        self.interruption = interruption
    }

    /// Runs a scenario with every profile; settings of the scenario's own, such as a timeout, stay with its own profile.
    ///
    /// - Parameters:
    ///   - experiment: The experiment.
    ///   - scenario: Its scenario.
    ///   - seed: What the runs follow from; nil takes the scenario's.
    ///   - recorder: Hears of each run, with its profile, as it goes on; nil is nobody.
    ///   - take: Is given the row of each profile when it is there; not that of a run that was interrupted.
    /// - Throws: ``SimulationError`` when simulations cannot run here.
    public func run(
        _ experiment: Experiment, _ scenario: Scenario, seed: Seed?,
        recorder: (@Sendable (RunEvent) -> Void)? = nil, take: (Row) -> Void
    ) throws {
        let name = Self.name(of: experiment)
        for profile in PollerProfile.all where interruption.requested == nil {
            var scenario = scenario
            if let seed { scenario.seed = seed }
            if profile.name != scenario.baseProfile.name {
                scenario.pollerSettings = PollerSettings()
                try scenario.use(profile)
            }
            let run = ScenarioRun(
                experiment, in: scenario, options: RunOptions(), environment: environment, interruption: interruption,
                samples: recorder != nil, recorder: recorder ?? { _ in })
            let result = try run.run()
            guard !result.isInterrupted else { return }
            take(Row(scenario: name, profile: profile.name, result: result))
        }
    }

    /// A scenario's file, without its folder.
    private static func name(of experiment: Experiment) -> String {
        let name = experiment.origin.split(separator: "/").last ?? ""
        return String(name.hasSuffix(".json") ? name.dropLast(5) : name)
    }

    /// The rows as a table in Markdown: verdicts, and the largest and the 95th percentile of each age, in seconds.
    public static func table(_ rows: [Row]) -> String {
        var lines = header
        for row in rows {
            let ages = Scenario.AgeKind.allCases.map { kind in
                row.result.ages[kind].map { "\(ScenarioRun.Result.text($0.max)) / \(ScenarioRun.Result.text($0.p95))" }
                    ?? ""
            }
            let cells =
                [row.scenario, row.profile, row.result.verdict(strict: false)] + ages
                + ["\(row.result.secondsBeyondBound) s of \(row.result.secondsWatched)"]
            lines.append("| \(cells.joined(separator: " | ")) |")
        }
        return lines.joined(separator: "\n")
    }
}
