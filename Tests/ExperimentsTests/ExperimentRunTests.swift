import Documents
import XCTest

@testable import Experiments

final class ExperimentRunTests: XCTestCase {
    /// How the hypothesis' probe behaves.
    private enum Outcome: CaseIterable {
        case met
        case missed
        case fails
    }

    private static let providers = FakeProviders { call throws(ActivityError) in
        guard case .process(let call) = call else { throw .unexpected("no process") }
        switch call.path {
        case "met": return ["status": 0]
        case "missed": return ["status": 1]
        case "fails": throw .failed("it took too long")
        case "breaks": throw .unexpected("it broke")
        case "waits":
            do {
                try await Task.sleep(for: .seconds(60))
                return ["status": 0]
            } catch {
                throw .interrupted
            }
        default: return ["status": 0]
        }
    }

    private func activity(_ path: String, type: String = "action", more: Value.Object = [:]) -> Value {
        let base: Value.Object = [
            "type": .string(type), "name": .string(path), "provider": ["type": "process", "path": .string(path)],
        ]
        return .object(base.merging(more))
    }

    private func experiment(
        probe: String? = nil, method: [Value] = [], rollbacks: [Value] = [], more: Value.Object = [:]
    ) -> Experiment {
        var object: Value.Object = ["title": "t", "description": "d", "method": .array(method)]
        object["rollbacks"] = .array(rollbacks)
        if let probe {
            object["steady-state-hypothesis"] = [
                "title": "h", "probes": [activity(probe, type: "probe", more: ["tolerance": 0])],
            ]
        }
        return Experiment(Document(value: .object(object.merging(more))), origin: "test")
    }

    private func makeRun(
        _ experiment: Experiment, _ options: RunOptions = RunOptions(),
        recorder: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) -> ExperimentRun {
        ExperimentRun(
            experiment, options: options,
            environment: RunEnvironment(
                clock: ContinuousClock(), wallTime: { .zero }, providers: Self.providers,
                variables: ["KEY": "hidden-word"],
                platform: "p", node: "n", recorder: recorder))
    }

    // The reference's table: what each strategy makes of a hypothesis that is met, missed, or cannot be tested.
    func testEveryStrategyDecidesAsTheReference() async throws {
        typealias Row = (HypothesisStrategy, Outcome, String, deviated: Bool, played: Bool, rolledBack: Bool)
        let rows: [Row] = [
            (.default, .met, "completed", false, true, true), (.default, .missed, "completed", false, false, true),
            (.default, .fails, "failed", false, false, false),
            (.continuously, .met, "completed", false, true, true),
            (.continuously, .missed, "completed", false, false, true),
            (.beforeMethodOnly, .met, "completed", false, true, true),
            (.beforeMethodOnly, .missed, "completed", false, false, true),
            (.beforeMethodOnly, .fails, "failed", false, false, false),
            (.afterMethodOnly, .met, "completed", false, true, true),
            (.afterMethodOnly, .missed, "completed", true, true, true),
            (.afterMethodOnly, .fails, "failed", true, true, false),
            (.duringMethodOnly, .met, "completed", false, true, true),
            (.duringMethodOnly, .missed, "completed", false, true, true),
            (.duringMethodOnly, .fails, "completed", false, true, true),
            (.skip, .fails, "completed", false, true, true),
        ]
        for (strategy, outcome, status, deviated, played, rolledBack) in rows {
            var options = RunOptions()
            options.hypothesisStrategy = strategy
            let journal = try await makeRun(
                experiment(probe: "\(outcome)", method: [activity("a")], rollbacks: [activity("undo")]), options
            ).run()
            let name = "\(strategy) \(outcome)"
            XCTAssertEqual(journal.status?.rawValue, status, name)
            XCTAssertEqual(journal.deviated, deviated, name)
            XCTAssertEqual(journal.run.count, played ? 1 : 0, name)
            XCTAssertEqual(journal.rollbacks.count, rolledBack ? 1 : 0, name)
        }
    }

