import Testbed

/// Nobody works by an old number of the lock once somebody has worked by a newer one, and no number is two workers'.
final class OneAtATime: Invariant {
    let name = "one worker at a time has the lock"
    private var newest: Work?
    private var findings: [InvariantFinding] = []
    /// Pieces of work since everything was healed.
    private(set) var piecesSinceHealing: Int = 0

    func observe(_ event: TestbedEvent) {
        if case .healed = event.kind { piecesSinceHealing = 0 }
        guard case .observed(let observation, _) = event.kind, let work = observation as? Work else { return }
        piecesSinceHealing += 1
        if let newest, work.token < newest.token || (work.token == newest.token && work.worker != newest.worker) {
            let message = "\(work.worker) works by number \(work.token), \(newest.worker) by number \(newest.token)"
            findings.append(InvariantFinding(message, entities: [work.worker, newest.worker, "lock"].sorted()))
        } else {
            newest = work
        }
    }

    func check(at moment: CheckMoment) -> [InvariantFinding] { findings }
}
