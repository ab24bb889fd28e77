import Documents

extension Hypothesis {
    /// Reads a file of the backlog.
    ///
    /// - Parameters:
    ///   - text: What the file holds.
    ///   - path: Where it is, for messages and for the files that it names.
    ///   - exists: Whether there is a file, by its path from where `path` begins.
    /// - Returns: The hypothesis.
    /// - Throws: ``HypothesisError`` with everything that is wrong.
    public static func read(
        _ text: String, path: String, exists: (String) -> Bool
    ) throws(HypothesisError) -> Hypothesis {
        let document: Document
        do throws(DocumentError) {
            document = try YAMLReader.readDocument(text)
        } catch {
            throw HypothesisError(problems: [
                HypothesisProblem(
                    path: path, line: error.place?.line, message: "this is not YAML: \(error.problem)",
                    remedy: "a text with ': ' or ' #' in it needs quotes, or a block behind '>-'")
            ])
        }
        var reader = HypothesisReader(document, path)
        let hypothesis = withoutActuallyEscaping(exists) { reader.hypothesis($0) }
        guard reader.problems.isEmpty else {
            throw HypothesisError(problems: reader.problems.sorted { ($0.line ?? 0) < ($1.line ?? 0) })
        }
        return hypothesis
    }
}

/// Reads a hypothesis and gathers what is wrong with it.
private struct HypothesisReader {
    private let document: Document
    private let path: String
    private(set) var problems: [HypothesisProblem] = []

    init(_ document: Document, _ path: String) {
        self.document = document
        self.path = path
    }

    mutating func hypothesis(_ exists: (String) -> Bool) -> Hypothesis {
        var hypothesis = Hypothesis(path: path)
        let known = [
            "title", "statement", "original", "binds", "observe", "experiments", "rollback", "learnings", "evaluations",
        ]
        guard let members = object(document.value, .root, known) else { return hypothesis }
        hypothesis.title = text(members, "title", .root, remedy: "say the hypothesis in a line") ?? ""
        if hypothesis.title.contains("\n") {
            add(
                "'title' has several lines", at: place("title"),
                remedy: "keep to one, and put the rest into 'statement'")
        }
        hypothesis.statement =
            text(members, "statement", .root, remedy: "say in a sentence what is believed, with its numbers") ?? ""
        hypothesis.original = original(members, .root)
        let bindings = list(members, "binds") ?? []
        if members["binds"] == nil || members["binds"] == .array([]) {
            add(
                "nothing is bound", at: place("binds"),
                remedy: "'binds' lists what must be true: each with 'metric', 'bound' and, for many things, 'share'")
        }
        for (value, pointer) in bindings {
            if let binding = binding(value, pointer) { hypothesis.bindings.append(binding) }
        }
        hypothesis.observations = texts(members, "observe")
        for (value, pointer) in list(members, "experiments") ?? [] {
            guard let experiment = experiment(value, pointer) else { continue }
            hypothesis.experiments.append(experiment)
            check(hypothesis.path(of: experiment.file), experiment.waitsFor, pointer.appending("file"), exists)
        }
        hypothesis.rollback = texts(members, "rollback")
        if !hypothesis.experiments.isEmpty, hypothesis.rollback.isEmpty {
            add(
                "experiments are planned, and nothing says how they are taken back", at: place("rollback"),
                remedy: "'rollback' lists how everything is put back, also after an experiment that was broken off")
        }
        readLearnings(members, &hypothesis, exists)
        for (value, pointer) in list(members, "evaluations") ?? [] {
            if let evaluation = evaluation(value, pointer) { hypothesis.evaluations.append(evaluation) }
        }
        return hypothesis
    }

    // MARK: Parts

    private mutating func original(_ members: Value.Object, _ pointer: Pointer) -> Hypothesis.Original? {
        guard let value = members["original"] else { return nil }
        let pointer = pointer.appending("original")
        guard let members = object(value, pointer, ["language", "text", "translation"]) else { return nil }
        let language = text(members, "language", pointer, remedy: "name it, as in 'language: German'")
        let words = text(members, "text", pointer, remedy: "say it as it was said")
        var isTranslation = false
        if let value = members["translation"] {
            if let bool = value.bool {
                isTranslation = bool
            } else {
                wrong(value, "translation", "true or false", pointer, "true where nobody said it so in that language")
            }
        }
        guard let language, let words else { return nil }
        return Hypothesis.Original(language: language, text: words, isTranslation: isTranslation)
    }

