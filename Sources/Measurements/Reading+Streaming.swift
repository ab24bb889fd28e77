package import Documents

extension Reading {
    /// Reads the JSON of a reading from text.
    ///
    /// - Throws: ``Malformed``.
    public init(jsonText text: String) throws(Malformed) {
        let reading: Result<Reading, Malformed>
        do throws(DocumentError) {
            reading = try JSONReader.scan(text.utf8) { (reader) throws(DocumentError) in try Self.read(&reader) }
        } catch {
            throw Malformed(description: "it is not JSON: \(error)")
        }
        self = try reading.get()
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
