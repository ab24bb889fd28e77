public import Documents

extension RunEvent {
    /// The event as a JSON object with the member `event`; nil for secrets, which are nobody's business, and for lines of others.
    ///
    /// docs/experiments.md has the form of each.
    public var json: Value.Object? {
        switch self {
        case .secretsKnown, .log: nil
        case .planned(let plan):
            Self.object("plan", (plan.value.object ?? [:]).merging(["count": .integer(plan.steps)]))
        case .runBegan(let beginning):
            [
                "event": "run-begins", "title": beginning.title,
                "hypothesis_strategy": .string(beginning.strategies.hypothesis.rawValue),
                "rollback_strategy": .string(beginning.strategies.rollbacks.rawValue),
                "tests_hypothesis": .bool(beginning.testsHypothesis),
            ]
        case .notBegun: ["event": "run-not-begun"]
        case .runEnded(let ending):
            [
                "event": "run-ended", "status": .string(ending.status.rawValue), "deviated": .bool(ending.hasDeviated),
                "seconds": .real(ending.seconds),
            ]
        case .phaseBegan(let beginning):
            [
                "event": "phase-begins", "phase": .string(beginning.phase.rawValue),
                "steps": .integer(beginning.steps), "frequency": beginning.frequency.map(Value.real) ?? .null,
            ]
        case .phaseEnded(let phase): ["event": "phase-ended", "phase": .string(phase.rawValue)]
        case .hypothesisBegan(let test): Self.object("hypothesis-begins", test.json)
        case .hypothesisEnded(let test, let result): Self.object("hypothesis-ended", test.json.merging(result.json))
        case .hypothesisFailed(let test, let reason):
            Self.object("hypothesis-failed", test.json.merging(["reason": .string(reason)]))
        case .continuousHypothesisEnded(let tests, let met):
            ["event": "continuous-hypothesis-ended", "tests": .integer(tests), "met": .integer(met)]
        case .activityBegan(let activity): Self.object("activity-begins", activity.json)
        case .activityEnded(let activity, let result):
            Self.object("activity-ended", activity.json.merging(result.json))
        case .toleranceChecked(let activity, let result):
            Self.object("tolerance-checked", activity.json.merging(result.json))
        case .pauseBegan(let activity, let pause):
            Self.object(
                "pause-begins",
                activity.json.merging(["seconds": .real(pause.seconds), "before": .bool(pause.isBefore)]))
        case .pauseEnded(let activity): Self.object("pause-ended", activity.json)
        case .rollbacksDecided(let strategy, let decision):
            ["event": "rollbacks-decided", "strategy": .string(strategy.rawValue), "decision": .string(decision.word)]
        case .rollbackBegan(let activity): Self.object("rollback", activity.json)
        case .controlCalled(let control): Self.object("control", control.json)
        case .interrupted(let kind): ["event": "interrupted", "by": .string(kind.rawValue)]
        case .aborted(let reason): ["event": "aborted", "reason": .string(reason)]
        case .warning(let warning): Self.object("warning", warning.json)
        case .testbed(let name, let members):
            ["event": "testbed", "name": .string(name), "details": .object(members)]
        case .noted(let object): object
        }
    }

    private static func object(_ event: String, _ members: Value.Object) -> Value.Object {
        (["event": .string(event)] as Value.Object).merging(members)
    }
}

extension HypothesisTest {
    fileprivate var json: Value.Object {
        [
            "phase": .string(phase.rawValue), "iteration": iteration.map(Value.integer) ?? .null,
            "title": .string(title),
        ]
    }
}

extension HypothesisResult {
    fileprivate var json: Value.Object {
        [
            "met": .bool(isMet),
            "probes": .array(
                probes.map { probe in
                    [
                        "name": probe.name, "pointer": .string(probe.pointer.description),
                        "status": probe.status.map { .string($0.rawValue) } ?? .null,
                        "tolerance_met": probe.toleranceMet.map(Value.bool) ?? .null,
                    ]
                }),
        ]
    }
}

extension ActivityOccurrence {
    fileprivate var json: Value.Object {
        [
            "name": .string(name), "type": .string(kind.rawValue), "phase": .string(phase.rawValue),
            "pointer": .string(pointer.description), "step": step.map(Value.integer) ?? .null,
            "iteration": iteration.map(Value.integer) ?? .null, "background": .bool(isBackground),
            "left_out": .bool(isLeftOut),
        ]
    }
}

extension ActivityResult {
    fileprivate var json: Value.Object {
        let object: Value.Object = [
            "status": status.map { .string($0.rawValue) } ?? .null, "seconds": .real(seconds),
            "failure": failure.map(Value.string) ?? .null,
        ]
        return object.merging(AgentReport.bounded(output))
    }
}

extension ToleranceResult {
    fileprivate var json: Value.Object {
        let found: Value =
            switch self {
            case .compared: "compared"
            case .leftOut: "left-out"
            case .probeFailed: "probe-failed"
            case .deciderFailed: "decider-failed"
            }
        return ["met": .bool(isMet), "found": found]
    }
}

extension RollbackDecision {
    fileprivate var word: String {
        switch self {
        case .played: "played"
        case .leftOutAfter: "status"
        case .leftOutAtUngracefulExit: "ungraceful-exit"
        case .never: "never"
        case .noDeviation: "no-deviation"
        }
    }
}

extension ControlOccurrence {
    fileprivate var json: Value.Object {
        let (word, message): (Value, String?) =
            switch end {
            case .absent: ("absent", nil)
            case .noModule: ("no-module", nil)
            case .returned: ("returned", nil)
            case .failed(let message): ("failed", message)
            case .interrupted(let message): ("interrupted", message)
            }
        return [
            "name": .string(name), "function": .string(function.name), "end": word,
            "message": message.map(Value.string) ?? .null,
        ]
    }
}

extension RunWarning {
    fileprivate var json: Value.Object {
        switch self {
        case .valueNotFound(let key, let reason):
            ["kind": "value-not-found", "key": .string(key), "reason": .string(reason)]
        case .processStatus(let activity, let status):
            (["kind": "process-status", "status": .integer(status)] as Value.Object).merging(activity.json)
        case .httpStatus(let activity, let status):
            (["kind": "http-status", "status": .integer(status)] as Value.Object).merging(activity.json)
        case .backgroundActivityFailed(let name, let reason):
            ["kind": "background-activity-failed", "name": .string(name), "reason": .string(reason)]
        }
    }
}
