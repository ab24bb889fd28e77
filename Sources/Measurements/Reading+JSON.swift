public import Documents

extension Reading {
    /// The reading as services tell it each other: `{"flat", "room", "channel", "time", "value"}`, the time in ms since 1970.
    public var json: Value {
        [
            "flat": .string(id.flat), "room": .string(id.room), "channel": .string(id.channel),
            "time": .integer(Int(id.milliseconds)), "value": .real(value),
        ]
    }

    /// Why JSON is not a reading.
    public struct Malformed: Error, Hashable, Sendable, CustomStringConvertible {
        /// The part, and what it must be.
        public let description: String

        /// Readings are missing, or no list.
        package static let noList: Malformed = Malformed(description: "readings is a list")
    }

    /// What JSON says of a reading; nil is missing, or something else than it must be.
    struct Parts {
        var flat: String?
        var room: String?
        var channel: String?
        var time: Int?
        var value: Double?
    }

    /// Makes a reading of what JSON says.
    init(_ parts: Parts) throws(Malformed) {
        guard let flat = parts.flat, FlatName.problem(of: flat) == nil else {
            throw Malformed(description: "flat is a flat's name")
        }
        guard let room = parts.room, (1...MeasurementContract.roomBytesMax).contains(room.utf8.count) else {
            throw Malformed(description: "room is a string of 1 to \(MeasurementContract.roomBytesMax) bytes")
        }
        guard let channel = parts.channel, (1...64).contains(channel.utf8.count) else {
            throw Malformed(description: "channel is a string of 1 to 64 bytes")
        }
        guard let time = parts.time, MeasurementTime.plausible.contains(Int64(time)) else {
            throw Malformed(description: "time is milliseconds since 1970, in the years 2000 to 2100")
        }
        guard let value = parts.value, value.isFinite else {
            throw Malformed(description: "value is a finite number")
        }
        self.init(Identity(flat: flat, room: room, channel: channel, milliseconds: Int64(time)), value: value)
    }

    /// Reads a reading.
    ///
    /// - Throws: ``Malformed``.
    public init(json: Value) throws(Malformed) {
        try self.init(
            Parts(
                flat: json["flat"]?.string, room: json["room"]?.string, channel: json["channel"]?.string,
                time: json["time"]?.integer, value: json["value"]?.number))
    }
}
