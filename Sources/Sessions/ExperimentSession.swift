import Activities
import Documents
public import Experiments
import Synchronization

/// What the command does with an experiment that has no landscape of ours: it runs for real, as with the reference.
public struct ExperimentSession: Sendable {
    /// Everything that the command line may say.
    public struct Request: Sendable {
        /// The experiment's file or address.
        public var source: String
        /// Where the journal goes.
        public var journalPath: String = "./journal.json"
        /// Where events go while the experiment runs, in the reference's form; nil is nowhere.
        public var referenceEventsPath: String?
        /// Where all events go while the experiment runs; nil is nowhere.
        public var eventsPath: String?
        /// Whether the output is one report for agents, in the reference's form.
        public var reportsToAgents: Bool = false
        /// How the experiment is run.
        public var options: RunOptions = RunOptions()
        /// Files of controls that are called around the experiment.
        public var controlFiles: [String] = []
        /// Whether global controls, those of the settings and of files, are called.
        public var callsGlobalControls: Bool = true
        /// Whether the experiment is validated first.
        public var validates: Bool = true
        /// Whether the certificate of an address is checked.
        public var verifiesTLS: Bool = true
        /// Whether what the reference lets pass counts against the verdict.
        public var isStrict: Bool = false
        /// Validates an experiment that does not run for real, such as one with a landscape; nil for one that does.
        public var examine: @Sendable (Experiment) async -> [Finding]? = { _ in nil }
        /// Whether the experiment is to be run, and not only validated.
        public var isRun: Bool = true
        /// Hears the verdict's word of a run that came to one.
        public var onVerdict: @Sendable (String) -> Void = { _ in }
        /// Whether secrets are taken out of the journal and the log.
        public var redacts: Bool = true
        /// Who else hears of every event, with its time since 1970; nil is nobody.
        public var recorder: (@Sendable (RunEvent, Duration) -> Void)?
        /// The command that plays the run again, for records.
        public var replay: [String] = []

        /// Runs a source as the reference would.
        public init(source: String) {
            self.source = source
        }
    }

    private let console: ConsoleRecorder
    private let environment: [String: String]
    private let settings: Value
    private let shared: Shared = Shared()

    /// What all commands of a session use: a Python that keeps what modules remember.
    private final class Shared: Sendable {
        let providers: Mutex<RealActivityProviders?> = Mutex(nil)
    }

    /// Prepares a session in an environment.
    public init(console: ConsoleRecorder, environment: [String: String], settings: Settings) {
        self.console = console
        self.environment = environment
        self.settings = settings.value
    }

    // MARK: Commands

    /// Validates an experiment and says what is wrong.
    ///
    /// - Returns: The exit code.
    public func validate(_ request: Request) async -> Int32 {
        let providers = providers(request)
        let notifications = notifications(providers)
        guard let experiment = await load(request, providers) else { return 1 }
        let payload = payload(experiment, request)
        await notifications.notify("validate-started", payload: payload)
        let firstError = await firstError(in: experiment, request, providers)
        if firstError == nil { console.log(.info, "experiment syntax and semantic look valid") }
        await notifications.notify(
            firstError == nil ? "validate-completed" : "validate-failed", payload: payload,
            error: firstError?.message)
        if request.reportsToAgents {
            let error = firstError.map { AgentReport.Problem(stage: .validation, message: $0.message) }
            console.report(
                AgentReport.ofValidation(
                    source: Files.absolute(request.source), title: experiment["title"] ?? .null, problem: error))
        } else if console.mode == .json {
            console.writeResult("", ["event": "validated", "valid": .bool(firstError == nil)])
        }
        return firstError == nil ? 0 : 1
    }

    /// Runs an experiment and writes its journal.
    ///
    /// - Returns: The exit code: 0 for a completed run without a deviation, 1 for everything else.
    public func run(_ request: Request) async -> Int32 {
        guard let experiment = await load(request) else { return 1 }
        return await run(experiment, request)
    }

    /// Reads an experiment; nil after saying why that is impossible.
    public func load(_ request: Request) async -> Experiment? {
        await load(request, providers(request))
    }

    /// Runs an experiment that was read and writes its journal.
    ///
    /// - Returns: The exit code.
    public func run(_ experiment: Experiment, _ request: Request) async -> Int32 {
        // What cannot be written is found out before anything is done to a system.
        let outputs: RunOutputs
        do {
            outputs = try RunOutputs(request)
        } catch {
            console.log(.critical, "nothing was done, since its result cannot be written: \(error)")
            return 1
        }
        defer { outputs.close() }
        let interruptions = Interruptions()
        let signals = Signals { interruptions.interrupt($0) }
        defer { signals.end() }
        let providers = providers(request)
        let notifications = notifications(providers)
        await notifications.notify("run-started", payload: payload(experiment, request))
        if request.validates {
            let validation = Task { await firstError(in: experiment, request, providers) }
            interruptions.onFirst { validation.cancel() }
            let error = await validation.value
            if let error, !interruptions.isInterrupted {
                console.writeProblem(.validation, error.message, of: request)
                return 1
            }
        } else {
            warnOfVariables(experiment, request)
        }
        var options = request.options
        options.settings = settings
        options.globalControls = globalControls(request).controls
        let run = ExperimentRun(
            experiment, options: options,
            environment: RunEnvironment(
                clock: ContinuousClock(), wallTime: { Machine.wallTime }, providers: providers, controls: providers,
                variables: environment(request), platform: Machine.platform, node: Machine.node,
                recorder: {
                    console.record($0)
                    outputs.record($0, at: Machine.wallTime)
                }))
        await interruptions.attach(run)
        let journal: Journal
        do {
            journal = try await run.run()
        } catch {
            console.log(.critical, error.description)
            console.writeProblem(.run, error.description, of: request)
            if !request.reportsToAgents { console.writeVerdict("crashed", status: nil, deviated: false) }
            return 1
        }
        return await finish(journal, of: run, request, outputs, notifications)
    }

