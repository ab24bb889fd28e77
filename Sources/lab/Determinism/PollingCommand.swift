import ArgumentParser
import Foundation
import SimulationKernel
import Torture

/// Runs the polling storm and prints its digest.
struct PollingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "polling",
        abstract: "Runs clients that poll an HTTP server over a faulty network, and prints the digest.")

    @Option(help: "What it follows from.")
    var seed: UInt64 = 1

    @Option(help: "Clients.")
    var clients: Int = 1000

    @Option(help: "Virtual seconds.")
    var seconds: Int = 600

    @Option(help: "Writes the trace to this file.")
    var trace: String?

    func run() throws {
        let storm = PollingStorm(clients: clients, duration: .seconds(seconds))
        let limits = trace == nil ? nil : TraceRecording.Limits(entries: 10_000_000)
        let (outcome, result) = try storm.run(seed: Seed(seed), recording: limits)
        if let trace { try outcome.recording?.lines.write(toFile: trace, atomically: true, encoding: .utf8) }
        print(
            "\(outcome.digest) \(result.responses) responses, \(result.failures) failures, \(outcome.events) events, "
                + "\(outcome.stopReason)")
        guard outcome.stopReason == .finished else { throw ExitCode(1) }
    }
}
