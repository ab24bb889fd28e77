public import SimulationKernel

/// Something that runs from a seed and can be judged: a piece of code, a deployment under faults, a scenario's file.
///
/// A conformance is all that a system of one's own needs for sweeps, kept failures and both test frameworks. Equal seeds must
/// give equal outcomes.
public protocol Trial {
    /// What is tried, in a few words; with the test's name it names what is kept of failures.
    var name: String { get }

    /// Runs it from a seed, on this thread.
    ///
    /// - Throws: Why it cannot be run at all, whatever the seed; what a run came to is never thrown.
    func run(seed: Seed) throws -> TrialOutcome

    /// What is worth keeping of a failed run, such as its recipe and its report; asked for failed runs only.
    ///
    /// The run can be repeated here with everything recorded, since equal seeds give equal runs.
    ///
    /// - Throws: Why it cannot be made; the failure is reported all the same.
    func evidence(of outcome: TrialOutcome) throws -> [Evidence]
}

extension Trial {
    /// Nothing but what the outcome says.
    public func evidence(of outcome: TrialOutcome) throws -> [Evidence] { [] }
}

/// A file that is kept of a failed run.
public struct Evidence: Hashable, Sendable {
    /// What it is, as the end of a file's name: `recipe.txt`.
    public let name: String
    /// What stands in it.
    public let contents: String

    /// Makes a file of its name and what stands in it.
    public init(_ name: String, _ contents: String) {
        self.name = name
        self.contents = contents
    }
}