    private mutating func binding(_ value: Value, _ pointer: Pointer) -> Hypothesis.Binding? {
        guard let members = object(value, pointer, ["metric", "bound", "share"]) else { return nil }
        let metric = text(members, "metric", pointer, remedy: "name what is measured")
        let bound = text(members, "bound", pointer, remedy: "say which values are good, as in 'bound: below 20 s'")
        let share = optionalText(members, "share", pointer)
        guard let metric, let bound else { return nil }
        return Hypothesis.Binding(metric: metric, bound: bound, share: share)
    }

    private mutating func experiment(_ value: Value, _ pointer: Pointer) -> Hypothesis.PlannedExperiment? {
        let known = ["file", "profile", "seeds", "expect", "why", "waits-for"]
        guard let members = object(value, pointer, known) else { return nil }
        let file = text(members, "file", pointer, remedy: "name the experiment's file, relative to this one")
        let expected = optionalText(members, "expect", pointer)
        checkVerdict(expected, pointer.appending("expect"))
        let profile = optionalText(members, "profile", pointer)
        let seeds = optionalText(members, "seeds", pointer)
        let reason = optionalText(members, "why", pointer)
        let waitsFor = optionalText(members, "waits-for", pointer)
        guard let file else { return nil }
        return Hypothesis.PlannedExperiment(
            file: file, profile: profile, seeds: seeds, expected: expected, reason: reason, waitsFor: waitsFor)
    }

    private mutating func readLearnings(
        _ members: Value.Object, _ hypothesis: inout Hypothesis, _ exists: (String) -> Bool
    ) {
        for (value, pointer) in list(members, "learnings") ?? [] {
            guard let members = object(value, pointer, ["text", "original", "shown-by", "waits-for"]) else { continue }
            let words = text(members, "text", pointer, remedy: "say in a sentence what was learned")
            let original = original(members, pointer)
            let waitsFor = optionalText(members, "waits-for", pointer)
            let files = texts(members, "shown-by", pointer)
            let shown = pointer.appending("shown-by")
            for (index, file) in files.enumerated() {
                let place = members["shown-by"]?.string == nil ? shown.appending(index) : shown
                check(hypothesis.path(of: file), waitsFor, place, exists)
            }
            guard let words else { continue }
            hypothesis.learnings.append(
                Hypothesis.Learning(text: words, original: original, experiments: files, waitsFor: waitsFor))
        }
    }

    private mutating func evaluation(_ value: Value, _ pointer: Pointer) -> Evaluation? {
        let known = [
            "date", "experiment", "profile", "verdict", "seed", "seeds", "counts", "failing-seed", "digest", "options",
            "build", "report", "learning",
        ]
        guard let members = object(value, pointer, known) else { return nil }
        let date = text(members, "date", pointer, remedy: "say when, as in 'date: 2026-03-01T10:15:00Z'")
        let file = text(members, "experiment", pointer, remedy: "name the experiment's file, relative to this one")
        let verdict = text(members, "verdict", pointer, remedy: "give the verdict's word")
        checkVerdict(verdict, pointer.appending("verdict"))
        let profile = optionalText(members, "profile", pointer)
        guard let date, let file, let verdict else { return nil }
        var evaluation = Evaluation(date: date, file: file, profile: profile, verdict: verdict)
        evaluation.seeds = optionalText(members, "seed", pointer) ?? optionalText(members, "seeds", pointer)
        if let counts = members["counts"] {
            if let counts = counts.object {
                evaluation.counts = counts
            } else {
                wrong(counts, "counts", "an object", pointer, "it has how many seeds came to each verdict")
            }
        }
        evaluation.failingSeed = optionalText(members, "failing-seed", pointer)
        evaluation.digest = optionalText(members, "digest", pointer)
        evaluation.options = optionalText(members, "options", pointer)
        evaluation.build = optionalText(members, "build", pointer)
        evaluation.report = optionalText(members, "report", pointer)
        evaluation.learning = optionalText(members, "learning", pointer)
        return evaluation
    }

