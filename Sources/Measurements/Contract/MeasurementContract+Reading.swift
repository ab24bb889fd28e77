public import Documents

/// What a payload says.
public struct ParsedPayload: Hashable, Sendable {
    /// The readings that could be understood, in the payload's order.
    public var readings: [Reading] = []
    /// Parts that could not.
    public var problems: [PayloadProblem] = []

    /// Makes what a payload without problems says.
    public init(readings: [Reading] = []) {
        self.readings = readings
    }
}

extension MeasurementContract {
    /// Records of a payload that are looked at.
    public static let recordsMax: Int = 10_000
    /// The longest name of a room, in bytes.
    public static let roomBytesMax: Int = 64

    /// Reads a payload: what is not understood is named, and does not hide the rest.
    ///
    /// - Parameters:
    ///   - payload: The body of an answer.
    ///   - flat: The flat that was asked for.
    ///   - now: What times that are relative are relative to, in ms since 1970.
    /// - Returns: Readings and problems.
    /// - Throws: ``PayloadProblem`` when nothing at all can be read.
    public func read(
        _ payload: some Sequence<UInt8>, of flat: String, now: Int64 = WallClock.milliseconds
    ) throws(PayloadProblem) -> ParsedPayload {
        try read(Array(payload).span, of: flat, now: now)
    }

    /// Reads a payload: what is not understood is named, and does not hide the rest.
    ///
    /// - Parameters:
    ///   - payload: The body of an answer.
    ///   - flat: The flat that was asked for.
    ///   - now: What times that are relative are relative to, in ms since 1970.
    /// - Returns: Readings and problems.
    /// - Throws: ``PayloadProblem`` when nothing at all can be read.
    public func read(
        _ payload: Span<UInt8>, of flat: String, now: Int64 = WallClock.milliseconds
    ) throws(PayloadProblem) -> ParsedPayload {
        if let readings = scanner?.read(payload, of: flat, contract: self, now: now) {
            return ParsedPayload(readings: readings)
        }
        return try readValues(unsafe payload.withUnsafeBufferPointer { unsafe Array($0) }, of: flat, now: now)
    }

    /// Reads a payload as a tree of values.
    func readValues(_ payload: [UInt8], of flat: String, now: Int64) throws(PayloadProblem) -> ParsedPayload {
        let document: Value
        do {
            // RFC 8259 lets a reader pass over the mark.
            document = try JSONReader.read(payload.withoutByteOrderMark)
        } catch {
            throw .notJSON(error)
        }
        guard let value = document[records] else { throw .missing(records) }
        guard let list = value.array else { throw .wrongType(records, value, expected: "a list") }
        var measurements = ParsedPayload()
        if list.count > Self.recordsMax { measurements.problems.append(.tooManyRecords(limit: Self.recordsMax)) }
        var base = Base(now: now)
        for (index, record) in list.prefix(Self.recordsMax).enumerated() {
            let pointer = records.appending(index)
            switch layout {
            case .rooms(let room): read(record, room, at: pointer, of: flat, now: now, into: &measurements)
            case .readings(let row): read(record, row, &base, at: pointer, of: flat, into: &measurements)
            }
        }
        return measurements
    }

    /// What records take over from those before them.
    private struct Base {
        let now: Int64
        var name: String = ""
        var seconds: Double = 0
        var value: Double = 0
        var unit: String?
    }

    // MARK: Layouts

    private func read(
        _ record: Value, _ roomPointer: Pointer, at pointer: Pointer, of flat: String, now: Int64,
        into result: inout ParsedPayload
    ) {
        guard let room = record[roomPointer].flatMap(Self.name) else {
            return result.problems.append(.missing(pointer + roomPointer))
        }
        guard room.utf8.count <= Self.roomBytesMax else {
            return result.problems.append(.nameTooLong(pointer + roomPointer, limit: Self.roomBytesMax))
        }
        for channel in channels {
            guard let valuePointer = channel.value, let timePointer = channel.time else { continue }
            // A room need not have every channel.
            if record[valuePointer] == nil, record[timePointer] == nil { continue }
            do {
                let value = try number(record, valuePointer, pointer)
                let time = try time(record[timePointer], pointer + timePointer, now: now)
                let id = Reading.Identity(flat: flat, room: room, channel: channel.name, milliseconds: time)
                result.readings.append(Reading(id, value: value))
            } catch {
                result.problems.append(error)
            }
        }
    }

