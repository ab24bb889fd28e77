import Documents

/// What a journal says, in the words of ``AgentReport``.
struct JournalReading {
    let journal: Value

    /// What was found, the least trustworthy first.
    enum Outcome: String {
        case interrupted
        case aborted
        case probeError = "probe-error"
        case baselineNotMet = "baseline-not-met"
        case deviated
        case passed
    }

    /// What weakens an outcome.
    enum WarningCode: String {
        case dryRun = "dry-run"
        case noHypothesis = "no-steady-state-hypothesis"
        case methodActivityFailed = "method-activity-failed"
        case rollbacksNotPlayed = "rollbacks-not-played"
        case rollbackFailed = "rollback-failed"

        /// Whether the question stays open with it.
        var isInconclusive: Bool { self != .rollbacksNotPlayed && self != .rollbackFailed }
    }

    // MARK: Parts

    var before: Value? { state("before") }
    var after: Value? { state("after") }
    var during: [Value] { journal["steady_states"]?["during"]?.array ?? [] }
    var run: [Value] { journal["run"]?.array ?? [] }
    var rollbacks: [Value] { journal["rollbacks"]?.array ?? [] }
    var declaredRollbacks: Int { (journal["experiment"]?["rollbacks"]?.array ?? []).count }
    /// What cut the run short, where the journal tells.
    var interruption: Value? { journal["status"] == "interrupted" ? journal["interruption"] : nil }

    private func state(_ name: String) -> Value? { journal["steady_states"]?[name].flatMap { $0.isNull ? nil : $0 } }

    private var probes: [Value] {
        [before, after].compactMap(\.self).flatMap(Self.probes) + during.flatMap(Self.probes)
    }

    private static func probes(_ state: Value) -> [Value] { state["probes"]?.array ?? [] }

    private var deviatedPhases: [String] {
        (during.contains { $0["steady_state_met"] == false } ? ["during"] : [])
            + (after?["steady_state_met"] == false ? ["after"] : [])
    }

    // MARK: Outcome

    var outcome: Outcome {
        if journal["status"] == "interrupted" { return .interrupted }
        if journal["status"] == "aborted" { return .aborted }
        if probes.contains(where: { $0["status"] != "succeeded" }) { return .probeError }
        if before?["steady_state_met"] == false { return .baselineNotMet }
        return deviatedPhases.isEmpty ? .passed : .deviated
    }

    /// The outcome as a sentence.
    func sentence(for outcome: Outcome) -> String {
        switch outcome {
        case .passed:
            let phases =
                (before == nil ? [] : ["before"]) + (during.isEmpty ? [] : ["during"]) + (after == nil ? [] : ["after"])
            return phases.isEmpty
                ? "The run completed without evaluating a steady state."
                : "The steady state held \(Self.joined(phases)) the method."
        case .deviated:
            let phases = Self.joined(deviatedPhases)
            return before == nil
                ? "The steady state did not hold \(phases) the method, no baseline was evaluated before it."
                : "The steady state held before the method but not \(phases) it."
        case .baselineNotMet: return "The steady state did not hold before the method, nothing was injected."
        case .probeError:
            return "A steady-state probe could not be executed, its tolerance could not be evaluated."
        case .aborted: return "The method ran into an unexpected error, the run was aborted."
        case .interrupted:
            let reason = interruption?["reason"]?.string.map { ": \($0)" } ?? "."
            return "The run was interrupted before it completed\(reason)"
        }
    }

    private static func joined(_ phases: [String]) -> String {
        guard phases.count > 1, let last = phases.last else { return phases.first ?? "" }
        return phases.dropLast().joined(separator: ", ") + " and " + last
    }

    // MARK: Warnings

    var warnings: [(code: WarningCode, message: String)] {
        var warnings: [(WarningCode, String)] = []
        if let dry = journal["experiment"]?["dry"]?.string {
            warnings.append((.dryRun, "Activities were not executed (dry run: \(dry))."))
        }
        if (journal["experiment"]?["steady-state-hypothesis"]?["probes"]?.array ?? []).isEmpty {
            warnings.append((.noHypothesis, "The experiment has no steady-state probes, nothing was judged."))
        }
        if let names = Self.names(ofFailed: run) {
            warnings.append(
                (
                    .methodActivityFailed,
                    "Method activities failed, the perturbation may not have been applied: \(names)."
                ))
        }
        if rollbacks.count < declaredRollbacks {
            warnings.append(
                (
                    .rollbacksNotPlayed,
                    "Only \(rollbacks.count) of \(declaredRollbacks) declared rollbacks were played, the system may not be restored."
                ))
        }
        if let names = Self.names(ofFailed: rollbacks) {
            warnings.append((.rollbackFailed, "Rollbacks failed, the system may not be restored: \(names)."))
        }
        return warnings
    }

    private static func names(ofFailed entries: [Value]) -> String? {
        let names = failed(entries).map { $0["name"].map(PythonText.str) ?? "" }
        return names.isEmpty ? nil : names.joined(separator: ", ")
    }

    /// Names and errors of the activities that failed.
    static func failed(_ entries: [Value]) -> [Value] {
        entries.filter { $0["status"] == "failed" }.map {
            ["name": $0["activity"]?["name"] ?? .null, "error": lastLine(of: $0)]
        }
    }

    private static func lastLine(of entry: Value) -> Value {
        let text = (entry["exception"]?.array ?? []).compactMap(\.string).joined()
        return text.split(whereSeparator: \.isNewline).last.map { .string(String($0)) } ?? .null
    }

    // MARK: States

    /// A test of the hypothesis before or after the method.
    func detail(of state: Value?) -> Value {
        guard let state else { return .null }
        let probes = Self.probes(state).map { probe -> Value in
            var detail: Value.Object = [
                "name": probe["activity"]?["name"] ?? .null, "status": probe["status"] ?? .null,
                "tolerance_met": probe["tolerance_met"] ?? .null, "tolerance": probe["activity"]?["tolerance"] ?? .null,
            ]
            detail = detail.merging(AgentReport.bounded(probe["output"] ?? .null))
            if probe["exception"] != nil { detail["error"] = Self.lastLine(of: probe) }
            return .object(detail)
        }
        return ["met": state["steady_state_met"] ?? .null, "probes": .array(probes)]
    }

    /// The tests during the method, together.
    var detailOfDuring: Value {
        let unmet = during.enumerated().filter { $0.element["steady_state_met"] == false }
        let names = unmet.flatMap { Self.probes($0.element) }.filter { $0["tolerance_met"] == false }
            .compactMap { $0["activity"]?["name"]?.string }
        return [
            "iterations": .integer(during.count), "unmet": .integer(unmet.count),
            "first_unmet_iteration": unmet.first.map { .integer($0.offset + 1) } ?? .null,
            "unmet_probes": .array(Set(names).sorted().map(Value.string)),
        ]
    }
}
