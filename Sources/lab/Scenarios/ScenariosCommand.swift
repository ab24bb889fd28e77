import ArgumentParser
import Documents
import Experiments
import Foundation
import PipelineTestbed
import Randomness

/// Looks at scenarios for more than their own seed, and compares what all profiles make of them with what is recorded.
struct ScenariosCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenarios",
        abstract:
            "Runs scenarios that are to fail, or to hold, for many seeds, and compares the table of profiles with the recorded one.",
        discussion: """
            Files whose names end with -fails must be refuted, and those that end with -holds held, for every seed. The table is that of 'windkanal compare'. \
            Exits with 1 when a verdict or a line differs.
            """)

    @Argument(help: "Scenarios.", completion: .file())
    var files: [String]

    @Option(help: "How many seeds.")
    var seeds: UInt64 = 20

    @Option(help: "The recorded table.")
    var table: String = "fixtures/scenarios/profiles.md"

    @Flag(help: "Record the table.")
    var record: Bool = false

    func validate() throws {
        guard seeds > 0 else { throw ValidationError("--seeds is at least 1") }
    }

    func run() throws {
        var isRight = true
        var rows: [ProfileComparison.Row] = []
        let comparison = ProfileComparison(environment: [:], interruption: ScenarioInterruption())
        for file in files {
            let (experiment, scenario) = try read(file)
            if let wanted = verdict(of: file), try !holds(experiment, scenario, wanted) { isRight = false }
            try comparison.run(experiment, scenario, seed: nil) { rows.append($0) }
        }
        let text = ProfileComparison.table(rows) + "\n"
        if record {
            try Data(text.utf8).write(to: URL(filePath: table))
            print("\(table): \(rows.count) rows recorded")
        } else if try !isRecorded(text) {
            isRight = false
        }
        guard isRight else { throw ExitCode(1) }
    }

    private func read(_ file: String) throws -> (Experiment, Scenario) {
        let data = try Data(contentsOf: URL(filePath: file))
        let experiment = Experiment(try JSONReader.readDocument(data), origin: file)
        let scenario = try Scenario(of: experiment) { Array(try Data(contentsOf: URL(filePath: $0))) }
        guard let scenario else { throw ValidationError("\(file) has no extension '\(Scenario.extensionName)'") }
        return (experiment, scenario)
    }

    /// What a scenario's name says of every seed; nil if it says nothing.
    private func verdict(of file: String) -> Verdict? {
        if file.hasSuffix("-fails.json") { return .refuted }
        return file.hasSuffix("-holds.json") ? .held : nil
    }

    private func holds(_ experiment: Experiment, _ scenario: Scenario, _ wanted: Verdict) throws -> Bool {
        var others: [String] = []
        for seed in 1...seeds {
            var scenario = scenario
            scenario.seed = Seed(seed)
            let result = try ScenarioRun(experiment, in: scenario, options: RunOptions()).run()
            let verdict = result.verdict(strict: false)
            if verdict != wanted.rawValue { others.append("\(verdict) with seed \(seed)") }
        }
        print(
            "\(others.isEmpty ? "ok  " : "FAIL") \(experiment.origin): \(wanted.rawValue) for "
                + "\(seeds - UInt64(others.count)) of \(seeds) seeds\(others.isEmpty ? "" : ": ")\(others.joined(separator: ", "))"
        )
        return others.isEmpty
    }

    /// Whether the table is the recorded one; prints the lines that differ.
    private func isRecorded(_ text: String) throws -> Bool {
        let recorded = try String(contentsOf: URL(filePath: table), encoding: .utf8).split(separator: "\n")
        let changes = text.split(separator: "\n").difference(from: recorded)
        for change in changes {
            switch change {
            case .remove(_, let line, _): print("- \(line)")
            case .insert(_, let line, _): print("+ \(line)")
            }
        }
        guard changes.isEmpty else {
            print("FAIL \(table) says something else; if that is right, record it with --record")
            return false
        }
        print("ok   \(table): \(recorded.count) lines")
        return true
    }
}
