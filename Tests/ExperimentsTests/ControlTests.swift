import Documents
import XCTest

@testable import Experiments

/// Which controls are called around what, in which order, and what they may do.
final class ControlTests: XCTestCase {
    private func control(_ name: String, more: Value.Object = [:]) -> Value {
        let object: Value.Object = [
            "name": .string(name), "provider": ["type": "python", "module": .string(name)],
        ]
        return .object(object.merging(more))
    }

    private func activity(_ name: String, more: Value.Object = [:]) -> Value {
        let object: Value.Object = [
            "type": "action", "name": .string(name), "provider": ["type": "process", "path": .string(name)],
        ]
        return .object(object.merging(more))
    }

    private func experiment(_ controls: [Value], _ method: [Value], more: Value.Object = [:]) -> Experiment {
        let object: Value.Object = [
            "title": "t", "method": .array(method), "controls": .array(controls), "rollbacks": [activity("undo")],
        ]
        return Experiment(Document(value: .object(object.merging(more))), origin: "test")
    }

    private func names(_ controls: [Control]) -> [String] { controls.compactMap(\.name) }

    // The reference's rules, its oddities among them.
    func testControlsAreMergedAsInTheReference() throws {
        let global = Control.global(["g": ["provider": ["type": "python", "module": "g"]]])
        let experiment = experiment(
            [control("top"), control("manual", more: ["automatic": false])],
            [
                activity("bare"), activity("own", more: ["controls": [control("own")]]),
                activity("same", more: ["controls": [control("top")]]),
                activity("ref", more: ["controls": [control("x", more: ["ref": "manual"])]]),
            ])
        func around(_ controls: [Control]) throws -> [[String]] {
            let plan = Plan(experiment, controls: controls)
            return try plan.steps(of: .method).map { names(try $0.activity.get().controls) }
                + [Control.Level.experiment, .method, .rollback].map { names(plan.controls(around: $0)) }
        }
        XCTAssertEqual(
            try around([]),
            [["top"], ["top", "own"], ["top"], ["x", "manual"], ["top", "manual"], ["top"], ["top"]])
        XCTAssertEqual(
            try around(global),
            [
                ["top", "g"], ["top", "top", "g", "own"], ["top", "g", "top"], ["top", "g", "x", "manual"],
                ["g", "top", "manual"], ["top"], ["top"],
            ])
    }

    func testControlsAreCalledAroundEveryPartThatTheyAskFor() async throws {
        let calls = Calls { _ in ControlOutcome(.returned) }
        let experiment = experiment(
            [control("c"), control("b", more: ["scope": "before"])], [activity("a", more: ["background": true])],
            more: [
                "steady-state-hypothesis": [
                    "title": "h",
                    "probes": [
                        [
                            "type": "probe", "name": "look", "tolerance": 0,
                            "provider": ["type": "process", "path": "look"],
                        ]
                    ],
                ]
            ])
        var options = RunOptions()
        options.hypothesisStrategy = .beforeMethodOnly
        _ = try await run(experiment, calls, options: options)
        XCTAssertEqual(
            calls.names,
            [
                "c.configure_control", "b.configure_control", "c.before_experiment_control",
                "b.before_experiment_control", "c.before_hypothesis_control", "b.before_hypothesis_control",
                "c.before_activity_control", "b.before_activity_control", "c.after_activity_control",
                "c.after_hypothesis_control", "c.before_method_control", "b.before_method_control",
                "c.before_activity_control", "b.before_activity_control", "c.after_activity_control",
                "c.after_method_control", "c.before_rollback_control", "b.before_rollback_control",
                "c.before_activity_control", "b.before_activity_control", "c.after_activity_control",
                "c.after_rollback_control", "c.after_experiment_control", "c.cleanup_control", "b.cleanup_control",
            ])
        XCTAssertEqual(calls.states.last, "completed")
    }

