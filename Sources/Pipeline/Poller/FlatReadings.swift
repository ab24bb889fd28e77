import Measurements

/// What was read of a flat: which readings are known, the latest of each channel, and registers that fell.
struct FlatReadings {
    /// What a reading is to a flat.
    enum Novelty: Hashable {
        case new
        case known
        /// There are as many channels already as are remembered.
        case tooMany
    }

    /// How a register shows less than before.
    struct Fall: Hashable {
        /// What it showed before.
        let from: Double
        let kind: CounterFall
    }

    /// One channel of a room.
    private struct Channel {
        let room: String
        let name: String
        var seen: SeenTimes = SeenTimes()
        /// The time of the latest value, in ms since 1970; the least number before there is one.
        var time: Int64 = .min
        var value: Double = 0
    }

    /// Channels of a flat's rooms that are remembered.
    static let channelsMax: Int = 1000

    private let flat: String
    /// The newest measurement's time, in ms since 1970; of those that are not ahead of the clock.
    private(set) var newest: Int64?
    /// In the order in which they were first seen.
    private var channels: [Channel] = []
    /// Indices of channels, by room and name.
    private var sorted: [UInt16] = []
    /// The channel behind the one that was looked up last: answers say the same in the same order.
    private var expected: Int = 0
    /// What the last new reading made of a channel's times: channels are mostly measured together, and then share the memory of their times.
    private var lastStep: (before: SeenTimes, time: Int64, after: SeenTimes)?
    /// The times ahead of the clock, of the few channels that have any.
    private var ahead: [Int: SeenTimes] = [:]
    /// The channels whose latest value is less than the one before.
    private var falls: [Int: Fall] = [:]

    init(flat: String) {
        self.flat = flat
    }

    // MARK: Noting

    /// Makes room for the channels of an answer.
    mutating func reserve(_ readings: Int) {
        let count = min(readings, Self.channelsMax)
        guard channels.capacity < count else { return }
        channels.reserveCapacity(count)
        sorted.reserveCapacity(count)
    }

    /// Notes a reading.
    ///
    /// - Parameters:
    ///   - reading: The reading.
    ///   - isAhead: It claims a time that has not come: it is remembered by itself, so that it cannot make those that follow look old.
    /// - Returns: What it is.
    mutating func note(_ reading: Reading, isAhead: Bool = false) -> Novelty {
        guard let index = index(of: reading.id.room, reading.id.channel) ?? add(reading.id) else { return .tooMany }
        let time = reading.id.milliseconds
        guard !isAhead else { return ahead[index, default: SeenTimes()].note(time) ? .new : .known }
        guard noteTime(time, at: index) else { return .known }
        newest = max(newest ?? .min, time)
        if time > channels[index].time {
            let fall =
                channels[index].time == .min ? nil : CounterFall.between(channels[index].value, reading.value)
            if fall != nil || !falls.isEmpty {
                falls[index] = fall.map { Fall(from: channels[index].value, kind: $0) }
            }
            (channels[index].time, channels[index].value) = (time, reading.value)
        }
        return .new
    }

    private mutating func noteTime(_ time: Int64, at index: Int) -> Bool {
        if let lastStep, lastStep.time == time, lastStep.before == channels[index].seen {
            channels[index].seen = lastStep.after
            return true
        }
        let before = channels[index].seen
        guard channels[index].seen.note(time) else { return false }
        lastStep = (before, time, channels[index].seen)
        return true
    }

    /// Forgets that readings were seen: nobody took them, and they are to be new when they come again.
    mutating func forget(_ readings: [Reading]) {
        for reading in readings {
            guard let index = index(of: reading.id.room, reading.id.channel) else { continue }
            channels[index].seen.forget(reading.id.milliseconds)
            ahead[index]?.forget(reading.id.milliseconds)
        }
        lastStep = nil
    }

    // MARK: Asking

    /// The latest values, by room and channel.
    var latest: [Reading] {
        sorted.map { channels[Int($0)] }.filter { $0.time != .min }.map { channel in
            let id = Reading.Identity(flat: flat, room: channel.room, channel: channel.name, milliseconds: channel.time)
            return Reading(id, value: channel.value)
        }
    }

    /// How a reading that is the latest of its channel is less than the one before it; nil if it is not.
    mutating func fall(at reading: Reading) -> Fall? {
        guard !falls.isEmpty, let index = index(of: reading.id.room, reading.id.channel),
            channels[index].time == reading.id.milliseconds, channels[index].value == reading.value
        else { return nil }
        return falls[index]
    }

    // MARK: Channels

    private mutating func index(of room: String, _ name: String) -> Int? {
        if expected >= channels.count { expected = 0 }
        if expected < channels.count, channels[expected].name == name, channels[expected].room == room {
            expected += 1
            return expected - 1
        }
        let position = position(of: room, name)
        guard position < sorted.count else { return nil }
        let index = Int(sorted[position])
        guard channels[index].room == room, channels[index].name == name else { return nil }
        expected = index + 1
        return index
    }

    /// Where a channel stands among those by room and name, or would stand.
    private func position(of room: String, _ name: String) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            let channel = channels[Int(sorted[middle])]
            if (channel.room, channel.name) < (room, name) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func add(_ id: Reading.Identity) -> Int? {
        guard channels.count < Self.channelsMax else { return nil }
        sorted.insert(UInt16(channels.count), at: position(of: id.room, id.channel))
        channels.append(Channel(room: id.room, name: id.channel))
        expected = channels.count
        return channels.count - 1
    }

    /// The times of a channel's readings that were seen, as far back as answers may come out of order.
    private struct SeenTimes: Equatable {
        private var times: [Int64] = []

        /// Late readings that are told apart from known ones.
        private static let remembered: Int = 16

        mutating func note(_ time: Int64) -> Bool {
            guard !times.contains(time) else { return false }
            if times.count == Self.remembered, let oldest = times.min() {
                // Older than all that is remembered: it was seen, or it comes so late that nobody can tell.
                guard time > oldest, let index = times.firstIndex(of: oldest) else { return false }
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
