import Documents
public import Experiments
import Glibc
import Synchronization

/// Writes what happens to a file while it happens, one JSON object a line, in the reference's form.
public final class EventFile: Sendable {
    private let descriptor: Mutex<Int32>
    private let redactor: Mutex<Redactor?>

    /// Makes the file anew.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - redacts: Whether secrets are taken out.
    /// - Throws: ``FileError``.
    public init(_ path: String, redacts: Bool = true) throws(FileError) {
        let opened = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard opened >= 0 else { throw FileError(path, errno) }
        descriptor = Mutex(opened)
        redactor = Mutex(redacts ? Redactor() : nil)
    }

    deinit { close() }

    /// Ends it.
    public func close() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { Glibc.close(descriptor) }
            descriptor = -1
        }
    }

    /// Writes an event, if it is one of the reference's, with a time since 1970.
    public func record(_ event: RunEvent, at time: Duration) {
        if case .secrets(let secrets) = event { return redactor.withLock { if $0 != nil { $0 = secrets } } }
        guard let (type, details) = Self.form(of: event) else { return }
        let object: Value.Object = ["type": .string(type), "timestamp": .string(WallTime.iso8601(time))]
        var value = Value.object(object.merging(details))
        if let redactor = redactor.withLock({ $0 }) { value = redactor.redact(value) }
        let line = Array((JSONWriter.write(value) + "\n").utf8)
        descriptor.withLock { if $0 >= 0 { _ = Files.writeAll(line, to: $0) } }
    }

    private static func form(of event: RunEvent) -> (type: String, details: Value.Object)? {
        switch event {
        case .secrets, .message, .pause, .pauseEnded: nil
        case .runBegins(let title): ("run-started", ["title": title])
        case .runEnded(let status, let deviated):
            ("run-finished", ["status": .string(status), "deviated": .bool(deviated)])
        case .interrupted: ("run-signal-exit", [:])
        case .hypothesisBegins(let phase, let frequency):
            (
                "hypothesis-started",
                frequency.map { ["phase": .string(phase.rawValue), "frequency": .real($0)] }
                    ?? ["phase": .string(phase.rawValue)]
            )
        case .hypothesisEnded(let phase, let iteration, let state): hypothesis(phase, iteration, state)
        case .methodBegins: ("method-started", [:])
        case .methodEnded: ("method-completed", [:])
        case .rollbacksBegin: ("rollbacks-started", [:])
        case .rollbacksEnded: ("rollbacks-completed", [:])
        case .activityBegins(let name, let type, let isBackground):
            (
                "activity-started",
                ["name": .string(name), "activity_type": .string(type), "background": .bool(isBackground)]
            )
        case .activityEnded(let activity): ("activity-completed", details(of: activity))
        }
    }

    private static func hypothesis(
        _ phase: RunEvent.Phase, _ iteration: Int?, _ state: Value
    ) -> (type: String, details: Value.Object) {
        var details: Value.Object = ["phase": .string(phase.rawValue)]
        if let iteration { details["iteration"] = .integer(iteration) }
        details["met"] = state["steady_state_met"] ?? .null
        details["probes"] = .array(
            (state["probes"]?.array ?? []).map { probe in
                let known: Value.Object = [
                    "name": probe["activity"]?["name"] ?? .null, "status": probe["status"] ?? .null,
                    "tolerance_met": probe["tolerance_met"] ?? .null,
                ]
                return .object(known.merging(AgentReport.bounded(probe["output"] ?? .null)))
            })
        return ("hypothesis-completed", details)
    }

    private static func details(of activity: EndedActivity) -> Value.Object {
        var details: Value.Object = [
            "name": .string(activity.name), "activity_type": .string(activity.type),
            "status": activity.status.map(Value.string) ?? .null, "duration": .real(activity.seconds),
        ]
        details = details.merging(AgentReport.bounded(activity.output))
        if let exception = activity.exception { details["error"] = .string(exception.joined().trimmed) }
        return details
    }
}

extension String {
    /// Without the blanks and line ends behind it.
    fileprivate var trimmed: String {
        var text = self[...]
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return String(text)
    }
}
