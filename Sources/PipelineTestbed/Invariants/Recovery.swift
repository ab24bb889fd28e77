import Measurements
import Testbed

/// What was on its way when everything was healed has arrived in the storage within a time.
final class Arrival: Invariant {
    let name: String = "what was on its way when everything was healed arrives"
    private let limit: Duration
    private let audit: () -> LedgerAudit
    private let down: () -> [String]
    private var owed: Set<Reading.Identity>?
    private var next: Duration = .zero

    /// How often the disks are read.
    private static let interval: Duration = .seconds(5)

    init(within limit: Duration, audit: @escaping () -> LedgerAudit, down: @escaping () -> [String]) {
        self.limit = limit
        self.audit = audit
        self.down = down
    }

    func observe(_ event: TestbedEvent) {
        if case .healed = event.kind { owed = audit().waiting }
    }

    func check(at moment: CheckMoment) -> [InvariantFinding] {
        guard case .healed(let time) = moment.phase, let owed, moment.time >= next else { return [] }
        next = moment.time + Self.interval
        let left = owed.intersection(audit().waiting)
        guard !left.isEmpty else {
            self.owed = nil
            return []
        }
        guard time >= limit else { return [] }
        let example = left.map(\.description).min() ?? ""
        let down = down()
        return [
            InvariantFinding(
                "\(left.count) readings have not arrived \(limit) after healing, such as \(example)"
                    + (down.isEmpty ? "" : "; down: \(down.joined(separator: ", "))"), entities: ["pending"])
        ]
    }
}

/// After healing every flat is fetched again, and stays young.
final class FreshAgain: Invariant {
    let name: String = "every flat is fetched again after healing"
    private let limit: Duration
    private let ageMax: Duration
    private let ages: AgeRecorder

    init(within limit: Duration, below ageMax: Duration, _ ages: AgeRecorder) {
        self.limit = limit
        self.ageMax = ageMax
        self.ages = ages
    }

    func check(at moment: CheckMoment) -> [InvariantFinding] {
        guard case .healed(let time) = moment.phase, time >= limit, let age = ages.latest[.perFlatLastSuccess],
            Duration.nanoseconds(Int64(age.nanoseconds)) > ageMax
        else { return [] }
        return [
            InvariantFinding(
                "\(age.flat ?? "a flat") was not fetched for \(age.nanoseconds / 1_000_000_000) s, \(time) after healing",
                entities: age.flat.map { [$0] } ?? [])
        ]
    }
}

/// What the measurement server showed after healing, or something later, is acknowledged within a time.
///
/// A reading that is never taken is never owed: this asks for it.
final class Completeness: Invariant {
    let name: String = "what the measurement server shows is acknowledged"
    private let limit: Duration
    private let ledger: Ledger
    private var shown: [Reading.Identity] = []
    private var since: Duration = .zero

    init(within limit: Duration, _ ledger: Ledger) {
        self.limit = limit
        self.ledger = ledger
    }

    /// The server shows these readings now.
    func expect(_ readings: [Reading], at time: Duration) {
        shown = readings.map(\.id)
        since = time
    }

    func check(at moment: CheckMoment) -> [InvariantFinding] {
        guard !shown.isEmpty else { return [] }
        shown = shown.filter { ledger.newestAcknowledged(of: $0.series) ?? .min < $0.milliseconds }
        guard moment.time - since >= limit, let example = shown.map(\.description).min() else { return [] }
        return [
            InvariantFinding(
                "\(shown.count) readings that the server showed \(moment.time - since) ago, such as \(example), were not taken, nor later ones",
                entities: ["unacknowledged"])
        ]
    }
}
