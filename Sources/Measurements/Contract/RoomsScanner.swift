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
        guard scan.take("{", bytes) else { return nil }
        var isRead = false
        repeat {
            guard let name = scan.name(bytes) else { return nil }
            if matches(list, bytes, name) {
                guard !isRead, readList(bytes, &scan, contract) else { return nil }
                isRead = true
            } else {
                guard scan.skipScalar(bytes) else { return nil }
            }
        } while scan.take(",", bytes)
        guard isRead, scan.take("}", bytes), scan.isAtEnd(bytes) else { return nil }
        return scan.readings
    }

    private func readList(_ bytes: Span<UInt8>, _ scan: inout Scan, _ contract: MeasurementContract) -> Bool {
        guard scan.take("[", bytes) else { return false }
        if scan.take("]", bytes) { return true }
        var count = 0
        repeat {
            count += 1
            guard count <= MeasurementContract.recordsMax, readRecord(bytes, &scan, contract) else { return false }
        } while scan.take(",", bytes)
        return scan.take("]", bytes)
    }

    private func readRecord(_ bytes: Span<UInt8>, _ scan: inout Scan, _ contract: MeasurementContract) -> Bool {
        guard scan.take("{", bytes) else { return false }
        scan.beginRecord()
        repeat {
            guard let name = scan.name(bytes) else { return false }
            guard let index = members.firstIndex(where: { matches($0.name, bytes, name) }) else {
                guard scan.skipScalar(bytes) else { return false }
                continue
            }
            // Of two members of one name the last would count.
            guard scan.note(member: index) else { return false }
            switch members[index].member {
            case .room: guard scan.readRoom(bytes) else { return false }
            case .slot(let slot): guard read(slot, bytes, &scan, contract) else { return false }
            case .object(let fields): guard readObject(fields, bytes, &scan, contract) else { return false }
            }
        } while scan.take(",", bytes)
        guard scan.take("}", bytes), let room = scan.room else { return false }
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
        guard scan.take("{", bytes) else { return false }
        repeat {
            guard let name = scan.name(bytes) else { return false }
            if let field = fields.first(where: { matches($0.name, bytes, name) }) {
                guard read(field.slot, bytes, &scan, contract) else { return false }
            } else {
                guard scan.skipScalar(bytes) else { return false }
            }
        } while scan.take(",", bytes)
        return scan.take("}", bytes)
    }

    private func read(
        _ slot: Slot, _ bytes: Span<UInt8>, _ scan: inout Scan, _ contract: MeasurementContract
    ) -> Bool {
        switch slot {
        case .value(let channel):
            guard !scan.hasValue(channel), let value = scan.number(bytes), value.isFinite else { return false }
            scan.set(value: value, channel)
        case .time(let channel):
            guard !scan.hasTime(channel), let time = scan.time(bytes, contract) else { return false }
            scan.set(time: time, channel)
        }
        return true
    }

    private func matches(_ name: [UInt8], _ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard name.count == range.count else { return false }
        for offset in name.indices where name[offset] != bytes[range.lowerBound + offset] { return false }
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
    private var index: Int = 0
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
        skipSpace(bytes)
        guard index < bytes.count else { return false }
        if bytes[index] == UInt8(ascii: "\"") {
            guard let range = string(bytes), (1...MeasurementContract.roomBytesMax).contains(range.count),
                let text = Self.text(bytes, range)
            else { return false }
            room = text
        } else {
            let start = index
            guard let number = number(bytes), number >= 0, number < 1e15, number == number.rounded(),
                (start..<index).allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[$0] })
            else { return false }
            room = String(Int(number))
        }
        return true
    }

    mutating func time(_ bytes: Span<UInt8>, _ contract: MeasurementContract) -> Int64? {
        skipSpace(bytes)
        guard index < bytes.count else { return nil }
        let value: Value
        var text: Range<Int>?
        if bytes[index] == UInt8(ascii: "\"") {
            guard let range = string(bytes) else { return nil }
            if let lastTime, Self.areEqual(bytes, lastTime.text, range) { return lastTime.milliseconds }
            guard let string = Self.text(bytes, range) else { return nil }
            (text, value) = (range, .string(string))
        } else {
            guard let number = number(bytes) else { return nil }
            value = .real(number)
        }
        guard let time = MeasurementTime.read(value, contract.times, zone: contract.zone, now: now),
            MeasurementTime.plausible.contains(time)
        else { return nil }
        if let text { lastTime = (text, time) }
        return time
    }

    private static func areEqual(_ bytes: Span<UInt8>, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard left.count == right.count else { return false }
        for offset in 0..<left.count where bytes[left.lowerBound + offset] != bytes[right.lowerBound + offset] {
            return false
        }
        return true
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String? {
        guard let text = try? UTF8Span(validating: bytes.extracting(range)) else { return nil }
        return String(copying: text)
    }

    // MARK: JSON

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x0a, 0x0d, 0x09: index += 1
            default: return
            }
        }
    }

    func isAtEnd(_ bytes: Span<UInt8>) -> Bool {
        var rest = self
        rest.skipSpace(bytes)
        return rest.index == bytes.count
    }

    mutating func take(_ character: Unicode.Scalar, _ bytes: Span<UInt8>) -> Bool {
        skipSpace(bytes)
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    /// Reads a member's name and the colon behind it.
    mutating func name(_ bytes: Span<UInt8>) -> Range<Int>? {
        guard let name = string(bytes), take(":", bytes) else { return nil }
        return name
    }

    /// Reads a string without escapes; where it stands between its quotes.
    mutating func string(_ bytes: Span<UInt8>) -> Range<Int>? {
        guard take("\"", bytes) else { return nil }
        let start = index
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return start..<(index - 1)
            // Escapes, control characters, and what may not be UTF-8.
            case UInt8(ascii: "\\"), ..<0x20, 0x80...: return nil
            default: index += 1
            }
        }
        return nil
    }

    /// Reads a number as JSON has them.
    mutating func number(_ bytes: Span<UInt8>) -> Double? {
        skipSpace(bytes)
        let start = index
        func digit(_ place: Int) -> UInt64? {
            guard place < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[place] else { return nil }
            return UInt64(bytes[place] - UInt8(ascii: "0"))
        }
        let isNegative = index < bytes.count && bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        guard let first = digit(index) else { return nil }
        // A leading zero stands alone.
        if first == 0, digit(index + 1) != nil { return nil }
        var mantissa: UInt64 = 0
        var digits = 0
        var fraction = 0
        while let next = digit(index) {
            (mantissa, digits, index) = (mantissa &* 10 &+ next, digits + 1, index + 1)
        }
        if index < bytes.count, bytes[index] == UInt8(ascii: "."), digit(index + 1) != nil {
            index += 1
            while let next = digit(index) {
                (mantissa, digits, fraction, index) = (mantissa &* 10 &+ next, digits + 1, fraction + 1, index + 1)
            }
        }
        // Exponents, and more digits than a whole number of a Double has, are read elsewhere.
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") { return nil }
        guard digits <= 15 else {
            return digits <= 18 ? Self.text(bytes, start..<index).flatMap { Double($0) } : nil
        }
        // Both are exact, and so their quotient is the number that is nearest.
        let number = Double(mantissa) / Self.powers[fraction]
        return isNegative ? -number : number
    }

    private static let powers: [Double] = (0...15).map { power in (0..<power).reduce(1.0) { value, _ in value * 10 } }

    /// Passes over a string, a number or a word that the contract does not look at.
    mutating func skipScalar(_ bytes: Span<UInt8>) -> Bool {
        skipSpace(bytes)
        guard index < bytes.count else { return false }
        switch bytes[index] {
        case UInt8(ascii: "\""): return string(bytes) != nil
        case UInt8(ascii: "t"): return word("true", bytes)
        case UInt8(ascii: "f"): return word("false", bytes)
        case UInt8(ascii: "n"): return word("null", bytes)
        default: return number(bytes) != nil
        }
    }

    private mutating func word(_ word: StaticString, _ bytes: Span<UInt8>) -> Bool {
        let count = word.utf8CodeUnitCount
        guard index + count <= bytes.count, let text = Self.text(bytes, index..<(index + count)),
            text == word.description
        else { return false }
        index += count
        return true
    }
}
