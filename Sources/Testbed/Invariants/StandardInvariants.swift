/// A claim that must be true at every check.
public final class Always: Invariant {
    /// The claim.
    public let name: String
    private let problem: () -> InvariantFinding?

    /// Makes an invariant.
    ///
    /// - Parameters:
    ///   - name: The claim.
    ///   - problem: Tells what is wrong now; nil if nothing is.
    public init(_ name: String, problem: @escaping () -> InvariantFinding?) {
        self.name = name
        self.problem = problem
    }

    /// Asks.
    public func check(at moment: CheckMoment) -> [InvariantFinding] {
        problem().map { [$0] } ?? []
    }
}

/// A claim that must become true within a time after everything was healed, and is not asked for before.
public final class Eventually: Invariant {
    /// The claim.
    public let name: String
    private let limit: Duration
    private let problem: () -> InvariantFinding?
    private var isMet: Bool = false

    /// Makes an invariant.
    ///
    /// - Parameters:
    ///   - name: The claim.
    ///   - limit: How long it may take after healing.
    ///   - problem: Tells what is still missing; nil if nothing is.
    public init(_ name: String, within limit: Duration, problem: @escaping () -> InvariantFinding?) {
        self.name = name
        self.limit = limit
        self.problem = problem
    }

    /// A fault that begins after healing asks for it anew.
    public func observe(_ event: TestbedEvent) {
        if case .healed = event.kind { isMet = false }
    }

    /// Asks while it is not met.
    public func check(at moment: CheckMoment) -> [InvariantFinding] {
        guard case .healed(let time) = moment.phase, !isMet else { return [] }
        guard let finding = problem() else {
            isMet = true
            return []
        }
        guard time >= limit else { return [] }
        let message = "not within \(limit) after healing: \(finding.message)"
        return [InvariantFinding(message, entities: finding.entities, history: finding.history)]
    }
}
