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
    }

    /// Reads a reading.
    ///
    /// - Throws: ``Malformed``.
    public init(json: Value) throws(Malformed) {
        guard let flat = json["flat"]?.string, FlatName.problem(of: flat) == nil else {
            throw Malformed(description: "flat is a flat's name")
        }
        guard let room = json["room"]?.string, (1...MeasurementContract.roomBytesMax).contains(room.utf8.count) else {
            throw Malformed(description: "room is a string of 1 to \(MeasurementContract.roomBytesMax) bytes")
        }
        guard let channel = json["channel"]?.string, (1...64).contains(channel.utf8.count) else {
            throw Malformed(description: "channel is a string of 1 to 64 bytes")
        }
        guard let time = json["time"]?.integer, MeasurementTime.plausible.contains(Int64(time)) else {
            throw Malformed(description: "time is milliseconds since 1970, in the years 2000 to 2100")
        }
        guard let value = json["value"]?.number, value.isFinite else {
            throw Malformed(description: "value is a finite number")
        }
        self.init(Identity(flat: flat, room: room, channel: channel, milliseconds: Int64(time)), value: value)
    }

    /// Reads a list of readings.
    ///
    /// - Throws: ``Malformed`` with the number of the first that is none.
    package static func list(_ json: Value?) throws(Malformed) -> [Reading] {
        guard let list = json?.array else { throw Malformed(description: "readings is a list") }
        var readings: [Reading] = []
        readings.reserveCapacity(list.count)
        for (index, value) in list.enumerated() {
            do throws(Malformed) {
                readings.append(try Reading(json: value))
            } catch {
                throw Malformed(description: "/readings/\(index): \(error)")
            }
        }
        return readings
    }
}
