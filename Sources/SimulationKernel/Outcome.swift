public import Randomness

/// What a run came to.
public struct Outcome<Value> {
    /// What it followed from.
    public let seed: Seed
    /// Why the run ended.
    public let stopReason: StopReason
    /// What the root code returned or threw; nil when it did not get that far.
    public let result: Result<Value, any Error>?
    /// What the run's decisions fold to; equal for equal seeds and code.
    public let digest: TraceDigest
    /// The decisions themselves, where the options asked for them.
    public let recording: TraceRecording?
    /// The virtual time at the end.
    public let virtualTime: Duration
    /// Events of the world that were dispatched.
    public let events: Int
    /// Jobs of the tested code that were dispatched; may differ between builds of the same code.
    public let jobs: Int
    /// What left the simulation: the first hundred.
    public let violations: [GuardViolation]
    /// How often something left the simulation.
    public let violationCount: Int
    /// Hosts whose code threw, with what it threw last, in the order of the hosts' creation.
    public let hostFailures: [(host: String, error: any Error)]
    /// Tasks that had to be left behind because no cancellation could end them.
    public let abandonedTasks: Int
    /// How things stood in the parts of the world, such as the network's connections, when the run ended before its time.
    public let worldReport: [String]

    /// What the root code returned.
    ///
    /// - Throws: What the root code threw, or ``UnfinishedRun`` when something else ended the run.
    public func get() throws -> Value {
        guard let result, stopReason == .finished else {
            throw UnfinishedRun(seed: seed, stopReason: stopReason, worldReport: worldReport)
        }
        return try result.get()
    }
}

extension Outcome: CustomStringConvertible {
    /// A few lines: the reason, the seed, the digest and what was noticed.
    public var description: String {
        var lines = ["seed \(seed): \(stopReason)"]
        if case .failure(let error)? = result { lines.append("threw: \(error)") }
        lines.append(
            "virtual time \(VirtualInstant.start.advanced(by: virtualTime)), \(events) events, \(jobs) jobs, digest \(digest)"
        )
        for failure in hostFailures { lines.append("host '\(failure.host)' failed: \(failure.error)") }
        for violation in violations where stopReason != .guardViolation(violation) {
            lines.append("violation: \(violation)")
        }
        if violationCount > violations.count { lines.append("\(violationCount - violations.count) more violations") }
        if abandonedTasks > 0 { lines.append("\(abandonedTasks) task(s) did not end when cancelled") }
        return (lines + worldReport).joined(separator: "\n")
    }
}

/// A run ended before its root code did.
public struct UnfinishedRun: Error, CustomStringConvertible {
    /// What it followed from.
    public let seed: Seed
    /// Why the run ended.
    public let stopReason: StopReason
    /// How things stood in the parts of the world.
    public let worldReport: [String]

    /// The reason with the seed, and how things stood.
    public var description: String { (["seed \(seed): \(stopReason)"] + worldReport).joined(separator: "\n") }
}
