public import Documents

/// The story of what went wrong first, in ten lines for people.
public enum Story {
    /// Lines of a story at most.
    public static let linesMax: Int = 10
    private static let widthMax: Int = 140

    /// Tells it of a report.
    public static func lines(_ report: Report) -> [String] {
        switch report {
        case .run(let run): return lines(run)
        case .sweep(let sweep):
            let failing = sweep.seeds.count { !$0.isSuccess }
            let head = "\(PageText.plural(failing, "seed")) of \(PageText.count(sweep.seeds.count)) failed."
            guard let worst = sweep.worst, failing > 0 else {
                return [failing == 0 ? "No seed failed: there is nothing to tell." : head]
            }
            return fitted([head + " The worst:"] + lines(worst))
        case .comparison(let comparison):
            let refuted = comparison.rows.filter { !$0.run.isSuccess }
            guard let first = refuted.first else { return ["Every profile held: there is nothing to tell."] }
            return fitted(["\(first.scenario) with the profile \(first.profile):"] + lines(first.run))
        }
    }

    private static func lines(_ run: RunRecord) -> [String] {
        var head = ["“\(run.title)”: \(run.verdict)."]
        if run.isSuccess { return fitted(head + ["Nothing went wrong: \(run.why)."] + doubts(run)) }
        guard let violation = run.violations.first else { return fitted(head + withoutViolation(run)) }
        head.append("At \(PageText.seconds(violation.time)) this was no longer true: \(violation.invariant).")
        head.append("What was seen: \(violation.message).")
        var tail: [String] = []
        if run.violations.count > 1 {
            tail.append("\(PageText.plural(run.violations.count - 1, "violation")) followed.")
        }
        tail += doubts(run)
        if !run.replay.isEmpty { tail.append("Replay: \(PageText.command(run.replay))") }
        let room = linesMax - head.count - tail.count - 1
        guard room > 0, !violation.history.isEmpty else { return fitted(head + tail) }
        return fitted(head + ["What led there:"] + chosen(violation.history, room: room).map { "  \($0)" } + tail)
    }

    /// The lines of a history that tell the most: the beginnings of faults and ends of processes, and the last ones.
    private static func chosen(_ history: [String], room: Int) -> [String] {
        guard history.count > room else { return history }
        let causes = history.indices.filter { index in
            [": begins ", "is killed", "loses power", "fails", ": lost", "sent at"].contains {
                history[index].contains($0)
            }
        }
        var kept: Set<Int> = [history.count - 1]
        for index in causes.prefix(max(1, room / 2)) where kept.count < room { kept.insert(index) }
        for index in history.indices.reversed() where kept.count < room { kept.insert(index) }
        return kept.sorted().map { history[$0] }
    }

    private static func withoutViolation(_ run: RunRecord) -> [String] {
        var lines = ["Why: \(run.why)."]
        lines += run.reasons.dropFirst().map { "Also: \($0)." }
        for activity in run.activities where activity.phase == "method" {
            lines.append("  at \(PageText.seconds(activity.time)): \(activity.name) (\(activity.status))")
        }
        if let turn = run.turns.first(where: { !$0.isMet }) {
            lines.append(
                "  at \(PageText.seconds(turn.time)): the hypothesis is no longer met"
                    + (turn.probe.map { ", by “\($0)”" } ?? ""))
        }
        for test in run.tests where !test.isMet {
            lines.append("  at \(PageText.seconds(test.time)): it is not met \(test.phase) the method")
        }
        lines += doubts(run)
        if !run.replay.isEmpty { lines.append("Replay: \(PageText.command(run.replay))") }
        return lines
    }

    private static func doubts(_ run: RunRecord) -> [String] {
        run.missed.prefix(1).map { "Of no use was the fault that hit nothing: \($0.line)." }
            + run.problems.prefix(1).map { "A fault could not be applied: \($0)." }
    }

    /// So many lines, none of them too long.
    private static func fitted(_ lines: [String]) -> [String] {
        var lines = lines
        while lines.count > linesMax {
            // What is in the middle is told last and left out first.
            lines.remove(at: lines.count - 2)
        }
        return lines.map { line in
            line.count <= widthMax || line.hasPrefix("Replay: ") ? line : "\(line.prefix(widthMax - 1))…"
        }
    }

    // MARK: Journals

    /// Tells it of a journal; nil for a document that is none.
    public static func lines(journal: Value) -> [String]? {
        guard let experiment = journal["experiment"], let states = journal["steady_states"] else { return nil }
        let title = experiment["title"]?.string ?? "Untitled"
        let status = journal["status"]?.string ?? "without a status"
        let hasDeviated = journal["deviated"]?.bool ?? false
        var lines = ["“\(title)”: \(status)\(hasDeviated ? ", and the system deviated" : "")."]
        var isClean = status == "completed" && !hasDeviated
        for (phase, words) in [("before", "before the method"), ("after", "after the method")] {
            guard let state = states[phase], state["steady_state_met"]?.bool == false else { continue }
            isClean = false
            lines.append("The hypothesis was not met \(words).")
            lines += probe(of: state)
        }
        if let during = states["during"]?.array {
            let unmet = during.filter { $0["steady_state_met"]?.bool == false }
            if let first = unmet.first {
                lines.append("Beside the method \(unmet.count) of \(during.count) tests were not met.")
                if isClean { lines += probe(of: first) }
                isClean = false
            }
        }
        for entry in journal["run"]?.array ?? [] {
            let name = entry["activity"]?["name"]?.string ?? "an activity"
            if let status = entry["status"]?.string, status != "succeeded" {
                isClean = false
                let reason =
                    entry["exception"]?.array?.last?.string?.split(separator: "\n").last.map { ": \($0)" } ?? ""
                lines.append("“\(name)” of the method \(status)\(reason)")
            } else {
                lines.append("  \(entry["start"]?.string ?? ""): \(name)")
            }
        }
        if let interruption = journal["interruption"]?["reason"]?.string {
            lines.append("It was interrupted: \(interruption).")
        }
        if isClean { return [lines[0], "Nothing went wrong: there is nothing to tell."] }
        let rollbacks = journal["rollbacks"]?.array?.count ?? 0
        lines.append(rollbacks == 0 ? "No rollback was played." : "\(PageText.plural(rollbacks, "rollback")) followed.")
        return fitted(lines)
    }

    private static func probe(of state: Value) -> [String] {
        guard let probe = (state["probes"]?.array ?? []).first(where: { $0["tolerance_met"]?.bool != true }) else {
            return []
        }
        let name = probe["activity"]?["name"]?.string ?? "a probe"
        let tolerance = probe["activity"]?["tolerance"].map { JSONWriter.write($0) } ?? "none"
        let output = probe["output"].map { JSONWriter.write($0) } ?? "nothing"
        return ["  “\(name)” saw \(output.prefix(70)); its tolerance is \(tolerance.prefix(50))"]
    }
}
