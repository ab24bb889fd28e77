import ArgumentParser
import Glibc
import Sessions

/// What runs for real, apart from the simulation: none of its interposed functions is in this executable.
struct Services: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "windkanal-services",
        abstract: "The parts of Windkanal that run for real.",
        version: "windkanal-services 0.4.0",
        subcommands: [ProxyCommand.self])
}

/// The process' entry: usage errors end with 2, as with `windkanal`.
@main
enum Main {
    static func main() async {
        StandardStream.occupy()
        // A client that is gone must not end everybody's proxy.
        signal(SIGPIPE, SIG_IGN)
        var status: Int32 = 0
        do {
            var command = try Services.parseAsRoot()
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
        exit(status)
    }

    /// Tells help, the version, or what is wrong.
    private static func explain(_ error: any Error) -> Int32 {
        let code = Services.exitCode(for: error)
        guard !code.isSuccess else {
            StandardStream.output.writeLine(Services.message(for: error))
            return 0
        }
        StandardStream.errors.writeLine(Services.fullMessage(for: error))
        return code == .validationFailure ? 2 : code.rawValue
    }
}
