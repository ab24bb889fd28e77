public import Documents
public import Experiments

extension ConsoleRecorder {
    /// Says what validation found.
    public func say(_ findings: [Finding], of experiment: Experiment) {
        for finding in findings {
            say(finding.severity == .error ? .error : .warning, "\(experiment.origin): \(finding)")
        }
    }

    /// Says what a verdict rests on, where it is not plain.
    public func sayReasons(of journal: Journal, strict: Bool) {
        guard strict || !journal.isSuccess(strict: strict) else { return }
        for reason in journal.verdict(strict: strict).reasons { say(.warning, "Verdict: \(reason)") }
    }

    /// Writes a journal; false after saying why that is impossible.
    public func write(_ journal: Value, to path: String) -> Bool {
        do {
            try Files.write(JSONWriter.write(journal, .indented(2)), to: path)
            return true
        } catch {
            say(.critical, "the journal cannot be written: \(error)")
            return false
        }
    }
}
