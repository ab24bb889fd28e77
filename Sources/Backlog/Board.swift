public import Documents

/// The backlog as people see it on a terminal: hypotheses by their station of the cycle.
public struct Board: Sendable {
    /// What a board marks with colours and weights, where the terminal has them.
    public enum Mark: Hashable, Sendable {
        /// A station's name.
        case heading
        /// A hypothesis' name.
        case name
        /// A verdict that was expected.
        case expected
        /// A verdict that was not expected.
        case unexpected
        /// What is to be done next.
        case next
        /// What is beside the point.
        case faint
    }

    private let hypotheses: [Hypothesis]
    private let columns: Int
    private let paint: @Sendable (Mark, String) -> String

    /// Prepares a board.
    ///
    /// - Parameters:
    ///   - hypotheses: What is on it.
    ///   - columns: How wide lines may be.
    ///   - paint: Gives a text the colour of a mark; texts are measured before.
    public init(
        _ hypotheses: [Hypothesis], columns: Int = 100,
        paint: @escaping @Sendable (Mark, String) -> String = { $1 }
    ) {
        self.hypotheses = hypotheses
        self.columns = max(40, columns)
        self.paint = paint
    }

    // MARK: All of them

    /// All hypotheses, station by station.
    public var overview: String {
        var lines: [String] = []
        for stage in Stage.allCases {
            let here = hypotheses.filter { $0.stage == stage }
            if !lines.isEmpty { lines.append("") }
            let heading = stage.rawValue.uppercased()
            lines.append("\(paint(.heading, heading))  \(paint(.faint, here.isEmpty ? "none" : stage.meaning))")
            for hypothesis in here { lines += entry(hypothesis) }
        }
        return lines.joined(separator: "\n")
    }

    private func entry(_ hypothesis: Hypothesis) -> [String] {
        var lines = ["", "  " + paint(.name, hypothesis.name)]
        lines += wrapped(hypothesis.title, indent: "    ")
        let width = hypothesis.experiments.map { Self.label($0).count }.max() ?? 0
        for experiment in hypothesis.experiments {
            let label = Self.label(experiment)
            let padding = String(repeating: " ", count: width - label.count)
            lines.append("      \(label)\(padding)  \(standing(of: experiment, in: hypothesis))")
        }
        lines += wrapped("next: \(hypothesis.nextStep)", indent: "    ").map { paint(.next, $0) }
        return lines
    }

    /// An experiment's name on the board: its file and its profile.
    static func label(_ experiment: Hypothesis.PlannedExperiment) -> String {
        let file = experiment.file.split(separator: "/").last ?? ""
        let name = file.lastIndex(of: ".").map { file[..<$0] } ?? file
        return ([String(name)] + [experiment.profile, experiment.seeds].compactMap(\.self)).joined(separator: " ")
    }

    private func standing(of experiment: Hypothesis.PlannedExperiment, in hypothesis: Hypothesis) -> String {
        if let waitsFor = experiment.waitsFor { return paint(.faint, "waits for \(waitsFor)") }
        guard let evaluation = hypothesis.latest(of: experiment) else {
            let expected = experiment.expected.map { ", \($0) expected" } ?? ""
            return paint(.faint, "not run yet\(expected)")
        }
        let day = paint(.faint, evaluation.date.prefix(10) + (evaluation.seeds.map { ", seed \($0)" } ?? ""))
        return "\(verdict(evaluation, expected: experiment.expected))  \(day)"
    }

    private func verdict(_ evaluation: Evaluation, expected: String?) -> String {
        guard let expected else { return evaluation.verdict }
        guard expected != evaluation.verdict else { return paint(.expected, "\(evaluation.verdict), as expected") }
        return paint(.unexpected, "\(evaluation.verdict), but \(expected) was expected")
    }

    // MARK: One of them

    /// Everything that is known of one hypothesis.
    public func details(of hypothesis: Hypothesis) -> String {
        var lines = [
            "\(paint(.name, hypothesis.name))  \(paint(.faint, "\(hypothesis.stage.rawValue): \(hypothesis.stage.meaning)"))"
        ]
        lines += wrapped(hypothesis.title, indent: "")
        section("Statement", &lines, wrapped(hypothesis.statement, indent: "  ") + original(hypothesis.original))
        section(
            "What must be true", &lines,
            hypothesis.bindings.flatMap { binding in
                item("\(binding.metric): \(binding.bound)\(binding.share.map { ", of \($0)" } ?? "")")
            })
        section("What else to look at", &lines, hypothesis.observations.flatMap(item))
        section("Experiments", &lines, hypothesis.experiments.flatMap { planned($0, in: hypothesis) })
        section("Rollback", &lines, hypothesis.rollback.flatMap(item))
        section("Evaluations", &lines, hypothesis.evaluations.flatMap(evaluated))
        section("What was learned", &lines, hypothesis.learnings.flatMap { learned($0, in: hypothesis) })
        section("Next", &lines, wrapped(hypothesis.nextStep, indent: "  ").map { paint(.next, $0) })
        return lines.joined(separator: "\n")
    }

