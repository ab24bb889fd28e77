import ArgumentParser

/// Benchmarks and the determinism check: the project's own instruments.
@main
struct Lab: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab",
        abstract: "Measures the project and checks that its runs repeat.",
        subcommands: [
            Bench.self, TortureCommand.self, PollingCommand.self, DeterminismCommand.self, FuzzCommand.self,
            ChaosCommand.self, ClusterCommand.self, CrashesCommand.self, ScenariosCommand.self, StormCommand.self,
        ])
}
