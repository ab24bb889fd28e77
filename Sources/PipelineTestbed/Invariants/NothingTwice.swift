import Durations
import Pipeline
import Testbed

/// When nothing has been wrong for a while, nothing is sent or brought twice, nobody is turned away, and no service starts again.
final class NothingTwice: Invariant {
    let name: String = "when nothing is wrong any more, nothing is done twice"
    private let settle: Duration
    private var healedAt: Duration?
    private var findings: [InvariantFinding] = []

    /// What happens under faults only.
    private static let signs: Set<Mark> = [
        Mark(Waypoint.storageKnownBatch.rawValue), Mark(Waypoint.brokerRepetition.rawValue),
        Mark(Waypoint.brokerFenced.rawValue), Mark(Waypoint.brokerRebalanced.rawValue), StormMarks.serviceRestarted,
    ]

    /// Begins so long after healing.
    init(after settle: Duration) {
        self.settle = settle
    }

    func observe(_ event: TestbedEvent) {
        switch event.kind {
        case .healed: healedAt = event.time
        case .applied: healedAt = nil
        case .reached(let mark, let count):
            guard let healedAt, event.time - healedAt >= settle, Self.signs.contains(mark) else { return }
            findings.append(
                InvariantFinding(
                    "\(mark), for the \(count). time, \(event.time - healedAt) after healing", entities: [mark.name]))
        default: break
        }
    }

    func check(at moment: CheckMoment) -> [InvariantFinding] {
        defer { findings = [] }
        return findings
    }
}
