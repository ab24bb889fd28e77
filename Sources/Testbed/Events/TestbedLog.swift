/// Where everything is told that happens in a test-bed: it counts marks, keeps a history of bounded length, and passes events on.
///
/// It belongs to one thread; a test-bed over real processes tells it on one.
public final class TestbedLog {
    /// Events that a history keeps.
    public static let historyMax: Int = 4096

    private let now: () -> Duration
    private var listeners: [(TestbedEvent) -> Void] = []
    private var history: [TestbedEvent] = []
    /// Where the oldest event of the history is.
    private var oldest: Int = 0
    private var counts: [Mark: Int] = [:]

    /// Makes a log whose events have the times that `now` tells: since the run began.
    public init(now: @escaping () -> Duration) {
        self.now = now
    }

    /// Lets somebody hear of every event from now on, in the order in which they were added.
    public func listen(_ listener: @escaping (TestbedEvent) -> Void) {
        listeners.append(listener)
    }

    /// Lets nobody hear of anything any more.
    public func close() {
        listeners = []
    }

    /// Tells that something happened.
    public func record(_ kind: TestbedEvent.Kind) {
        let event = TestbedEvent(time: now(), kind: kind)
        switch kind {
        case .observed(let observation, _) where !observation.isNoteworthy: break
        case .reached: break
        default: keep(event)
        }
        for listener in listeners { listener(event) }
    }

    /// Tells that a mark was reached.
    public func reach(_ mark: Mark) {
        let count = (counts[mark] ?? 0) + 1
        counts[mark] = count
        record(.reached(mark, count: count))
    }

    /// How often each mark was reached.
    public var marks: [Mark: Int] { counts }

    private func keep(_ event: TestbedEvent) {
        guard history.count == Self.historyMax else { return history.append(event) }
        history[oldest] = event
        oldest = (oldest + 1) % Self.historyMax
    }

    /// What happened until now, the oldest first.
    public var events: [TestbedEvent] { Array(history[oldest...] + history[..<oldest]) }

    /// The last events that concern some entities, or the faults and ends of everybody; the oldest first.
    public func history(of entities: [String], limit: Int) -> [TestbedEvent] {
        let names = Set(entities)
        var found: [TestbedEvent] = []
        for event in events.reversed() {
            if found.count == limit { break }
            let concerns: Bool
            switch event.kind {
            case .applied, .reverted, .healed, .crashed, .failed: concerns = true
            case .violated: concerns = false
            default: concerns = names.isEmpty || !names.isDisjoint(with: event.entities)
            }
            if concerns { found.append(event) }
        }
        return found.reversed()
    }
}
