import Documents

/// Reads payloads whose records are rooms without making a tree of values: what a contract looks at, and nothing else.
///
/// It understands what servers usually send, and says so: whatever is missing, wrong, doubtful or only unusual is left to the reader of values, which
/// tells what it is. What both read, they read alike.
struct RoomsScanner: Hashable, Sendable {
    /// What stands under a name of a record.
    private enum Member: Hashable, Sendable {
        case room
        case slot(Slot)
        case object([Field])
    }

    /// A value or a time of a channel, by the channel's place in the contract.
    private enum Slot: Hashable, Sendable {
        case value(Int)
        case time(Int)
    }

    private struct Field: Hashable, Sendable {
        let name: [UInt8]
        let slot: Slot
    }

    private struct NamedMember: Hashable, Sendable {
        let name: [UInt8]
        var member: Member
    }

    private let list: [UInt8]
    private let members: [NamedMember]
    private let channels: [String]

    /// Makes a scanner; nil where records, rooms or channels lie deeper than it looks.
    init?(records: Pointer, room: Pointer, channels: [MeasurementContract.Channel]) {
        guard records.tokens.count == 1, room.tokens.count == 1, channels.count <= 32 else { return nil }
        list = Array(records.tokens[0].utf8)
        self.channels = channels.map(\.name)
        var members = [NamedMember(name: Array(room.tokens[0].utf8), member: .room)]
        for (index, channel) in channels.enumerated() {
            for (pointer, slot) in [(channel.value, Slot.value(index)), (channel.time, .time(index))] {
                guard let tokens = pointer?.tokens, (1...2).contains(tokens.count) else { return nil }
                let names = tokens.map { Array($0.utf8) }
                let known = members.firstIndex { $0.name == names[0] }
                switch (names.count, known.map { members[$0].member }) {
                case (1, nil): members.append(NamedMember(name: names[0], member: .slot(slot)))
                case (2, nil):
                    let field = Field(name: names[1], slot: slot)
                    members.append(NamedMember(name: names[0], member: .object([field])))
                case (2, .object(let fields)?):
                    // Two channels in one place are nothing that a stream of bytes gives twice.
                    guard let known, !fields.contains(where: { $0.name == names[1] }) else { return nil }
                    members[known].member = .object(fields + [Field(name: names[1], slot: slot)])
                default: return nil
                }
            }
        }
        self.members = members
    }

    // MARK: Reading

    /// Reads the readings of a payload; nil where the payload is not as usual.
    func read(_ bytes: Span<UInt8>, of flat: String, contract: MeasurementContract, now: Int64) -> [Reading]? {
        var scan = Scan(flat: flat, now: now)
        // A reading takes some 70 bytes of a payload.
        scan.readings.reserveCapacity(bytes.count / 64)
        guard scan.cursor.take("{", bytes) else { return nil }
        var isRead = false
        repeat {
            guard let name = scan.cursor.name(bytes) else { return nil }
            if JSONCursor.areEqual(list, bytes, name) {
                guard !isRead, readList(bytes, &scan, contract) else { return nil }
                isRead = true
            } else {
                guard scan.cursor.skipScalar(bytes) else { return nil }
            }
        } while scan.cursor.take(",", bytes)
        guard isRead, scan.cursor.take("}", bytes), scan.cursor.isAtEnd(bytes) else { return nil }
        return scan.readings
    }

    private func readList(_ bytes: Span<UInt8>, _ scan: inout Scan, _ contract: MeasurementContract) -> Bool {
        guard scan.cursor.take("[", bytes) else { return false }
        if scan.cursor.take("]", bytes) { return true }
        var count = 0
        repeat {
            count += 1
            guard count <= MeasurementContract.recordsMax, readRecord(bytes, &scan, contract) else { return false }
        } while scan.cursor.take(",", bytes)
        return scan.cursor.take("]", bytes)
    }

    private func readRecord(_ bytes: Span<UInt8>, _ scan: inout Scan, _ contract: MeasurementContract) -> Bool {
        guard scan.cursor.take("{", bytes) else { return false }
        scan.beginRecord()
        repeat {
            guard let name = scan.cursor.name(bytes) else { return false }
            guard let index = members.firstIndex(where: { JSONCursor.areEqual($0.name, bytes, name) }) else {
                guard scan.cursor.skipScalar(bytes) else { return false }
                continue
            }
            // Of two members of one name the last would count.
            guard scan.note(member: index) else { return false }
            switch members[index].member {
            case .room: guard scan.readRoom(bytes) else { return false }
            case .slot(let slot): guard read(slot, bytes, &scan, contract) else { return false }
            case .object(let fields): guard readObject(fields, bytes, &scan, contract) else { return false }
            }
        } while scan.cursor.take(",", bytes)
        guard scan.cursor.take("}", bytes), let room = scan.room else { return false }
        for (index, channel) in channels.enumerated() {
            let (hasValue, hasTime) = (scan.hasValue(index), scan.hasTime(index))
            if !hasValue, !hasTime { continue }
            guard hasValue, hasTime else { return false }
            let id = Reading.Identity(
                flat: scan.flat, room: room, channel: channel, milliseconds: scan.times[index])
            scan.readings.append(Reading(id, value: scan.values[index]))
        }
        return true
    }

