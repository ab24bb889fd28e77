public import Documents

extension MeasurementContract {
    /// Writes the payload of a flat: what ``read(_:of:)`` reads.
    ///
    /// - Parameter readings: The readings, those of a room one after the other; channels that the contract does not have are left out.
    /// - Returns: The document.
    public func write(_ readings: [Reading]) -> Value {
        var list: [Value] = []
        switch layout {
        case .rooms(let roomPointer):
            var room: String?
            for reading in readings {
                guard let channel = channels.first(where: { $0.name == reading.id.channel }), let value = channel.value,
                    let time = channel.time
                else { continue }
                // A value that is there already is said again in a record of its own.
                if reading.id.room != room || list[list.count - 1][value] != nil {
                    room = reading.id.room
                    list.append(.object([:]))
                    list[list.count - 1].create(roomPointer, Self.roomValue(reading.id.room))
                }
                list[list.count - 1].create(time, MeasurementTime.write(reading.id.milliseconds, times[0]))
                list[list.count - 1].create(value, .real(reading.value))
            }
        case .readings(let row):
            for reading in readings {
                guard let channel = channels.first(where: { $0.name == reading.id.channel }) else { continue }
                var record = Value.object([:])
                let name = NamePattern(row.pattern)?.name(room: reading.id.room, channel: reading.id.channel) ?? ""
                if list.isEmpty, let base = row.baseName {
                    record.create(base, .string("urn:flat:\(reading.id.flat):"))
                }
                record.create(row.name, .string(name))
                if let unit = row.unit { record.create(unit, .string(channel.unit)) }
                record.create(row.value, .real(reading.value))
                record.create(row.time, MeasurementTime.write(reading.id.milliseconds, times[0]))
                list.append(record)
            }
        }
        guard !records.tokens.isEmpty else { return .array(list) }
        var document = Value.object([:])
        document.create(records, .array(list))
        return document
    }

    /// Room numbers are numbers, as at the real server; other names are strings.
    private static func roomValue(_ room: String) -> Value { Int(room).map(Value.integer) ?? .string(room) }
}

extension Pointer {
    static func + (left: Pointer, right: Pointer) -> Pointer { Pointer(tokens: left.tokens + right.tokens) }
}

extension Value {
    /// Puts a value at a place, making the objects and lists on the way; an index makes a list of one element.
    fileprivate mutating func create(_ pointer: Pointer, _ value: Value) {
        create(pointer.tokens[...], value)
    }

    private mutating func create(_ tokens: ArraySlice<String>, _ value: Value) {
        guard let token = tokens.first else { return self = value }
        if Int(token) != nil, object?.isEmpty ?? (array != nil) || isNull {
            var elements = array ?? []
            if elements.isEmpty { elements.append(.null) }
            elements[0].create(tokens.dropFirst(), value)
            self = .array(elements)
        } else {
            var members = object ?? [:]
            var member = members[token] ?? .null
            self = .null
            member.create(tokens.dropFirst(), value)
            members[token] = member
            self = .object(members)
        }
    }
}