    private func section(_ title: String, _ lines: inout [String], _ content: [String]) {
        guard !content.isEmpty else { return }
        lines += ["", paint(.heading, title)] + content
    }

    private func planned(_ experiment: Hypothesis.PlannedExperiment, in hypothesis: Hypothesis) -> [String] {
        var lines = item("\(Self.label(experiment)): \(experiment.reason ?? "no reason is given")")
        lines.append("    " + standing(of: experiment, in: hypothesis))
        if experiment.waitsFor == nil { lines.append("    " + paint(.next, hypothesis.command(for: experiment))) }
        return lines
    }

    private func evaluated(_ evaluation: Evaluation) -> [String] {
        var parts = [evaluation.date, evaluation.file, evaluation.profile, evaluation.verdict].compactMap(\.self)
        if let seeds = evaluation.seeds { parts.append("seed \(seeds)") }
        if let digest = evaluation.digest { parts.append("digest \(digest)") }
        let counts = evaluation.counts.map { "\($0.key) \($0.value.integer ?? 0)" }
        if !counts.isEmpty { parts.append(counts.joined(separator: ", ")) }
        if let report = evaluation.report { parts.append("report \(report)") }
        return item(parts.joined(separator: ", "))
            + wrapped(evaluation.learning ?? "nothing was learned yet", indent: "    ")
    }

    private func learned(_ learning: Hypothesis.Learning, in hypothesis: Hypothesis) -> [String] {
        var lines = item(learning.text) + original(learning.original).map { "  " + $0 }
        let shown = learning.experiments.map(hypothesis.path).joined(separator: ", ")
        if !shown.isEmpty { lines += wrapped("shown by \(shown)", indent: "    ").map { paint(.faint, $0) } }
        if let waitsFor = learning.waitsFor {
            lines += wrapped("cannot be shown yet: waits for \(waitsFor)", indent: "    ").map { paint(.faint, $0) }
        }
        return lines
    }

    private func original(_ original: Hypothesis.Original?) -> [String] {
        guard let original else { return [] }
        let source = original.isTranslation ? "\(original.language), translated" : original.language
        return wrapped("\(original.text) (\(source))", indent: "  ").map { paint(.faint, $0) }
    }

    private func item(_ text: String) -> [String] {
        var lines = wrapped(text, indent: "    ")
        if let first = lines.first { lines[0] = "  - " + first.dropFirst(4) }
        return lines
    }

    private func wrapped(_ text: String, indent: String) -> [String] {
        var lines: [String] = []
        var line = indent
        for word in text.split(whereSeparator: \.isWhitespace) {
            if line.count > indent.count, line.count + 1 + word.count > columns {
                lines.append(line)
                line = indent
            }
            line += line.count > indent.count ? " \(word)" : word
        }
        return lines + (line.count > indent.count ? [line] : [])
    }
}

extension Hypothesis {
    /// What is to be done next, in a sentence.
    public var nextStep: String {
        switch stage {
        case .hypothesis: return "plan an experiment in \(path): windkanal new scenario \(name)"
        case .planning: return "see to what is missing: \(missing.joined(separator: "; "))"
        case .experiment:
            let experiment = experiments.first { $0.waitsFor == nil && latest(of: $0) == nil }
            return experiment.map { "run it: \(command(for: $0))" } ?? ""
        case .evaluation:
            let open = evaluations.count { $0.learning == nil }
            if open > 0 {
                return
                    "say in \(path) what was learned: \(open) \(open == 1 ? "evaluation has" : "evaluations have") none"
            }
            return missing.isEmpty
                ? "ask the next question" : "see to what is missing: \(missing.joined(separator: "; "))"
        }
    }

    /// What planned experiments wait for, each once.
    private var missing: [String] {
        var seen: Set<String> = []
        return experiments.compactMap(\.waitsFor).filter { seen.insert($0).inserted }
    }

    /// The hypothesis as an object, for programs.
    public var json: Value.Object {
        [
            "event": "hypothesis", "name": .string(name), "path": .string(path), "stage": .string(stage.rawValue),
            "title": .string(title), "statement": .string(statement), "next": .string(nextStep),
            "experiments": .array(
                experiments.map { experiment in
                    let latest = latest(of: experiment)
                    return [
                        "file": .string(path(of: experiment.file)),
                        "profile": experiment.profile.map(Value.string) ?? .null,
                        "seeds": experiment.seeds.map(Value.string) ?? .null,
                        "expected": experiment.expected.map(Value.string) ?? .null,
                        "waits_for": experiment.waitsFor.map(Value.string) ?? .null,
                        "verdict": latest.map { .string($0.verdict) } ?? .null,
                        "date": latest.map { .string($0.date) } ?? .null,
                    ]
                }),
            "evaluations": .integer(evaluations.count), "learnings": .integer(learnings.count),
        ]
    }
}