    func testAControlMayChangeWhatIsDoneAndWhatCameOfIt() async throws {
        let calls = Calls { call in
            var outcome = ControlOutcome(.returned)
            switch call.function {
            case .around(.activity, .before):
                outcome.configuration = ["word": "new"]
                var experiment = call.experiment ?? .null
                experiment.set(Pointer(tokens: ["method", "0", "provider", "path"]), to: "other")
                outcome.experiment = experiment
            case .around(.activity, .after):
                var state = call.state ?? .null
                state.set(Pointer(tokens: ["output"]), to: "mine")
                state.set(Pointer(tokens: ["more"]), to: 1)
                outcome.state = state
            case .around(.method, .after):
                outcome.state = .array((call.state?.array ?? []) + ["and a text"])
            default: break
            }
            return outcome
        }
        let started = Calls { _ in ControlOutcome(.returned) }
        let (journal, _) = try await run(
            experiment(
                [control("c")], [activity("a", more: ["pauses": ["after": "${word}"]])], more: ["rollbacks": []]),
            calls, started: started)
        XCTAssertEqual(started.names, ["other"])
        // The pause was put in by a name whose value a control had changed meanwhile.
        XCTAssertEqual(journal.status, .aborted)
        XCTAssertEqual(journal.value["run"]?.array?.last, "and a text")
        XCTAssertEqual(journal.run.first?.activity["provider"]?["path"], "other")
        let (quiet, _) = try await run(experiment([control("c")], [activity("a")], more: ["rollbacks": []]), calls)
        XCTAssertEqual(quiet.run.first?.output, "mine")
        XCTAssertEqual(quiet.value["run"]?.array?.first?["more"], 1)
    }

    func testWhatAControlCannotDoIsRecordedAndChangesNothing() async throws {
        let calls = Calls { _ in ControlOutcome(.failed("ValueError: no")) }
        let (journal, events) = try await run(experiment([control("c")], [activity("a")]), calls)
        XCTAssertEqual(journal.status, .completed)
        XCTAssertTrue(journal.isSuccess)
        var narrator = RunNarrator()
        let lines = events.flatMap { narrator.lines(for: $0) }.filter { $0.level == .warning }.map(\.text)
        XCTAssertTrue(lines.contains("Control 'c' failed in before_activity_control: ValueError: no"), "\(lines)")
    }

    func testAControlMayEndTheRunAndIsStillCalledBehindWhatItEnded() async throws {
        for (level, side, ran) in [
            (Control.Level.experiment, Control.Side.before, 0), (.method, .before, 0), (.activity, .before, 0),
            (.activity, .after, 1), (.method, .after, 2),
        ] {
            let calls = Calls { call in
                ControlOutcome(call.function == .around(level, side) ? .interrupted("enough") : .returned)
            }
            let (journal, _) = try await run(experiment([control("c")], [activity("a"), activity("b")]), calls)
            XCTAssertEqual(journal.status, .interrupted, "\(level) \(side)")
            XCTAssertEqual(journal.run.count, ran, "\(level) \(side)")
            XCTAssertTrue(journal.rollbacks.isEmpty, "\(level) \(side)")
            XCTAssertEqual(calls.names.suffix(2), ["c.after_experiment_control", "c.cleanup_control"])
            if level == .activity { XCTAssertTrue(calls.names.contains("c.after_activity_control")) }
        }
    }

    func testAControlOfATestBesideTheMethodMayEndTheRun() async throws {
        let calls = Calls { call in
            ControlOutcome(call.function == .around(.hypothesis, .before) ? .interrupted("enough") : .returned)
        }
        var options = RunOptions()
        options.hypothesisStrategy = .duringMethodOnly
        let probe = activity("look", more: ["type": "probe", "tolerance": 0])
        let (journal, events) = try await run(
            experiment(
                [control("c")], [activity("a", more: ["pauses": ["after": 0.05]]), activity("b")],
                more: ["steady-state-hypothesis": ["title": "h", "probes": [probe]]]), calls, options: options)
        XCTAssertEqual(journal.status, .interrupted)
        XCTAssertEqual(journal.run.count, 1)
        XCTAssertTrue(journal.rollbacks.isEmpty)
        var narrator = RunNarrator()
        let lines = events.flatMap { narrator.lines(for: $0) }.map(\.text)
        XCTAssertTrue(lines.contains("Control 'c' ended the run in before_hypothesis_control: enough"), "\(lines)")
    }

