import PipelineTestbed
import PipelineTesting
import WindkanalXCTest
import XCTest

/// Scenarios' files as XCTests.
final class ScenarioXCTests: XCTestCase {
    // What a test says of a seed must be what the command says of it: one digest, one verdict.
    func testAScenarioHasTheDigestThatTheCommandPrints() throws {
        for scenario in Command.smoke {
            let summary = try assertHolds(.scenario(scenario), seeds: .only(17))
            let digest = try XCTUnwrap(summary.runs.first).digest
            let line = try Command.verdict(of: scenario, ["--seed", "17"])
            XCTAssertTrue(line.contains("verdict held"), line)
            XCTAssertTrue(line.contains("digest \(digest)"), "\(digest) is not in: \(line)")
        }
    }

    func testAProfileThatFailsIsRefutedAsTheCommandSays() throws {
        let trial: ScenarioTrial = try .scenario(Command.smoke[0], profile: "naive")
        let outcome = try trial.run(seed: 1)
        let line = try Command.verdict(of: Command.smoke[0], ["--seed", "1", "--profile", "naive"])
        XCTAssertEqual(outcome.verdict, "refuted")
        XCTAssertTrue(line.contains("verdict refuted") && line.contains("digest \(outcome.digest)"), line)
        XCTAssertEqual(outcome.replay, "windkanal run '\(Command.smoke[0])' --seed 1 --profile naive")
        XCTAssertFalse(outcome.failures.isEmpty, "a failure says why")
    }

    // WINDKANAL_SEEDS=1000 makes it the thousand that the documentation speaks of.
    func testBothSmokeScenariosHoldForManySeeds() throws {
        for scenario in Command.smoke { try assertHolds(.scenario(scenario), seeds: .count(2)) }
    }

    // The recipe of a failed run, played by the command, is the same run.
    func testTheRecipeThatIsKeptIsTheSameRun() throws {
        let trial: ScenarioTrial = try .scenario(Command.smoke[0], profile: "naive")
        let outcome = try trial.run(seed: 3)
        let evidence = try trial.evidence(of: outcome)
        XCTAssertEqual(evidence.map(\.name), ["recipe.json", "journal.json", "report.html"])
        let path = "\(NSTemporaryDirectory())/recipe-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try evidence[0].contents.write(toFile: path, atomically: true, encoding: .utf8)
        let played: ScenarioTrial = try .scenario(path)
        XCTAssertEqual(try played.run(seed: 3).digest, outcome.digest)
        XCTAssertTrue(evidence[0].contents.contains("\"seed\": 3"))
    }

    // The page of a failed test is the one that the command makes of the same run.
    func testAFailedScenarioComesWithItsReport() throws {
        let trial: ScenarioTrial = try .scenario(Command.smoke[0], profile: "naive")
        let outcome = try trial.run(seed: 1)
        let report = try XCTUnwrap(try trial.evidence(of: outcome).last)
        XCTAssertEqual(report.name, "report.html")
        for text in [
            "refuted", "\(outcome.digest)", "Ages against the bound", "--profile naive", "What every service was doing",
        ] {
            XCTAssertTrue(report.contents.contains(text), "no '\(text)' in the page")
        }
    }

    func testAFileThatIsNoScenarioIsRefusedWithEverythingThatIsWrong() throws {
        func problem(_ path: String, profile: String? = nil) -> String {
            do {
                let _: ScenarioTrial = try .scenario(path, profile: profile)
                return "nothing"
            } catch {
                return "\(error)"
            }
        }
        XCTAssertTrue(problem("scenarios/none.json").contains("scenarios/none.json cannot be tried"))
        XCTAssertTrue(problem("fixtures/chaostoolkit/edge/e-bg-order.json").contains("no extension 'windkanal'"))
        XCTAssertTrue(problem(Command.smoke[0], profile: "lazy").contains("there are naive"))
        let path = "\(NSTemporaryDirectory())/wrong-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try """
        {"title": "t", "description": "d", "method": [{"type": "action", "name": "a", "provider":
          {"type": "python", "module": "windkanal.network", "func": "cat", "arguments": {}}}],
         "extensions": [{"name": "windkanal", "landscape": {}}]}
        """.write(toFile: path, atomically: true, encoding: .utf8)
        XCTAssertTrue(problem(path).contains("cat"), problem(path))
    }
}
