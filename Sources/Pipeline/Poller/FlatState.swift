import Durations
import Measurements
import NIOCore

/// What a poller knows of a flat; touched on its poller's actor only, which is why it may be handed to the poller's own tasks.
final class FlatState: @unchecked Sendable {
    let flat: String
    /// Where its measurements are.
    let path: String
    /// Since when it is polled without a break.
    var since: ContinuousClock.Instant
    var isPulled: Bool = true
    var lastSuccess: ContinuousClock.Instant?
    /// The newest measurement's time, in ms since 1970; of those that are not ahead of the clock.
    private(set) var newest: Int64?
    var failingSince: ContinuousClock.Instant?
    var underWay: Int = 0
    var breaker: CircuitBreaker?
    /// The server asked to stay away until `end`, in an answer of the moment `asked`.
    var stayAway: (asked: ContinuousClock.Instant, end: ContinuousClock.Instant)?
    /// Its last answer that was understood without a problem, and how many readings it had: the same bytes bring nothing new.
    var lastBody: (body: ByteBuffer, readings: Int)?
    /// Its last answer took more than half of what it may.
    var isSlow: Bool = false
    /// A device's clock was ahead in the last answer.
    var isAhead: Bool = false
    private var channels: [ChannelName: Channel] = [:]

    /// Channels of a flat's rooms that are remembered.
    static let channelsMax: Int = 1000

    init(flat: String, path: String, since: ContinuousClock.Instant, breaker: CircuitBreaker.Options?) {
        self.flat = flat
        self.path = path
        self.since = since
        self.breaker = breaker.map(CircuitBreaker.init)
    }

    /// The latest values, of each room's channels.
    var latest: [Reading] { channels.keys.sorted().compactMap { channels[$0]?.latest } }

    /// What a reading is to a flat.
    enum Novelty: Equatable {
        case new
        case known
        /// There are as many channels already as are remembered.
        case tooMany
    }

    /// Notes a reading.
    ///
    /// - Parameters:
    ///   - reading: The reading.
    ///   - isAhead: It claims a time that has not come: it is remembered by itself, so that it cannot make those that follow look old.
    /// - Returns: What it is.
    func note(_ reading: Reading, isAhead: Bool = false) -> Novelty {
        let name = ChannelName(room: reading.id.room, channel: reading.id.channel)
        var channel = channels[name] ?? Channel()
        guard channels.count < Self.channelsMax || channels[name] != nil else { return .tooMany }
        let isNew =
            isAhead ? channel.ahead.note(reading.id.milliseconds) : channel.seen.note(reading.id.milliseconds)
        guard isNew else { return .known }
        if !isAhead {
            newest = max(newest ?? .min, reading.id.milliseconds)
            if reading.id.milliseconds > channel.latest?.id.milliseconds ?? .min {
                channel.fall = channel.latest.flatMap { CounterFall.between($0.value, reading.value) }
                channel.before = channel.latest?.value
                channel.latest = reading
            }
        }
        channels[name] = channel
        return .new
    }

    /// How a reading that is the latest of its channel is less than the one before it; nil if it is not.
    func fall(at reading: Reading) -> (from: Double, kind: CounterFall)? {
        let channel = channels[ChannelName(room: reading.id.room, channel: reading.id.channel)]
        guard let channel, channel.latest == reading, let before = channel.before, let fall = channel.fall else {
            return nil
        }
        return (before, fall)
    }

    /// Forgets that readings were seen: nobody took them, and they are to be new when they come again.
    func forget(_ readings: [Reading]) {
        lastBody = nil
        for reading in readings {
            let name = ChannelName(room: reading.id.room, channel: reading.id.channel)
            channels[name]?.seen.forget(reading.id.milliseconds)
            channels[name]?.ahead.forget(reading.id.milliseconds)
        }
    }

    private struct ChannelName: Hashable, Comparable {
        let room: String
        let channel: String

        static func < (left: ChannelName, right: ChannelName) -> Bool {
            (left.room, left.channel) < (right.room, right.channel)
        }
    }

    private struct Channel {
        var seen: SeenTimes = SeenTimes()
        var ahead: SeenTimes = SeenTimes()
        var latest: Reading?
        /// The value before the latest, and how the latest is less, if it is.
        var before: Double?
        var fall: CounterFall?
    }

    /// The times of a channel's readings that were seen, as far back as answers may come out of order.
    private struct SeenTimes {
        private var times: [Int64] = []

        /// Late readings that are told apart from known ones.
        private static let remembered: Int = 16

        mutating func note(_ time: Int64) -> Bool {
            guard !times.contains(time) else { return false }
            // Older than all that is remembered: it was seen, or it comes so late that nobody can tell.
            if times.count == Self.remembered, let oldest = times.min(), time < oldest { return false }
            if times.count == Self.remembered, let index = times.indices.min(by: { times[$0] < times[$1] }) {
                times.remove(at: index)
            }
            times.append(time)
            return true
        }

        mutating func forget(_ time: Int64) {
            times.removeAll { $0 == time }
        }
    }
}
