/// A report in Markdown, short enough for the summary of a CI's job.
public enum MarkdownReport {
    /// Seeds and faults that are named.
    private static let rowsMax: Int = 20

    /// The document.
    public static func text(_ report: Report) -> String {
        switch report {
        case .run(let run): text(run, heading: "##")
        case .sweep(let sweep): text(sweep)
        case .comparison(let comparison): text(comparison)
        }
    }

    /// A text that means nothing in a table or a paragraph.
    private static func plain(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "|", "*", "_", "`", "<", ">", "[", "]", "\\", "#": result += "\\\(character)"
            case "\n": result += " "
            default: result.append(character)
            }
        }
        return result
    }

    private static func symbol(_ verdict: String) -> String {
        switch verdict {
        case "held", "untested": "✅"
        case "refuted": "❌"
        default: "⚠️"
        }
    }

    private static func replay(_ words: [String]) -> [String] {
        words.isEmpty ? [] : ["", "Replay:", "", "```sh", PageText.command(words), "```"]
    }

    private static func text(_ run: RunRecord, heading: String) -> String {
        var lines = ["\(heading) \(symbol(run.verdict)) \(plain(run.title))", ""]
        lines.append("**\(run.verdict)**: \(plain(run.why)).")
        var facts: [String] = []
        if let seed = run.seed { facts.append("seed \(seed)") }
        if let profile = run.landscape?.profile { facts.append("profile \(profile)") }
        if run.landscape != nil { facts.append("\(PageText.length(run.end)) of virtual time") }
        if let digest = run.digest { facts.append("digest \(digest)") }
        if !facts.isEmpty { lines += ["", facts.joined(separator: ", ")] }
        if !run.ages.isEmpty {
            lines += ["", "| age | largest | 95th percentile |", "|---|---|---|"]
            lines += run.ages.map { "| \($0.name) | \(PageText.seconds($0.max)) | \(PageText.seconds($0.p95)) |" }
        }
        if let bound = run.bound, let exceeded = bound.exceeded {
            lines += [
                "",
                "Bound: \(bound.age) up to \(PageText.seconds(bound.seconds)), "
                    + (exceeded.seconds == 0
                        ? "kept" : "exceeded for \(exceeded.seconds) s of \(exceeded.of) s") + ".",
            ]
        }
        if !run.faults.isEmpty {
            lines += ["", "| fault | when | impact |", "|---|---|---|"]
            lines += FaultTable.rows(of: run).prefix(rowsMax).map {
                "| \(plain($0.line)) | \($0.time) | \($0.isMissed ? "⚠️ " : "")\($0.impact) |"
            }
        }
        if let ledger = run.ledger {
            let rows = LedgerChart.rows(of: ledger).filter { $0.count > 0 }
            lines += ["", "Readings: " + rows.map { "\($0.count) \($0.name)" }.joined(separator: ", ") + "."]
        }
        if let violation = run.violations.first {
            lines += ["", "First violation, at \(PageText.seconds(violation.time)):", "", "```"]
            lines += violation.history + ["```"]
        }
        lines += replay(run.replay)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func text(_ sweep: SweepRecord) -> String {
        var lines = ["## \(symbol(sweep.verdict)) \(plain(sweep.title))", ""]
        lines.append(
            "**\(sweep.verdict)** over \(PageText.plural(sweep.seeds.count, "seed")) of \(PageText.count(sweep.count))."
        )
        lines += ["", "| verdict | seeds |", "|---|---|"]
        lines += sweep.verdicts.map { "| \(symbol($0.verdict)) \($0.verdict) | \($0.count) |" }
        let failing = sweep.seeds.filter { !$0.isSuccess }
        if !failing.isEmpty {
            lines += ["", "| seed | verdict | first problem |", "|---|---|---|"]
            lines += failing.prefix(rowsMax).map {
                "| \($0.number) | \($0.verdict) | \(plain($0.problem ?? "the hypothesis was not met")) |"
            }
            if failing.count > rowsMax { lines.append("| … | | \(failing.count - rowsMax) more |") }
        }
        lines += replay(sweep.replay)
        if let worst = sweep.worst { lines += ["", text(worst, heading: "### Worst seed:")] }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func text(_ comparison: ComparisonRecord) -> String {
        var lines = [
            "## Profiles side by side", "",
            "| scenario | profile | verdict | \(AgeChart.names.joined(separator: " | ")) | beyond the bound |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in comparison.rows {
            let ages = AgeChart.names.map { name in
                row.run.ages.first { $0.name == name }.map {
                    "\(PageText.fixed($0.max, 1)) / \(PageText.fixed($0.p95, 1))"
                } ?? ""
            }
            let beyond = row.run.bound?.exceeded.map { "\($0.seconds) s of \($0.of)" } ?? ""
            let cells = [plain(row.scenario), row.profile, "\(symbol(row.run.verdict)) \(row.run.verdict)"] + ages
            lines.append("| \((cells + [beyond]).joined(separator: " | ")) |")
        }
        lines += ["", "Ages: the largest and the 95th percentile, in seconds."]
        return lines.joined(separator: "\n") + "\n"
    }
}
