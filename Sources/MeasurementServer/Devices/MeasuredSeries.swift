/// Measured values of rooms, to be replayed in place of the model.
public struct MeasuredSeries: Sendable {
    /// One room's values of a channel, by seconds since the series' beginning.
    struct Column: Sendable {
        var seconds: [Int64] = []
        var values: [Double] = []
    }

    private(set) var columns: [String: [Column]] = [:]

    /// Why a file is not a series.
    public struct Malformed: Error, Hashable, Sendable, CustomStringConvertible {
        /// The line, from 1 on, and what is wrong.
        public let description: String

        init(_ line: Int, _ problem: String) { description = "line \(line): \(problem)" }
    }

    /// Reads a table of comma-separated values: `offset_s`, `room_nr`, and columns named after channels.
    ///
    /// - Parameters:
    ///   - text: The table, with its header.
    ///   - channels: The channel of each column to take, by the column's name; such as `temperature_c` for `temperature`.
    /// - Throws: ``Malformed``.
    public init(csv text: String, channels: [String: String]) throws(Malformed) {
        var reader = try SeriesReader(text, channels: channels)
        columns = try reader.columns()
    }

    /// When the first value was measured, in seconds since the series' beginning.
    public var firstSeconds: Int64 { columns.values.joined().compactMap(\.seconds.first).min() ?? 0 }

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
        guard let last = column.seconds.last, column.seconds.count > 1, seconds >= 0 else { return nil }
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
