import ArgumentParser
import CSystemSeam
import PipelineTestbed
import Randomness

/// Lets faults happen to the whole pipeline, seed after seed.
struct StormCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storm",
        abstract: "Lets random faults happen to the whole pipeline and looks whether anything is lost.",
        discussion: "Exits with 1 when something was lost, invented, or had not arrived in time.")

    @Option(help: "The first seed.")
    var first: UInt64 = 1

    @Option(help: "How many seeds.")
    var seeds: UInt64 = 100

    @Option(help: "The pipeline: \(PipelineStorm.Variant.all.map(\.name).joined(separator: ", ")).")
    var variant: String = "as-it-is"

    @Flag(help: "Print the faults and the digest of each seed.")
    var verbose: Bool = false

    func run() throws {
        guard let variant = PipelineStorm.Variant.all.first(where: { $0.name == variant }) else {
            throw ValidationError("there is no variant '\(variant)'")
        }
        var violations = 0
        var (acknowledged, stored, recovered, duplicated, faults) = (0, 0, 0, 0, 0)
        let start = seam_thread_cpu()
        for seed in first..<first + seeds {
            let outcome = try PipelineStorm(seed: Seed(seed), persistence: variant.persistence).run()
            acknowledged += outcome.audit.acknowledged
            stored += outcome.audit.stored
            recovered += outcome.audit.recovered
            duplicated += outcome.audit.duplicated
            faults += outcome.faults.count
            if verbose { print("seed \(seed) \(outcome.digest)\n  " + outcome.faults.joined(separator: "\n  ")) }
            guard let violation = outcome.violation else { continue }
            violations += 1
            print("seed \(seed): \(violation)")
        }
        let seconds = Double(seam_thread_cpu() - start) / 1e9
        print(
            "\(seeds) seeds, \(faults) faults: \(violations) with a violation; \(acknowledged) readings acknowledged, \(stored) stored, "
                + "\(recovered) recovered, \(duplicated) duplicated in the broker; \(Int(Double(seeds) * 60 / seconds)) seeds per CPU-minute"
        )
        guard violations == 0 else { throw ExitCode(1) }
    }
}
