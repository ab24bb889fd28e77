import Documents

extension Reading {
    /// Reads the JSON of a reading from text.
    ///
    /// - Throws: ``Malformed``.
    public init(jsonText text: String) throws(Malformed) {
        var text = text
        text.makeContiguousUTF8()
        if let reading = Self.scan(text.utf8.span) {
            self = reading
            return
        }
        let value: Value
        do {
            value = try JSONReader.read(text.utf8)
        } catch {
            throw Malformed(description: "it is not JSON: \(error)")
        }
        try self.init(json: value)
    }

    private static let names: [[UInt8]] = ["flat", "room", "channel", "time", "value"].map { Array($0.utf8) }

    /// Reads what services write; nil for whatever is wrong or only unusual.
    private static func scan(_ bytes: Span<UInt8>) -> Reading? {
        var cursor = JSONCursor()
        var texts: [Range<Int>?] = [nil, nil, nil]
        var (time, value): (Double?, Double?)
        guard cursor.take("{", bytes) else { return nil }
        repeat {
            guard let name = cursor.name(bytes) else { return nil }
            switch names.firstIndex(where: { JSONCursor.areEqual($0, bytes, name) }) {
            case 3?:
                cursor.skipSpace(bytes)
                let start = cursor.index
                guard time == nil, let number = cursor.number(bytes),
                    (start..<cursor.index).allSatisfy({ bytes[$0] != UInt8(ascii: ".") })
                else { return nil }
                time = number
            case 4?:
                guard value == nil, let number = cursor.number(bytes) else { return nil }
                value = number
            case let index?:
                guard texts[index] == nil, let text = cursor.string(bytes) else { return nil }
                texts[index] = text
            case nil: return nil
            }
        } while cursor.take(",", bytes)
        guard cursor.take("}", bytes), cursor.isAtEnd(bytes), let value, let time,
            let flat = texts[0].flatMap({ JSONCursor.text(bytes, $0) }),
            let room = texts[1].flatMap({ JSONCursor.text(bytes, $0) }),
            let channel = texts[2].flatMap({ JSONCursor.text(bytes, $0) }), FlatName.problem(of: flat) == nil,
            (1...MeasurementContract.roomBytesMax).contains(room.utf8.count), (1...64).contains(channel.utf8.count),
            let milliseconds = Int64(exactly: time), MeasurementTime.plausible.contains(milliseconds)
        else { return nil }
        return Reading(
            Identity(flat: flat, room: room, channel: channel, milliseconds: milliseconds), value: value)
    }

    /// The reading's JSON as text, to the byte what the writer of values makes of ``json``.
    public var jsonText: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128)
        for (name, text) in [("{\"flat\":", id.flat), (",\"room\":", id.room), (",\"channel\":", id.channel)] {
            bytes += name.utf8
            let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
            if isPlain {
                bytes.append(UInt8(ascii: "\""))
                bytes += text.utf8
                bytes.append(UInt8(ascii: "\""))
            } else {
                bytes += JSONWriter.writeBytes(.string(text))
            }
        }
        bytes += ",\"time\":\(id.milliseconds),\"value\":".utf8
        PayloadWriter.append(value, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }
}
