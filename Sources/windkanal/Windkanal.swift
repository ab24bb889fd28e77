import ArgumentParser

/// The command.
@main
struct Windkanal: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "windkanal",
        abstract: "A wind tunnel for services: the real code in an artificial storm.",
        subcommands: [Trace.self])
}
