/// Measured values of rooms, to be replayed in place of the model.
public struct MeasuredSeries: Sendable {
    /// One room's values of a channel, by seconds since the series' beginning.
    struct Column: Sendable {
        var seconds: [Int64] = []
        var values: [Double] = []
    }

    private(set) var columns: [String: [Column]] = [:]

    /// Why a file is no series.
    public struct Malformed: Error, Hashable, Sendable, CustomStringConvertible {
        /// The line, from 1 on, and what is wrong.
        public let description: String
    }

    /// Reads a table of comma-separated values: `offset_s`, `room_nr`, and columns named after channels.
    ///
    /// - Parameters:
    ///   - text: The table, with its header.
    ///   - channels: The channel of each column to take, by the column's name; such as `temperature_c` for `temperature`.
    /// - Throws: ``Malformed``.
    public init(csv text: String, channels: [String: String]) throws(Malformed) {
        let lines = text.split(whereSeparator: \.isNewline)
        guard let header = lines.first?.split(separator: ",", omittingEmptySubsequences: false).map(String.init),
            let offset = header.firstIndex(of: "offset_s")
        else { throw Malformed(description: "line 1: there is no column 'offset_s'") }
        let room = header.firstIndex(of: "room_nr")
        var places: [(cell: Int, channel: String)] = []
        for (name, channel) in channels.sorted(by: { $0.key < $1.key }) {
            guard let place = header.firstIndex(of: name) else {
                throw Malformed(description: "line 1: there is no column '\(name)'")
            }
            places.append((place, channel))
        }
        var rooms: [String: Int] = [:]
        for (index, line) in lines.dropFirst().enumerated() {
            let cells = line.split(separator: ",", omittingEmptySubsequences: false)
            guard cells.count == header.count else {
                throw Malformed(description: "line \(index + 2): \(cells.count) cells instead of \(header.count)")
            }
            guard let seconds = Int64(cells[offset]) else {
                throw Malformed(description: "line \(index + 2): '\(cells[offset])' is no number of seconds")
            }
            let name = room.map { String(cells[$0]) } ?? ""
            let number = rooms[name] ?? rooms.count
            rooms[name] = number
            for (place, channel) in places {
                let cell = cells[place]
                // An empty cell is a gap: the device said nothing.
                guard !cell.isEmpty else { continue }
                guard let value = Double(cell), value.isFinite else {
                    throw Malformed(description: "line \(index + 2): '\(cell)' is no number")
                }
                while columns[channel, default: []].count <= number { columns[channel, default: []].append(Column()) }
                if let last = columns[channel]?[number].seconds.last, last >= seconds {
                    throw Malformed(description: "line \(index + 2): it is not later than the line before")
                }
                columns[channel]?[number].seconds.append(seconds)
                columns[channel]?[number].values.append(value)
            }
        }
    }

    /// Joins the channels of another series to these.
    public mutating func add(_ other: MeasuredSeries) {
        columns.merge(other.columns) { _, new in new }
    }

    /// The value that was measured last before a moment, and when; the series begins anew when it has ended.
    ///
    /// - Parameters:
    ///   - channel: The channel.
    ///   - room: Any number; rooms beyond the series' own repeat them.
    ///   - seconds: Seconds since the series began to be replayed.
    /// - Returns: When and what; nil where nothing was measured.
    func sample(_ channel: String, room: Int, at seconds: Int64) -> (seconds: Int64, value: Double)? {
        guard let rooms = columns[channel], !rooms.isEmpty else { return nil }
        let column = rooms[room % rooms.count]
        guard let last = column.seconds.last, column.seconds.count > 1 else { return nil }
        let length = last + (last - column.seconds[column.seconds.count - 2])
        let (round, inRound) = (seconds / length, seconds % length)
        // Binary search for the last that is not later.
        var (low, high) = (0, column.seconds.count)
        while low < high {
            let middle = (low + high) / 2
            if column.seconds[middle] <= inRound { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        return (round * length + column.seconds[low - 1], column.values[low - 1])
    }
}
