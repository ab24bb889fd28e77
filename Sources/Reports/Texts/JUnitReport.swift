/// A report as JUnit's XML, which every CI reads.
public enum JUnitReport {
    /// The document.
    public static func text(_ report: Report) -> String {
        let suites: [Suite] =
            switch report {
            case .run(let run): [suite(of: run)]
            case .sweep(let sweep): [suite(of: sweep)]
            case .comparison(let comparison): comparison.scenarios.map { suite(of: $0, in: comparison) }
            }
        var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
        let all = suites.flatMap(\.cases)
        lines.append(
            "<testsuites name=\"windkanal\" tests=\"\(all.count)\" failures=\"\(all.count { $0.failure != nil })\">")
        for suite in suites { lines += suite.lines }
        lines.append("</testsuites>")
        return lines.joined(separator: "\n") + "\n"
    }

    private struct Case {
        let name: String
        let seconds: Double
        var failure: (message: String, details: String)?
        var output: String?
    }

    private struct Suite {
        let name: String
        let cases: [Case]
        var properties: [(name: String, value: String)] = []

        var lines: [String] {
            let failures = cases.count { $0.failure != nil }
            let time = cases.reduce(0) { $0 + $1.seconds }
            var lines = [
                "  <testsuite name=\"\(PageText.escaped(name))\" tests=\"\(cases.count)\" failures=\"\(failures)\" time=\"\(PageText.fixed(time, 3))\">"
            ]
            if !properties.isEmpty {
                lines.append("    <properties>")
                lines += properties.map {
                    "      <property name=\"\(PageText.escaped($0.name))\" value=\"\(PageText.escaped($0.value))\"/>"
                }
                lines.append("    </properties>")
            }
            for testCase in cases {
                let head =
                    "    <testcase classname=\"\(PageText.escaped(name))\" name=\"\(PageText.escaped(testCase.name))\" time=\"\(PageText.fixed(testCase.seconds, 3))\""
                guard testCase.failure != nil || testCase.output != nil else {
                    lines.append(head + "/>")
                    continue
                }
                lines.append(head + ">")
                if let failure = testCase.failure {
                    lines.append(
                        "      <failure message=\"\(PageText.escaped(failure.message))\">\(PageText.escaped(failure.details))</failure>"
                    )
                }
                if let output = testCase.output {
                    lines.append("      <system-out>\(PageText.escaped(output))</system-out>")
                }
                lines.append("    </testcase>")
            }
            lines.append("  </testsuite>")
            return lines
        }
    }

    private static func suite(of run: RunRecord) -> Suite {
        var cases = run.invariants.map { name in
            var testCase = Case(name: name, seconds: 0)
            testCase.failure = run.violations.first { $0.invariant == name }.map { violation in
                (
                    "violated at \(PageText.seconds(violation.time)): \(violation.message)",
                    violation.history.joined(separator: "\n")
                )
            }
            return testCase
        }
        var verdict = Case(name: run.hypothesis ?? "the run", seconds: run.end)
        if !run.isSuccess {
            verdict.failure = (
                "verdict \(run.verdict): \(run.why)",
                (run.reasons + run.problems.map { "could not be applied: \($0)" }
                    + (run.replay.isEmpty ? [] : ["replay: \(PageText.command(run.replay))"])).joined(separator: "\n")
            )
        }
        cases.insert(verdict, at: 0)
        var suite = Suite(name: run.title, cases: cases)
        suite.properties = [("verdict", run.verdict)]
        if let seed = run.seed { suite.properties.append(("seed", seed)) }
        if let digest = run.digest { suite.properties.append(("digest", digest)) }
        return suite
    }

    private static func suite(of sweep: SweepRecord) -> Suite {
        Suite(
            name: sweep.title,
            cases: sweep.seeds.map { seed in
                var testCase = Case(name: "seed \(seed.number)", seconds: 0)
                if !seed.isSuccess {
                    let when = seed.problemTime.map { " at \(PageText.seconds($0))" } ?? ""
                    testCase.failure = (
                        "verdict \(seed.verdict)\(when): \(seed.problem ?? "the hypothesis was not met")", ""
                    )
                }
                return testCase
            }, properties: [("verdict", sweep.verdict)])
    }

    /// A comparison shows who bears what and demands nothing: only what did not come to a verdict fails.
    private static func suite(of scenario: String, in comparison: ComparisonRecord) -> Suite {
        Suite(
            name: scenario,
            cases: comparison.rows.filter { $0.scenario == scenario }.map { row in
                var testCase = Case(name: row.profile, seconds: row.run.end)
                testCase.output = "verdict \(row.run.verdict): \(row.run.why)"
                if ["crashed", "stopped", "failed", "aborted"].contains(row.run.verdict) {
                    testCase.failure = ("verdict \(row.run.verdict)", row.run.why)
                }
                return testCase
            })
    }
}
