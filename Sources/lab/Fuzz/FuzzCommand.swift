import ArgumentParser
import Foundation
import Fuzzing
import Randomness

/// Feeds broken experiments to the code that reads them.
struct FuzzCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fuzz",
        abstract: "Feeds mutated experiments to readers, validator, expressions and runner.",
        discussion: """
            Nothing may crash or hang. After a crash, the last number that was printed or a search between it and the next tells \
            the input: --from N --inputs 1.
            """)

    @Option(help: "The folder of experiments to mutate.", completion: .directory)
    var corpus: String = "fixtures/chaostoolkit/edge"

    @Option(help: "How many inputs.")
    var inputs: Int = 1_000_000

    @Option(help: "The first input's number.")
    var from: Int = 0

    @Option(help: "What the inputs follow from.")
    var seed: UInt64 = 1

    @Flag(help: "Print the number of each input before it is tried.")
    var trace: Bool = false

    func validate() throws {
        guard inputs > 0, from >= 0 else {
            throw ValidationError("--inputs takes a number from 1 on, --from one from 0 on")
        }
    }

    func run() async throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: corpus).sorted()
        let texts = try files.map { Array(try Data(contentsOf: URL(filePath: corpus).appending(path: $0))) }
        guard !texts.isEmpty else { throw ValidationError("'\(corpus)' is empty") }
        let fuzzer = ExperimentFuzzer(seed: Seed(seed), corpus: texts)
        let trace = trace
        let report = await fuzzer.run(from..<from + inputs) { number in
            if trace || number % 50_000 == 0 {
                FileHandle.standardOutput.write(Data("input \(number)\n".utf8))
            }
        }
        print(
            "\(report.inputs) inputs: \(report.documents) documents, \(report.valid) valid experiments, "
                + "\(report.journals) journals, \(report.findings) findings; no crash, no hang")
    }
}
