import Activities
import ArgumentParser
import Experiments
import PipelineTestbed
import Sessions

/// Validates an experiment.
struct Validate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says everything that is wrong with an experiment.",
        discussion: """
            Exits with 0 when it can be run, with 1 when not. Warnings name what the reference ignores silently.

            Examples:
              windkanal validate scenarios/smoke/device-latency.json
              # one report for agents
              windkanal validate experiment.yaml --output agent
            """)

    @Argument(help: "The experiment's file, or an address that starts with http:// or https://.", completion: .file())
    var source: String

    @Flag(help: "Do not check the certificate when the experiment is read from an address.")
    var noVerifyTLS: Bool = false

    @Option(help: "What the output holds: text, or one report for agents (agent).")
    var output: OutputForm = .text

    @OptionGroup var globals: GlobalOptions

    func validate() throws {
        if output == .agent, globals.json { throw ValidationError("--output agent and --json exclude each other") }
    }

    func run() async throws {
        let (environment, settings) = try globals.surroundings()
        var request = ExperimentSession.Request(source: source)
        request.verifiesTLS = !noVerifyTLS
        request.isRun = false
        request.reportsToAgents = output == .agent
        let console = ConsoleRecorder(globals.mode)
        for message in globals.messages(environment) { console.log(message.level, message.text) }
        // A landscape is simulated: what can be called there decides, and not what this machine has.
        request.examine = { experiment in
            do throws(ScenarioError) {
                guard let scenario = try Scenario(of: experiment, reading: { try Files.read($0) }) else {
                    if let warning = Scenario.misspelling(in: experiment) { console.log(.warning, warning) }
                    return nil
                }
                return await ScenarioRun.findings(
                    experiment, in: scenario, environment: environment, variables: Variables())
            } catch {
                let findings = await ScenarioRun.findings(
                    experiment, environment: environment, variables: Variables())
                return findings + error.findings(of: experiment)
            }
        }
        let session = ExperimentSession(console: console, environment: environment, settings: settings)
        throw ExitCode(await session.validate(request))
    }
}
