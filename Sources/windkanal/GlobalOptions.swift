import Activities
import ArgumentParser
import Experiments
import Sessions

/// Options that the reference takes before its command; here they may stand on both sides of it.
struct GlobalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The settings file.", valueName: "file"), completion: .file())
    var settings: String?

    @Flag(help: "Take no notice of anything but what goes wrong.")
    var quiet: Bool = false

    @Flag(help: "Tell what happens as JSON objects, one on each line of the output.")
    var json: Bool = false

    @Option(help: ArgumentHelp("Go to a folder first.", valueName: "folder"), completion: .directory)
    var changeDir: String?

    // Accepted so that command lines of the reference work; there is no log file and no version check.
    @Option(help: .hidden) var logFile: String?
    @Option(help: .hidden) var logFileLevel: String?
    @Option(help: .hidden) var logFormat: String?
    @Flag(help: .hidden) var verbose: Bool = false
    @Flag(name: .customLong("no-version-check"), help: .hidden) var hasNoVersionCheck: Bool = false
    @Flag(name: .customLong("no-log-file"), help: .hidden) var hasNoLogFile: Bool = false

    func validate() throws {
        if quiet, json { throw ValidationError("--quiet and --json exclude each other") }
    }

    var mode: ConsoleRecorder.Mode { quiet ? .quiet : json ? .json : .lines }

    /// Goes where the command is to work; what this process was started with.
    func environment() throws -> [String: String] {
        do {
            if let changeDir { try Files.enter(changeDir) }
        } catch {
            throw ValidationError("--change-dir cannot go to \(error)")
        }
        return ProcessEnvironment.current
    }

    /// Goes where the experiment is to be run; what this process was started with, and the user's settings.
    ///
    /// - Throws: An exit code, after saying what is wrong with the settings.
    func surroundings() throws -> (environment: [String: String], settings: Settings) {
        let environment = try environment()
        let path = settings ?? (environment["HOME"].map { "\($0)/.chaostoolkit/settings.yaml" } ?? "")
        do {
            return (environment, try Settings.read(path))
        } catch {
            throw failure(error, status: 1)
        }
    }

    /// What there is to be said of the surroundings.
    func messages(_ environment: [String: String]) -> [SimulatedSession.EarlyMessage] {
        guard let settings, !Files.exists(settings) else { return [] }
        return [(.warning, "there is no settings file '\(settings)': nothing is set")]
    }

    /// Arguments with those options that stand before the command moved behind it.
    static func moved(_ arguments: [String]) -> [String] {
        var leading: [String] = []
        var rest = arguments[...]
        while let first = rest.first, first.hasPrefix("--"), !["--help", "--version"].contains(first) {
            guard !first.hasPrefix("--generate"), !first.hasPrefix("--experimental") else { break }
            leading.append(rest.removeFirst())
            if ["--settings", "--change-dir", "--log-file", "--log-file-level", "--log-format"].contains(first),
                !rest.isEmpty
            {
                leading.append(rest.removeFirst())
            }
        }
        guard let command = rest.popFirst() else { return arguments }
        return [command] + rest.prefix { $0 != "--" } + leading + rest.drop { $0 != "--" }
    }
}
