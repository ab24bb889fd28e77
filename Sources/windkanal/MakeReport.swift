import Activities
import ArgumentParser
import Reports
import Sessions

/// Makes reports of a run that is over.
struct MakeReport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Makes reports of the events that a run has written.",
        discussion: """
            The file is what `windkanal run --events FILE` writes.

            Examples:
              # a page, and the ages as a table, of a run that was kept
              windkanal report events.jsonl --report-path report.html --series-path ages.csv
              # for a CI server
              windkanal report events.jsonl --junit-path junit.xml
            """)

    @Argument(help: "The events.", completion: .file())
    var events: String

    @OptionGroup var reports: ReportOptions
    @OptionGroup var globals: GlobalOptions

    func validate() throws {
        if reports.isEmpty {
            throw ValidationError(
                "say what to write: --report-path, --series-path, --junit-path or --markdown-path, each with a file")
        }
    }

    func run() async throws {
        _ = try globals.surroundings()
        let console = ConsoleRecorder(globals.mode)
        guard let files = try reports.files(console) else { return }
        do {
            let lines = try Files.read(events)
            _ = try Report(lines: lines)
            files.recorder.take(lines)
        } catch let error as ReportError {
            throw failure("\(events): \(error)", status: 1)
        } catch {
            throw failure(error as? FileError ?? FileError("\(events): \(error)"), status: 1)
        }
        guard await files.write() else { throw ExitCode(1) }
    }
}
