import ArgumentParser
import CSystemSeam
import PipelineTestbed
import Randomness
import SimulatedWorld

/// Lets faults happen to the whole pipeline, seed after seed.
struct StormCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storm",
        abstract: "Lets random faults happen to the whole pipeline and looks whether anything is lost.",
        discussion:
            "Exits with 1 when something was lost, invented, or had not arrived in time, and when a disk was not noticed."
    )

    @Option(help: "The first seed.")
    var first: UInt64 = 1

    @Option(help: "How many seeds.")
    var seeds: UInt64 = 100

    @Option(help: "The pipeline: \(PipelineStorm.Variant.all.map(\.name).joined(separator: ", ")).")
    var variant: String = "as-it-is"

    @Flag(help: "Let storms loose on simulated disks that are not what they claim to be; each must be noticed.")
    var checkDisks: Bool = false

    @Flag(help: "Print the faults and the digest of each seed.")
    var verbose: Bool = false

    func run() throws {
        if checkDisks { return try compareDisks() }
        guard let variant = PipelineStorm.Variant.named(variant) else {
            throw ValidationError("there is no variant '\(variant)'")
        }
        var violations = 0
        var (acknowledged, stored, recovered, notKept, duplicated, faults) = (0, 0, 0, 0, 0, 0)
        let start = seam_thread_cpu()
        for seed in first..<first + seeds {
            let outcome = try PipelineStorm(seed: Seed(seed), persistence: variant.persistence).run()
            acknowledged += outcome.audit.acknowledged
            stored += outcome.audit.stored
            recovered += outcome.audit.recovered
            notKept += outcome.audit.notKept
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
                + "\(recovered) recovered, \(notKept) not kept, \(duplicated) duplicated in the broker; \(Int(Double(seeds) * 60 / seconds)) seeds per CPU-minute"
        )
        guard violations == 0 else { throw ExitCode(1) }
    }
    private func compareDisks() throws {
        var isRight = true
        print("| disk | told by | loses on the right disk | on this one | noticed by seed |")
        print("|---|---|---|---|---|")
        for check in PipelineStorm.DiskCheck.all {
            var (right, wrong) = (0, 0)
            var noticed: UInt64?
            for seed in first..<first + seeds {
                let (isLostOnTheRightDisk, isLostOnThisDisk) = try check.run(seed: Seed(seed))
                if isLostOnTheRightDisk { right += 1 }
                if isLostOnThisDisk { wrong += 1 }
                if isLostOnTheRightDisk != isLostOnThisDisk, noticed == nil { noticed = seed }
            }
            if noticed == nil { isRight = false }
            print(
                "| \(check.sabotage.rawValue) | \(check.variant.name) | \(right) of \(seeds) | \(wrong) of \(seeds) | "
                    + "\(noticed.map(String.init) ?? "not noticed") |")
        }
        guard isRight else { throw ExitCode(1) }
    }
}
