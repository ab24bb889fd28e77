import Documents
import Experiments
public import Randomness

/// Feeds broken experiments to everything that reads them: readers, validator, substitution, tolerances, expressions, paths, the runner.
///
/// What must come of each is a result or a named error; a crash ends the process, and the number of the input that was at work replays it.
public struct ExperimentFuzzer {
    /// What came of the inputs.
    public struct Report: Hashable, Sendable {
        /// Inputs that were tried.
        public var inputs: Int = 0
        /// How many inputs were documents.
        public var documents: Int = 0
        /// How many inputs were experiments without an error.
        public var valid: Int = 0
        /// How many inputs were run to a journal.
        public var journals: Int = 0
        /// Findings of the validator.
        public var findings: Int = 0
    }

    private let root: RandomStream
    private let corpus: [[UInt8]]

    /// Makes a fuzzer that mutates the texts of a corpus, which is not empty.
    public init(seed: Seed, corpus: [[UInt8]]) {
        precondition(!corpus.isEmpty, "a fuzzer needs something to mutate")
        root = RandomStream(seed: seed)
        self.corpus = corpus
    }

    /// Tries the inputs of a range of numbers; each depends on its number alone.
    public func run(_ numbers: Range<Int>, onInput: (Int) -> Void = { _ in }) async -> Report {
        var report = Report()
        for number in numbers {
            onInput(number)
            var random = root.fork("input \(number)")
            await tryInput(input(&random), &random, &report)
            report.inputs += 1
        }
        return report
    }

    // MARK: Inputs

    /// The text of an input.
    public func input(_ random: inout RandomStream) -> [UInt8] {
        var bytes = corpus[random.index(below: corpus.count)]
        for _ in 0...random.index(below: 4) { mutate(&bytes, &random) }
        return bytes
    }

    /// Texts of the small grammars that stand in experiments: paths, patterns, numbers, names and their assignments.
    private static let texts: [String] = [
        "$.a[0].b", "$..a[1:5:2]", "$.a[-1:0:-1]", "$.*[?(@.a = 1 and @.b != 2)]", "$[?(not (@.a < 0.5 or $.b))]",
        "$.a[9223372036854775807::-2]", "$.a[5::-9223372036854775808]", "$[\"a\"].length()", "$.a.substring(1, 2)",
        "(a|b)*c+?", "^\\d{2,5}(?P<n>[^x-z]+)(?P=n)$", "(?:(?:){9})*", "(?<=ab)c(?!d)", "a{1000}", "[[:alpha:]]\\w",
        "-1e-9223372036854775808", "1e99999", "0x1F", "-1_000", "1:30:59", "2020-02-29T23:59:59.5Z", ".5", "NaN",
        "${a.b} $a $$", "name:int=5", "name:json={\"a\": [1]}", "x=y", "# nothing",
    ]

    /// What experiments are made of, and what breaks them.
    private static let pieces: [String] = [
        "{", "}", "[", "]", ":", ",", "\"", "null", "true", "-1", "0.5", "1e999", "NaN", "99999999999999999999",
        "\\u0000", "\\ud800",
        "${", "${a}", "$a", "$$", "(", ")", "(?P<a>", "(?<=", "*", "+", "{1,", "\\d", "[^", "$.", "$..", "[?(", "@.a",
        "=", "or", "and",
        "- ", "  ", "\n", "&a", "*a", "<<", "!!", "|\n", "\"ref\"", "\"type\"", "\"probe\"", "\"tolerance\"",
        "\"range\"", "\"regex\"",
        "\"jsonpath\"", "\"pauses\"", "\"background\"", "\"arguments\"", "\"method\"", "\"title\"", "é", "\u{1F600}",
        "\u{0}",
    ]

    private func mutate(_ bytes: inout [UInt8], _ random: inout RandomStream) {
        let place = random.index(below: bytes.count + 1)
        switch random.index(below: 6) {
        case 0: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
        case 1: if place < bytes.count { bytes[place] = UInt8(truncatingIfNeeded: random.next()) }
        case 2:
            let end = min(bytes.count, place + random.index(below: 20) + 1)
            bytes.removeSubrange(place..<end)
        case 3: bytes.insert(contentsOf: Array(Self.pieces[random.index(below: Self.pieces.count)].utf8), at: place)
        case 4:
            // A piece of another text.
            let other = corpus[random.index(below: corpus.count)]
            let start = random.index(below: other.count + 1)
            bytes.insert(contentsOf: other[start..<min(other.count, start + random.index(below: 60))], at: place)
        default:
            // A piece of the same text, again.
            let start = random.index(below: bytes.count + 1)
            bytes.insert(contentsOf: Array(bytes[start..<min(bytes.count, start + random.index(below: 40))]), at: place)
        }
    }

