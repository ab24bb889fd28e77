import Activities
public import Documents
public import Experiments

extension ConsoleRecorder {
    /// Logs what validation found.
    public func log(_ findings: [Finding], of experiment: Experiment) {
        for finding in findings {
            if mode == .json {
                writeResult("", finding.json(origin: experiment.origin))
            } else {
                log(finding.severity == .error ? .error : .warning, "\(experiment.origin): \(finding)")
            }
        }
    }

    /// Writes the verdict: the last line, stable for scripts.
    public func writeVerdict(_ verdict: String, status: Journal.Status?, deviated: Bool) {
        let word = status?.rawValue ?? "none"
        writeResult(
            "verdict \(verdict) status \(word) deviated \(deviated)",
            ["event": "verdict", "verdict": .string(verdict), "status": .string(word), "deviated": .bool(deviated)])
    }

    /// Writes a report for agents: all that the output holds then.
    func report(_ report: Value) { StandardStream.output.writeLine(JSONWriter.write(report, .indented(2))) }

    /// Reports to agents on a run and its journal.
    public func report(_ journal: Value, of request: ExperimentSession.Request, status: Int32) {
        report(
            AgentReport.ofRun(
                journal, source: Files.absolute(request.source), journalPath: Files.absolute(request.journalPath),
                eventsPath: request.referenceEventsPath.map(Files.absolute), status: Int(status)))
    }

    /// Writes for programs what kept a command from its work; people have read it.
    public func writeProblem(_ stage: AgentReport.Stage, _ message: String, of request: ExperimentSession.Request) {
        if mode == .json, stage != .run {
            writeResult(
                "",
                request.isRun
                    ? ["event": "verdict", "verdict": "invalid", "status": "none", "deviated": false]
                    : ["event": "validated", "valid": false])
        }
        guard request.reportsToAgents else { return }
        let problem = AgentReport.Problem(stage: stage, message: message)
        let source = Files.absolute(request.source)
        report(
            request.isRun
                ? AgentReport.ofRun(problem, source: source)
                : AgentReport.ofValidation(source: source, title: .null, problem: problem))
    }

    /// Logs what a verdict rests on, where it is not plain.
    public func logReasons(of journal: Journal, by rule: Verdict.Rule) {
        guard rule == .strict || !journal.isSuccess(by: rule) else { return }
        for reason in journal.verdict(by: rule).reasons { log(.warning, "Verdict: \(reason)") }
    }

    /// Writes a journal; false after logging why that is impossible.
    public func write(_ journal: Value, to file: OutputFile) -> Bool {
        do {
            try file.write(JSONWriter.write(journal, .indented(2)))
            return true
        } catch {
            log(.critical, "the journal cannot be written: \(error)")
            return false
        }
    }
}

extension Finding {
    fileprivate func json(origin: String) -> Value.Object {
        [
            "event": "finding", "severity": .string(severity.rawValue), "text": .string(message),
            "pointer": .string(pointer.description), "line": place.map { .integer($0.line) } ?? .null,
            "column": place.map { .integer($0.column) } ?? .null, "remedy": remedy.map(Value.string) ?? .null,
            "source": .string(origin),
        ]
    }
}
