import NIOCore

/// What a poller knows of a flat.
struct FlatState {
    let flat: String
    /// Where its measurements are.
    let path: String
    /// When it was first polled, or could have been.
    let since: ContinuousClock.Instant
    var isPulled: Bool = true
    var lastSuccess: ContinuousClock.Instant?
    /// The newest measurement's time, in ms since 1970.
    var newest: Int64?
    var failingSince: ContinuousClock.Instant?
    var underWay: Int = 0
    var breaker: CircuitBreaker?
    var notBefore: ContinuousClock.Instant?
    /// Its last answer that was understood without a problem, and how many readings it had: the same bytes bring nothing new.
    var lastBody: (body: ByteBuffer, readings: Int)?
    /// Its last answer took more than half of what it may.
    var isSlow: Bool = false
    private(set) var channels: [String: SeenTimes] = [:]

    init(flat: String, path: String, since: ContinuousClock.Instant, breaker: CircuitBreaker.Options?) {
        self.flat = flat
        self.path = path
        self.since = since
        self.breaker = breaker.map(CircuitBreaker.init)
    }

    /// The latest values, of each room's channels.
    var latest: [Reading] { channels.keys.sorted().compactMap { channels[$0]?.latest } }

    /// Notes a reading; false if it was seen before.
    mutating func note(_ reading: Reading) -> Bool {
        newest = max(newest ?? .min, reading.id.milliseconds)
        return channels["\(reading.id.room)/\(reading.id.channel)", default: SeenTimes()].note(reading)
    }

    /// The times of a channel's readings that were seen, as far back as answers may come out of order.
    struct SeenTimes {
        private var times: [Int64] = []
        private(set) var latest: Reading?

        /// Late readings that are told apart from known ones.
        private static let remembered: Int = 16

        mutating func note(_ reading: Reading) -> Bool {
            let time = reading.id.milliseconds
            guard !times.contains(time) else { return false }
            // Older than all that is remembered: it was seen, or it comes so late that nobody can tell.
            if times.count == Self.remembered, let oldest = times.min(), time < oldest { return false }
            if times.count == Self.remembered, let index = times.indices.min(by: { times[$0] < times[$1] }) {
                times.remove(at: index)
            }
            times.append(time)
            if time > latest?.id.milliseconds ?? .min { latest = reading }
            return true
        }
    }
}

/// How old what a poller knows is; all in seconds.
public struct Ages: Hashable, Sendable {
    /// Of one flat.
    public struct Flat: Hashable, Sendable {
        /// The flat.
        public let flat: String
        /// Since its last successful fetch, or since it is polled.
        public let lastSuccess: Double
        /// Since its newest measurement; nil if there is none.
        public let data: Double?
        /// Whether its last poll failed.
        public let isFailing: Bool
    }

    /// Since anything was fetched; with passes, since a whole pass succeeded.
    public let lastSuccess: Double
    /// The flats', in the order in which they were added.
    public let flats: [Flat]
}
