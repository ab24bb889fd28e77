import Activities
import ArgumentParser
import Documents
import Experiments
import Pipeline
import PipelineTestbed
import Randomness
import Reports
import Sessions

/// Compares the poller's profiles.
struct Compare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs scenarios with every profile of the poller and prints a table.",
        discussion: """
            Ages are the largest and the 95th percentile of a run, second by second, in seconds.

            Examples:
              windkanal compare scenarios/smoke/device-latency.json
              # all of them, as Markdown
              windkanal compare scenarios/*/*.json > profiles.md
            """)

    @Argument(help: "Scenarios.", completion: .file())
    var sources: [String]

    @Option(help: "What the runs follow from; the scenarios' own seeds if it is left out.")
    var seed: UInt64?

    @OptionGroup var reports: ReportOptions
    @OptionGroup var globals: GlobalOptions

    func run() async throws {
        let (environment, settings) = try globals.surroundings()
        let console = ConsoleRecorder(globals.mode)
        for message in globals.messages(environment) { console.log(message.level, message.text) }
        let session = ExperimentSession(console: console, environment: environment, settings: settings)
        // All are read before the first runs.
        var scenarios: [(Experiment, Scenario)] = []
        for source in sources {
            var request = ExperimentSession.Request(source: source)
            request.callsGlobalControls = false
            guard let experiment = await session.load(request) else { throw ExitCode(1) }
            do {
                guard let scenario = try Scenario(of: experiment, reading: { try Files.read($0) }) else {
                    throw failure("\(source) has no extension '\(Scenario.extensionName)'", status: 2)
                }
                let findings = await ScenarioRun.findings(
                    experiment, in: scenario, environment: environment, variables: Variables())
                console.log(findings, of: experiment)
                if findings.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
                scenarios.append((experiment, scenario))
            } catch let error as ScenarioError {
                throw failure("\(source): \(error)", status: 1)
            }
        }
        let files = try reports.files(console)
        files?.recorder.note([
            "event": "comparison-begins",
            "command": .array(
                ReportOptions.replay(Array(CommandLine.arguments.dropFirst()), hasSeeds: true).map { .string($0) }),
        ])
        let signals = SimulationSignals(console)
        defer { signals.end() }
        let interruption = signals.interruption
        let comparison = ProfileComparison(environment: environment, interruption: interruption)
        var rows: [ProfileComparison.Row] = []
        let progress = ProgressMeter(console, total: scenarios.count * PollerProfile.all.count, unit: "runs")
        defer { progress.end() }
        for (experiment, scenario) in scenarios where interruption.requested == nil {
            do {
                try comparison.run(
                    experiment, scenario, seed: seed.map { Seed($0) }, recorder: files?.listener
                ) { row in
                    rows.append(row)
                    progress.advance(to: rows.count)
                    files?.note(row)
                    if globals.json { console.writeResult("", row.json) }
                }
            } catch let error as ScenarioError {
                throw failure("\(experiment.origin): \(error)", status: 1)
            }
        }
        progress.end()
        if !globals.json { console.writeResult(ProfileComparison.table(rows), [:]) }
        let isWritten = await files?.write() ?? true
        guard let kind = interruption.requested else {
            if !isWritten { throw ExitCode(1) }
            return
        }
        console.log(.warning, "Interrupted by \(kind.rawValue): the table is not whole")
        console.writeResult(
            "verdict interrupted rows \(rows.count)",
            ["event": "verdict", "verdict": "interrupted", "rows": .integer(rows.count)])
        throw ExitCode(1)
    }
}
