import Activities
import ArgumentParser
import Reports
import Sessions

/// Which reports are written, and where.
struct ReportOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Write a page for people: verdict, charts, replay line.", valueName: "file.html"),
        completion: .file())
    var reportPath: String?

    @Option(
        help: ArgumentHelp("Write what was measured as a table, cells separated by commas.", valueName: "file.csv"),
        completion: .file())
    var seriesPath: String?

    @Option(help: ArgumentHelp("Write the verdict as JUnit's XML.", valueName: "file.xml"), completion: .file())
    var junitPath: String?

    @Option(
        help: ArgumentHelp("Write a summary in Markdown, such as CI servers show.", valueName: "file.md"),
        completion: .file())
    var markdownPath: String?

    /// The options, by their names.
    private static let names: [String] = ["--report-path", "--series-path", "--junit-path", "--markdown-path"]
    /// Options that change nothing of what happens: where things are written, and how much is said.
    private static let outputs: [String] =
        names + ["--journal-path", "--events", "--events-file", "--trace", "--output", "--log-file"]
    private static let flags: Set<String> = ["--quiet", "--json", "--verbose"]

    /// Whether anything is to be written.
    var isEmpty: Bool { reportPath == nil && seriesPath == nil && junitPath == nil && markdownPath == nil }

    /// Looks whether all that was asked for can be written; nil if nothing was.
    ///
    /// - Throws: An exit code, after saying what cannot be written.
    func files(_ console: ConsoleRecorder, redacts: Bool = true) throws -> ReportFiles? {
        guard !isEmpty else { return nil }
        do {
            return try ReportFiles(self, console, redacts: redacts)
        } catch {
            throw failure("nothing was done, since a report cannot be written: \(error)", status: 1)
        }
    }

    /// A command line without these options.
    static func without(_ arguments: [String]) -> [String] { leaving(names, [], out: arguments) }

    /// The command that does the same again, wherever its results went.
    ///
    /// - Parameters:
    ///   - arguments: The command line.
    ///   - hasSeeds: Whether its seeds stay; whoever leaves them out names the seed.
    /// - Returns: The words.
    static func replay(_ arguments: [String], hasSeeds: Bool) -> [String] {
        ["windkanal"] + leaving(outputs + (hasSeeds ? [] : ["--seed", "--seeds"]), flags, out: arguments)
    }

    private static func leaving(_ options: [String], _ flags: Set<String>, out arguments: [String]) -> [String] {
        var kept: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if options.contains(argument) {
                rest = rest.dropFirst()
            } else if !flags.contains(argument), !options.contains(where: { argument.hasPrefix("\($0)=") }) {
                kept.append(argument)
            }
        }
        return kept
    }
}
