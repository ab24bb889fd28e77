import SimulationTesting
import XCTest

/// Sweeps over seeds: what is said of failures, what is kept, and what the environment may say.
final class SweepTests: FolderTestCase {
    private let test = TestIdentity(name: "testPolls()", filePath: "/nowhere/Tests/PollTests.swift")

    private func sweep(
        _ trial: ScriptedTrial, seeds: Seeds = .count(20), sometimes: [String] = [],
        environment: [String: String] = [:], change: (inout SweepOptions) -> Void = { _ in }
    ) throws -> (summary: SweepSummary, findings: [SweepFinding]) {
        var options = SweepOptions(sometimes: sometimes)
        options.folder = folder
        change(&options)
        var findings: [SweepFinding] = []
        let overrides = try SweepOverrides { environment[$0] }
        let summary = try Sweep(trial, in: test, seeds: seeds, options: options, overrides: overrides).run {
            findings.append($0)
        }
        return (summary, findings)
    }

    private func keptFiles(_ part: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(part)"))?.sorted() ?? []
    }

    func testAFindingSaysEverythingThatOneNeedsToSeeItAgain() throws {
        var trial = ScriptedTrial.failing([7])
        trial.files = [Evidence("recipe.json", "{}")]
        let (summary, findings) = try sweep(trial)
        XCTAssertEqual(summary.failing, [7])
        XCTAssertEqual(summary.runs.count, 20)
        let text = try XCTUnwrap(findings.first).message
        XCTAssertEqual(findings.count, 1)
        for part in [
            "refuted for seed 7 (7 of 20 run): 'scripted'", "first: the queue is too long",
            "then: and nobody reads it", "impact: service.crash service=a: hit 1 time",
            "after 12.000000000 s of virtual time", "replay: WINDKANAL_SEED=7 swift test --filter 'testPolls'",
            "or: windkanal run x --seed 7", "recipe.json: \(folder)/failures/testPolls-seed-7.recipe.json",
            "kept in \(folder)/regress/testPolls-",
        ] {
            XCTAssertTrue(text.contains(part), "'\(part)' is missing in:\n\(text)")
        }
        XCTAssertEqual(keptFiles("failures"), ["testPolls-seed-7.recipe.json"])
    }

    func testEachFailingSeedIsAFindingOfItsOwn() throws {
        let (_, findings) = try sweep(.failing([2, 5, 9]))
        XCTAssertEqual(findings.compactMap(\.outcome?.seed), [2, 5, 9])
    }

    // Red stays red until it is mended: the next run plays what failed first, and forgets it when it passes.
    func testFailingSeedsArePlayedFirstUntilTheyPass() throws {
        _ = try sweep(.failing([7, 19]))
        XCTAssertEqual(keptFiles("regress").count, 1)
        let again = try sweep(.failing([19]), seeds: .count(3))
        XCTAssertEqual(again.summary.runs.map(\.seed), [7, 19, 1, 2, 3], "also seeds that the sweep would not have")
        XCTAssertEqual(again.findings.compactMap(\.outcome?.seed), [19])
        XCTAssertEqual(
            again.summary.notes,
            ["seed 7 of 'scripted' passes now and is forgotten; it was refuted: the queue is too long"])
        let mended = try sweep(.failing([]), seeds: .count(1))
        XCTAssertEqual(mended.summary.runs.map(\.seed), [19, 1])
        XCTAssertEqual(mended.summary.notes.count, 1)
        XCTAssertEqual(keptFiles("regress"), [], "a file without seeds is removed")
        XCTAssertEqual(try sweep(.failing([]), seeds: .count(1)).summary.runs.map(\.seed), [1])
    }

    // The largest seed must come back as it was: JSON's numbers end earlier.
    func testTheLargestSeedIsKeptWhole() throws {
        let seed = Seed(.max)
        _ = try sweep(.failing([.max]), seeds: .only(seed))
        XCTAssertEqual(try sweep(.failing([]), seeds: .only(1)).summary.runs.map(\.seed), [seed, 1])
    }

    func testTwoTestsAndTwoTrialsDoNotShareTheirFailures() throws {
        _ = try sweep(.failing([7]))
        var other = ScriptedTrial.failing([])
        other = ScriptedTrial(name: "another", outcome: other.outcome)
        XCTAssertEqual(try sweep(other, seeds: .only(1)).summary.runs.map(\.seed), [1])
        var options = SweepOptions()
        options.folder = folder
        let elsewhere = TestIdentity(name: "testOther()", filePath: test.filePath)
        let summary = try Sweep(
            ScriptedTrial.failing([]), in: elsewhere, seeds: .only(1), options: options, overrides: SweepOverrides()
        ).run { _ in }
        XCTAssertEqual(summary.runs.map(\.seed), [1])
    }

    func testAFileOfKeptFailuresThatIsBrokenIsNamedWithTheRemedy() throws {
        _ = try sweep(.failing([7]))
        let path = "\(folder)/regress/\(try XCTUnwrap(keptFiles("regress").first))"
        for text in ["{", "{\"seeds\": 3}", "{\"seeds\": [{\"seed\": \"seven\"}]}"] {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            XCTAssertThrowsError(try sweep(.failing([]))) { error in
                XCTAssertTrue("\(error)".contains(path), "\(error)")
                XCTAssertTrue("\(error)".contains("remove it"), "\(error)")
            }
        }
    }

