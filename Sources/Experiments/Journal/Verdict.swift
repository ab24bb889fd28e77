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
    /// A hypothesis could not be tested, or, with a strict verdict, an action failed.
    case failed
    /// Something unexpected ended the method.
    case aborted
    /// Somebody ended the run.
    case interrupted
}

extension Journal {
    /// The verdict, and what a strict one rests on.
    ///
    /// - Parameter strict: Whether what the reference lets pass counts: a failed action or probe of the method, and a deviation that was
    ///   seen during the method only.
    /// - Returns: The verdict, and in words what went wrong.
    public func verdict(strict: Bool) -> (verdict: Verdict, reasons: [String]) {
        var reasons: [String] = []
        if before?.isMet == false { reasons.append("the system was not steady before the method") }
        for entry in run where entry.status != "succeeded" {
            reasons.append("'\(entry.activity["name"].map(PythonText.str) ?? "")' of the method failed")
        }
        let missed = during.count { $0.isMet == false }
        if missed > 0 {
            reasons.append("the hypothesis was not met in \(missed) of \(during.count) tests during the method")
        }
        switch status {
        case .failed?: return (.failed, reasons)
        case .aborted?: return (.aborted, reasons)
        case .interrupted?: return (.interrupted, reasons)
        case .completed?, nil: break
        }
        if deviated { return (.refuted, reasons) }
        if before?.isMet == false { return (.unsteady, reasons) }
        if strict, missed > 0 { return (.refuted, reasons) }
        if strict, run.contains(where: { $0.status != "succeeded" }) { return (.failed, reasons) }
        return (before == nil && after == nil && during.isEmpty ? .untested : .held, reasons)
    }

    /// Whether the verdict lets a run count as a success: as the reference's exit code says, or, strictly, if nothing at all went wrong.
    public func isSuccess(strict: Bool) -> Bool {
        guard strict else { return isSuccess }
        let verdict = verdict(strict: true).verdict
        return verdict == .held || verdict == .untested
    }
}
