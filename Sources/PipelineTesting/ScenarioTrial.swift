import Activities
import Documents
public import Experiments
import Pipeline
import PipelineTestbed
import ReportPages
import Reports
@_exported public import SimulationTesting
import Testbed

/// A scenario's file as a trial: it holds when `windkanal run` would exit with 0.
public struct ScenarioTrial: Trial {
    /// The experiment's title.
    public let name: String
    private let path: String
    private let experiment: Experiment
    private let scenario: Scenario
    private let options: Options

    /// How a scenario is run.
    public struct Options: Sendable {
        /// The poller's profile; nil is the scenario's own.
        public var profile: String?
        /// Whether a deviation counts that was seen during the method only.
        public var isStrict: Bool = false
        /// Whether a fault that hits nothing fails the run.
        public var requiresImpact: Bool = false
        /// How the experiment is run.
        public var run: RunOptions = RunOptions()
        /// The variables of the environment that the experiment sees.
        public var environment: [String: String] = [:]

        /// As the command does without options, in an empty environment.
        public init() {}
    }

    /// Reads a scenario's file and looks at it as `windkanal validate` does.
    ///
    /// - Parameters:
    ///   - path: The file, in JSON or YAML, from the working folder or from the package of `origin` on.
    ///   - options: How it is run.
    ///   - origin: The file of the test.
    /// - Throws: ``ScenarioTrialError`` with everything that is wrong.
    public init(_ path: String, options: Options = Options(), origin: String = #filePath) throws(ScenarioTrialError) {
        let found = Files.exists(path) ? path : Self.packageFolder(of: origin).map { "\($0)/\(path)" } ?? path
        let experiment: Experiment
        let scenario: Scenario?
        do {
            let bytes = try Files.read(found)
            let document =
                path.hasSuffix(".json")
                ? try JSONReader.readDocument(bytes)
                : try YAMLReader.readDocument(String(decoding: bytes, as: UTF8.self))
            experiment = Experiment(document, origin: found)
            scenario = try Scenario(of: experiment) { try Files.read($0) }
        } catch {
            throw ScenarioTrialError(path: path, problems: ["\(error)"])
        }
        guard var scenario else {
            throw ScenarioTrialError(
                path: path, problems: ["it has no extension '\(Scenario.extensionName)' to simulate"])
        }
        if let name = options.profile {
            guard let profile = PollerProfile(named: name) else {
                let names = PollerProfile.all.map(\.name).joined(separator: ", ")
                throw ScenarioTrialError(path: path, problems: ["there is no profile '\(name)'; there are \(names)"])
            }
            do {
                try scenario.use(profile)
            } catch {
                throw ScenarioTrialError(path: path, problems: error.problems)
            }
        }
        let errors = Self.errors(experiment, scenario, options)
        guard errors.isEmpty else { throw ScenarioTrialError(path: path, problems: errors) }
        self.name = experiment["title"]?.string ?? path
        self.path = path
        self.experiment = experiment
        self.scenario = scenario
        self.options = options
    }

    /// What validation has against an experiment.
    ///
    /// Its functions are asynchronous and wait for nothing: a simulation runs them here.
    private static func errors(_ experiment: Experiment, _ scenario: Scenario, _ options: Options) -> [String] {
        do {
            let findings = try Simulation(seed: 1).run {
                await ScenarioRun.findings(
                    experiment, in: scenario, environment: options.environment, variables: options.run.variables)
            }.get()
            return findings.filter { $0.severity == .error }.map(\.description)
        } catch {
            return ["it cannot be validated: \(error)"]
        }
    }

    private static func packageFolder(of origin: String) -> String? {
        var folder = Substring(origin)
        while let slash = folder.lastIndex(of: "/") {
            folder = folder[..<slash]
            if Files.exists("\(folder)/Package.swift") { return String(folder) }
        }
        return nil
    }

    private func result(
        seed: Seed, samples: Bool = false, recorder: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) throws -> ScenarioRun.Result {
        var scenario = scenario
        scenario.seed = seed
        return try ScenarioRun(
            experiment, in: scenario, options: options.run, environment: options.environment, samples: samples,
            recorder: recorder
        ).run()
    }

    /// Runs the scenario from a seed.
    ///
    /// - Throws: `SimulationError` when simulations cannot run here.
    public func run(seed: Seed) throws -> TrialOutcome {
        let result = try result(seed: seed)
        let holds = result.isSuccess(strict: options.isStrict, requiresImpact: options.requiresImpact)
        return TrialOutcome(
            seed: seed, verdict: result.verdict(strict: options.isStrict), holds: holds, digest: result.digest,
            virtualTime: result.virtualTime, failures: holds ? [] : failures(of: result),
            impact: result.faults.map { "\($0.fault): \($0.impact)" },
            marks: result.marks.reduce(into: [:]) { $0[$1.key.name] = $1.value }, replay: replay(seed))
    }