    private func read(
        _ record: Value, _ row: Row, _ base: inout Base, at pointer: Pointer, of flat: String,
        into result: inout ParsedPayload
    ) {
        if let name = row.baseName.flatMap({ record[$0]?.string }) { base.name = name }
        if let time = row.baseTime.flatMap({ record[$0]?.number }), time.isFinite { base.seconds = time }
        if let value = row.baseValue.flatMap({ record[$0]?.number }), value.isFinite { base.value = value }
        if let unit = row.baseUnit.flatMap({ record[$0]?.string }) { base.unit = unit }
        do throws(PayloadProblem) {
            result.readings.append(try reading(record, row, base, at: pointer, of: flat))
        } catch {
            result.problems.append(error)
        }
    }

    private func reading(
        _ record: Value, _ row: Row, _ base: Base, at pointer: Pointer, of flat: String
    ) throws(PayloadProblem) -> Reading {
        let name = base.name + (record[row.name]?.string ?? "")
        guard let (room, channel) = NamePattern(row.pattern)?.parts(of: name, channels) else {
            throw .unknownName(pointer + row.name, name)
        }
        guard room.utf8.count <= Self.roomBytesMax else {
            throw .nameTooLong(pointer + row.name, limit: Self.roomBytesMax)
        }
        if let unitPointer = row.unit, let unit = record[unitPointer]?.string ?? base.unit, unit != channel.unit {
            throw .wrongUnit(pointer + unitPointer, unit, expected: channel.unit)
        }
        var value = base.value
        // A record may say nothing but what is the same for all.
        if base.value == 0 || record[row.value] != nil { value += try number(record, row.value, pointer) }
        guard value.isFinite else { throw .notFinite(pointer + row.value) }
        var time = record[row.time]
        if row.baseTime != nil, time == nil || time?.number != nil {
            time = .real(base.seconds + (time?.number ?? 0))
        }
        if let limit = row.relativeBelow, let seconds = time?.number, abs(seconds) < limit {
            time = .real(seconds + Double(base.now) / 1000)
        }
        let milliseconds = try self.time(time, pointer + row.time, now: base.now)
        let id = Reading.Identity(flat: flat, room: room, channel: channel.name, milliseconds: milliseconds)
        return Reading(id, value: value)
    }

    // MARK: Parts

    private static func name(_ value: Value) -> String? {
        switch value {
        case .string(let text): text.isEmpty ? nil : text
        case .integer(let number): String(number)
        // Some writers know no whole numbers.
        case .real(let number): Int(exactly: number).map { String($0) }
        case .null, .bool, .largeInteger, .array, .object, .date, .bytes: nil
        }
    }

    private func number(_ record: Value, _ pointer: Pointer, _ place: Pointer) throws(PayloadProblem) -> Double {
        guard let value = record[pointer] else { throw .missing(place + pointer) }
        let text = takesNumbersAsTexts ? value.string.flatMap(MeasurementTime.number) : nil
        guard let number = value.number ?? text else {
            throw .wrongType(place + pointer, value, expected: "a number")
        }
        guard number.isFinite else { throw .notFinite(place + pointer) }
        return number
    }

    private func time(_ value: Value?, _ place: Pointer, now: Int64) throws(PayloadProblem) -> Int64 {
        guard let value else { throw .missing(place) }
        guard let time = MeasurementTime.read(value, times, zone: zone, now: now) else { throw .badTime(place, value) }
        guard MeasurementTime.plausible.contains(time) else { throw .implausibleTime(place, value) }
        return time
    }

    // MARK: What is not mapped

    /// Places of a payload that the contract does not look at, lists with `*` for their indices.
    public func unmapped(in document: Value) -> [String] {
        var known: Set<String> = []
        let record = records.description + "/*"
        switch layout {
        case .rooms(let room):
            known.insert(record + room.description)
            for channel in channels {
                for pointer in [channel.value, channel.time] {
                    if let pointer { known.insert(record + pointer.description) }
                }
            }
        case .readings(let row):
            for pointer in [
                row.name, row.value, row.time, row.unit, row.baseName, row.baseTime, row.baseValue, row.baseUnit,
            ] {
                if let pointer { known.insert(record + Self.withStars(pointer.description)) }
            }
        }
        var found: Set<String> = []
        Self.leaves(of: document, at: "", into: &found)
        return found.subtracting(known).sorted()
    }

    private static func withStars(_ pointer: String) -> String {
        pointer.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) == nil ? String($0) : "*" }
            .joined(separator: "/")
    }

    private static func leaves(of value: Value, at place: String, into found: inout Set<String>) {
        switch value {
        case .object(let object):
            for (name, member) in object { leaves(of: member, at: "\(place)/\(name)", into: &found) }
        case .array(let array): for element in array { leaves(of: element, at: "\(place)/*", into: &found) }
        case .null, .bool, .integer, .largeInteger, .real, .string, .date, .bytes: found.insert(place)
        }
    }
}
