/// Lets invariants hear of events, asks them, and keeps what they found.
public final class InvariantMonitor {
    /// Violations that are kept of a run.
    public static let violationsMax: Int = 20
    /// Events that are told of what led to a violation.
    public static let historyMax: Int = 20

    private let log: TestbedLog
    private let now: () -> Duration
    private var invariants: [any Invariant] = []
    private var told: Set<Told> = []
    /// Claims that others than invariants made.
    private var claims: [String] = []
    private var healedAt: Duration?
    /// The violations, in their order.
    public private(set) var violations: [Violation] = []

    private struct Told: Hashable {
        let invariant: Int
        let entities: [String]
    }

    /// Makes a monitor over a log; `now` tells the time since the run began.
    public init(_ log: TestbedLog, now: @escaping () -> Duration) {
        self.log = log
        self.now = now
        log.listen { [unowned self] event in hear(event) }
    }

    /// Adds an invariant.
    public func add(_ invariant: any Invariant) {
        invariants.append(invariant)
    }

    /// The names of the invariants, in the order in which they were added.
    public var names: [String] { invariants.map(\.name) }

    private func hear(_ event: TestbedEvent) {
        switch event.kind {
        case .healed: healedAt = event.time
        case .applied: healedAt = nil
        case .violated: return
        default: break
        }
        for invariant in invariants { invariant.observe(event) }
    }

    /// Asks all invariants.
    ///
    /// - Parameter isEnd: Whether the run is over.
    public func check(isEnd: Bool = false) {
        let time = now()
        let phase: CheckMoment.Phase =
            isEnd ? .end : healedAt.map { .healed(for: time - $0) } ?? .underFaults
        let moment = CheckMoment(time: time, phase: phase)
        for (index, invariant) in invariants.enumerated() {
            for finding in invariant.check(at: moment) { keep(finding, invariant.name, index, at: time) }
        }
    }

    /// Keeps what somebody else than an invariant that is asked found: a check that sends requests, for instance.
    public func record(_ finding: InvariantFinding, against claim: String) {
        keep(finding, claim, -1 - (claims.firstIndex(of: claim) ?? addClaim(claim)), at: now())
    }

    private func addClaim(_ claim: String) -> Int {
        claims.append(claim)
        return claims.count - 1
    }

    private func keep(_ finding: InvariantFinding, _ claim: String, _ index: Int, at time: Duration) {
        guard violations.count < Self.violationsMax,
            told.insert(Told(invariant: index, entities: finding.entities)).inserted
        else { return }
        let events = log.history(of: finding.entities, limit: Self.historyMax).map(\.description)
        let violation = Violation(
            invariant: claim, time: time, entities: finding.entities, message: finding.message,
            history: finding.history + events)
        violations.append(violation)
        log.record(.violated(violation))
    }

    /// Lets go of the invariants, which may hold what they watch; what they found stays.
    public func close() {
        invariants = []
    }
}
