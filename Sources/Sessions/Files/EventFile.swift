public import Activities
import Documents
public import Experiments
import Glibc
import Synchronization

/// Writes what happens to a file while it happens, one JSON object a line.
public final class EventFile: Sendable {
    /// Which objects stand in the file.
    public enum Form: Hashable, Sendable {
        /// The reference's, which are few.
        case reference
        /// All events, as `RunEvent.json` has them, each with its `time`.
        case complete
    }

    private let form: Form
    private let descriptor: Mutex<Int32>
    private let redactor: Mutex<Redactor?>

    /// Makes the file anew.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - form: Which objects stand in it.
    ///   - redacts: Whether secrets are taken out.
    /// - Throws: `FileError`.
    public init(_ path: String, form: Form, redacts: Bool = true) throws(FileError) {
        let opened = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard opened >= 0 else { throw FileError(path, errno) }
        self.form = form
        descriptor = Mutex(opened)
        redactor = Mutex(redacts ? Redactor() : nil)
    }

    deinit { close() }

    /// Ends the file.
    public func close() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { Glibc.close(descriptor) }
            descriptor = -1
        }
    }

    /// Writes an event, if the form has it, with a time since 1970.
    public func record(_ event: RunEvent, at time: Duration) {
        if case .secretsKnown(let secrets) = event { return redactor.withLock { if $0 != nil { $0 = secrets } } }
        guard let object = object(of: event, at: .string(WallTime.iso8601(time))) else { return }
        var value = Value.object(object)
        if let redactor = redactor.withLock({ $0 }) { value = redactor.redact(value) }
        let line = Array((JSONWriter.write(value) + "\n").utf8)
        descriptor.withLock { if $0 >= 0 { _ = Files.writeAll(line, to: $0) } }
    }

    private func object(of event: RunEvent, at time: Value) -> Value.Object? {
        switch form {
        case .complete:
            guard let object = event.json else { return nil }
            return (["event": object["event"] ?? .null, "time": time] as Value.Object).merging(object)
        case .reference:
            guard let (type, details) = Self.referenceForm(of: event) else { return nil }
            return (["type": .string(type), "timestamp": time] as Value.Object).merging(details)
        }
    }

    // MARK: The reference's form

    private static func referenceForm(of event: RunEvent) -> (type: String, details: Value.Object)? {
        switch event {
        case .runBegan(let beginning): ("run-started", ["title": beginning.title])
        case .runEnded(let ending): ended(ending)
        case .notBegun, .planned, .secretsKnown, .hypothesisBegan, .hypothesisFailed, .continuousHypothesisEnded,
            .toleranceChecked, .pauseBegan, .pauseEnded, .rollbacksDecided, .rollbackBegan, .controlCalled, .aborted,
            .warning, .testbed, .noted, .log:
            nil
        case .interrupted: ("run-signal-exit", [:])
        case .phaseBegan(let beginning): began(beginning)
        case .phaseEnded(.method): ("method-completed", [:])
        case .phaseEnded(.rollbacks): ("rollbacks-completed", [:])
        case .phaseEnded: nil
        case .hypothesisEnded(let test, let result): hypothesis(test, result)
        case .activityBegan(let activity):
            (
                "activity-started",
                [
                    "name": .string(activity.name), "activity_type": .string(activity.kind.rawValue),
                    "background": .bool(activity.isBackground),
                ]
            )
        case .activityEnded(let activity, let result): ("activity-completed", details(of: activity, result))
        }
    }

    private static func ended(_ ending: RunEnding) -> (type: String, details: Value.Object) {
        ("run-finished", ["status": .string(ending.status.rawValue), "deviated": .bool(ending.hasDeviated)])
    }

    private static func began(_ beginning: PhaseBeginning) -> (type: String, details: Value.Object) {
        switch beginning.phase {
        case .method: return ("method-started", [:])
        case .rollbacks: return ("rollbacks-started", [:])
        case .before, .during, .after:
            var details: Value.Object = ["phase": .string(beginning.phase.rawValue)]
            if let frequency = beginning.frequency { details["frequency"] = .real(frequency) }
            return ("hypothesis-started", details)
        }
    }

    private static func hypothesis(
        _ test: HypothesisTest, _ result: HypothesisResult
    ) -> (type: String, details: Value.Object) {
        var details: Value.Object = ["phase": .string(test.phase.rawValue)]
        if let iteration = test.iteration { details["iteration"] = .integer(iteration) }
        details["met"] = .bool(result.isMet)
        details["probes"] = .array(
            result.probes.map { probe in
                let known: Value.Object = [
                    "name": probe.name, "status": probe.status.map { .string($0.rawValue) } ?? .null,
                    "tolerance_met": probe.toleranceMet.map(Value.bool) ?? .null,
                ]
                return .object(known.merging(AgentReport.bounded(probe.output)))
            })
        return ("hypothesis-completed", details)
    }

    private static func details(of activity: ActivityOccurrence, _ result: ActivityResult) -> Value.Object {
        var details: Value.Object = [
            "name": .string(activity.name), "activity_type": .string(activity.kind.rawValue),
            "status": result.status.map { .string($0.rawValue) } ?? .null, "duration": .real(result.seconds),
        ]
        details = details.merging(AgentReport.bounded(result.output))
        if let exception = result.exception { details["error"] = .string(exception.joined().trimmed) }
        return details
    }
}

extension String {
    /// The string without the blanks and line ends behind it.
    fileprivate var trimmed: String {
        var text = self[...]
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return String(text)
    }
}
