import ArgumentParser
import Glibc
import Manual
import Sessions

/// The command.
struct Windkanal: AsyncParsableCommand {
    static let version: String = "windkanal 0.4.0"

    static let configuration = CommandConfiguration(
        commandName: "windkanal",
        abstract: "A wind tunnel for services: the real code in an artificial storm.",
        discussion: """
            Runs experiments, Chaos Toolkit's files, against real systems or in a simulated landscape, where hours pass in \
            milliseconds and everything follows from a seed.

            Examples:
              # can it work here?
              windkanal doctor
              # hypothesis 1, in ten virtual minutes
              windkanal run scenarios/smoke/device-latency.json
              # the same for a thousand seeds
              windkanal run scenarios/smoke/device-latency.json --seeds 1...1000
              # what is believed, tried and learned
              windkanal backlog
              # a scenario of one's own
              windkanal new scenario slow-meters

            \(CommandReference.exitStatusHelp)
            """,
        version: version,
        subcommands: [
            Run.self, Validate.self, Compare.self, MakeReport.self, Why.self, ShowBacklog.self, New.self,
            ListActivities.self, Probe.self, Proxy.self,
            Trace.self,
            Doctor.self, PrintManual.self,
        ])
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
