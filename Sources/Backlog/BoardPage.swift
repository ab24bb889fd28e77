/// The backlog as one static page: no script, no network, dark and light, readable on a phone and in print.
public struct BoardPage: Sendable {
    private let hypotheses: [Hypothesis]

    /// Prepares a page of hypotheses.
    public init(_ hypotheses: [Hypothesis]) {
        self.hypotheses = hypotheses
    }

    /// The page as HTML.
    public var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Backlog of hypotheses</title>
        <style>\(Self.style)</style>
        </head>
        <body>
        <header>
        <h1>Backlog of hypotheses</h1>
        <p class="faint">Hypothesis → planning → experiment → evaluation, and again from what was learned.</p>
        </header>
        <main class="board">
        \(Stage.allCases.map(column).joined(separator: "\n"))
        </main>
        \(hypotheses.map(article).joined(separator: "\n"))
        </body>
        </html>

        """
    }

    // MARK: The board

    private func column(_ stage: Stage) -> String {
        let here = hypotheses.filter { $0.stage == stage }
        let cards =
            here.isEmpty
            ? "<p class=\"faint\">none</p>"
            : here.map { hypothesis in
                """
                <a class="card" href="#\(Self.escaped(hypothesis.name))"><b>\(Self.escaped(hypothesis.title))</b>\
                <span class="faint">\(Self.escaped(hypothesis.name))</span>\
                \(hypothesis.experiments.map { "<span>\(badge($0, hypothesis))</span>" }.joined())</a>
                """
            }.joined(separator: "\n")
        return """
            <section class="column" aria-label="\(stage.rawValue)">
            <h2>\(stage.rawValue.prefix(1).uppercased() + stage.rawValue.dropFirst())</h2>
            <p class="faint">\(stage.meaning)</p>
            \(cards)
            </section>
            """
    }

    private func badge(_ experiment: Hypothesis.PlannedExperiment, _ hypothesis: Hypothesis) -> String {
        let label = Self.escaped(Board.label(experiment))
        guard experiment.waitsFor == nil else { return "<i class=\"badge waits\">waits</i> \(label)" }
        guard let evaluation = hypothesis.latest(of: experiment) else {
            return "<i class=\"badge waits\">not run</i> \(label)"
        }
        let isExpected = experiment.expected.map { $0 == evaluation.verdict }
        let kind = isExpected.map { $0 ? "expected" : "unexpected" } ?? "waits"
        let words = isExpected == false ? "\(evaluation.verdict), not \(experiment.expected ?? "")" : evaluation.verdict
        return "<i class=\"badge \(kind)\">\(Self.escaped(words))</i> \(label)"
    }

    // MARK: Hypotheses

    private func article(_ hypothesis: Hypothesis) -> String {
        var parts = [
            "<article id=\"\(Self.escaped(hypothesis.name))\">", "<h2>\(Self.escaped(hypothesis.title))</h2>",
            "<p class=\"faint\">\(Self.escaped(hypothesis.path)) · \(hypothesis.stage.rawValue)</p>",
            "<p>\(Self.escaped(hypothesis.statement))</p>", original(hypothesis.original),
        ]
        parts.append(
            list(
                "What must be true",
                hypothesis.bindings.map { binding in
                    let share = binding.share.map { ", of \($0)" } ?? ""
                    return "<b>\(Self.escaped(binding.metric))</b>: \(Self.escaped(binding.bound + share))"
                }))
        parts.append(list("What else to look at", hypothesis.observations.map(Self.escaped)))
        parts.append(
            list(
                "Experiments",
                hypothesis.experiments.map { experiment in
                    let reason = experiment.reason.map { "<br>\(Self.escaped($0))" } ?? ""
                    let how =
                        experiment.waitsFor.map { "waits for \(Self.escaped($0))" }
                        ?? "<code>\(Self.escaped(hypothesis.command(for: experiment)))</code>"
                    return "\(badge(experiment, hypothesis))\(reason)<br>\(how)"
                }))
        parts.append(list("Rollback", hypothesis.rollback.map(Self.escaped)))
        parts.append(evaluations(hypothesis))
        parts.append(
            list(
                "What was learned",
                hypothesis.learnings.map { learning in
                    let shown = learning.experiments.map(hypothesis.path).joined(separator: ", ")
                    return Self.escaped(learning.text) + original(learning.original)
                        + (shown.isEmpty ? "" : "<p class=\"faint\">shown by \(Self.escaped(shown))</p>")
                        + (learning.waitsFor.map { "<p class=\"faint\">waits for \(Self.escaped($0))</p>" } ?? "")
                }))
        parts.append("<p><b>Next:</b> \(Self.escaped(hypothesis.nextStep))</p>")
        parts.append("</article>")
        return parts.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private func evaluations(_ hypothesis: Hypothesis) -> String {
        guard !hypothesis.evaluations.isEmpty else { return "" }
        let rows = hypothesis.evaluations.map { evaluation in
            let experiment = ([evaluation.file] + [evaluation.profile].compactMap(\.self)).joined(separator: " ")
            let cells = [
                evaluation.date, experiment, evaluation.verdict, evaluation.seeds ?? "", evaluation.digest ?? "",
                evaluation.learning ?? "",
            ]
            return "<tr>\(cells.map { "<td>\(Self.escaped($0))</td>" }.joined())</tr>"
        }
        return """
            <h3>Evaluations</h3>
            <div class="scroll"><table>
            <thead><tr><th>Date</th><th>Experiment</th><th>Verdict</th><th>Seed</th><th>Digest</th><th>Learned</th></tr></thead>
            <tbody>
            \(rows.joined(separator: "\n"))
            </tbody>
            </table></div>
            """
    }

    private func original(_ original: Hypothesis.Original?) -> String {
        guard let original else { return "" }
        let source = original.isTranslation ? "\(original.language), translated" : original.language
        return "<p class=\"faint\"><q>\(Self.escaped(original.text))</q> (\(Self.escaped(source)))</p>"
    }

    private func list(_ title: String, _ items: [String]) -> String {
        guard !items.isEmpty else { return "" }
        return "<h3>\(title)</h3>\n<ul>\n\(items.map { "<li>\($0)</li>" }.joined(separator: "\n"))\n</ul>"
    }

    /// A text as HTML shows it.
    static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.append(character)
            }
        }
    }

    /// Colours that are told apart on light and on dark, with a contrast of at least 4.5 to 1.
    private static let style: String = """
        :root{--page:#fff;--panel:#f3f4f6;--text:#1b1f24;--faint:#57606a;--line:#d0d7de;--good:#116329;--bad:#a40e26;--link:#0550ae}
        @media (prefers-color-scheme:dark){:root{--page:#0d1117;--panel:#161b22;--text:#e6edf3;--faint:#9aa4af;--line:#30363d;\
        --good:#56d364;--bad:#ff938a;--link:#79c0ff}}
        *{box-sizing:border-box}
        body{margin:0 auto;max-width:76rem;padding:1.5rem;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,sans-serif;\
        overflow-wrap:anywhere}
        h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:0 0 .25rem}h3{font-size:1rem;margin:1.25rem 0 .25rem}
        p{margin:.25rem 0}.faint{color:var(--faint);font-size:.9rem}
        .board{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:1rem;margin:1.5rem 0}
        .column,article{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:1rem}
        article{margin:1.5rem 0}
        .card{display:block;background:var(--page);border:1px solid var(--line);border-radius:.5rem;padding:.75rem;margin-top:.75rem;\
        color:inherit;text-decoration:none}
        .card:hover,.card:focus{border-color:var(--link)}.card b,.card span{display:block}.card span{margin-top:.35rem;font-size:.9rem}
        .badge{font-style:normal;font-weight:600;border:1px solid currentColor;border-radius:1rem;padding:0 .5rem;font-size:.85rem}
        .expected{color:var(--good)}.unexpected{color:var(--bad)}.waits{color:var(--faint)}
        ul{margin:.25rem 0;padding-left:1.25rem}code{font:.9em ui-monospace,monospace}
        .scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;width:100%}
        th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:normal}
        @media print{body{max-width:none;padding:0}article{break-inside:avoid}.card{break-inside:avoid}}
        """
}
