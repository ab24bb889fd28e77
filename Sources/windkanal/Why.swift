import Activities
import ArgumentParser
import Documents
import Reports
import Sessions

/// Tells what went wrong first.
struct Why: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tells the story of what went wrong first, in ten lines.",
        discussion: """
            The file is a journal, or the events that `windkanal run --events FILE` writes; events know more: invariants, \
            faults, processes.

            Examples:
              # what a run's events tell
              windkanal why events.jsonl
              # what the journal of an experiment tells
              windkanal why journal.json
            """)

    @Argument(help: "A journal or events.", completion: .file())
    var file: String

    @OptionGroup var globals: GlobalOptions

    func run() async throws {
        _ = try globals.surroundings()
        let console = ConsoleRecorder(globals.mode)
        let bytes: [UInt8]
        do {
            bytes = try Files.read(file)
        } catch {
            throw failure(error, status: 1)
        }
        let lines: [String]
        // A journal is one document; events are one on each line.
        if let value = try? JSONReader.read(bytes), value["event"] == nil {
            guard let story = Story.lines(journal: value) else {
                throw failure("\(file) is neither a journal nor the events of a run", status: 1)
            }
            lines = story
        } else {
            do {
                lines = Story.lines(try Report(lines: bytes))
            } catch {
                throw failure("\(file): \(error)", status: 1)
            }
        }
        console.writeResult(
            lines.joined(separator: "\n"), ["event": "story", "lines": .array(lines.map { .string($0) })])
    }
}
