import Reports

/// What the templates are filled with.
enum PageContext {
    typealias Members = [String: Any]

    // MARK: Verdicts

    /// A verdict's style, and its sign.
    static func tone(_ verdict: String) -> (tone: String, sign: String) {
        switch verdict {
        case "held": ("held", "✓")
        case "untested": ("held", "–")
        case "refuted": ("refuted", "✗")
        case "inconclusive", "unsteady": ("unsure", "?")
        default: ("broken", "!")
        }
    }

    private static func verdict(_ word: String, why: String) -> Members {
        let (tone, sign) = tone(word)
        let sentence = why.hasSuffix(".") || why.isEmpty ? why : why + "."
        return [
            "word": word, "tone": tone, "sign": sign, "why": sentence.prefix(1).uppercased() + sentence.dropFirst(),
        ]
    }

    private static func fact(_ name: String, _ value: String, _ more: String? = nil) -> Members {
        var members: Members = ["name": name, "value": value]
        if let more { members["more"] = more }
        return members
    }

    // MARK: One run

    static func run(_ run: RunRecord) -> Members {
        var page = body(run).merging(verdict(run.verdict, why: run.why)) { $1 }
        page["over"] = run.landscape == nil ? "Windkanal, an experiment" : "Windkanal, a run in a simulated landscape"
        page["title"] = run.title
        return page
    }

    private static func body(_ run: RunRecord) -> Members {
        var page: Members = ["facts": facts(of: run)]
        if let hypothesis = run.hypothesis { page["hypothesis"] = hypothesis }
        if !run.replay.isEmpty { page["replay"] = PageText.command(run.replay) }
        let reasons =
            run.reasons + run.problems.map { "could not be applied: \($0)" }
            + run.missed.prefix(10).map { "hit nothing: \($0.line)" }
        page["reasonsTitle"] = run.isSuccess ? "Worth knowing" : "Why"
        set("hasReasons", "reasons", reasons, in: &page)
        addViolations(run, to: &page)
        addAges(run, to: &page)
        addRequests(run, to: &page)
        set("hasFlats", "flatChart", [FlatChart.chart(of: run)].compactMap(\.self).map(figure), in: &page)
        let lives = [ServiceCharts.lives(of: run)].compactMap(\.self).map(figure)
        set("hasServices", "serviceChart", lives, in: &page)
        page["queueCharts"] = [ServiceCharts.queues(of: run), ServiceCharts.breakers(of: run)].compactMap(\.self).map(
            figure)
        addLedger(run, to: &page)
        let messages = run.messages.map { MessageChart.chart(of: $0, order: run.landscape?.services ?? []) }
        set("hasMessages", "messageChart", [messages].compactMap(\.self).map(figure), in: &page)
        addSteps(run, to: &page)
        let violated = Set(run.violations.map(\.invariant))
        let invariants = run.invariants.map { name -> Members in
            let isKept = !violated.contains(name)
            return ["name": name, "outcome": isKept ? "✓ kept" : "✗ violated", "tone": isKept ? "held" : "refuted"]
        }
        set("hasInvariants", "invariants", invariants, in: &page)
        return page
    }

    /// Sets a list, and whether it has anything.
    private static func set<Element>(_ flag: String, _ name: String, _ list: [Element], in page: inout Members) {
        page[flag] = !list.isEmpty
        page[name] = list
    }

    private static func facts(of run: RunRecord) -> [Members] {
        var facts: [Members] = []
        if let seed = run.seed { facts.append(fact("Seed", seed)) }
        if let landscape = run.landscape {
            facts.append(
                fact(
                    "Landscape", PageText.plural(landscape.flats, "flat"),
                    PageText.plural(landscape.services.count, "service")))
            facts.append(fact("Poller", landscape.profile, "every \(PageText.seconds(landscape.interval))"))
            facts.append(fact("Virtual time", PageText.length(run.end)))
        } else {
            facts.append(fact("Time", PageText.length(run.end)))
        }
        if let bound = run.bound {
            let outcome = bound.exceeded.map { exceeded in
                exceeded.seconds == 0 ? "kept" : "exceeded for \(exceeded.seconds) s of \(exceeded.of) s"
            }
            facts.append(fact("Bound: \(bound.age) up to \(PageText.seconds(bound.seconds))", outcome ?? "not watched"))
        }
        if let digest = run.digest {
            facts.append(fact("Digest", digest).merging(["code": true]) { $1 })
        }
        return facts
    }

    private static func addViolations(_ run: RunRecord, to page: inout Members) {
        page["hasViolation"] = !run.violations.isEmpty
        guard let first = run.violations.first else { return }
        page["violation"] =
            [
                "invariant": first.invariant, "time": PageText.seconds(first.time), "message": first.message,
                "hasHistory": !first.history.isEmpty, "history": first.history,
            ] as Members
        let others = run.violations.dropFirst().map {
            "\(PageText.seconds($0.time)): \($0.invariant): \($0.message)"
        }
        set("hasOthers", "others", Array(others), in: &page)
        page["othersTitle"] = "\(PageText.plural(others.count, "violation")) that followed"
    }