    func testADeviationEndsTheMethodWhenItShouldFailFast() async throws {
        var options = RunOptions()
        options.hypothesisStrategy = .duringMethodOnly
        options.failsFast = true
        let pause: Value.Object = ["pauses": ["after": 0.05]]
        let journal = try await makeRun(
            experiment(
                probe: "missed", method: [activity("a", more: pause), activity("b")], rollbacks: [activity("undo")]),
            options
        ).run()
        XCTAssertEqual(journal.status, .failed)
        XCTAssertEqual(journal.run.map { $0.activity["name"] }, ["a"])
        XCTAssertEqual(journal.rollbacks.count, 0)
    }

    // A failed activity changes nothing for the reference, and everything for a strict verdict.
    func testAStrictVerdictCountsWhatTheReferenceLetsPass() async throws {
        let failed = try await makeRun(experiment(probe: "met", method: [activity("fails")])).run()
        XCTAssertTrue(failed.isSuccess(by: .reference))
        XCTAssertEqual(failed.verdict(by: .reference).verdict, .held)
        XCTAssertFalse(failed.isSuccess(by: .strict))
        XCTAssertEqual(failed.verdict(by: .strict).verdict, .inconclusive)

        let unsteady = try await makeRun(experiment(probe: "missed", method: [activity("a")])).run()
        XCTAssertTrue(unsteady.isSuccess(by: .reference))
        XCTAssertFalse(unsteady.isSuccess(by: .strict))
        XCTAssertEqual(unsteady.verdict(by: .reference).verdict, .unsteady)

        var options = RunOptions()
        options.hypothesisStrategy = .duringMethodOnly
        let during = try await makeRun(
            experiment(probe: "missed", method: [activity("a", more: ["pauses": ["after": 0.02]])]), options
        ).run()
        XCTAssertTrue(during.isSuccess(by: .reference))
        XCTAssertEqual(during.verdict(by: .strict).verdict, .refuted)
    }

    // The system was seen outside its steady state: that some part of the method failed does not make it unseen. What a probe that
    // failed would have seen is unknown.
    func testARefutationStandsAlthoughAnActivityFailed() async throws {
        var options = RunOptions()
        options.hypothesisStrategy = .afterMethodOnly
        func verdict(_ probe: String, _ action: String, _ rule: Verdict.Rule) async throws -> Verdict {
            try await makeRun(experiment(probe: probe, method: [activity(action)]), options).run()
                .verdict(by: rule).verdict
        }
        for rule in [Verdict.Rule.scenario, .strict] {
            let refuted = try await verdict("missed", "fails", rule)
            XCTAssertEqual(refuted, .refuted)
            let untestable = try await verdict("fails", "fails", rule)
            XCTAssertEqual(untestable, .failed)
            let held = try await verdict("met", "fails", rule)
            XCTAssertEqual(held, .inconclusive)
        }
    }

    func testADeviationDuringTheMethodRefutesUnlessItsProbeFailed() async throws {
        var options = RunOptions()
        options.hypothesisStrategy = .duringMethodOnly
        let method = [activity("a", more: ["pauses": ["after": 0.02]]), activity("fails")]
        let missed = try await makeRun(experiment(probe: "missed", method: method), options).run()
        XCTAssertEqual(missed.verdict(by: .strict).verdict, .refuted)
        XCTAssertEqual(missed.verdict(by: .scenario).verdict, .inconclusive)
        let untestable = try await makeRun(experiment(probe: "fails", method: method), options).run()
        XCTAssertEqual(untestable.verdict(by: .strict).verdict, .failed)
        XCTAssertFalse(untestable.isSuccess(by: .strict))
        // For the reference a run that ends at its first deviation has failed; for a scenario it is refuted.
        options.failsFast = true
        let fast = try await makeRun(experiment(probe: "missed", method: method), options).run()
        XCTAssertEqual(fast.verdict(by: .reference).verdict, .failed)
        XCTAssertEqual(fast.verdict(by: .scenario).verdict, .refuted)
    }

