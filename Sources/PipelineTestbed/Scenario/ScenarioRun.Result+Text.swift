import Experiments
import SimulationKernel

extension ScenarioRun.Result {
    /// The verdict's word: the journal's, or what kept a journal from coming about.
    public func verdict(strict: Bool) -> String {
        guard stopReason == .finished else { return "stopped" }
        return journal?.verdict(strict: strict).verdict.rawValue ?? "crashed"
    }

    /// Whether it counts as a success.
    public func isSuccess(strict: Bool) -> Bool {
        stopReason == .finished && journal?.isSuccess(strict: strict) ?? false
    }

    /// The line for programs, without the time that the process took.
    public func line(strict: Bool) -> String {
        "verdict \(verdict(strict: strict)) status \(journal?.status?.rawValue ?? "none") "
            + "deviated \(journal?.deviated ?? false) seed \(seed.value) digest \(digest) "
            + "virtual \(Self.seconds(virtualTime))"
    }

    private static func seconds(_ duration: Duration) -> String {
        let tenths = duration.components.seconds * 10 + duration.components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// The three ages, a line each, for people.
    public var ageLines: String {
        Scenario.AgeKind.allCases.compactMap { kind in
            ages[kind].map { "\(kind.rawValue) age max \(Self.text($0.max)) s, p95 \(Self.text($0.p95)) s" }
        }.joined(separator: "\n")
    }

    /// What became of the scenario's bound, for people.
    public var boundLine: String {
        "bound: \(bound.age.rawValue) age up to \(Self.text(bound.seconds)) s; "
            + (secondsBeyondBound == 0 ? "kept" : "exceeded for \(secondsBeyondBound) s of \(secondsWatched)")
    }

    /// For how many seconds the bound was exceeded.
    var secondsBeyondBound: Int { ages[bound.age]?.exceeding(bound.seconds) ?? 0 }

    /// For how many seconds ages were watched.
    var secondsWatched: Int { ages[bound.age]?.samples ?? 0 }

    static func text(_ seconds: Double) -> String {
        let tenths = Int((seconds * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