    func testAFolderThatCannotBeWrittenIsSaidAndTheFailureToldAllTheSame() throws {
        try "a file".write(toFile: folder, atomically: true, encoding: .utf8)
        let (summary, findings) = try sweep(.failing([7]))
        XCTAssertEqual(findings.count, 1)
        XCTAssertTrue(summary.notes.contains { $0.contains("cannot be kept") }, "\(summary.notes)")
    }

    func testWhatFailsForEverySeedIsNotToldAThousandTimes() throws {
        let (summary, findings) = try sweep(.failing(Set(1...1000)), seeds: .count(1000), sometimes: ["never"])
        XCTAssertEqual(findings.count, 10)
        XCTAssertEqual(summary.runs.count, 10)
        XCTAssertEqual(summary.notes, ["'scripted' ended after 10 failing seeds; 10 were run"])
    }

    // MARK: The environment

    func testTheEnvironmentOverridesSeeds() throws {
        func seeds(_ environment: [String: String]) throws -> [Seed] {
            try sweep(.failing([]), seeds: .count(5), environment: environment).summary.runs.map(\.seed)
        }
        XCTAssertEqual(try seeds([:]), [1, 2, 3, 4, 5])
        XCTAssertEqual(try seeds(["WINDKANAL_SEED": "17"]), [17])
        XCTAssertEqual(try seeds(["WINDKANAL_SEEDS": "2"]), [1, 2])
        XCTAssertEqual(try seeds(["WINDKANAL_SEEDS": "8...9"]), [8, 9])
        XCTAssertEqual(try seeds(["WINDKANAL_SEEDS": "8...9", "WINDKANAL_SEED": "3"]), [3])
        XCTAssertEqual(try seeds(["WINDKANAL_SEED": ""]), [1, 2, 3, 4, 5])
    }

    func testABudgetOfRealTimeEndsASweepAfterOneSeedAtLeast() throws {
        var trial = ScriptedTrial.failing([])
        let outcome = trial.outcome
        trial.outcome = { seed in
            Thread.sleep(forTimeInterval: 0.02)
            return outcome(seed)
        }
        let (summary, findings) = try sweep(
            trial, seeds: .count(100_000), sometimes: ["never"], environment: ["WINDKANAL_BUDGET": "50ms"])
        XCTAssertTrue((1...20).contains(summary.runs.count), "\(summary.runs.count)")
        XCTAssertTrue(summary.notes.first?.contains("of real time") ?? false, "\(summary.notes)")
        XCTAssertEqual(findings.count, 0, "a sweep that was cut short says nothing about rare paths")
    }

    func testWhatTheEnvironmentCannotMeanIsAnErrorThatShowsTheForm() throws {
        for (variable, values) in [
            "WINDKANAL_SEED": ["x", "-1", "1.5"], "WINDKANAL_SEEDS": ["x", "0", "3...1", "1..5"],
            "WINDKANAL_BUDGET": ["x", "0", "-5s", "5 days", "99999999999999999999"],
        ] {
            for value in values {
                XCTAssertThrowsError(try SweepOverrides { $0 == variable ? value : nil }, "\(variable)=\(value)") {
                    let text = "\($0)"
                    XCTAssertTrue(text.contains(variable) && text.contains("look") || text.contains("such as"), text)
                }
            }
        }
        XCTAssertEqual(try SweepOverrides { $0 == "WINDKANAL_BUDGET" ? "90" : nil }.budget, .seconds(90))
        XCTAssertEqual(try SweepOverrides { $0 == "WINDKANAL_BUDGET" ? "10m" : nil }.budget, .seconds(600))
    }

    // MARK: Rare paths

    func testARarePathThatNoSeedTakesIsAFinding() throws {
        let (_, findings) = try sweep(.failing([], marks: ["a retry": 0, "a hit": 3]), sometimes: ["a restart"])
        XCTAssertEqual(
            findings.map(\.message),
            ["a restart", "a retry"].map {
                "sometimes: '\($0)' was not reached for any of 20 seeds (1...20)"
            })
    }

    func testARarePathNeedsOneSeedOfTheSweepAndNotEach() throws {
        let trial = CodeTrial("rare") { _ in
            sometimes("an even number", UInt64.random(in: 0 ... .max).isMultiple(of: 2))
        }
        var options = SweepOptions()
        options.folder = folder
        var findings: [SweepFinding] = []
        func run(_ seeds: Seeds) throws -> SweepSummary {
            try Sweep(trial, in: test, seeds: seeds, options: options, overrides: SweepOverrides()).run {
                findings.append($0)
            }
        }
        let summary = try run(.count(20))
        XCTAssertEqual(findings.count, 0)
        XCTAssertTrue((1..<20).contains(summary.marks["an even number"] ?? 0), "\(summary.marks)")
        // One seed alone proves nothing about sometimes.
        for seed in summary.runs.map(\.seed) { _ = try run(.only(seed)) }
        XCTAssertEqual(findings.count, 0)
    }
}
