import ArgumentParser
import Experiments
import Pipeline
import PipelineTestbed
import Randomness
import RealWorld

/// How an experiment with a landscape is simulated.
struct SimulationOptions: ParsableArguments {
    @Option(help: "What a simulated run follows from; the scenario's own seed if it is left out.")
    var seed: UInt64?

    @Option(help: ArgumentHelp("Run many seeds, on all cores.", valueName: "first...last"))
    var seeds: SeedRange?

    @Option(help: "How the poller goes about its flats: \(PollerProfile.all.map(\.name).joined(separator: ", ")).")
    var profile: String?

    @Option(help: ArgumentHelp("Write the simulation's trace.", valueName: "file"), completion: .file())
    var trace: String?

    /// Print a line for each seed and nothing else: what a sweep's processes do.
    @Flag(help: .hidden)
    var worker: Bool = false

    func validate() throws {
        if let profile, PollerProfile(named: profile) == nil {
            let names = PollerProfile.all.map(\.name).joined(separator: ", ")
            throw ValidationError("there is no profile '\(profile)'; there are \(names)")
        }
        if seed != nil, seeds != nil { throw ValidationError("--seed and --seeds exclude each other") }
        if trace != nil, seeds != nil { throw ValidationError("--trace takes one seed") }
    }

    /// The scenario of an experiment, with the profile that was asked for; nil if it has none.
    ///
    /// - Throws: ``ScenarioError``.
    func scenario(of experiment: Experiment) throws(ScenarioError) -> Scenario? {
        guard var scenario = try Scenario(of: experiment, reading: { try Files.read($0) }) else { return nil }
        if let profile = profile.flatMap(PollerProfile.init(named:)) { try scenario.use(profile) }
        return scenario
    }

    /// An option that was given, for the message that it has no effect.
    var first: String? {
        if seed != nil { return "--seed" }
        if seeds != nil { return "--seeds" }
        if profile != nil { return "--profile" }
        return trace == nil ? nil : "--trace"
    }

    /// A command line without its seeds, for processes that are where this one went.
    static func forWorkers(_ arguments: [String]) -> [String] {
        var kept: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--seeds" || argument == "--change-dir" {
                rest = rest.dropFirst()
            } else if !argument.hasPrefix("--seeds="), !argument.hasPrefix("--change-dir=") {
                kept.append(argument)
            }
        }
        return kept
    }
}

/// Seeds from one to another.
struct SeedRange: ExpressibleByArgument {
    let seeds: ClosedRange<UInt64>

    init?(argument: String) {
        guard let dots = argument.firstRange(of: "..."), let first = UInt64(argument[..<dots.lowerBound]),
            let last = UInt64(argument[dots.upperBound...]), first <= last, last - first < 10_000_000
        else { return nil }
        seeds = first...last
    }
}
