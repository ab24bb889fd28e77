import Documents

/// Writes payloads of a contract again and again: what is the same in all records of rooms is made once.
///
/// It writes what ``MeasurementContract/write(_:)`` does, to the byte, for flats in which every room has every channel, at one time.
public struct PayloadWriter: Sendable {
    /// What a record is put together from.
    private enum Part: Sendable {
        case literal([UInt8])
        case room
        case time
        case value(channel: Int)
    }

    private let prefix: [UInt8]
    private let suffix: [UInt8]
    private let record: [Part]
    private let timeFormat: MeasurementContract.TimeFormat
    private let channels: Int

    /// Makes a writer; nil where records are not rooms, or where their parts cannot be told from what stands between.
    public init?(_ contract: MeasurementContract) {
        guard case .rooms = contract.layout else { return nil }
        func text(_ readings: [Reading]) -> [UInt8] { JSONWriter.writeBytes(contract.write(readings)) }
        // A record of values that are nothing else shows what stands between them.
        let room = "a room of a sample"
        let time: Int64 = 1_234_567_891_234
        let values = contract.channels.indices.map { 1_234_567.25 + Double($0) }
        let sample = zip(contract.channels, values).map { channel, value in
            Reading(
                Reading.Identity(flat: "sample", room: room, channel: channel.name, milliseconds: time), value: value)
        }
        guard let list = Self.only([UInt8]("[]".utf8), in: text([])) else { return nil }
        prefix = Array(text([])[...list.lowerBound])
        suffix = Array(text([])[(list.upperBound - 1)...])
        var slots: [(range: Range<Int>, part: Part)] = []
        let whole = text(sample)
        func find(_ text: [UInt8], _ part: Part, times: Int) -> Bool {
            let ranges = Self.ranges(of: text, in: whole)
            slots += ranges.map { ($0, part) }
            return ranges.count == times
        }
        let timeText = JSONWriter.writeBytes(MeasurementTime.write(time, contract.times[0]))
        guard find(Array("\"\(room)\"".utf8), .room, times: 1), find(timeText, .time, times: values.count) else {
            return nil
        }
        for (channel, value) in values.enumerated() {
            guard find(Array(NumberText.json(value).utf8), .value(channel: channel), times: 1) else { return nil }
        }
        slots.sort { $0.range.lowerBound < $1.range.lowerBound }
        guard whole.starts(with: prefix),
            zip(slots, slots.dropFirst()).allSatisfy({ $0.range.upperBound <= $1.range.lowerBound })
        else { return nil }
        var record: [Part] = []
        var end = prefix.count
        for slot in slots {
            record += [.literal(Array(whole[end..<slot.range.lowerBound])), slot.part]
            end = slot.range.upperBound
        }
        record.append(.literal(Array(whole[end..<(whole.count - suffix.count)])))
        self.record = record
        timeFormat = contract.times[0]
        channels = contract.channels.count
    }

    private static func ranges(of part: [UInt8], in text: [UInt8]) -> [Range<Int>] {
        text.indices.filter { text[$0...].starts(with: part) }.map { $0..<($0 + part.count) }
    }

    private static func only(_ part: [UInt8], in text: [UInt8]) -> Range<Int>? {
        let ranges = ranges(of: part, in: text)
        return ranges.count == 1 ? ranges[0] : nil
    }

    /// Writes the payload of a flat whose rooms are numbers from 1 on.
    ///
    /// - Parameters:
    ///   - rooms: How many rooms there are.
    ///   - milliseconds: When everything was measured, in ms since 1970.
    ///   - buffer: Where the payload is put behind what is there.
    ///   - value: The value of a room's channel, by the room's number and the channel's place in the contract.
    public func write(
        rooms: Int, milliseconds: Int64, into buffer: inout [UInt8], value: (_ room: Int, _ channel: Int) -> Double
    ) {
        let time = JSONWriter.writeBytes(MeasurementTime.write(milliseconds, timeFormat))
        buffer += prefix
        for room in 1...max(1, rooms) {
            if room > 1 { buffer.append(UInt8(ascii: ",")) }
            for part in record {
                switch part {
                case .literal(let bytes): buffer += bytes
                case .room: NumberText.append(UInt64(room), to: &buffer)
                case .time: buffer += time
                case .value(let channel): NumberText.append(value(room, channel), to: &buffer)
                }
            }
        }
        buffer += suffix
    }
}