    func testSomethingUnexpectedAbortsTheMethodAndEndsTheRestWithoutAJournal() async throws {
        let journal = try await makeRun(
            experiment(method: [activity("breaks"), activity("a")], rollbacks: [activity("undo")])
        ).run()
        XCTAssertEqual(journal.status, .aborted)
        XCTAssertEqual(journal.run.count, 1)
        XCTAssertNil(journal.run[0].status)
        XCTAssertEqual(journal.rollbacks.count, 1)
        for broken in [experiment(probe: "breaks"), experiment(rollbacks: [activity("breaks")])] {
            do {
                _ = try await makeRun(broken).run()
                XCTFail("a journal came of it")
            } catch {
                XCTAssertEqual("\(error)", "it broke")
            }
        }
    }

    // Entries stand in the order in which activities began, and the method ends when all have.
    func testActivitiesInTheBackgroundAreAwaited() async throws {
        let journal = try await makeRun(
            experiment(method: [
                activity("a", more: ["background": true, "pauses": ["after": 0.05]]), activity("b"),
                activity("breaks", more: ["background": true]), activity("c"),
            ])
        ).run()
        XCTAssertEqual(journal.run.map { $0.activity["name"] }, ["a", "b", "breaks", "c"])
        XCTAssertEqual(journal.run.map(\.status), [.succeeded, .succeeded, nil, .succeeded])
        XCTAssertEqual(journal.status, .completed)
    }

    func testAnInterruptionCutsTheActivityAndLeavesTheRestOut() async throws {
        for (kind, strategy, rolledBack) in [
            (Interruption.interrupt, RollbackStrategy.default, 0), (.termination, .always, 1),
            (.gracefulExit, .always, 1), (.ungracefulExit, .always, 0), (.hangUp, .always, 1), (.quit, .default, 0),
        ] {
            var options = RunOptions()
            options.rollbackStrategy = strategy
            let began = expectation(description: "the activity has begun")
            let run = makeRun(
                experiment(probe: "met", method: [activity("waits"), activity("a")], rollbacks: [activity("undo")]),
                options,
                recorder: { event in
                    if case .activityBegan(let activity) = event, activity.name == "waits" { began.fulfill() }
                })
            let task = Task { try await run.run() }
            await fulfillment(of: [began], timeout: 10)
            await run.interrupt(kind)
            let journal = try await task.value
            XCTAssertEqual(journal.status, .interrupted, "\(kind)")
            // An experiment that ends itself by a signal knows of it; the reference tells of others.
            let told = journal.value["interruption"]?["name"]
            XCTAssertEqual(told, ["SIGUSR1", "SIGUSR2"].contains(kind.rawValue) ? nil : .string(kind.rawValue))
            XCTAssertEqual(journal.run.count, 1, "\(kind)")
            XCTAssertNil(journal.run[0].status, "\(kind)")
            XCTAssertNotNil(journal.before, "\(kind)")
            XCTAssertNil(journal.after, "\(kind)")
            XCTAssertEqual(journal.rollbacks.count, rolledBack, "\(kind)")
        }
    }

    func testAnUngracefulExitEndsWhatRunsInTheBackground() async throws {
        let began = expectation(description: "the activity has begun")
        let run = makeRun(
            experiment(method: [activity("waits", more: ["background": true])]),
            recorder: { event in
                if case .activityBegan(let activity) = event, activity.name == "waits" { began.fulfill() }
            })
        let task = Task { try await run.run() }
        await fulfillment(of: [began], timeout: 10)
        // The method has ended, and is waited for.
        try await Task.sleep(for: .milliseconds(20))
        await run.interrupt(.interrupt)
        await run.interrupt(.ungracefulExit)
        let journal = try await task.value
        XCTAssertEqual(journal.status, .interrupted)
        XCTAssertLessThan(journal.duration, .seconds(30))
    }

