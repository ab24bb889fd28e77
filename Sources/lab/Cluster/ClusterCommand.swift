import ArgumentParser
import CSystemSeam
import SimulatedCluster
import SimulationKernel
import Torture

/// Takes the cluster's times, and lets faults happen to it.
struct ClusterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Takes the times of a simulated cluster over many seeds, beside those that Kubernetes states.",
        discussion: "Exits with 1 when a time is out of its range, or when a storm found something wrong.")

    @Option(help: "How many seeds the times are taken over.")
    var seeds: UInt64 = 100

    @Option(help: "Instead of times: so many storms, each from its seed.")
    var storms: UInt64?

    @Option(help: "The first seed.")
    var first: UInt64 = 1

    @Option(
        help:
            "A mistake that controllers are given: \(ClusterMistake.allCases.map(\.rawValue).joined(separator: ", ")).")
    var plant: String?

    @Flag(help: "Print what happened in each storm.")
    var verbose: Bool = false

    func validate() throws {
        if let plant, ClusterMistake(rawValue: plant) == nil { throw ValidationError("there is no mistake '\(plant)'") }
        if plant != nil || verbose, storms == nil { throw ValidationError("--plant and --verbose go with --storms") }
        if seeds == 0 || storms == 0 { throw ValidationError("it takes at least one seed") }
    }

    func run() throws {
        if let storms { return try storm(storms) }
        var isRight = true
        print("| what happens | time in s | stated | shortest | median | longest |")
        print("|---|---|---|---|---|---|")
        for script in ClusterTimingScript.all {
            let rows = try (first..<first + seeds).map { try script.run(Seed($0)) }
            for (index, timing) in script.timings.enumerated() {
                let times = rows.map { $0[index] }.sorted()
                let isWithin = times.allSatisfy { timing.range.contains($0) }
                if !isWithin { isRight = false }
                let (shortest, median, longest) = (times[0], times[times.count / 2], times[times.count - 1])
                print(
                    "| \(index == 0 ? script.name : "") | \(timing.name) | \(timing.stated) | "
                        + "\(ClusterTiming.text(shortest)) | \(ClusterTiming.text(median)) | "
                        + "\(ClusterTiming.text(longest)) |" + (isWithin ? "" : " **out of range**"))
            }
        }
        guard isRight else { throw ExitCode(1) }
    }

    private func storm(_ count: UInt64) throws {
        var storm = ClusterStorm()
        if let mistake = plant.flatMap(ClusterMistake.init) { storm.mistakes = [mistake] }
        var found = 0
        var digests = ""
        let start = seam_thread_cpu()
        for seed in first..<first + count {
            let result = try storm.run(seed: Seed(seed))
            digests += "\(result.digest)\n"
            if verbose { for fault in result.faults { print("  \(fault)") } }
            if result.problems.isEmpty { continue }
            found += 1
            print("seed \(seed):")
            for problem in result.problems { print("  \(problem)") }
        }
        let digest = digests.withUTF8 { ContentDigest.hash(UnsafeRawBufferPointer($0)) }
        print("\(String(digest, radix: 16)) \(count) storms, \(found) with something wrong")
        if verbose { print("cpu \(Double(seam_thread_cpu() - start) / 1e9) s") }
        guard found == 0 else { throw ExitCode(1) }
    }
}
