import Activities
import ArgumentParser
import Backlog
import Documents
import Sessions

/// Begins files that people go on with.
struct New: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Begins a hypothesis or a scenario: a file that explains its parts.",
        discussion: """
            Nothing that is there is written over.

            Examples:
              windkanal new hypothesis slow-meters
              windkanal new scenario slow-meters
            """,
        subcommands: [NewHypothesis.self, NewScenario.self])

    struct NewHypothesis: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "hypothesis",
            abstract: "Begins a hypothesis of the backlog.",
            discussion: """
                Writes hypotheses/NAME.yaml, and says what to do with it.

                Examples:
                  windkanal new hypothesis slow-meters
                  windkanal new hypothesis slow-meters --folder team/hypotheses
                """)

        @OptionGroup var scaffolding: Scaffolding

        func run() throws { try scaffolding.write(.hypothesis) }
    }

    struct NewScenario: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "scenario",
            abstract: "Begins a scenario, which can be run at once.",
            discussion: """
                Writes scenarios/NAME.yaml: an experiment in a landscape of twenty flats, one of which becomes slow.

                Examples:
                  windkanal new scenario slow-meters
                  windkanal run scenarios/slow-meters.yaml --profile naive
                """)

        @OptionGroup var scaffolding: Scaffolding

        func run() throws { try scaffolding.write(.scenario) }
    }
}

/// Where a new file goes.
struct Scaffolding: ParsableArguments {
    @Argument(help: "The file's name, without a folder and an ending.")
    var name: String

    @Option(
        help: ArgumentHelp("Where the file goes, in place of the usual folder.", valueName: "folder"),
        completion: .directory)
    var folder: String?

    @OptionGroup var globals: GlobalOptions

    /// Writes a new file, and says what to do with it.
    ///
    /// - Throws: An exit code, after saying what is wrong.
    func write(_ kind: Scaffold.Kind) throws {
        _ = try globals.environment()
        let console = ConsoleRecorder(globals.mode)
        do {
            let scaffold = try Scaffold(kind, named: name)
            let folder = folder ?? scaffold.folder
            let path = "\(folder)/\(scaffold.file)"
            try Folder.make(folder)
            guard try Files.create(path, scaffold.text) else {
                throw failure("'\(path)' is there already, and stays as it is; take another name", status: 2)
            }
            console.writeResult(
                "\(path)", ["event": "created", "kind": .string(kind.rawValue), "path": .string(path)])
            guard globals.mode == .lines else { return }
            for step in scaffold.nextSteps(path) { standardError("  \(step)") }
        } catch let error as Scaffold.NameError {
            throw failure(error, status: 2)
        } catch let error as FileError {
            throw failure("nothing was begun: \(error)", status: 2)
        }
    }
}
