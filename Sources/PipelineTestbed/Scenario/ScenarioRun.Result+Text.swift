public import Documents
public import Experiments
import SimulationKernel

extension ScenarioRun.Result {
    /// The verdict's word: the journal's, or what kept a journal from coming about.
    public func verdict(strict: Bool) -> String {
        if isInterrupted { return Verdict.interrupted.rawValue }
        guard stopReason == .finished else { return "stopped" }
        return journal?.verdict(by: Self.rule(strict)).verdict.rawValue ?? "crashed"
    }

    /// What counts for a scenario.
    public static func rule(_ isStrict: Bool) -> Verdict.Rule { isStrict ? .strict : .scenario }

    /// Whether it counts as a success.
    public func isSuccess(strict: Bool) -> Bool {
        stopReason == .finished && !isInterrupted && journal?.isSuccess(by: Self.rule(strict)) ?? false
    }

    /// The line for programs, without the time that the process took.
    public func line(strict: Bool) -> String {
        "verdict \(verdict(strict: strict)) status \(journal?.status?.rawValue ?? "none") "
            + "deviated \(journal?.deviated ?? false) seed \(seed.value) digest \(digest) "
            + "virtual \(Self.seconds(virtualTime))"
    }

    /// The same as an object, and what became of the ages and the readings.
    public func json(strict: Bool) -> Value.Object {
        [
            "event": "verdict", "verdict": .string(verdict(strict: strict)),
            "status": .string(journal?.status?.rawValue ?? "none"), "deviated": .bool(journal?.deviated ?? false),
            "seed": .integer(Int(clamping: seed.value)), "digest": .string("\(digest)"),
            "virtual": .real(Double(Self.seconds(virtualTime)) ?? 0), "ages": .object(agesJSON),
            "bound": [
                "age": .string(bound.age.rawValue), "seconds": .real(bound.seconds),
                "exceeded": .integer(secondsBeyondBound), "watched": .integer(secondsWatched),
            ],
            "audit": audit.map { .string($0.text) } ?? .null,
        ]
    }

    private var agesJSON: Value.Object {
        var object = Value.Object()
        for kind in Scenario.AgeKind.allCases {
            guard let statistics = ages[kind] else { continue }
            object[kind.rawValue] = ["max": .real(statistics.max), "p95": .real(statistics.p95)]
        }
        return object
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