    private static func addAges(_ run: RunRecord, to page: inout Members) {
        set("hasAges", "ageChart", [AgeChart.chart(of: run)].compactMap(\.self).map(figure), in: &page)
        let faults = FaultTable.rows(of: run).map { row -> Members in
            [
                "number": row.number, "line": row.line, "time": row.time, "impact": row.impact,
                "missed": row.isMissed,
            ]
        }
        set("hasFaults", "faults", faults, in: &page)
        if run.faults.count > faults.count { page["moreFaults"] = "and \(run.faults.count - faults.count) more faults" }
        let ages = run.ages.map { age -> Members in
            [
                "name": age.name, "words": AgeChart.words(age.name), "max": PageText.seconds(age.max),
                "p95": PageText.seconds(age.p95),
            ]
        }
        set("hasAgeTable", "ageRows", ages, in: &page)
    }

    private static func addRequests(_ run: RunRecord, to page: inout Members) {
        let charts = [RequestCharts.latency(of: run), RequestCharts.counts(of: run)].compactMap(\.self).map(figure)
        set("hasRequests", "requestCharts", charts, in: &page)
        page["hasLatency"] = run.latency != nil
        guard let latency = run.latency else { return }
        page["latencyCount"] = PageText.plural(latency.requests, "request")
        page["percentiles"] = latency.percentiles.map { percentile -> Members in
            [
                "name": percentile.percent == 100
                    ? "longest" : percentile.percent == 50 ? "median" : "\(percentile.percent) %",
                "value": PageText.milliseconds(percentile.milliseconds),
            ]
        }
    }

    /// Lost readings that are told of at once.
    private static let lostMax: Int = 6

    private static func addLedger(_ run: RunRecord, to page: inout Members) {
        page["hasLedger"] = run.ledger != nil
        guard let ledger = run.ledger else { return }
        page["ledgerChart"] = [LedgerChart.chart(of: ledger)].compactMap(\.self).map(figure)
        page["ledgerRows"] = LedgerChart.rows(of: ledger).map { row -> Members in
            [
                "name": row.name, "meaning": row.meaning, "count": PageText.count(row.count),
                "bad": row.style == "lost" && row.count > 0,
            ]
        }
        page["ledgerOthers"] = LedgerChart.others(of: ledger)
        set("hasLost", "lost", Array(ledger.told.prefix(lostMax)), in: &page)
        set("hasMoreLost", "moreLost", Array(ledger.told.dropFirst(lostMax)), in: &page)
    }

    private static func addSteps(_ run: RunRecord, to page: inout Members) {
        let order = ["before", "method", "after", "rollbacks"]
        func rank(_ phase: String) -> Int { order.firstIndex(of: phase) ?? order.count }
        var steps: [(time: Double, rank: Int, members: Members)] = run.activities.map { activity in
            (
                activity.time, rank(activity.phase),
                [
                    "time": PageText.seconds(activity.time), "phase": activity.phase,
                    "what": "\(activity.kind) \(activity.name)",
                    "end": activity.failure.map { "\(activity.status): \($0)" } ?? activity.status,
                    "bad": activity.status != "succeeded",
                ]
            )
        }
        steps += run.tests.map { test in
            (
                test.time, rank(test.phase),
                [
                    "time": PageText.seconds(test.time), "phase": "\(test.phase) the method",
                    "what": "test of the hypothesis",
                    "end": test.isMet ? "met" : "not met\(test.probe.map { ": \($0)" } ?? "")", "bad": !test.isMet,
                ]
            )
        }
        let sorted = steps.enumerated().sorted { left, right in
            (left.element.time, left.element.rank, left.offset) < (right.element.time, right.element.rank, right.offset)
        }
        set("hasSteps", "steps", sorted.map(\.element.members), in: &page)
        guard run.testsBeside > 0 else { return }
        let turns = run.turns.prefix(12).map {
            "\($0.isMet ? "met again" : "not met") from \(PageText.seconds($0.time)) on"
        }
        page["beside"] =
            "Beside the method the hypothesis was tested \(PageText.plural(run.testsBeside, "time")) and met \(PageText.count(run.testsBesideMet)) times"
            + (turns.isEmpty ? "." : ": \(turns.joined(separator: ", ")).")
    }

    // MARK: Many seeds

    /// Seeds that are named.
    private static let failingMax: Int = 50

