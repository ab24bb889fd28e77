package import Documents

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
        let reading: Result<Reading, Malformed>
        do throws(DocumentError) {
            reading = try JSONReader.scan(text.utf8) { (reader) throws(DocumentError) in try Self.read(&reader) }
        } catch {
            throw Malformed(description: "it is not JSON: \(error)")
        }
        self = try reading.get()
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

    /// Reads a reading where a reader stands.
    ///
    /// - Throws: `DocumentError`.
    package static func read(_ reader: inout JSONReader) throws(DocumentError) -> Result<Reading, Malformed> {
        var parts = Parts()
        _ = try reader.readObject { (name, reader) throws(DocumentError) in
            switch name {
            case "flat": parts.flat = try reader.readString()
            case "room": parts.room = try reader.readString()
            case "channel": parts.channel = try reader.readString()
            case "time": parts.time = try reader.readInteger()
            case "value": parts.value = try reader.readNumber()
            default: try reader.skip()
            }
        }
        return Result { () throws(Malformed) in try Reading(parts) }
    }

    /// Reads a list of readings where a reader stands.
    ///
    /// - Throws: `DocumentError`; what is no list, or has an element that is no reading, is a failure in the result.
    package static func readList(_ reader: inout JSONReader) throws(DocumentError) -> Result<[Reading], Malformed> {
        var readings: [Reading] = []
        var problem: Malformed?
        var index = 0
        let isList = try reader.readArray { (reader) throws(DocumentError) in
            switch try read(&reader) {
            case .success(let reading): readings.append(reading)
            case .failure(let error):
                if problem == nil { problem = Malformed(description: "/readings/\(index): \(error)") }
            }
            index += 1
        }
        if !isList { problem = .noList }
        return problem.map { .failure($0) } ?? .success(readings)
    }

    /// Writes the reading, to the byte what the writer of values makes of ``json``.
    package func write(_ json: inout JSONWriter) {
        json.object { json in
            json.member("flat", id.flat)
            json.member("room", id.room)
            json.member("channel", id.channel)
            json.member("time", Int(id.milliseconds))
            json.member("value", value)
        }
    }

    /// The reading's JSON as text, to the byte what the writer of values makes of ``json``.
    public var jsonText: String {
        var json = JSONWriter()
        write(&json)
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