    // A global control that cannot be configured is not called again; one of the experiment is, as in the reference.
    func testAGlobalControlThatCannotBeConfiguredIsLeftOut() async throws {
        let calls = Calls { call in ControlOutcome(call.function == .configure ? .failed("no") : .returned) }
        var options = RunOptions()
        options.globalControls = Control.global(["g": ["provider": ["type": "python", "module": "g"]]])
        _ = try await run(experiment([control("c")], []), calls, options: options)
        XCTAssertEqual(calls.names.filter { $0.hasPrefix("g.") }, ["g.configure_control"])
        XCTAssertTrue(calls.names.contains("c.before_experiment_control"))
    }

    func testAnInterruptionFromOutsideDoesNotKeepControlsFromCleaningUp() async throws {
        let begun = expectation(description: "the activity has begun")
        let calls = Calls { _ in ControlOutcome(.returned) }
        let providers = FakeProviders { _ throws(ActivityError) in
            begun.fulfill()
            do {
                try await Task.sleep(for: .seconds(60))
                return .null
            } catch {
                throw .interrupted
            }
        }
        let run = ExperimentRun(
            experiment([control("c")], [activity("a")]), options: RunOptions(),
            environment: RunEnvironment(
                clock: ContinuousClock(), wallTime: { .zero }, providers: providers, controls: calls, platform: "p",
                node: "n"))
        let task = Task { try await run.run() }
        await fulfillment(of: [begun], timeout: 10)
        await run.interrupt(.interrupt)
        let journal = try await task.value
        XCTAssertEqual(journal.status, .interrupted)
        XCTAssertEqual(
            calls.names.suffix(4),
            [
                "c.after_activity_control", "c.after_method_control", "c.after_experiment_control",
                "c.cleanup_control",
            ])
    }

    func testValidationNamesControlsThatNobodyCalls() async {
        let experiment = experiment([control("c"), ["name": "d", "ref": "nowhere"]], [activity("a")])
        func messages(_ provider: (any ControlProvider)?) async -> [String] {
            var validator = Validator(
                experiment, providers: FakeProviders { _ throws(ActivityError) in .null }, controls: provider)
            return await validator.validate().map(\.message).filter { $0.contains("ontrol") }
        }
        let alone = await messages(nil)
        XCTAssertTrue(alone.contains { $0.contains("'c' is written in Python, and nothing outside") }, "\(alone)")
        XCTAssertTrue(alone.contains("Control reference '{}' declaration cannot be found"), "\(alone)")
        let called = await messages(Calls { _ in ControlOutcome(.returned) })
        XCTAssertTrue(called.contains("control c is odd"), "\(called)")
    }

    // MARK: Running

    private func run(
        _ experiment: Experiment, _ calls: Calls, started: Calls? = nil, options: RunOptions = RunOptions()
    ) async throws -> (Journal, [RunEvent]) {
        let events = Calls { _ in ControlOutcome(.returned) }
        let providers = FakeProviders { call throws(ActivityError) in
            if case .process(let call) = call { started?.add(call.path) }
            return ["status": 0]
        }
        let journal = try await ExperimentRun(
            experiment.with(word: "old"), options: options,
            environment: RunEnvironment(
                clock: ContinuousClock(), wallTime: { .zero }, providers: providers, controls: calls, platform: "p",
                node: "n", recorder: { events.add($0) })
        ).run()
        return (journal, events.events)
    }
}

extension Experiment {
    fileprivate func with(word: String) -> Experiment {
        var copy = self
        copy.document.value.set(Pointer(tokens: ["configuration"]), to: ["word": .string(word)])
        return copy
    }
}

/// Answers calls of controls and remembers them.
private final class Calls: ControlProvider, @unchecked Sendable {
    private(set) var names: [String] = []
    private(set) var states: [Value] = []
    private(set) var events: [RunEvent] = []
    private let answer: @Sendable (ControlCall) -> ControlOutcome

    init(_ answer: @escaping @Sendable (ControlCall) -> ControlOutcome) { self.answer = answer }

    func add(_ name: String) { names.append(name) }
    func add(_ event: RunEvent) { events.append(event) }

    func call(_ call: ControlCall) async throws(ActivityError) -> ControlOutcome {
        names.append("\(call.module).\(call.function.name)")
        if let status = call.state?["status"] { states.append(status) }
        return answer(call)
    }

    func problems(of controls: [Control]) async -> [ControlProblem?] {
        controls.map { ControlProblem("control \($0.name ?? "") is odd", isError: false) }
    }
}
