import Pipeline
public import Testbed

/// Rare paths of the pipeline that a sweep of storms must have taken.
public enum StormMarks {
    /// All of them.
    public static let all: [Mark] = (waypoints.map(Self.mark) + poller + [serviceRestarted]).sorted()

    /// Those that faults are tied to, in the middle of what they mark.
    static let triggers: [Mark] = waypointTriggers.map(Self.mark)

    /// A service runs again that its disk had failed.
    static let serviceRestarted: Mark = "service.restarted"

    /// A batch is refused for good only when a stream has a hole in the middle of it: one seed in some hundred.
    private static let waypoints: [Waypoint] = Waypoint.allCases.filter { $0 != .ingesterRefused }

    private static let waypointTriggers: [Waypoint] = [
        .brokerCheckpoint, .brokerCommit, .brokerExpired, .brokerRebalanced, .brokerRecovered, .brokerRepetition,
        .consumerRejoined, .ingesterRetried, .outboxRenumbered, .outboxRetried, .storageCommit, .storageKnownBatch,
        .storageRecovered,
    ]

    private static func mark(_ waypoint: Waypoint) -> Mark { Mark(waypoint.rawValue) }

    // MARK: The poller's

    private static let poller: [Mark] = [
        "poller.breaker-opened", "poller.clock-ahead", "poller.partial", "poller.payload-refused", "poller.probing",
        "poller.queued", "poller.recovered", "poller.retrying", "poller.server-clock-off",
        "poller.skipped-for-breaker", "poller.skipped-for-overlap", "poller.skipped-for-retry-after",
        "poller.sweep-skipped", "poller.unpublished",
    ]

    /// The mark that the poller reaches by what it tells; nil for the course of things.
    static func mark(of event: PollerEvent) -> Mark? {
        switch event {
        case .breakerOpened: "poller.breaker-opened"
        case .clockAhead: "poller.clock-ahead"
        case .partial: "poller.partial"
        case .failed(_, .payload): "poller.payload-refused"
        case .probing: "poller.probing"
        case .queued: "poller.queued"
        case .recovered: "poller.recovered"
        case .retrying: "poller.retrying"
        case .serverClockOff: "poller.server-clock-off"
        case .skipped(_, .breaker): "poller.skipped-for-breaker"
        case .skipped(_, .overlap): "poller.skipped-for-overlap"
        case .skipped(_, .retryAfter): "poller.skipped-for-retry-after"
        case .sweepSkipped: "poller.sweep-skipped"
        case .unpublished: "poller.unpublished"
        // Registers of the model never fall.
        case .counterFell, .failed, .failing, .fetched, .requestEnded, .sweepCompleted: nil
        }
    }
}