    private mutating func check(
        _ file: String, _ waitsFor: String?, _ pointer: Pointer, _ exists: (String) -> Bool
    ) {
        guard waitsFor == nil, !exists(file) else { return }
        add(
            "there is no file '\(file)'", at: pointer,
            remedy: "correct the path, which is relative to this file, or say with 'waits-for' what is missing")
    }

    private mutating func checkVerdict(_ word: String?, _ pointer: Pointer) {
        guard let word, !Evaluation.verdicts.contains(word) else { return }
        add(
            "'\(word)' is not a verdict", at: pointer,
            remedy: "verdicts are \(Evaluation.verdicts.joined(separator: ", "))")
    }

    // MARK: Values

    private func place(_ name: String) -> Pointer { Pointer.root.appending(name) }

    private mutating func add(_ message: String, at pointer: Pointer, remedy: String) {
        let line = document.place(of: pointer)?.line
        problems.append(HypothesisProblem(path: path, line: line, message: message, remedy: remedy))
    }

    private mutating func wrong(
        _ value: Value, _ name: String, _ expected: String, _ pointer: Pointer, _ remedy: String
    ) {
        add("'\(name)' is \(value.kind), not \(expected)", at: pointer.appending(name), remedy: remedy)
    }

    private mutating func object(_ value: Value, _ pointer: Pointer, _ known: [String]) -> Value.Object? {
        guard let members = value.object else {
            let what = pointer.tokens.isEmpty ? "the file holds" : "'\(pointer.tokens.joined(separator: " "))' is"
            add(
                "\(what) \(value.kind), not names with values", at: pointer,
                remedy: "it has \(known.map { "'\($0)'" }.joined(separator: ", "))")
            return nil
        }
        for name in members.keys where !known.contains(name) {
            add(
                "'\(name)' is not known here", at: pointer.appending(name),
                remedy: "known are \(known.map { "'\($0)'" }.joined(separator: ", "))")
        }
        return members
    }

    private mutating func text(
        _ members: Value.Object, _ name: String, _ pointer: Pointer, remedy: String
    ) -> String? {
        let text = optionalText(members, name, pointer)
        if members[name] ?? .null == .null || text?.isEmpty ?? false {
            add("'\(name)' is missing", at: pointer.appending(name), remedy: remedy)
        }
        return text
    }

    /// A text; numbers and dates count as what they look like, for a text may begin with one.
    private mutating func optionalText(_ members: Value.Object, _ name: String, _ pointer: Pointer) -> String? {
        switch members[name] {
        case nil, .null?: return nil
        case .string(let text)?, .date(let text)?, .largeInteger(let text)?: return Self.trimmed(text)
        case .integer(let number)?: return String(number)
        case .real(let number)?: return String(number)
        case let value?:
            wrong(value, name, "a text", pointer, "write it on one line, in quotes if it has ': ' in it")
            return nil
        }
    }

    private mutating func list(_ members: Value.Object, _ name: String) -> [(Value, Pointer)]? {
        guard let value = members[name], !value.isNull else { return nil }
        guard let array = value.array else {
            wrong(value, name, "a list", .root, "begin each of its parts on a line of its own with '- '")
            return nil
        }
        let pointer = place(name)
        return array.enumerated().map { ($0.element, pointer.appending($0.offset)) }
    }

    /// Texts, of which a single one needs no list.
    private mutating func texts(
        _ members: Value.Object, _ name: String, _ pointer: Pointer = .root
    ) -> [String] {
        guard let value = members[name], !value.isNull else { return [] }
        guard let array = value.array else { return [optionalText(members, name, pointer)].compactMap(\.self) }
        var texts: [String] = []
        for (index, element) in array.enumerated() {
            guard let text = element.string else {
                add(
                    "'\(name)' lists \(element.kind) where a text is expected",
                    at: pointer.appending(name).appending(index),
                    remedy: "a text with ': ' in it needs quotes")
                continue
            }
            texts.append(Self.trimmed(text))
        }
        return texts
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return String(text)
    }
}
