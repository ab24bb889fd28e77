import ArgumentParser
import CSystemSeam
import SimulationKernel
import Torture

/// Lets faults happen to a network, seed after seed, and checks every byte.
struct ChaosCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Lets random faults happen to hosts and links under connections whose every byte is checked.",
        discussion:
            "Exits with 1 when a byte was wrong, a run did not end, or a client could not begin anew when all was healed."
    )

    @Option(help: "The first seed.")
    var first: UInt64 = 1

    @Option(help: "How many seeds.")
    var seeds: UInt64 = 100

    @Flag(help: "Print the digest of each seed.")
    var verbose: Bool = false

    func run() throws {
        let chaos = NetworkChaos()
        var failures = 0
        var (bytes, connections, faults) = (0, 0, 0)
        let start = seam_thread_cpu()
        for seed in first..<first + seeds {
            let (outcome, result) = try chaos.run(seed: Seed(seed))
            bytes += result.bytes
            connections += result.connections
            faults += result.faults
            if verbose { print("seed \(seed) \(outcome.digest)") }
            if let problem = chaos.problem(outcome, result) {
                failures += 1
                print("seed \(seed): \(problem)")
            }
        }
        let seconds = Double(seam_thread_cpu() - start) / 1e9
        print(
            "\(seeds) seeds, \(faults) faults, \(connections) connections, \(bytes) bytes checked: \(failures) with a violation; "
                + "\(Int(Double(seeds) * 60 / seconds)) seeds per CPU-minute")
        if failures > 0 { throw ExitCode(1) }
    }
}
