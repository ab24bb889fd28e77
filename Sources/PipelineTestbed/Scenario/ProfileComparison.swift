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
    }

    private let environment: [String: String]

    /// Prepares a comparison.
    public init(environment: [String: String]) {
        self.environment = environment
    }

    /// Runs a scenario with every profile; settings of the scenario's own, such as a deadline, stay with its own profile.
    ///
    /// - Returns: A row for each profile.
    /// - Throws: ``SimulationError`` when simulations cannot run here.
    public func rows(_ experiment: Experiment, _ scenario: Scenario, seed: Seed?) throws -> [Row] {
        let name = experiment.origin.split(separator: "/").last ?? ""
        return try PollerProfile.all.map { profile in
            var scenario = scenario
            if let seed { scenario.seed = seed }
            if profile.name != scenario.baseProfile.name {
                scenario.pollerSettings = PollerSettings()
                try scenario.use(profile)
            }
            let run = ScenarioRun(experiment, in: scenario, options: RunOptions(), environment: environment)
            return Row(
                scenario: name.hasSuffix(".json") ? String(name.dropLast(5)) : String(name), profile: profile.name,
                result: try run.run())
        }
    }

    /// The rows as a table in Markdown: verdicts, and the largest and the 95th percentile of each age, in seconds.
    public static func table(_ rows: [Row]) -> String {
        var lines = [
            "| scenario | profile | verdict | global last success | per-flat last success | per-flat data | beyond the bound |",
            "|---|---|---|---|---|---|---|",
        ]
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
