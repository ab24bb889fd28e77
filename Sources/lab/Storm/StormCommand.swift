import ArgumentParser
import CSystemSeam
import Documents
import Foundation
import PipelineTestbed
import Randomness
import SimulatedWorld
import Testbed

/// Lets faults happen to the whole pipeline, seed after seed.
struct StormCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storm",
        abstract:
            "Draws landscapes and fault schedules from seeds, plays them, and looks whether what is claimed of the pipeline holds.",
        discussion:
            "Exits with 1 when something was lost, invented, answered wrongly or had not arrived in time, when a disk was not noticed, or when a mark was not reached."
    )

    @Option(help: "The first seed.")
    var first: UInt64 = 1

    @Option(help: "One seed alone.")
    var seed: UInt64?

    @Option(help: "How many seeds.")
    var seeds: UInt64 = 100

    @Option(help: "The pipeline: \(PipelineStorm.Variant.all.map(\.name).joined(separator: ", ")).")
    var variant: String = "as-it-is"

    @Option(
        help: "With --seed: write the recipe, a scenario that can be played by --play or by 'windkanal run'.",
        completion: .file())
    var recipe: String?

    @Option(help: "Play a recipe from a file.", completion: .file())
    var play: String?

    @Flag(help: "Let storms loose on simulated disks that are not what they claim to be; each must be noticed.")
    var checkDisks: Bool = false

    @Flag(help: "Fail if a mark was reached by no seed.")
    var checkMarks: Bool = false

    @Flag(help: "Print the faults and the digest of each seed.")
    var verbose: Bool = false

    func validate() throws {
        if recipe != nil, seed == nil { throw ValidationError("--recipe goes with --seed") }
        if play != nil, seed != nil || recipe != nil { throw ValidationError("--play takes the seed of its recipe") }
        if PipelineStorm.Variant.named(variant) == nil { throw ValidationError("there is no variant '\(variant)'") }
    }

    func run() throws {
        if checkDisks { return try compareDisks() }
        if let play {
            let document = try JSONReader.readDocument(try Data(contentsOf: URL(filePath: play)))
            return try storm([(nil, StormRecipe(document))])
        }
        if let seed {
            let drawn = StormRecipe(seed: Seed(seed))
            if let recipe {
                try Data(drawn.text.utf8).write(to: URL(filePath: recipe))
                print("\(recipe): the recipe of seed \(seed)")
            }
            return try storm([(seed, drawn)])
        }
        try storm((first..<first + seeds).lazy.map { ($0, StormRecipe(seed: Seed($0))) })
    }

    private func storm(_ recipes: some Sequence<(seed: UInt64?, recipe: StormRecipe)>) throws {
        guard let variant = PipelineStorm.Variant.named(variant) else { return }
        var tally = StormTally()
        let start = seam_thread_cpu()
        for (seed, recipe) in recipes {
            let result = try PipelineStorm(recipe, variant: variant).run()
            tally.add(result)
            let name = seed.map { "seed \($0)" } ?? "the recipe"
            if verbose || self.seed != nil || play != nil {
                print("\(name) \(result.digest)\n  " + result.faults.map(Self.line).joined(separator: "\n  "))
            }
            guard let problem = result.stormProblem else { continue }
            tally.violations += 1
            print("\(name): \(problem)")
        }
        print(tally.line(cpu: Double(seam_thread_cpu() - start) / 1e9))
        if verbose || checkMarks { for line in tally.markLines { print(line) } }
        guard tally.violations == 0 else { throw ExitCode(1) }
        if checkMarks, !tally.unreached.isEmpty {
            print("reached by no seed: \(tally.unreached.map(\.name).joined(separator: ", "))")
            throw ExitCode(1)
        }
    }

    private static func line(_ fault: AppliedFault) -> String {
        let seconds = { (time: Duration) in "\(time.components.seconds) s" }
        return "\(seconds(fault.since)) to \(fault.until.map(seconds) ?? "the end"): \(fault.fault): \(fault.impact)"
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
