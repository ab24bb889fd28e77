public import Documents

/// The report that the reference gives with `--output agent`: one JSON document that says what was found.
public enum AgentReport {
    /// Where a command ended that has nothing to report on.
    public enum Stage: String, Sendable {
        /// The experiment could not be read.
        case load
        /// The experiment is invalid.
        case validation
        /// The experiment could not be run to its end.
        case run
    }

    /// Why there is nothing to report on.
    public struct Problem: Sendable {
        /// Where the command ended.
        public let stage: Stage
        /// What is wrong.
        public let message: String

        /// Makes a problem of its parts.
        public init(stage: Stage, message: String) {
            self.stage = stage
            self.message = message
        }

        fileprivate var value: Value {
            let type =
                switch stage {
                case .load: "InvalidSource"
                case .validation: "InvalidExperiment"
                case .run: "RunFailure"
                }
            return ["stage": .string(stage.rawValue), "type": .string(type), "message": .string(message)]
        }
    }

    /// Outputs that are longer as JSON, in characters, are left to the journal.
    static let outputCharactersMax: Int = 4096

    /// An output, or that it is too long to be shown.
    public static func bounded(_ output: Value) -> Value.Object {
        let size = JSONWriter.write(output).unicodeScalars.count
        return size > outputCharactersMax
            ? ["output_truncated": true, "output_size": .integer(size)] : ["output": output]
    }

    /// The report on a validation.
    public static func ofValidation(source: String, title: Value, problem: Problem?) -> Value {
        [
            "schema": "chaostoolkit/agent/validate/v1", "command": "validate", "valid": .bool(problem == nil),
            "source": .string(source), "title": title, "error": problem?.value ?? .null,
        ]
    }

    /// The report on a run that did not come about.
    public static func ofRun(_ problem: Problem, source: String) -> Value {
        var report: Value.Object = [
            "schema": "chaostoolkit/agent/run/v1", "command": "run", "outcome": "error", "conclusive": false,
            "verdict": .string("The experiment could not be run: \(problem.stage.rawValue) failed."), "exit_code": 1,
            "source": .string(source),
        ]
        for name in [
            "journal_path", "events_path", "experiment", "journal", "steady_state", "method", "rollbacks",
            "interrupted_by",
        ] { report[name] = .null }
        report["warnings"] = []
        report["error"] = problem.value
        return .object(report)
    }

    /// The report on a run.
    ///
    /// - Parameters:
    ///   - journal: The journal as it is written.
    ///   - source: The experiment's path from the root on, or its address.
    ///   - journalPath: Where the journal is.
    ///   - eventsPath: Where the events are; nil if they were not asked for.
    ///   - status: The command's exit status.
    /// - Returns: The report.
    public static func ofRun(
        _ journal: Value, source: String, journalPath: String, eventsPath: String?, status: Int
    ) -> Value {
        let reading = JournalReading(journal: journal)
        let outcome = reading.outcome
        let warnings = reading.warnings
        let isConclusive =
            [.passed, .deviated].contains(outcome) && !warnings.contains { $0.code.isInconclusive }
        var report: Value.Object = [
            "schema": "chaostoolkit/agent/run/v1", "command": "run", "outcome": .string(outcome.rawValue),
            "conclusive": .bool(isConclusive), "verdict": .string(reading.sentence(for: outcome)),
            "exit_code": .integer(status), "source": .string(source), "journal_path": .string(journalPath),
            "events_path": eventsPath.map(Value.string) ?? .null,
        ]
        report["experiment"] = [
            "title": journal["experiment"]?["title"] ?? .null, "dry": journal["experiment"]?["dry"] ?? .null,
        ]
        var times = Value.Object()
        for name in ["status", "deviated", "start", "end", "duration"] { times[name] = journal[name] ?? .null }
        report["journal"] = .object(times)
        report["steady_state"] = [
            "before": reading.detail(of: reading.before), "during": reading.detailOfDuring,
            "after": reading.detail(of: reading.after),
        ]
        report["method"] = [
            "count": .integer(reading.run.count), "failed": .array(JournalReading.failed(reading.run)),
        ]
        report["rollbacks"] = [
            "declared": .integer(reading.declaredRollbacks), "played": .integer(reading.rollbacks.count),
            "failed": .array(JournalReading.failed(reading.rollbacks)),
        ]
        report["interrupted_by"] = reading.interruption ?? .null
        report["warnings"] = .array(
            warnings.map { ["code": .string($0.code.rawValue), "message": .string($0.message)] })
        report["error"] = .null
        return .object(report)
    }
}
