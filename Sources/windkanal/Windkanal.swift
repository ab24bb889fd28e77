import ArgumentParser
import Glibc
import Sessions

/// The command.
struct Windkanal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "windkanal",
        abstract: "A wind tunnel for services: the real code in an artificial storm.",
        version: "windkanal 0.4.0",
        subcommands: [Run.self, Validate.self, Compare.self, ListActivities.self, Probe.self, Proxy.self, Trace.self])
}

/// The process' entry: usage errors end with 2, as with the reference.
@main
enum Main {
    static func main() async {
        StandardStream.occupy()
        // Who reads the output may go: an experiment in its middle must not end for that.
        signal(SIGPIPE, SIG_IGN)
        exit(await status())
    }

    /// Runs the command.
    ///
    /// - Returns: The exit status; 1 where the output could not be written, for whoever relies on it.
    private static func status() async -> Int32 {
        var status: Int32 = 0
        do {
            var command = try Windkanal.parseAsRoot(GlobalOptions.moved(Array(CommandLine.arguments.dropFirst())))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let code as ExitCode {
            status = code.rawValue
        } catch {
            status = explain(error)
        }
        if let problem = StandardStream.outputProblem {
            standardError("windkanal: \(problem)")
            if status == 0 { status = 1 }
        }
        return status
    }

    /// Tells help, the version, or what is wrong.
    private static func explain(_ error: any Error) -> Int32 {
        let code = Windkanal.exitCode(for: error)
        guard !code.isSuccess else {
            StandardStream.output.writeLine(Windkanal.message(for: error))
            return 0
        }
        standardError(Windkanal.fullMessage(for: error))
        return code == .validationFailure ? 2 : code.rawValue
    }
}
