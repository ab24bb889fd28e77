import Activities
import ArgumentParser
import Backlog
import Documents
import Experiments
import Glibc
import Sessions

/// Shows the hypotheses that there are.
struct ShowBacklog: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backlog",
        abstract: "Shows the backlog: every hypothesis, where it is in the cycle, and what is to be done next.",
        discussion: """
            A hypothesis is a file of the folder 'hypotheses'. It goes from hypothesis to planning, to experiment, to evaluation; \
            where it is follows from what its file holds. Everything that is wrong with a file is told with its line; then the \
            exit status is 1.

            Examples:
              windkanal backlog
              # everything about one of them
              windkanal backlog h1-device-latency
              # as a page for a browser
              windkanal backlog --html backlog.html
              # the names of those that can be run now
              windkanal backlog --json | grep '"stage":"experiment"'
            """)

    @Argument(help: "A hypothesis by its name or file, to be shown in full.", completion: .file(extensions: ["yaml"]))
    var name: String?

    @Option(help: ArgumentHelp("Where the hypotheses are.", valueName: "folder"), completion: .directory)
    var folder: String = BacklogFolder.standardPath

    @Option(
        name: .customLong("html"), help: ArgumentHelp("Write the backlog as a page.", valueName: "file"),
        completion: .file(extensions: ["html"]))
    var page: String?

    @OptionGroup var globals: GlobalOptions

    func run() throws {
        let environment = try globals.environment()
        let console = ConsoleRecorder(globals.mode)
        let isTerminal = isatty(1) != 0
        let colors = ColorChoice(environment: environment, isTerminal: isTerminal)
        let columns = min(TerminalSize.columns(of: 1, environment: environment) ?? 100, 120)
        let backlog = BacklogFolder(folder)
        var hypotheses: [Hypothesis]
        var problems: [HypothesisProblem] = []
        do {
            if let name {
                hypotheses = [try backlog.hypothesis(named: name)]
            } else {
                (hypotheses, problems) = try backlog.read()
            }
        } catch let error as FileError {
            throw failure(
                "there is no backlog: \(error); go where it is, or begin one with `windkanal new hypothesis`", status: 2
            )
        } catch let error as HypothesisError {
            (hypotheses, problems) = ([], error.problems)
        }
        let paint: @Sendable (Board.Mark, String) -> String = { colors.isColored ? $0.painted($1) : $1 }
        let board = Board(hypotheses, columns: columns, paint: paint)
        if let page {
            do {
                try OutputFile(page).write(BoardPage(hypotheses).html)
                console.log(.info, "the backlog's page is \(page)")
            } catch {
                throw failure("the page cannot be written: \(error)", status: 2)
            }
        } else if globals.json {
            for hypothesis in hypotheses { console.writeResult("", hypothesis.json) }
        } else if name != nil {
            for hypothesis in hypotheses { console.writeResult(board.details(of: hypothesis), [:]) }
        } else {
            console.writeResult(board.overview, [:])
        }
        for problem in problems { console.log(.error, problem.description) }
        guard problems.isEmpty else { throw ExitCode(1) }
    }
}

extension Board.Mark {
    /// A text in the mark's colour.
    fileprivate func painted(_ text: String) -> String {
        let code =
            switch self {
            case .heading, .name: "1"
            case .expected: "32"
            case .unexpected: "31"
            case .next: "36"
            case .faint: "2"
            }
        return "\u{1b}[\(code)m\(text)\u{1b}[0m"
    }
}
