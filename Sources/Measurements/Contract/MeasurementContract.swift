public import Documents

/// How a measurement server says what it has measured: where a reading's parts stand, in which units and time formats.
///
/// Data, not code: one mapping drives the poller's decoder and the mock server's encoder, so that the two cannot drift, and a real endpoint is met by
/// another file. Its form is documented in docs/pipeline.md.
public struct MeasurementContract: Hashable, Sendable {
    /// How a channel's values follow each other.
    public enum Kind: String, Hashable, Sendable {
        /// Up and down.
        case gauge
        /// Up, and now and then back to zero.
        case counter
    }

    /// How a time is written.
    public enum TimeFormat: String, CaseIterable, Hashable, Sendable {
        /// ISO 8601, with T or a blank, with or without seconds, fraction and zone.
        case iso8601
        /// Seconds since 1970, with or without a fraction.
        case epochSeconds = "epoch-seconds"
        /// Milliseconds since 1970.
        case epochMilliseconds = "epoch-milliseconds"
    }

    /// Something that is measured in a room.
    public struct Channel: Hashable, Sendable {
        /// The channel's name.
        public let name: String
        /// The unit of its values.
        public let unit: String
        /// How its values follow each other.
        public let kind: Kind
        /// Where its value stands in a record; nil where a record is one reading.
        public let value: Pointer?
        /// Where its time stands in a record; nil where a record is one reading.
        public let time: Pointer?
    }

    /// How readings lie in records.
    public enum Layout: Hashable, Sendable {
        /// A record is a room with all its channels.
        case rooms(room: Pointer)
        /// A record is one reading, whose name says room and channel.
        case readings(Row)
    }

    /// Where the parts of a record that is one reading stand.
    public struct Row: Hashable, Sendable {
        /// The name.
        public let name: Pointer
        /// What names look like, with `{room}` and `{channel}`.
        public let pattern: String
        /// The value.
        public let value: Pointer
        /// The time.
        public let time: Pointer
        /// The unit; nil if it is not said.
        public let unit: Pointer?
        /// What stands before the names of this record and those behind it; nil if nothing does.
        public let baseName: Pointer?
        /// What is added to the times of this record and those behind it; nil if nothing is.
        public let baseTime: Pointer?
        /// What is added to the values of this record and those behind it; nil if nothing is.
        public let baseValue: Pointer?
        /// The unit of this record and those behind it that do not say theirs; nil if there is none.
        public let baseUnit: Pointer?
        /// Seconds below this are not since 1970 but since now, as in SenML; nil if all are since 1970.
        public let relativeBelow: Double?
    }

    /// The contract's name.
    public let name: String
    /// The path of a flat's measurements, with `{flat}`.
    public let path: String
    /// Where the list of records stands.
    public let records: Pointer
    /// How readings lie in them.
    public let layout: Layout
    /// What is measured.
    public let channels: [Channel]
    /// How times are written; the first is the one that is written.
    public let times: [TimeFormat]
    /// The zone of times that do not say theirs.
    public let zone: MeasurementZone
    /// Whether a string with a number counts as the number.
    public let takesNumbersAsTexts: Bool
    /// Reads usual payloads without a tree of values; nil where records are not rooms.
    let scanner: RoomsScanner?

    /// What stands before and behind a flat's name in its path.
    public var pathParts: (prefix: Substring, suffix: Substring) {
        guard let place = path.firstRange(of: "{flat}") else { return (path[...], "") }
        return (path[..<place.lowerBound], path[place.upperBound...])
    }

    /// The path of a flat's measurements.
    public func path(of flat: String) -> String {
        let (prefix, suffix) = pathParts
        return prefix + flat + suffix
    }
}

/// Why a contract cannot be used.
public struct ContractError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where it is wrong, and what is.
    public let description: String

    init(_ pointer: String, _ problem: String) {
        description = "the contract's \(pointer.isEmpty ? "document" : pointer) \(problem)"
    }
}

