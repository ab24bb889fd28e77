import SimulationKernel

/// What is said of a failing seed: everything that one needs to see it fail again.
struct FailureText {
    let trial: String
    let test: TestIdentity
    let outcome: TrialOutcome
    let seeds: Seeds
    let tried: Int

    /// Failures that are told beside the first.
    private static let moreMax: Int = 5

    /// The lines, the verdict first.
    var lines: [String] {
        var lines = ["\(outcome.verdict) for seed \(outcome.seed) (\(tried) of \(seeds.count) run): '\(trial)'"]
        for (index, failure) in outcome.failures.prefix(1 + Self.moreMax).enumerated() {
            let place = index == 0 ? "" : failure.location.map { " (\($0))" } ?? ""
            lines.append("\(index == 0 ? "first: " : "then: ")\(failure.message)\(place)")
        }
        let left = outcome.failures.count - 1 - Self.moreMax
        if left > 0 { lines.append("and \(left) more") }
        lines += outcome.impact.map { "impact: \($0)" }
        lines.append(
            "digest \(outcome.digest) after \(VirtualInstant.start.advanced(by: outcome.virtualTime)) of virtual time")
        lines.append("replay: \(test.replay(of: "\(outcome.seed)"))")
        if let replay = outcome.replay { lines.append("    or: \(replay)") }
        return lines
    }
}
