import Documents
import Experiments
import Glibc
import PipelineTestbed
import Sessions

/// Runs an experiment for many seeds, in processes on all cores, and writes what came of them.
struct SweepSession {
    let experiment: Experiment
    let environment: [String: String]
    let isStrict: Bool
    let console: ConsoleRecorder
    /// Told at the end what came of it.
    var onEnd: ((End) -> Void)?

    /// What came of a sweep.
    struct End {
        /// What came of each seed.
        let summary: SeedSweep.Summary
        /// Seeds that were to be run.
        let count: Int
        /// The gravest verdict.
        let verdict: String
        /// The command that plays the first failing seed again; empty where none fails.
        let replay: [String]
    }

    /// Verdicts of a sweep as a whole, the gravest first.
    private static let gravity: [String] =
        [
            "interrupted", "crashed", "stopped", "aborted", "failed", "refuted", "inconclusive", "unsteady", "held",
            "untested",
        ]
    /// Seeds of a verdict that are named.
    private static let examplesMax: Int = 10
    /// Crashes that are named.
    private static let crashesMax: Int = 20

    /// Runs the seeds.
    ///
    /// - Parameters:
    ///   - seeds: The seeds.
    ///   - arguments: The command line without its seeds.
    ///   - keep: Is given what came of them all, before the last line; false if that could not be kept.
    /// - Returns: The exit code.
    func run(
        _ seeds: ClosedRange<UInt64>, repeating arguments: [String],
        keep: (EvaluationRecorder.Outcome) -> Bool
    ) async -> Int32 {
        let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        // The run's own limit comes first, and has a name.
        let sweep = SeedSweep(
            path: "/proc/self/exe", environment: environment, workers: cores,
            seedTimeout: ScenarioRun.wallTimeMax + .seconds(60))
        let count = Int(seeds.upperBound - seeds.lowerBound) + 1
        let interruption = ScenarioInterruption()
        let meter = ProgressMeter(console, total: count, unit: "seeds")
        let work = Task {
            await sweep.run(seeds) { chunk in
                arguments + ["--seeds", "\(chunk.lowerBound)...\(chunk.upperBound)", "--worker"]
            } progress: { done in
                meter.advance(to: done)
            }
        }
        let signals = Signals { kind in
            interruption.request(kind)
            work.cancel()
        }
        defer { signals.end() }
        let summary = await work.value
        meter.end()
        if let kind = interruption.requested {
            console.log(
                .warning,
                "Interrupted by \(kind.rawValue): \(summary.results.count + summary.crashes.count) of \(count) seeds were tried"
            )
        }
        return write(
            summary, of: seeds, isInterrupted: interruption.requested != nil, repeating: arguments, keep: keep)
    }

    private func write(
        _ summary: SeedSweep.Summary, of seeds: ClosedRange<UInt64>, isInterrupted: Bool, repeating arguments: [String],
        keep: (EvaluationRecorder.Outcome) -> Bool
    ) -> Int32 {
        let count = Int(seeds.upperBound - seeds.lowerBound) + 1
        for (seed, problem) in summary.crashes.sorted(by: { $0.key < $1.key }).prefix(Self.crashesMax) {
            console.log(.critical, "seed \(seed): \(problem)")
        }
        var verdicts: [String: [UInt64]] = summary.crashes.isEmpty ? [:] : ["crashed": summary.crashes.keys.sorted()]
        var failing = Array(summary.crashes.keys)
        for (seed, result) in summary.results.sorted(by: { $0.key < $1.key }) {
            verdicts[result.verdict, default: []].append(seed)
            if !result.isSuccess { failing.append(seed) }
        }
        for (verdict, list) in verdicts.sorted(by: { $0.key < $1.key }) {
            let examples =
                list.prefix(Self.examplesMax).map(String.init).joined(separator: ", ")
                + (list.count > Self.examplesMax ? ", ..." : "")
            console.writeResult(
                "\(verdict): \(list.count) of \(count) seeds (\(examples))",
                [
                    "event": "seeds", "verdict": .string(verdict), "count": .integer(list.count),
                    "of": .integer(count), "seeds": .array(list.map { .integer(Int(clamping: $0)) }),
                ])
        }
        let words = failing.min().map { ["windkanal"] + arguments + ["--seed", String($0)] } ?? []
        if let first = failing.min() {
            console.writeResult(
                "replay: \(words.map(Self.shellWord).joined(separator: " "))",
                ["event": "replay", "seed": .integer(Int(clamping: first)), "command": .array(words.map(Value.string))])
        }
        let isWhole = summary.results.count + summary.crashes.count == count
        let worst =
            isInterrupted && !isWhole ? "interrupted" : Self.gravity.first { verdicts[$0] != nil } ?? "crashed"
        let isKept = keep(
            EvaluationRecorder.Outcome(
                verdict: worst, seeds: "\(seeds.lowerBound)...\(seeds.upperBound)", counts: verdicts.mapValues(\.count),
                failingSeed: failing.min().map(String.init)))
        writeVerdict(worst, verdicts, of: count)
        onEnd?(End(summary: summary, count: count, verdict: worst, replay: words))
        return failing.isEmpty && isWhole && isKept ? 0 : 1
    }

    private func writeVerdict(_ worst: String, _ verdicts: [String: [UInt64]], of count: Int) {
        let tried = verdicts.values.reduce(0) { $0 + $1.count }
        console.writeResult(
            "verdict \(worst) seeds \(tried) of \(count)",
            ["event": "verdict", "verdict": .string(worst), "seeds": .integer(tried), "of": .integer(count)])
    }

    /// A word as the shell reads it back.
    private static func shellWord(_ word: String) -> String {
        let isPlain =
            !word.isEmpty && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-=:,+".contains($0)) }
        return isPlain ? word : "'\(word.replacing("'", with: "'\\''"))'"
    }
}