    static func sweep(_ sweep: SweepRecord) -> Members {
        let failing = sweep.seeds.filter { !$0.isSuccess }
        let counts = sweep.verdicts.map { "\(PageText.count($0.count)) \($0.verdict)" }.joined(separator: ", ")
        var page = verdict(
            sweep.verdict, why: "Of \(PageText.plural(sweep.seeds.count, "seed")): \(counts)")
        page["over"] = "Windkanal, one experiment for many seeds"
        page["title"] = sweep.title
        let ages = sweep.seeds.compactMap(\.age).sorted()
        var facts = [fact("Seeds", PageText.count(sweep.seeds.count), "of \(PageText.count(sweep.count))")]
        facts += sweep.verdicts.map { fact($0.verdict, PageText.plural($0.count, "seed")) }
        if !ages.isEmpty {
            facts.append(
                fact(
                    "Worst age", PageText.seconds(ages[ages.count - 1]),
                    "median seed \(PageText.seconds(ages[ages.count / 2]))"))
        }
        page["facts"] = facts
        if !sweep.replay.isEmpty { page["replay"] = PageText.command(sweep.replay) }
        page["charts"] = [SweepChart.ages(of: sweep), SweepChart.strip(of: sweep)].compactMap(\.self).map(figure)
        let worst = sweep.worst
        set(
            "hasFailing", "failing",
            failing.prefix(failingMax).map { seed -> Members in
                [
                    "number": seed.number, "verdict": seed.verdict, "tone": tone(seed.verdict).tone,
                    "isWorst": seed.number == worst?.seed, "age": seed.age.map(PageText.seconds) ?? "",
                    "at": seed.problemTime.map(PageText.seconds) ?? "",
                    "problem": seed.problem ?? "the hypothesis was not met",
                ]
            }, in: &page)
        if failing.count > failingMax { page["moreFailing"] = "and \(failing.count - failingMax) more" }
        page["hasWorst"] = worst != nil
        if let worst {
            var members = body(worst).merging(verdict(worst.verdict, why: worst.why)) { $1 }
            members["seed"] = worst.seed ?? ""
            page["worst"] = [members]
            page["worstSeed"] = worst.seed ?? ""
        }
        return page
    }

    // MARK: Profiles side by side

    static func comparison(_ comparison: ComparisonRecord) -> Members {
        let held = comparison.rows.count { $0.run.verdict == "held" }
        var page = verdict(
            held == comparison.rows.count ? "held" : "compared",
            why: "\(held) of \(PageText.plural(comparison.rows.count, "run")) held")
        if held != comparison.rows.count {
            page["tone"] = "unsure"
            page["sign"] = "≠"
        }
        page["over"] = "Windkanal, who bears what"
        page["title"] = "Profiles side by side"
        if !comparison.replay.isEmpty { page["replay"] = PageText.command(comparison.replay) }
        page["ageNames"] = AgeChart.names
        page["rows"] = comparison.rows.map { row -> Members in
            [
                "scenario": row.scenario, "profile": row.profile, "verdict": row.run.verdict,
                "tone": tone(row.run.verdict).tone,
                "ages": AgeChart.names.map { name in
                    row.run.ages.first { $0.name == name }.map {
                        "\(PageText.fixed($0.max)) / \(PageText.fixed($0.p95))"
                    } ?? ""
                },
                "beyond": row.run.bound?.exceeded.map { "\($0.seconds) s of \($0.of)" } ?? "",
            ]
        }
        page["scenarios"] = comparison.scenarios.map { name -> Members in
            let rows = comparison.rows.filter { $0.scenario == name }
            let age = rows.first?.run.bound?.age ?? AgeChart.names[1]
            let top = rows.map { AgeChart.top(of: $0.run, names: [age]) }.max()
            let charts = rows.compactMap { row in
                AgeChart.chart(
                    of: row.run, largest: top, title: "\(row.profile): \(row.run.verdict)", onlyBound: true
                ).map(figure)
            }
            var members: Members = ["name": name, "charts": charts]
            if let bound = rows.first?.run.bound {
                members["bound"] =
                    "The \(bound.age) age (blue) against its bound of \(PageText.seconds(bound.seconds)) (dashed), on one scale; faults are shaded."
            }
            return members
        }
        return page
    }

    // MARK: Charts

    /// Styles that are drawn as lines.
    private static let lines: Set<String> = [
        "bold", "second", "third", "bound", "violation", "request", "response", "gone",
    ]

    static func figure(_ chart: Chart) -> Members {
        var members: Members = [
            "title": chart.title, "unit": chart.unit, "height": chart.height, "gutterWidth": Chart.gutterWidth,
            "hasGutter": !chart.gutter.isEmpty, "gutter": chart.gutter, "plot": chart.plot,
            "hasLegend": !chart.legend.isEmpty,
            "legend": chart.legend.map { entry -> Members in ["swatch": swatch(entry.style), "text": entry.text] },
        ]
        if let note = chart.note { members["note"] = note }
        return members
    }

    private static func swatch(_ style: String) -> String {
        let shape =
            lines.contains(style)
            ? "<line class=\"line \(style)\" x1=\"0\" y1=\"6\" x2=\"18\" y2=\"6\"/>"
            : "<rect class=\"\(style)\" x=\"2\" y=\"1\" width=\"12\" height=\"10\" rx=\"2\"/>"
        return "<svg class=\"swatch\" width=\"18\" height=\"12\" aria-hidden=\"true\">\(shape)</svg>"
    }
}