extension MeasurementContract {
    /// Reads a contract.
    ///
    /// - Throws: ``ContractError`` with the first thing that is wrong.
    public init(_ document: Value) throws(ContractError) {
        let reader = ContractDocument(value: document)
        name = try reader.text("name")
        path = try reader.text("path")
        guard path.hasPrefix("/"), path.contains("{flat}") else {
            throw ContractError("path", "begins with a slash and holds {flat}")
        }
        records = try reader.pointer("records")
        let list = document["channels"]?.array ?? []
        guard !list.isEmpty else { throw ContractError("channels", "names at least one channel") }
        let isOfRooms = document["room"] != nil
        var channels: [Channel] = []
        for index in list.indices {
            let channel = ContractDocument(value: list[index], prefix: "channels/\(index)/")
            guard let kind = Kind(rawValue: try channel.text("kind")) else {
                throw ContractError("channels/\(index)/kind", "is gauge or counter")
            }
            channels.append(
                Channel(
                    name: try channel.text("name"), unit: try channel.text("unit"), kind: kind,
                    value: isOfRooms ? try channel.pointer("value") : nil,
                    time: isOfRooms ? try channel.pointer("time") : nil))
        }
        guard Set(channels.map(\.name)).count == channels.count else {
            throw ContractError("channels", "have names that differ")
        }
        self.channels = channels
        layout = isOfRooms ? .rooms(room: try reader.pointer("room")) : .readings(try reader.row())
        var times: [TimeFormat] = []
        for value in document["times"]?.array ?? [] {
            guard let format = value.string.flatMap(TimeFormat.init) else {
                let known = TimeFormat.allCases.map(\.rawValue).joined(separator: ", ")
                throw ContractError("times", "are of \(known)")
            }
            times.append(format)
        }
        guard !times.isEmpty else { throw ContractError("times", "name at least one format") }
        self.times = times
        let zoneName = document["zone"] ?? "+00:00"
        guard let zone = zoneName.string.flatMap(MeasurementZone.init) else {
            throw ContractError(
                "zone",
                "is \(JSONWriter.write(zoneName)), which this machine does not know; it looks like +01:00 or Europe/Berlin"
            )
        }
        self.zone = zone
        if let texts = document["numbers-as-texts"], texts.bool == nil {
            throw ContractError("numbers-as-texts", "is true or false")
        }
        takesNumbersAsTexts = document["numbers-as-texts"]?.bool ?? false
        scanner =
            if case .rooms(let room) = layout {
                RoomsScanner(records: records, room: room, channels: channels)
            } else {
                nil
            }
    }
}

/// Reads the parts of a contract's document.
private struct ContractDocument {
    let value: Value
    var prefix: String = ""

    func text(_ name: String) throws(ContractError) -> String {
        guard let text = value[name]?.string, !text.isEmpty else { throw ContractError(prefix + name, "is a string") }
        return text
    }

    func pointer(_ name: String) throws(ContractError) -> Pointer {
        guard let text = value[name]?.string, let pointer = Pointer(text) else {
            throw ContractError(prefix + name, "is a JSON Pointer, such as /rooms")
        }
        return pointer
    }

    private func optionalPointer(_ name: String) throws(ContractError) -> Pointer? {
        value[name] == nil ? nil : try pointer(name)
    }

    func row() throws(ContractError) -> MeasurementContract.Row {
        let row = ContractDocument(value: value["reading"] ?? .null, prefix: "reading/")
        let pattern = try row.text("pattern")
        guard MeasurementContract.NamePattern(pattern) != nil else {
            throw ContractError(
                "reading/pattern", "holds {room} and {channel}, in this order and with something between")
        }
        var relativeBelow: Double?
        if let value = row.value["relative-below"] {
            guard let seconds = value.number, seconds.isFinite, seconds >= 0 else {
                throw ContractError("reading/relative-below", "is a number of seconds from 0 on")
            }
            relativeBelow = seconds
        }
        return MeasurementContract.Row(
            name: try row.pointer("name"), pattern: pattern, value: try row.pointer("value"),
            time: try row.pointer("time"), unit: try row.optionalPointer("unit"),
            baseName: try row.optionalPointer("base-name"), baseTime: try row.optionalPointer("base-time"),
            baseValue: try row.optionalPointer("base-value"),
            baseUnit: try row.optionalPointer("base-unit"), relativeBelow: relativeBelow)
    }
}
