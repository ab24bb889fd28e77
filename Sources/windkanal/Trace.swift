import ArgumentParser
import Sessions
import TraceFiles

/// What can be done with recorded runs.
struct Trace: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Looks at recorded runs.",
        discussion: """
            Runs are recorded with `windkanal run --trace`.

            Examples:
              windkanal run scenarios/smoke/device-latency.json --trace a.jsonl
              windkanal trace diff a.jsonl b.jsonl
            """,
        subcommands: [Diff.self])

    /// Finds where two runs part.
    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the first decision in which two recorded runs differ.",
            discussion: """
                Exits with 0 when they are equal, 1 when they differ, 2 when a file cannot be used.

                Examples:
                  windkanal trace diff a.jsonl b.jsonl
                """)

        @Argument(help: "A recorded run (JSON Lines).")
        var left: String

        @Argument(help: "The run to compare it with.")
        var right: String

        func run() throws {
            let divergence: TraceDivergence?
            let lines: Int
            do {
                let left = try TraceFile(path: left)
                divergence = try left.firstDivergence(from: TraceFile(path: right))
                lines = left.lines.count
            } catch {
                throw failure(error, status: 2)
            }
            guard let divergence else { return StandardStream.output.writeLine("equal: \(lines) entries") }
            StandardStream.output.writeLine("\(divergence)")
            throw ExitCode(1)
        }
    }
}
