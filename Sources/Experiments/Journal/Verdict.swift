import Documents

/// What a run says about its hypothesis.
public enum Verdict: String, Hashable, Sendable {
    /// The system kept its steady state.
    case held
    /// The system left it.
    case refuted
    /// The system was not in it before the method, which was therefore not played.
    case unsteady
    /// There was no hypothesis to test.
    case untested
    /// Nothing refuted the hypothesis, but an action or a probe of the method failed: what it is about did not happen as it was meant to.
    case inconclusive
    /// A hypothesis could not be tested.
    case failed
    /// Something unexpected ended the method.
    case aborted
    /// Somebody ended the run.
    case interrupted

    /// What counts against a hypothesis.
    public enum Rule: Hashable, Sendable {
        /// What counts for the reference: an unsteady start and a failed activity do not fail the run.
        case reference
        /// What counts for a scenario, which is judged by what happened: an unsteady start and a failed activity too.
        case scenario
        /// What counts for a scenario, and a deviation that was seen during the method only.
        case strict
    }
}

extension Journal {
    /// The verdict, and in words what went wrong.
    ///
    /// A refutation goes before what makes a run inconclusive: a probe that could look and saw the system outside its steady state has found
    /// a weakness, whatever part of the method failed, and an operator must hear of it. Failed activities only take away the right to
    /// say that the hypothesis *held*. A probe of the hypothesis that itself failed has seen nothing: what it misses refutes nothing, and the
    /// hypothesis counts as untestable.
    ///
    /// - Parameter rule: What counts against a hypothesis.
    /// - Returns: The verdict and its reasons, a sentence's part each.
    public func verdict(by rule: Verdict.Rule) -> (verdict: Verdict, reasons: [String]) {
        var reasons: [String] = []
        if before?.isMet == false { reasons.append("the system was not steady before the method") }
        let undone = run.compactMap(\.failure)
        reasons += undone
        let missed = during.count { $0.isMet == false }
        if missed > 0 {
            reasons.append("the hypothesis was not met in \(missed) of \(during.count) tests during the method")
        }
        let verdict = rule == .reference ? referenceVerdict : verdict(isStrict: rule == .strict, undone: undone)
        return (verdict, reasons)
    }

    private var referenceVerdict: Verdict {
        if let verdict = verdictOfStatus { return verdict }
        if deviated { return .refuted }
        return before?.isMet == false ? .unsteady : verdictWithoutDeviation
    }

    private func verdict(isStrict: Bool, undone: [String]) -> Verdict {
        let isFailFast = status == .failed && !tests.contains(where: \.isUntestable)
        if !isFailFast, let verdict = verdictOfStatus { return verdict }
        if deviated || isFailFast { return .refuted }
        if before?.isMet == false { return .unsteady }
        if isStrict, during.contains(where: \.isRefutation) { return .refuted }
        if isStrict, during.contains(where: \.isUntestable) { return .failed }
        return undone.isEmpty ? verdictWithoutDeviation : .inconclusive
    }

    private var verdictOfStatus: Verdict? {
        switch status {
        case .failed?: .failed
        case .aborted?: .aborted
        case .interrupted?: .interrupted
        case .completed?, nil: nil
        }
    }

    private var verdictWithoutDeviation: Verdict { tests.isEmpty ? .untested : .held }

    /// All tests of the hypothesis.
    private var tests: [SteadyState] { [before, after].compactMap(\.self) + during }

    /// Whether the verdict lets a run count as a success: as the reference's exit code says, or if nothing that counts went wrong.
    public func isSuccess(by rule: Verdict.Rule) -> Bool {
        guard rule != .reference else { return isSuccess }
        let verdict = verdict(by: rule).verdict
        return verdict == .held || verdict == .untested
    }
}

extension Journal.SteadyState {
    /// Whether a probe that failed is why the hypothesis was not met.
    fileprivate var isUntestable: Bool { isMet == false && probes.last?.status != .succeeded }

    /// Whether the system was seen outside its steady state.
    fileprivate var isRefutation: Bool { isMet == false && !isUntestable }
}

extension Journal.Entry {
    /// Why an activity of the method did not do what it was to do; nil if it did.
    ///
    /// An action that was answered with an error has done nothing, although it has an answer; a probe that was has seen
    /// something. A tolerance says that its author knows.
    fileprivate var failure: String? {
        let name = "'\(activity["name"].map(PythonText.str) ?? "")' of the method"
        guard status == .succeeded else {
            let cause = exception?.last.flatMap(Self.message)
            return cause.map { "\(name) failed: \($0)" } ?? "\(name) failed"
        }
        guard activity["type"] == "action", activity["tolerance"] == nil, let status = output["status"]?.integer else {
            return nil
        }
        switch activity["provider"]?["type"]?.string {
        case "http" where status >= 400: return "\(name) was answered with \(status)"
        case "process" where status != 0: return "\(name) ended with \(status)"
        default: return nil
        }
    }

    /// The message of an exception's last line, without the reference's name for its kind.
    private static func message(of line: String) -> String? {
        let text = line.trimmingBlanks
        let message = text.firstRange(of: "ActivityFailed: ").map { String(text[$0.upperBound...]) } ?? String(text)
        return message.isEmpty ? nil : message
    }
}
