import Activities
import ArgumentParser
import Backlog
import Experiments
import PipelineTestbed
import Reports
import Sessions

/// Runs an experiment.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs an experiment.",
        discussion: """
            The file is a Chaos Toolkit experiment, in JSON or YAML; without an extension of ours its providers run as they \
            stand, as `chaos run` does. Exits with 0 when the run completed without a deviation, with 1 when not, with 2 when \
            the command line cannot be used. In a simulated landscape a failed activity and an unsteady start count, too.

            Examples:
              windkanal run scenarios/smoke/device-latency.json
              windkanal run scenarios/smoke/device-latency.json --profile naive --seed 7
              # a thousand seeds, on all cores
              windkanal run scenarios/smoke/latency-forms.json --seeds 1...1000
              # what comes of it goes into the backlog
              windkanal run scenarios/smoke/database-unreachable.json --record
              # a real system
              windkanal run experiment.yaml --var host=meters.example
            """)

    @Argument(help: "The experiment's file, or an address that starts with http:// or https://.", completion: .file())
    var source: String

    @Option(help: ArgumentHelp("Where the journal goes.", valueName: "file"), completion: .file())
    var journalPath: String = "./journal.json"

    @Option(help: "Leave something out: actions, probes, activities (both) or pause.")
    var dry: Dry?

    @Flag(help: "Run without validating first.")
    var noValidation: Bool = false

    @Flag(help: "Do not check the certificate when the experiment is read from an address.")
    var noVerifyTLS: Bool = false

    @Option(help: "When rollbacks are played: default, always, never or deviated.")
    var rollbackStrategy: RollbackStrategy?

    @Option(
        name: .customLong("var"), parsing: .singleValue,
        help: ArgumentHelp(
            "Set a variable of the configuration; the type is str, int, float, bytes, bool or json.",
            valueName: "name[:type]=value"))
    var variables: [String] = []

    @Option(
        name: .customLong("var-file"), parsing: .singleValue,
        help: ArgumentHelp("Set variables from a JSON, YAML or .env file.", valueName: "file"), completion: .file())
    var variableFiles: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Call the controls of a JSON or YAML file around the experiment.", valueName: "file"),
        completion: .file())
    var controlFile: [String] = []

    @Option(
        help: """
            When the hypothesis is tested: default, before-method-only, after-method-only, during-method-only or continuously.
            """)
    var hypothesisStrategy: HypothesisStrategy?

    @Option(help: ArgumentHelp("Seconds between two tests during the method.", valueName: "seconds"))
    var hypothesisFrequency: Double = 1

    @Flag(help: "End the method at the first deviation during it.")
    var failFast: Bool = false

    @Flag(help: "Let an unsteady start, a failed activity and a deviation during the method count against the verdict.")
    var strictVerdict: Bool = false

    @Option(
        help: ArgumentHelp(
            "Write events in the reference's form while the experiment runs, one JSON object a line.",
            valueName: "file"),
        completion: .file())
    var eventsFile: String?

    @Option(
        help: ArgumentHelp("Write all events while the experiment runs, one JSON object a line.", valueName: "file"),
        completion: .file())
    var events: String?

    @Option(help: "What the output holds: text, or one report for agents (agent).")
    var output: OutputForm = .text

    @Flag(help: "Leave secrets in the journal and on the terminal.")
    var noRedaction: Bool = false

    @Flag(help: "Add what comes of the run to the hypothesis of the backlog that plans the experiment.")
    var record: Bool = false

    @Option(
        help: ArgumentHelp(
            "The hypothesis to record in, where several or none plan the experiment.", valueName: "name or file"),
        completion: .file(extensions: ["yaml"]))
    var hypothesis: String?

    @OptionGroup var simulated: SimulationOptions
    @OptionGroup var reports: ReportOptions
    @OptionGroup var globals: GlobalOptions

    func validate() throws {
        if hypothesis != nil, !record { throw ValidationError("--hypothesis says where to record: it needs --record") }
        if record, dry != nil { throw ValidationError("--record takes a run in which nothing is left out by --dry") }
        guard hypothesisStrategy != .skip else { throw ValidationError("skip is not a value of --hypothesis-strategy") }
        guard hypothesisFrequency.isFinite, hypothesisFrequency >= 0, hypothesisFrequency < 1e9 else {
            throw ValidationError("--hypothesis-frequency is a number of seconds from 0 on")
        }
        if output == .agent, globals.json { throw ValidationError("--output agent and --json exclude each other") }
        if output == .agent, simulated.seeds != nil { throw ValidationError("--output agent takes one seed") }
        if events != nil, simulated.seeds != nil {
            throw ValidationError("--events takes one seed; --report-path makes a report of many")
        }
        var tried = Variables()
        try setVariables(&tried)
    }

    /// Takes in what `--var` says.
    private func setVariables(_ read: inout Variables) throws {
        for assignment in variables {
            do {
                try read.set(assignment)
            } catch {
                throw ValidationError("--var \(assignment): \(error)")
            }
        }
    }

    func run() async throws {
        let (environment, settings) = try globals.surroundings()
        for (option, files) in [("--var-file", variableFiles), ("--control-file", controlFile)] {
            for file in files where !Files.exists(file) { throw ValidationError("\(option) '\(file)' does not exist") }
        }
        var request = makeRequest()
        var earlyMessages = globals.messages(environment)
        // What comes later wins: a file before the next, the command line before all.
        for file in variableFiles { read(file, into: &request.options.variables, &earlyMessages) }
        try setVariables(&request.options.variables)
        let recorder = try makeRecorder()
        if let recorder { request.onVerdict = { recorder.keep($0) } }
        let console = ConsoleRecorder(globals.mode, redacts: !noRedaction)
        let session = ExperimentSession(console: console, environment: environment, settings: settings)
        guard let experiment = await session.load(request) else { throw ExitCode(1) }
        let scenario: Scenario?
        do {
            scenario = try simulated.scenario(of: experiment)
        } catch {
            console.writeProblem(.validation, error.description, of: request)
            throw failure(error, status: 1)
        }
        guard let scenario else {
            if let option = simulated.first {
                throw failure("\(option) needs an experiment with the extension '\(Scenario.extensionName)'", status: 2)
            }
            for message in earlyMessages { console.log(message.level, message.text) }
            let files = try reports.files(console, redacts: !noRedaction)
            if let recorder = files?.recorder { request.recorder = { recorder.record($0, at: $1) } }
            if let warning = Scenario.misspelling(in: experiment) { console.log(.warning, warning) }
            let status = await session.run(experiment, request)
            let ended = recorder?.end(console, status) ?? status
            throw ExitCode(await files?.write() ?? true ? ended : max(1, ended))
        }
        request.options.settings = settings.value
        if !controlFile.isEmpty || settings.hasControls {
            earlyMessages.append(
                (
                    .warning,
                    "controls of the settings and of files are not called: nothing outside the simulation runs in it"
                ))
        }
        let files = simulated.worker ? nil : try reports.files(console, redacts: !noRedaction)
        if simulated.seeds == nil, let recorder = files?.recorder {
            request.recorder = { recorder.record($0, at: $1) }
        }
        let simulation = SimulatedSession(
            experiment: experiment, scenario: scenario, request: request, environment: environment, options: simulated,
            mode: globals.mode, earlyMessages: earlyMessages, recorder: recorder, reports: files?.recorder)
        let arguments = SimulationOptions.forWorkers(Array(CommandLine.arguments.dropFirst()))
        let status = try await simulation.run(repeating: arguments)
        throw ExitCode(await files?.write() ?? true ? status : max(1, status))
    }

    /// Who keeps what comes of the run; nil where nobody asked for that.
    ///
    /// - Throws: An exit code, after saying why nothing could be kept: that is found out before anything is done.
    private func makeRecorder() throws -> EvaluationRecorder? {
        guard record, !simulated.worker else { return nil }
        do {
            let destination = try BacklogFolder().destination(of: source, in: hypothesis)
            let options =
                (strictVerdict ? ["--strict-verdict"] : []) + (simulated.requireImpact ? ["--require-impact"] : [])
                // Without its value, which may be a secret.
                + variables.map { "--var \($0.prefix { $0 != "=" && $0 != ":" })" }
                + variableFiles.map { "--var-file \($0)" }
            return EvaluationRecorder(destination, options: options)
        } catch {
            throw failure(error, status: 2)
        }
    }

    private func makeRequest() -> ExperimentSession.Request {
        var request = ExperimentSession.Request(source: source)
        request.journalPath = journalPath
        request.referenceEventsPath = eventsFile
        request.eventsPath = events
        request.reportsToAgents = output == .agent
        request.controlFiles = controlFile
        request.callsGlobalControls = !simulated.worker
        request.validates = !noValidation
        request.verifiesTLS = !noVerifyTLS
        request.isStrict = strictVerdict
        request.redacts = !noRedaction
        request.replay = ReportOptions.replay(Array(CommandLine.arguments.dropFirst()), hasSeeds: false)
        request.options.dry = dry
        request.options.rollbackStrategy = rollbackStrategy
        request.options.hypothesisStrategy = hypothesisStrategy
        request.options.hypothesisFrequency = .nanoseconds(Int64(hypothesisFrequency * 1e9))
        request.options.failsFast = failFast
        return request
    }

    private func read(
        _ file: String, into variables: inout Variables, _ earlyMessages: inout [SimulatedSession.EarlyMessage]
    ) {
        do {
            guard let text = String(validating: try Files.read(file), as: UTF8.self) else {
                return earlyMessages.append((.error, "\(file) is not UTF-8 and sets no variables"))
            }
            for warning in try variables.read(file: text, name: file) {
                earlyMessages.append((.warning, "\(file): \(warning)"))
            }
        } catch let error as FileError {
            earlyMessages.append((.error, "no variables are set: \(error)"))
        } catch {
            // As with the reference, the run goes on without it; but not without a word.
            earlyMessages.append((.error, "\(file) cannot be read and sets no variables: \(error)"))
        }
    }
}

/// What a command's output holds.
enum OutputForm: String, ExpressibleByArgument, CaseIterable {
    case text
    case agent
}