    private func readObject(
        _ fields: [Field], _ bytes: Span<UInt8>, _ scan: inout Scan, _ contract: MeasurementContract
    ) -> Bool {
        guard scan.cursor.take("{", bytes) else { return false }
        repeat {
            guard let name = scan.cursor.name(bytes) else { return false }
            if let field = fields.first(where: { JSONCursor.areEqual($0.name, bytes, name) }) {
                guard read(field.slot, bytes, &scan, contract) else { return false }
            } else {
                guard scan.cursor.skipScalar(bytes) else { return false }
            }
        } while scan.cursor.take(",", bytes)
        return scan.cursor.take("}", bytes)
    }

    private func read(
        _ slot: Slot, _ bytes: Span<UInt8>, _ scan: inout Scan, _ contract: MeasurementContract
    ) -> Bool {
        switch slot {
        case .value(let channel):
            guard !scan.hasValue(channel), let value = scan.cursor.number(bytes), value.isFinite else { return false }
            scan.set(value: value, channel)
        case .time(let channel):
            guard !scan.hasTime(channel), let time = scan.time(bytes, contract) else { return false }
            scan.set(time: time, channel)
        }
        return true
    }
}

/// A place in a payload, and what was read so far.
private struct Scan {
    let flat: String
    let now: Int64
    var readings: [Reading] = []
    private(set) var room: String?
    private(set) var values: [Double] = []
    private(set) var times: [Int64] = []
    var cursor: JSONCursor = JSONCursor()
    private var seenMembers: UInt64 = 0
    private var seenValues: UInt32 = 0
    private var seenTimes: UInt32 = 0
    /// The text of the last time that was read: devices mostly measure together.
    private var lastTime: (text: Range<Int>, milliseconds: Int64)?

    init(flat: String, now: Int64) {
        self.flat = flat
        self.now = now
        values = Array(repeating: 0, count: 32)
        times = Array(repeating: 0, count: 32)
    }

    // MARK: Records

    mutating func beginRecord() {
        (room, seenMembers, seenValues, seenTimes) = (nil, 0, 0, 0)
    }

    mutating func note(member: Int) -> Bool {
        defer { seenMembers |= 1 << UInt64(member) }
        return seenMembers & 1 << UInt64(member) == 0
    }

    func hasValue(_ channel: Int) -> Bool { seenValues & 1 << UInt32(channel) != 0 }
    func hasTime(_ channel: Int) -> Bool { seenTimes & 1 << UInt32(channel) != 0 }

    mutating func set(value: Double, _ channel: Int) {
        values[channel] = value
        seenValues |= 1 << UInt32(channel)
    }

    mutating func set(time: Int64, _ channel: Int) {
        times[channel] = time
        seenTimes |= 1 << UInt32(channel)
    }

    /// Reads a room's name: a string, or a whole number that is not negative.
    mutating func readRoom(_ bytes: Span<UInt8>) -> Bool {
        cursor.skipSpace(bytes)
        guard cursor.index < bytes.count else { return false }
        if bytes[cursor.index] == UInt8(ascii: "\"") {
            guard let range = cursor.string(bytes), (1...MeasurementContract.roomBytesMax).contains(range.count),
                let text = JSONCursor.text(bytes, range)
            else { return false }
            room = text
        } else {
            let start = cursor.index
            guard let number = cursor.number(bytes), number >= 0, number < 1e15, number == number.rounded(),
                (start..<cursor.index).allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[$0] })
            else { return false }
            room = String(Int(number))
        }
        return true
    }

    mutating func time(_ bytes: Span<UInt8>, _ contract: MeasurementContract) -> Int64? {
        cursor.skipSpace(bytes)
        guard cursor.index < bytes.count else { return nil }
        let value: Value
        var text: Range<Int>?
        if bytes[cursor.index] == UInt8(ascii: "\"") {
            guard let range = cursor.string(bytes) else { return nil }
            if let lastTime, JSONCursor.areEqual(bytes, lastTime.text, range) { return lastTime.milliseconds }
            guard let string = JSONCursor.text(bytes, range) else { return nil }
            (text, value) = (range, .string(string))
        } else {
            guard let number = cursor.number(bytes) else { return nil }
            value = .real(number)
        }
        guard let time = MeasurementTime.read(value, contract.times, zone: contract.zone, now: now),
            MeasurementTime.plausible.contains(time)
        else { return nil }
        if let text { lastTime = (text, time) }
        return time
    }
}