    func testAnInterruptionBeforeTheExperimentLeavesAJournalOfNothing() async throws {
        let asked = expectation(description: "the probe has begun")
        let providers = FakeProviders { _ throws(ActivityError) in
            asked.fulfill()
            do {
                try await Task.sleep(for: .seconds(60))
                return ["status": 0]
            } catch {
                throw .interrupted
            }
        }
        let experiment = experiment(
            method: [activity("a")],
            more: ["configuration": ["k": ["type": "probe", "provider": ["type": "process", "path": "x"]]]])
        let run = ExperimentRun(
            experiment, options: RunOptions(),
            environment: RunEnvironment(
                clock: ContinuousClock(), wallTime: { .zero }, providers: providers, platform: "p", node: "n"))
        let task = Task { try await run.run() }
        await fulfillment(of: [asked], timeout: 10)
        await run.interrupt(.termination)
        let journal = try await task.value
        XCTAssertEqual(journal.status, .interrupted)
        XCTAssertEqual(journal.value["interruption"]?["reason"], "received SIGTERM")
        XCTAssertEqual(journal.run.count, 0)
    }

    // What a function ends by `sys.exit` interrupts, as a signal does.
    func testAnActivityThatEndsTheRunLeavesTheHypothesisOut() async throws {
        let providers = FakeProviders { call throws(ActivityError) in
            guard case .process(let call) = call, call.path == "exits" else { return ["status": 0] }
            throw .interrupted
        }
        let run = ExperimentRun(
            experiment(probe: "met", method: [activity("exits")], rollbacks: [activity("undo")]),
            options: RunOptions(),
            environment: RunEnvironment(
                clock: ContinuousClock(), wallTime: { .zero }, providers: providers, platform: "p", node: "n"))
        let journal = try await run.run()
        XCTAssertEqual(journal.status, .interrupted)
        XCTAssertNil(journal.after)
        XCTAssertTrue(journal.rollbacks.isEmpty)
    }

    func testAContinuousHypothesisIsToldOfWhenItChanges() async throws {
        let messages = Messages()
        let count = Counter()
        let providers = FakeProviders { call throws(ActivityError) in
            guard case .process(let call) = call, call.path == "probe" else { return ["status": 0] }
            // Steady, steady, not, not, not, steady from then on.
            return ["status": .integer((3...5).contains(count.next()) ? 1 : 0)]
        }
        var options = RunOptions()
        options.hypothesisStrategy = .continuously
        options.hypothesisFrequency = .milliseconds(1)
        let run = ExperimentRun(
            experiment(probe: "probe", method: [activity("a", more: ["pauses": ["after": 0.2]])]), options: options,
            environment: RunEnvironment(
                clock: ContinuousClock(), wallTime: { .zero }, providers: providers, platform: "p", node: "n",
                recorder: { messages.record($0) }))
        let journal = try await run.run()
        XCTAssertGreaterThan(journal.during.count, 5)
        XCTAssertEqual(journal.during.count { $0.isMet == false }, 3)
        XCTAssertEqual(messages.all.count { $0.contains("is not in the given tolerance") }, 1)
        // Before, when it is met again, and after.
        XCTAssertEqual(messages.all.count { $0 == "Steady state hypothesis is met!" }, 3)
        XCTAssertEqual(
            messages.all.count { $0.contains("tested \(journal.during.count) times") }, 1, "\(messages.all)")
    }