    private func finish(
        _ journal: Journal, of run: ExperimentRun, _ request: Request, _ outputs: RunOutputs,
        _ notifications: Notifications
    ) async -> Int32 {
        let value = journal.value(redactedBy: request.redacts ? await run.redactor : nil)
        let isWritten = console.write(value, to: outputs.journal)
        await notifications.notify(journal.status == .completed ? "run-completed" : "run-failed", payload: value)
        if journal.deviated { await notifications.notify("run-deviated", payload: value) }
        let rule: Verdict.Rule = request.isStrict ? .strict : .reference
        let status: Int32 = isWritten && journal.isSuccess(by: rule) ? 0 : 1
        let (verdict, reasons) = journal.verdict(by: rule)
        request.onVerdict(verdict.rawValue)
        for line in journal.remains { console.log(.warning, line) }
        console.logReasons(of: journal, by: rule)
        outputs.record(
            .noted([
                "event": "verdict", "verdict": .string(verdict.rawValue), "success": .bool(status == 0),
                "title": journal.experiment["title"] ?? .null, "reasons": .array(reasons.map { .string($0) }),
                "replay": .array(request.replay.map { .string($0) }),
            ]), at: Machine.wallTime)
        if request.reportsToAgents {
            console.report(value, of: request, status: status)
        } else {
            console.writeVerdict(verdict.rawValue, status: journal.status, deviated: journal.deviated)
        }
        return status
    }

    // MARK: Parts

    /// What notifications show of an experiment.
    private func payload(_ experiment: Experiment, _ request: Request) -> Value {
        let value = experiment.document.value
        return request.redacts ? Redactor().redact(experiment: value) : value
    }

    private func environment(_ request: Request) -> [String: String] {
        environment.merging(request.options.variables.environment) { $1 }
    }

    private func providers(_ request: Request) -> RealActivityProviders {
        shared.providers.withLock { providers in
            let existing = providers ?? RealActivityProviders(environment: environment(request)) { console.log($0, $1) }
            providers = existing
            return existing
        }
    }

    /// The controls that are called around every experiment.
    private func globalControls(_ request: Request) -> GlobalControls {
        // As with the reference, validation alone calls none.
        guard request.isRun, request.callsGlobalControls else { return GlobalControls(settings: .null, files: []) }
        return GlobalControls(settings: settings, files: request.controlFiles)
    }

    private func notifications(_ providers: RealActivityProviders) -> Notifications {
        Notifications(
            settings: settings, providers: providers, wallTime: { Machine.wallTime },
            warn: { console.log(.warning, $0) })
    }

    private func load(_ request: Request, _ providers: RealActivityProviders) async -> Experiment? {
        let global = globalControls(request)
        for problem in global.problems { console.log(.error, problem) }
        let controls = LoaderControls(
            global.controls, provider: providers, settings: settings, recorder: { console.record($0) })
        do {
            var nothing: Value?
            try await controls.call(.before, request.source, &nothing)
            var experiment = await read(request, providers)
            var value = experiment?.document.value
            try await controls.call(.after, request.source, &value)
            if let value { experiment?.document.value = value }
            return experiment
        } catch {
            console.writeProblem(.load, "a control ended the run before it began", of: request)
            return nil
        }
    }

    private func read(_ request: Request, _ providers: RealActivityProviders) async -> Experiment? {
        let source = ExperimentSource(
            providers: providers, environment: environment, settings: settings, verifiesTLS: request.verifiesTLS)
        do {
            return try await source.load(request.source)
        } catch {
            console.log(.error, error.description)
            console.writeProblem(.load, error.description, of: request)
            return nil
        }
    }

    /// Says everything that is wrong; the first error, or nil if the experiment can be run.
    private func firstError(
        in experiment: Experiment, _ request: Request, _ providers: RealActivityProviders
    ) async -> Finding? {
        console.log(.info, "Validating the experiment's syntax")
        let findings: [Finding]
        if let examined = await request.examine(experiment) {
            findings = examined
        } else {
            var validator = Validator(
                experiment, providers: providers, controls: providers, environment: environment,
                variables: request.options.variables,
                runtimeSettings: settings["runtime"])
            findings = await validator.validate()
        }
        // What an interruption cut short says nothing of the experiment.
        guard !Task.isCancelled else { return nil }
        console.log(findings, of: experiment)
        let firstError = findings.first { $0.severity == .error }
        if firstError == nil { console.log(.info, "Experiment looks valid") }
        return firstError
    }

    private func warnOfVariables(_ experiment: Experiment, _ request: Request) {
        for name in request.options.variables.configuration.keys where experiment["configuration"]?[name] == nil {
            console.log(.warning, "the variable '\(name)' is not declared in the configuration: it has no effect")
        }
    }
}
