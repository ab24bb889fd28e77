import ArgumentParser
import Foundation
import SimulationKernel
import Torture

/// Runs the torture once or several times in this process.
struct TortureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "torture",
        abstract: "Runs a workload that uses everything, on hosts that crash at random, and prints its digest.",
        discussion: "Exits with 1 when runs of one process differ or something left the simulation.")

    @Option(help: "What it follows from.")
    var seed: UInt64 = 1

    @Option(help: "Runs in this process.")
    var runs: Int = 1

    @Option(help: "Hosts.")
    var hosts: Int = 100

    @Option(help: "Virtual seconds.")
    var seconds: Int = 20

    @Option(help: "fifo, random or pct.")
    var policy: String = "fifo"

    @Option(help: "A mistake to plant: \(Leak.allCases.map(\.rawValue).joined(separator: ", ")).")
    var plant: String?

    @Option(help: "Writes the trace of the last run to this file.")
    var trace: String?

    @Flag(help: "Counts violations of the guards instead of stopping at the first.")
    var counting: Bool = false

    func run() throws {
        var digests: [TraceDigest] = []
        for _ in 0..<runs {
            let outcome = try torture().run(seed: Seed(seed))
            digests.append(outcome.digest)
            if case .guardViolation(let violation) = outcome.stopReason {
                print("caught: \(violation)")
                throw ExitCode(1)
            }
            if let trace, let recording = outcome.recording {
                try recording.lines.write(toFile: trace, atomically: true, encoding: .utf8)
            }
            if digests.count == runs {
                print("\(outcome.digest) \(outcome.events) events, \(outcome.jobs) jobs, \(outcome.stopReason)")
            }
        }
        guard Set(digests).count == 1 else {
            print("differ: \(Set(digests).count) digests in \(runs) runs of one process")
            throw ExitCode(1)
        }
    }

    private func torture() throws -> Torture {
        let policies: [String: SchedulingPolicy] = [
            "fifo": .firstInFirstOut, "random": .random, "pct": .pct(depth: 3, steps: 10_000),
        ]
        guard let policy = policies[policy] else { throw ValidationError("--policy takes fifo, random or pct") }
        let leak = try plant.map { name in
            guard let leak = Leak(rawValue: name) else { throw ValidationError("there is no mistake '\(name)'") }
            return leak
        }
        return Torture(
            hosts: hosts, duration: .seconds(seconds), policy: policy, leak: leak,
            recording: trace == nil ? nil : .init(entries: 10_000_000), strict: !counting)
    }
}
