import Testbed

/// No acknowledged reading is lost, and none is invented: asked again and again, and at the end.
///
/// An audit reads three disks; it is not made at every check.
final class NoReadingLost: Invariant {
    let name: String
    /// Whether only what is invented counts.
    private let mayLose: Bool

    /// How often the disks are read while the run goes on.
    private let interval: Duration
    private let audit: () -> LedgerAudit
    private var next: Duration

    init(every interval: Duration, mayLose: Bool = false, audit: @escaping () -> LedgerAudit) {
        name = mayLose ? "no reading is invented" : "no acknowledged reading is lost"
        self.mayLose = mayLose
        self.interval = interval
        self.audit = audit
        next = interval
    }

    func check(at moment: CheckMoment) -> [InvariantFinding] {
        guard moment.phase == .end || moment.time >= next else { return [] }
        // The disks of a long run hold more and more: all its audits together cost a few times the last one.
        next = max(moment.time + interval, moment.time * 3 / 2)
        return findings(audit())
    }

    private func findings(_ audit: LedgerAudit) -> [InvariantFinding] {
        var findings: [InvariantFinding] = []
        if !mayLose {
            findings += audit.unreadable.map { InvariantFinding("it cannot be told: \($0)", entities: ["disks"]) }
        }
        if !mayLose, !audit.lost.isEmpty {
            findings.append(
                InvariantFinding(
                    "\(audit.lost.count) of \(audit.acknowledged) acknowledged readings are nowhere, such as \(audit.lost[0])",
                    entities: ["lost"], history: audit.history))
        }
        if !audit.unexpected.isEmpty {
            findings.append(
                InvariantFinding(
                    "\(audit.unexpected.count) readings in the storage were never read, or with another value, such as "
                        + "\(audit.unexpected[0])", entities: ["unexpected"], history: audit.history))
        }
        return findings
    }
}
