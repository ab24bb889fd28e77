import Documents
import XCTest

@testable import Experiments

/// What a run will do, before it does anything.
final class PlanTests: XCTestCase {
    private func activity(_ name: String, type: Value = "action", more: Value.Object = [:]) -> Value {
        let object: Value.Object = [
            "type": type, "name": .string(name), "provider": ["type": "process", "path": "true"],
        ]
        return .object(object.merging(more))
    }

    private func experiment(method: [Value], rollbacks: Value = []) -> Experiment {
        let probe = activity("look", type: "probe", more: ["tolerance": 0])
        return Experiment(
            Document(
                value: [
                    "title": "t", "method": .array(method), "rollbacks": rollbacks,
                    "steady-state-hypothesis": ["title": "h", "probes": [probe]],
                ]), origin: "test")
    }

    private func strategies(_ hypothesis: HypothesisStrategy, _ rollbacks: RollbackStrategy = .default) -> Strategies {
        var strategies = Strategies()
        strategies.hypothesis = hypothesis
        strategies.rollbacks = rollbacks
        return strategies
    }

    func testStepsAreNumberedInTheOrderInWhichTheyArePerformed() throws {
        let experiment = experiment(method: [activity("a"), activity("b")], rollbacks: [activity("undo")])
        let plan = Plan(experiment, strategies: strategies(.continuously))
        XCTAssertEqual(plan.phases, [.before, .during, .method, .after, .rollbacks])
        XCTAssertEqual(plan.count, 5)
        let numbers = try plan.phases.map { phase in try plan.steps(of: phase).map(\.number) }
        XCTAssertEqual(numbers, [[1], [nil], [2, 3], [4], [5]])
        let alone = Plan(experiment, strategies: strategies(.skip, .never))
        XCTAssertEqual(alone.phases, [.method])
        XCTAssertEqual(alone.count, 2)
        XCTAssertTrue(try alone.steps(of: .rollbacks).isEmpty)
    }

    func testARehearsalIsDecidedStepByStep() throws {
        let experiment = experiment(method: [
            activity("a", more: ["pauses": ["after": 1]]), activity("p", type: "probe", more: ["pauses": ["after": 1]]),
            activity("real", more: ["dry": "actions", "pauses": ["after": 1]]),
        ])
        func planned(_ dry: Dry?) throws -> [PlannedActivity] {
            try Plan(experiment, dry: dry).steps(of: .method).map { try $0.activity.get() }
        }
        XCTAssertEqual(try planned(nil).map(\.isLeftOut), [false, false, false])
        XCTAssertEqual(try planned(.actions).map(\.isLeftOut), [true, false, false])
        XCTAssertEqual(try planned(.probes).map(\.isLeftOut), [false, true, false])
        XCTAssertEqual(try planned(.activities).map(\.isLeftOut), [true, true, false])
        XCTAssertEqual(try planned(.pause).map { $0.pauses == nil }, [true, true, false])
        XCTAssertEqual(try planned(.actions).map { $0.pauses == nil }, [true, false, false])
        XCTAssertFalse(Plan(experiment, dry: .probes).checksTolerances)
        XCTAssertTrue(Plan(experiment, dry: .actions).checksTolerances)
    }

    // As in the reference, a mistake shows when its turn comes, and what stands before it is done.
    func testAMistakeIsPartOfThePlan() throws {
        let experiment = experiment(
            method: [activity("a"), ["ref": "nowhere"], 5, ["type": "action", "name": "b"], ["ref": "look"]],
            rollbacks: "none")
        let plan = Plan(experiment)
        let steps = try plan.steps(of: .method)
        let problems = steps.map { step -> String? in
            if case .failure(let error) = step.activity { error.description } else { nil }
        }
        XCTAssertEqual(
            problems,
            [
                nil, "could not find referenced activity 'nowhere'", "/method/2 is not an activity", nil, nil,
            ])
        let referred = try steps[4].activity.get()
        XCTAssertEqual(referred.activity.pointer, Pointer("/steady-state-hypothesis/probes/0"))
        XCTAssertEqual(referred.kind, .probe)
        XCTAssertEqual(steps[4].declared.pointer, Pointer("/method/4"))
        XCTAssertNil(try steps[3].activity.get().provider)
        XCTAssertThrowsError(try plan.steps(of: .rollbacks))
    }
}
