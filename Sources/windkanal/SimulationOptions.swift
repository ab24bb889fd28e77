import Activities
import ArgumentParser
import Experiments
import Measurements
import Pipeline
import PipelineTestbed
import Randomness
import Sessions

/// How an experiment with a landscape is simulated.
struct SimulationOptions: ParsableArguments {
    @Option(help: "What a simulated run follows from; the scenario's own seed if it is left out.")
    var seed: UInt64?

    @Option(help: ArgumentHelp("Run many seeds, on all cores.", valueName: "first...last"), transform: SeedRange.init)
    var seeds: SeedRange?

    @Option(help: "How the poller goes about its flats: \(PollerProfile.all.map(\.name).joined(separator: ", ")).")
    var profile: String?

    @Option(help: ArgumentHelp("Write the simulation's trace.", valueName: "file"), completion: .file())
    var trace: String?

    @Flag(help: "Fail a simulated run of which a fault has hit nothing.")
    var requireImpact: Bool = false

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
        if requireImpact { return "--require-impact" }
        return trace == nil ? nil : "--trace"
    }

    /// A command line without its seeds, for processes that are where this one went.
    static func forWorkers(_ arguments: [String]) -> [String] {
        var kept: [String] = []
        var rest = ReportOptions.without(arguments)[...]
        while let argument = rest.popFirst() {
            if ["--seeds", "--change-dir", "--hypothesis"].contains(argument) {
                rest = rest.dropFirst()
            } else if argument != "--record", !argument.hasPrefix("--hypothesis="), !argument.hasPrefix("--seeds="),
                !argument.hasPrefix("--change-dir=")
            {
                kept.append(argument)
            }
        }
        return kept
    }
}

/// Seeds from one to another.
struct SeedRange {
    let seeds: ClosedRange<UInt64>

    /// Seeds that one sweep takes.
    static let countMax: UInt64 = 10_000_000

    /// Reads a range, such as `1...1000`.
    ///
    /// - Throws: A `ValidationError` that says what is wrong and what would be right.
    init(_ text: String) throws {
        let form = "seeds look like 1...1000, the first and the last"
        guard let dots = text.firstRange(of: "...") else { throw ValidationError("there are no three dots; \(form)") }
        func number(_ part: Substring) throws -> UInt64 {
            guard let number = UInt64(part) else { throw ValidationError("'\(part)' is not a seed; \(form)") }
            return number
        }
        let first = try number(text[..<dots.lowerBound])
        let last = try number(text[dots.upperBound...])
        guard first <= last else {
            throw ValidationError("the first, \(first), is larger than the last, \(last); \(form)")
        }
        guard last - first < Self.countMax else {
            throw ValidationError("these are more than \(Self.countMax) seeds, which is the most")
        }
        seeds = first...last
    }
}
