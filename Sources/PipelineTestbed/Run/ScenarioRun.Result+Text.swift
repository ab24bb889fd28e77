public import Documents
public import Experiments
import SimulationKernel
public import Testbed

extension ScenarioRun.Result {
    /// The verdict's word: the journal's, or what kept a journal from coming about.
    public func verdict(strict: Bool) -> String {
        if isInterrupted { return Verdict.interrupted.rawValue }
        // Whatever the probes say: what must always be true was not.
        if !violations.isEmpty { return Verdict.refuted.rawValue }
        guard stopReason == .finished else { return "stopped" }
        guard let verdict = journal?.verdict(by: Self.rule(strict)).verdict else { return "crashed" }
        // A fault that could not be applied leaves open what its run was to show, but not what was seen to fail.
        let isOpen: Bool =
            switch verdict {
            case .held, .untested: true
            case .refuted, .unsteady, .inconclusive, .failed, .aborted, .interrupted: false
            }
        if !problems.isEmpty, isOpen { return Verdict.inconclusive.rawValue }
        // Without a hypothesis, its own claims are what a run was to show.
        return verdict == .untested && hasOwnClaims ? Verdict.held.rawValue : verdict.rawValue
    }

    /// What counts for a scenario.
    public static func rule(_ isStrict: Bool) -> Verdict.Rule { isStrict ? .strict : .scenario }

    /// Whether it counts as a success.
    ///
    /// - Parameters:
    ///   - strict: Whether a deviation counts that was seen during the method only.
    ///   - requiresImpact: Whether every fault must have hit something.
    /// - Returns: Whether the run proves what it was to prove.
    public func isSuccess(strict: Bool, requiresImpact: Bool = false) -> Bool {
        stopReason == .finished && !isInterrupted && violations.isEmpty && problems.isEmpty
            && (!requiresImpact || missed.isEmpty) && journal?.isSuccess(by: Self.rule(strict)) ?? false
    }

    /// Faults that hit nothing: what the run says of them, it says of nothing.
    public var missed: [AppliedFault] { faults.filter { $0.impact.verdict == .missed } }

    /// What was violated, which faults could not be applied, and which hit nothing, in lines for people.
    public var findingLines: [String] {
        violations.map(\.description) + problems.map { "could not be applied: \($0)" }
            + missed.map { "hit nothing: \($0.fault)" }
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
            "invariants": .array(invariants.map { .string($0) }),
            "violations": .array(violations.map { .object($0.document) }),
            "faults": .array(faults.map { .object(Self.document(of: $0)) }),
            "problems": .array(problems.map { .string($0) }),
        ]
    }

    /// A fault, and of a device schedule when its windows are open, in seconds since the run began.
    private static func document(of applied: AppliedFault) -> Value.Object {
        var object = applied.document
        let windows = AgeBound.openings(of: applied.fault)
        guard !windows.isEmpty else { return object }
        object["windows"] = .array(
            windows.map { window in
                [
                    .seconds(applied.since + window.from),
                    window.to.map { .seconds(applied.since + $0) } ?? .null,
                ]
            })
        return object
    }

    /// The same with what reports say besides: why, of what experiment, and how to play it again.
    ///
    /// - Parameters:
    ///   - experiment: What was run.
    ///   - journal: What happened; nil where there is none.
    ///   - strict: Whether a deviation counts that was seen during the method only.
    ///   - requiresImpact: Whether every fault must have hit something.
    ///   - replay: The words of the command that plays it again.
    /// - Returns: The run's last event.
    public func verdictEvent(
        of experiment: Experiment, journal: Journal?, strict: Bool, requiresImpact: Bool, replay: [String]
    ) -> Value.Object {
        var object = json(strict: strict)
        object["success"] = .bool(isSuccess(strict: strict, requiresImpact: requiresImpact))
        object["title"] = experiment["title"] ?? .null
        var reasons = journal?.verdict(by: Self.rule(strict)).reasons ?? []
        if let failure { reasons.insert(failure, at: 0) }
        if stopReason != .finished { reasons.insert("the simulation \(stopReason)", at: 0) }
        object["reasons"] = .array(reasons.map { .string($0) })
        object["replay"] = .array(replay.map { .string($0) })
        return object
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

    /// What became of the run's invariants, for people; nil where nothing was claimed.
    public var invariantLine: String? {
        guard !invariants.isEmpty else { return nil }
        let violated = Set(violations.map(\.invariant))
        let kept = invariants.filter { !violated.contains($0) }
        return "invariants: \(kept.count) of \(invariants.count) kept: "
            + invariants.map { violated.contains($0) ? "VIOLATED \($0)" : $0 }.joined(separator: "; ")
    }

    /// What became of the scenario's bound, for people.
    public var boundLine: String {
        "bound\(bound.binds ? "" : " (told, not binding)"): \(bound.age.rawValue) age up to \(Self.text(bound.seconds)) s; "
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
