import ArgumentParser
import Experiments
import PipelineTestbed
import RealWorld

/// Runs an experiment.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs an experiment.",
        discussion: """
            The file is a Chaos Toolkit experiment, in JSON or YAML; without an extension of ours its providers run as they \
            stand, as `chaos run` does. Exits with 0 when the run completed without a deviation, with 1 when not, with 2 when \
            the command line cannot be used.
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

    @Option(parsing: .singleValue, help: .hidden)
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

    @Flag(help: "Leave secrets in the journal and on the terminal.")
    var noRedaction: Bool = false

    @OptionGroup var simulated: SimulationOptions
    @OptionGroup var globals: GlobalOptions

    func validate() throws {
        guard hypothesisStrategy != .skip else { throw ValidationError("skip is no value of --hypothesis-strategy") }
        guard hypothesisFrequency.isFinite, hypothesisFrequency >= 0, hypothesisFrequency < 1e9 else {
            throw ValidationError("--hypothesis-frequency is a number of seconds from 0 on")
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
        for file in variableFiles + controlFile where !Files.exists(file) {
            throw ValidationError("'\(file)' does not exist")
        }
        let console = ConsoleRecorder(globals.mode, redacts: !noRedaction)
        var request = ExperimentSession.Request(source: source)
        request.journalPath = journalPath
        request.validates = !noValidation
        request.verifiesTLS = !noVerifyTLS
        request.isStrict = strictVerdict
        request.redacts = !noRedaction
        request.options.dry = dry
        request.options.rollbackStrategy = rollbackStrategy
        request.options.hypothesisStrategy = hypothesisStrategy
        request.options.hypothesisFrequency = .nanoseconds(Int64(hypothesisFrequency * 1e9))
        request.options.failsFast = failFast
        // What comes later wins: a file before the next, the command line before all.
        for file in variableFiles {
            do {
                let text = String(decoding: try Files.read(file), as: UTF8.self)
                try request.options.variables.read(file: text, name: file)
            } catch {
                // As with the reference, the run goes on without it; but not without a word.
                console.say(.error, "\(file) cannot be read and sets no variables: \(error)")
            }
        }
        try setVariables(&request.options.variables)
        if !controlFile.isEmpty { console.say(.warning, "controls written in Python are not run") }
        let session = ExperimentSession(console: console, environment: environment, settings: settings)
        guard let experiment = await session.load(request) else { throw ExitCode(1) }
        let scenario: Scenario?
        do {
            scenario = try simulated.scenario(of: experiment)
        } catch {
            throw failure(error, status: 1)
        }
        guard let scenario else {
            if let option = simulated.first {
                throw failure("\(option) needs an experiment with the extension '\(Scenario.extensionName)'", status: 2)
            }
            throw ExitCode(await session.run(experiment, request))
        }
        request.options.runtimeSettings = settings.runtime
        let simulation = SimulatedSession(
            experiment: experiment, scenario: scenario, request: request, environment: environment, options: simulated,
            mode: globals.mode)
        let arguments = SimulationOptions.forWorkers(Array(CommandLine.arguments.dropFirst()))
        throw ExitCode(try await simulation.run(repeating: arguments))
    }
}

/// Validates an experiment.
struct Validate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says everything that is wrong with an experiment.",
        discussion:
            "Exits with 0 when it can be run, with 1 when not. Warnings name what the reference ignores silently.")

    @Argument(help: "The experiment's file, or an address that starts with http:// or https://.", completion: .file())
    var source: String

    @Flag(help: "Do not check the certificate when the experiment is read from an address.")
    var noVerifyTLS: Bool = false

    @OptionGroup var globals: GlobalOptions

    func run() async throws {
        let (environment, settings) = try globals.surroundings()
        var request = ExperimentSession.Request(source: source)
        request.verifiesTLS = !noVerifyTLS
        // A landscape is simulated: what can be called there decides, and not what this machine has.
        request.examine = { experiment in
            do throws(ScenarioError) {
                guard try Scenario(of: experiment, reading: { try Files.read($0) }) != nil else { return nil }
                return await ScenarioRun.findings(experiment, environment: environment, variables: Variables())
            } catch {
                let findings = await ScenarioRun.findings(
                    experiment, environment: environment, variables: Variables())
                return findings + error.findings(of: experiment)
            }
        }
        let session = ExperimentSession(
            console: ConsoleRecorder(globals.mode), environment: environment, settings: settings)
        throw ExitCode(await session.validate(request))
    }
}
