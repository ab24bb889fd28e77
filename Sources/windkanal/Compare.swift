import ArgumentParser
import PipelineTestbed
import Randomness
import RealWorld

/// Compares the poller's profiles.
struct Compare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs scenarios with every profile of the poller and prints a table.",
        discussion: "Ages are the largest and the 95th percentile of a run, second by second, in seconds.")

    @Argument(help: "Scenarios.", completion: .file())
    var sources: [String]

    @Option(help: "What the runs follow from; the scenarios' own seeds if it is left out.")
    var seed: UInt64?

    @OptionGroup var globals: GlobalOptions

    func run() async throws {
        let (environment, settings) = try globals.surroundings()
        let console = ConsoleRecorder(globals.mode)
        let session = ExperimentSession(console: console, environment: environment, settings: settings)
        let comparison = ProfileComparison(environment: environment)
        var rows: [ProfileComparison.Row] = []
        for source in sources {
            guard let experiment = await session.load(.init(source: source)) else { throw ExitCode(1) }
            do {
                guard let scenario = try Scenario(of: experiment, reading: { try Files.read($0) }) else {
                    throw failure("\(source) has no extension '\(Scenario.extensionName)'", status: 2)
                }
                console.showProgress(source)
                rows += try comparison.rows(experiment, scenario, seed: seed.map { Seed($0) })
            } catch let error as ScenarioError {
                throw failure(error, status: 1)
            }
        }
        console.endProgress()
        console.print(ProfileComparison.table(rows))
    }
}
