import PipelineTesting
import Testing
import WindkanalTesting

/// Scenarios' files as tests of Swift Testing.
@Suite struct SmokeScenarioTests {
    @Test(arguments: Command.smoke)
    func aScenarioHasTheDigestThatTheCommandPrints(_ scenario: String) throws {
        let summary = try assertHolds(.scenario(scenario), seeds: .only(17))
        let digest = try #require(summary.runs.first).digest
        let line = try Command.verdict(of: scenario, ["--seed", "17"])
        #expect(line.contains("verdict held") && line.contains("digest \(digest)"))
    }

    @Test(arguments: Command.smoke)
    func bothSmokeScenariosHoldForManySeeds(_ scenario: String) throws {
        try assertHolds(.scenario(scenario), seeds: .count(2))
    }

    // The issue stands at the caller's line and says what a reader needs.
    @Test func aRefutedScenarioIsAnIssue() throws {
        var options = SweepOptions()
        options.keepsFailures = false
        let line = #line + 2
        try withKnownIssue {
            try assertHolds(.scenario(Command.smoke[0], profile: "naive"), seeds: .only(1), options: options)
        } matching: { issue in
            let text = issue.comments.map(\.rawValue).joined()
            return issue.sourceLocation?.line == line && text.contains("refuted for seed 1")
                && text.contains("replay: WINDKANAL_SEED=1 swift test --filter 'aRefutedScenarioIsAnIssue'")
                && text.contains("windkanal run 'scenarios/smoke/device-latency.json' --seed 1 --profile naive")
                && text.contains("recipe.json: ")
        }
    }
}
