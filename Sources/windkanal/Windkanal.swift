import ArgumentParser
import Glibc

/// The command.
struct Windkanal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "windkanal",
        abstract: "A wind tunnel for services: the real code in an artificial storm.",
        subcommands: [Run.self, Validate.self, Compare.self, Activities.self, Probe.self, Trace.self])
}

/// The process' entry: usage errors end with 2, as with the reference.
@main
enum Main {
    static func main() async {
        // Who reads the output may go: an experiment in its middle must not end for that.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try Windkanal.parseAsRoot(GlobalOptions.moved(Array(CommandLine.arguments.dropFirst())))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            guard Windkanal.exitCode(for: error) == .validationFailure else { Windkanal.exit(withError: error) }
            standardError(Windkanal.fullMessage(for: error))
            Windkanal.exit(withError: ExitCode(2))
        }
    }
}
