import Faults

/// A fault at work, and what the counters showed when it began.
final class ActiveFault {
    let id: Int
    let fault: Fault
    let since: Duration
    var until: Duration?
    /// Whom it is meant for, and how often each had felt it before, or, once it is over, feels it no more.
    var targets: [(name: String, before: Int)]
    /// Hits that no counter shows: processes that were killed.
    var ownHits: [String: Int] = [:]
    /// The directed links that it acts on.
    var links: [LinkKey] = []
    /// What the counters of those links showed when it began.
    var linksBefore: [LinkKey: Int] = [:]
    /// The bytes on each disk when it began.
    var usedBytes: [String: Int] = [:]
    /// What it hit, when it is over.
    var finalImpact: FaultImpact?

    init(id: Int, fault: Fault, since: Duration, targets: [String]) {
        self.id = id
        self.fault = fault
        self.since = since
        self.targets = targets.map { ($0, 0) }
    }

    var isActive: Bool { until == nil }
}

/// A directed link, by the names of its hosts.
struct LinkKey: Hashable {
    let source: String
    let target: String
}