    // MARK: Trials

    private func tryInput(_ bytes: [UInt8], _ random: inout RandomStream, _ report: inout Report) async {
        let text = String(decoding: bytes, as: UTF8.self)
        tryText(String(text.prefix(200)))
        var small = Array(Self.texts[random.index(below: Self.texts.count)].utf8)
        for _ in 0..<random.index(below: 4) { mutate(&small, &random) }
        tryText(String(decoding: small.prefix(200), as: UTF8.self))
        let document = (try? JSONReader.readDocument(bytes)) ?? (try? YAMLReader.readDocument(text))
        guard let document else { return }
        report.documents += 1
        _ = try? JSONReader.read(JSONWriter.write(document.value, .indented(2)).utf8)
        let experiment = Experiment(document, origin: "fuzz")
        var validator = Validator(experiment, providers: InertProviders(outputs: outputs))
        let findings = await validator.validate()
        report.findings += findings.count
        for finding in findings { _ = finding.description }
        if !findings.contains(where: { $0.severity == .error }) { report.valid += 1 }
        guard document.value.object != nil else { return }
        var options = RunOptions()
        options.failsFast = random.index(below: 2) == 0
        options.hypothesisStrategy = HypothesisStrategy.allCases[random.index(below: HypothesisStrategy.allCases.count)]
        options.rollbackStrategy = RollbackStrategy.allCases[random.index(below: RollbackStrategy.allCases.count)]
        let run = ExperimentRun(
            experiment, options: options,
            environment: RunEnvironment(
                clock: ImpatientClock(), wallTime: { .zero }, providers: InertProviders(outputs: outputs),
                platform: "", node: ""))
        guard let journal = try? await run.run() else { return }
        report.journals += 1
        _ = JSONWriter.write(await run.redactor.redact(journal: journal.value), .indented(2))
    }

    /// Texts go where patterns, paths, numbers and names go.
    private func tryText(_ text: String) {
        let values = outputs + [.string(text)]
        let forms: [Value] = [
            .string(text), ["type": "regex", "pattern": .string(text), "target": "body"],
            ["type": "regex", "pattern": .string(text)],
            ["type": "jsonpath", "path": .string(text), "expect": .string(text)],
            ["type": "range", "range": [0, 1.5]],
        ]
        for form in forms {
            let tolerance = Tolerance(form)
            for value in values { _ = try? tolerance.isMet(by: value, in: scope) }
        }
        var variables = Variables()
        _ = try? variables.set(text)
        _ = try? variables.read(file: text, name: "x.env")
        for type in ConversionType.allCases { _ = try? type.convert(text) }
    }

    private let outputs: [Value] = [
        ["status": 200, "headers": ["A": "b"], "body": ["a": [1, 2, ["x": .null]], "s": "text"]],
        ["status": 0, "stdout": "aaab 42\n", "stderr": ""], 5, "aaaa", true, .null, [1, "x"],
    ]
    private let scope: Scope = Scope(configuration: ["a": 1, "b": ["c": "d"]], secrets: ["t": ["s": "secret"]])
}

/// Answers every activity at once.
private struct InertProviders: ActivityProviders {
    let outputs: [Value]

    func perform(_ call: ActivityCall) async throws(ActivityError) -> Value {
        switch call {
        case .http(let call): if call.url.string == nil { throw .unexpected("no address") }
        case .process(let call): if call.path.isEmpty { throw .failed("no program") }
        case .python(let call): if call.module.isEmpty { throw .interrupted }
        }
        return outputs[0]
    }

    func locate(program: String) -> String? { program.contains("x") ? nil : program }
    func problems(of functions: [PythonFunction]) async -> [ActivityProblem?] {
        functions.map { $0.name.isEmpty ? ActivityProblem("no name") : nil }
    }
}

/// A clock on which every sleep is over at once, but lets others go first.
private struct ImpatientClock: Clock {
    typealias Instant = ContinuousClock.Instant
    typealias Duration = Swift.Duration

    let now: Instant = ContinuousClock.now
    let minimumResolution: Swift.Duration = .zero

    func sleep(until deadline: Instant, tolerance: Swift.Duration?) async throws {
        try Task.checkCancellation()
        await Task.yield()
    }
}
