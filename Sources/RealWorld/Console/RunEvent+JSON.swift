import Documents
import Experiments

extension RunEvent {
    /// The event as `--json` tells it; nil for what is nobody's business.
    var json: Value.Object? {
        switch self {
        case .secrets: nil
        case .message(let level, let text):
            ["event": "message", "level": .string(level.rawValue.lowercased()), "text": .string(text)]
        case .runBegins(let title): ["event": "run-begins", "title": title]
        case .runEnded(let status, let deviated):
            ["event": "run-ended", "status": .string(status), "deviated": .bool(deviated)]
        case .interrupted(let kind): ["event": "interrupted", "by": .string(kind.rawValue)]
        case .hypothesisBegins(let phase, _): ["event": "hypothesis-begins", "phase": .string(phase.rawValue)]
        case .hypothesisEnded(let phase, let iteration, let state):
            [
                "event": "hypothesis-ended", "phase": .string(phase.rawValue),
                "iteration": iteration.map(Value.integer) ?? .null, "met": state["steady_state_met"] ?? .null,
            ]
        case .methodBegins: ["event": "method-begins"]
        case .methodEnded: ["event": "method-ended"]
        case .rollbacksBegin: ["event": "rollbacks-begin"]
        case .rollbacksEnded: ["event": "rollbacks-ended"]
        case .pause(let seconds, let isBefore):
            ["event": "pause", "seconds": .real(seconds), "before": .bool(isBefore)]
        case .pauseEnded: nil
        case .activityBegins(let name, let type, let isBackground):
            [
                "event": "activity-begins", "name": .string(name), "type": .string(type),
                "background": .bool(isBackground),
            ]
        case .activityEnded(let activity):
            [
                "event": "activity-ended", "name": .string(activity.name), "type": .string(activity.type),
                "status": activity.status.map(Value.string) ?? .null, "seconds": .real(activity.seconds),
            ]
        }
    }
}