    func testDynamicValuesAreShownAllSecretsAndMayBeBroken() async throws {
        let messages = Messages()
        let seen = Messages()
        let providers = FakeProviders { call throws(ActivityError) in
            if case .python(let call) = call { seen.add(JSONWriter.write(call.secrets ?? .null)) }
            return "found"
        }
        let python: Value = ["type": "python", "module": "m", "func": "f"]
        let run = ExperimentRun(
            experiment(
                method: [activity("a")],
                more: [
                    "configuration": [
                        "broken": ["type": "probe", "provider": ["type": "process"]],
                        "fine": ["type": "probe", "provider": python],
                    ],
                    "secrets": ["t": ["a": 1], "u": ["b": 2]], "title": "${fine}",
                ]), options: RunOptions(),
            environment: RunEnvironment(
                clock: ContinuousClock(), wallTime: { .zero }, providers: providers, platform: "p", node: "n",
                recorder: { messages.record($0) }))
        let journal = try await run.run()
        XCTAssertEqual(seen.all.first, "{\"a\":1,\"b\":2}")
        XCTAssertEqual(journal.experiment["title"], "found")
        XCTAssertTrue(messages.all.contains { $0.contains("'broken' has no value") }, "\(messages.all)")
    }

    func testSecretsAreFoundInTheFormsThatOthersGiveThem() {
        let redactor = Redactor(secrets: ["t": ["a": "p@ss w\"rd\n", "pin": 12_345_678, "year": 2026, "short": "abc"]])
        for text in ["p@ss w\"rd", "p%40ss+w%22rd", "p%40ss%20w%22rd", "p@ss%20w%22rd", "p@ss w\\\"rd", "12345678"] {
            XCTAssertEqual(redactor.redact("<\(text)>"), "<[redacted]>", text)
        }
        XCTAssertEqual(redactor.redact("abc"), "abc")
        let journal: Value = [
            "start": "2026-01-01", "experiment": ["title": "in 2026"],
            "run": [["output": ["n": 12_345_678], "start": "2026-01-01", "status": "succeeded"]],
        ]
        XCTAssertEqual(
            redactor.redact(journal: journal),
            [
                "start": "2026-01-01", "experiment": ["title": "in [redacted]"],
                "run": [["output": ["n": "[redacted]"], "start": "2026-01-01", "status": "succeeded"]],
            ])
    }

    func testSecretsAreNotInWhatOthersRead() async throws {
        let messages = Messages()
        let run = makeRun(
            experiment(
                method: [activity("hidden-word")],
                more: [
                    "secrets": ["s": ["plain": "abc", "key": ["type": "env", "key": "KEY"]]],
                    "contributions": ["x": "knows hidden-word"],
                ]),
            recorder: { messages.record($0) })
        let journal = try await run.run()
        let redactor = await run.redactor
        let text = JSONWriter.write(redactor.redact(journal: journal.value))
        XCTAssertFalse(text.contains("hidden-word"), text)
        XCTAssertTrue(text.contains("knows [redacted]"), text)
        XCTAssertTrue(text.contains("\"plain\":\"[redacted]\""), text)
        XCTAssertTrue(text.contains("\"type\":\"env\",\"key\":\"KEY\""), text)
        XCTAssertTrue(messages.all.contains("Action: hidden-word"))
        XCTAssertEqual(messages.all.map { redactor.redact($0) }.filter { $0.contains("hidden-word") }, [])
    }

    func testDynamicValuesSeeWhatStandsBeforeThem() async throws {
        let configuration: Value = [
            "early": 1,
            "found": ["type": "probe", "name": "p", "provider": ["type": "process", "path": "${early}"]],
        ]
        let journal = try await makeRun(
            experiment(method: [activity("a")], more: ["configuration": configuration, "title": "${early} ${found}"])
        ).run()
        XCTAssertEqual(journal.experiment["title"], "1 ")
    }
}

/// Gathers what people would read.
private final class Messages: @unchecked Sendable {
    private(set) var all: [String] = []
    private var narrator: RunNarrator = RunNarrator()

    func add(_ text: String) { all.append(text) }

    func record(_ event: RunEvent) { all += narrator.lines(for: event).map(\.text) }
}

/// Counts calls, which come one at a time.
private final class Counter: @unchecked Sendable {
    private var count: Int = 0

    func next() -> Int {
        count += 1
        return count
    }
}