    private func failures(of result: ScenarioRun.Result) -> [TrialFailure] {
        var failures = result.violations.map { TrialFailure($0.description) }
        if result.stopReason != .finished { failures.append(TrialFailure("the simulation \(result.stopReason)")) }
        if let failure = result.failure { failures.append(TrialFailure(failure)) }
        failures += result.problems.map { TrialFailure("a fault could not be applied: \($0)") }
        if options.requiresImpact { failures += result.missed.map { TrialFailure("hit nothing: \($0.fault)") } }
        if let journal = result.journal {
            let rule = ScenarioRun.Result.rule(options.isStrict)
            let verdict = journal.verdict(by: rule)
            if !journal.isSuccess(by: rule) {
                let reasons =
                    verdict.reasons.isEmpty ? ["the hypothesis is \(verdict.verdict.rawValue)"] : verdict.reasons
                failures += (reasons + [result.boundLine]).map { TrialFailure($0) }
            }
        }
        return failures
    }

    private func replay(_ seed: Seed) -> String {
        replayWords(seed).map { $0 == path ? "'\($0)'" : $0 }.joined(separator: " ")
    }

    private func replayWords(_ seed: Seed) -> [String] {
        ["windkanal", "run", path, "--seed", "\(seed)"] + (options.profile.map { ["--profile", $0] } ?? [])
            + (options.isStrict ? ["--strict-verdict"] : []) + (options.requiresImpact ? ["--require-impact"] : [])
    }

    /// The recipe, which is the scenario with the seed in it, the journal, and the report's page.
    ///
    /// - Throws: What the page's templates have against it.
    public func evidence(of outcome: TrialOutcome) throws -> [Evidence] {
        let recorder = ReportRecorder()
        let epoch = Simulation.Options().epoch
        let result = try result(seed: outcome.seed, samples: true) { event in
            recorder.record(event, at: epoch + .nanoseconds(Int64(World.current?.nanoseconds ?? 0)))
        }
        var evidence = [Evidence("recipe.json", recipe(outcome.seed))]
        if let journal = result.journal {
            let value = journal.value(redactedBy: result.redactor)
            evidence.append(Evidence("journal.json", JSONWriter.write(value, .indented(2)) + "\n"))
        }
        recorder.note(
            result.verdictEvent(
                of: experiment, journal: result.journal, strict: options.isStrict,
                requiresImpact: options.requiresImpact, replay: replayWords(outcome.seed)),
            at: epoch + result.virtualTime)
        evidence.append(Evidence("report.html", try ReportPage.text(recorder.report())))
        return evidence
    }

    /// The experiment with the seed and the profile in its extension.
    private func recipe(_ seed: Seed) -> String {
        var document = experiment.document.value
        let extensions = document["extensions"]?.array ?? []
        let changed = extensions.map { value -> Value in
            guard value["name"] == .string(Scenario.extensionName), var object = value.object else { return value }
            if let number = Int(exactly: seed.value) { object["seed"] = .integer(number) }
            guard let profile = options.profile else { return .object(object) }
            var landscape = object["landscape"]?.object ?? [:]
            var poller = landscape["poller"]?.object ?? [:]
            poller["profile"] = .string(profile)
            landscape["poller"] = .object(poller)
            object["landscape"] = .object(landscape)
            return .object(object)
        }
        document.set(Pointer(tokens: ["extensions"]), to: .array(changed))
        return JSONWriter.write(document, .indented(2)) + "\n"
    }
}

/// Why a file is no scenario that can be tried.
public struct ScenarioTrialError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file.
    public let path: String
    /// Everything that is wrong, with places and remedies where they are known.
    public let problems: [String]

    /// The file, and a line for each problem.
    public var description: String { (["\(path) cannot be tried:"] + problems).joined(separator: "\n") }
}

extension Trial where Self == ScenarioTrial {
    /// A scenario's file.
    ///
    /// - Parameters:
    ///   - path: The file, from the working folder or from the test's package on.
    ///   - profile: The poller's profile; nil is the scenario's own.
    ///   - options: How it is run otherwise.
    ///   - origin: The file of the test.
    /// - Returns: The trial.
    /// - Throws: ``ScenarioTrialError`` with everything that is wrong.
    public static func scenario(
        _ path: String, profile: String? = nil, options: ScenarioTrial.Options = ScenarioTrial.Options(),
        origin: String = #filePath
    ) throws -> ScenarioTrial {
        var options = options
        if let profile { options.profile = profile }
        return try ScenarioTrial(path, options: options, origin: origin)
    }
}
