/// Reads a table of measured values.
///
/// Tables come from people's programs: what is not understood is refused with its line, and with what would be.
struct SeriesReader {
    private let channels: [(name: String, channel: String)]
    /// The rows that are not empty, with their lines.
    private var rows: ArraySlice<(line: Int, text: Substring)>
    private let header: [String]
    private let offset: Int
    private let room: Int?
    private var places: [(cell: Int, channel: String)] = []

    /// The latest moment that a series may have: a hundred years after its beginning.
    static let secondsMax: Int64 = 3_155_760_000

    /// Reads the header.
    ///
    /// - Throws: ``MeasuredSeries/Malformed``.
    init(_ text: String, channels: [String: String]) throws(MeasuredSeries.Malformed) {
        self.channels = channels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let text = text.hasPrefix("\u{feff}") ? text.dropFirst() : text[...]
        rows =
            text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
            .map { ($0.offset + 1, $0.element) }.filter { !$0.1.allSatisfy(\.isWhitespace) }[...]
        guard let first = rows.popFirst() else { throw .init(1, "the table is empty; its header begins with offset_s") }
        header = Self.cells(of: first.text)
        guard let offset = header.firstIndex(of: "offset_s") else {
            throw .init(first.line, Self.problem(ofHeader: first.text, without: "offset_s", header))
        }
        self.offset = offset
        room = header.firstIndex(of: "room_nr")
        for (name, channel) in self.channels {
            guard let place = header.firstIndex(of: name) else {
                throw .init(first.line, Self.problem(ofHeader: first.text, without: name, header))
            }
            places.append((place, channel))
        }
    }

    private static func problem(ofHeader text: Substring, without name: String, _ header: [String]) -> String {
        for (separator, word) in [(";", "semicolons (;)"), ("\t", "tabs"), ("|", "bars (|)")] where header.count == 1 {
            guard text.contains(separator) else { continue }
            return "cells are separated by commas (,), and here by \(word): there is no column '\(name)'"
        }
        return "there is no column '\(name)'; there are \(header.joined(separator: ", "))"
    }

    /// The cells of a line, without the blanks and the quotes around them.
    private static func cells(of line: Substring) -> [String] {
        var cells: [String] = []
        var cell = ""
        var isQuoted = false
        for character in line {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted:
                cells.append(trimmed(cell))
                cell = ""
            default: cell.append(character)
            }
        }
        return cells + [trimmed(cell)]
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while text.first?.isWhitespace ?? false { text.removeFirst() }
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return String(text)
    }

    // MARK: Rows

    /// Reads the rows.
    ///
    /// - Returns: Columns by channel, one for each room.
    /// - Throws: ``MeasuredSeries/Malformed``.
    mutating func columns() throws(MeasuredSeries.Malformed) -> [String: [MeasuredSeries.Column]] {
        var columns: [String: [MeasuredSeries.Column]] = [:]
        var rooms: [String: Int] = [:]
        for (line, text) in rows {
            let cells = Self.cells(of: text)
            guard cells.count == header.count else {
                throw .init(line, "\(cells.count) cells instead of \(header.count)\(Self.hint(text))")
            }
            let seconds = try Self.seconds(cells[offset], line)
            let name = room.map { cells[$0] } ?? ""
            let number = rooms[name] ?? rooms.count
            rooms[name] = number
            // An empty cell is a gap: the device said nothing.
            for (place, channel) in places where !cells[place].isEmpty {
                guard let value = Double(cells[place]), value.isFinite else {
                    throw .init(line, "'\(cells[place])' is not a number, such as 21.5")
                }
                while columns[channel, default: []].count <= number {
                    columns[channel, default: []].append(MeasuredSeries.Column())
                }
                if let last = columns[channel]?[number].seconds.last, last >= seconds {
                    throw .init(line, "\(seconds) s is not later than \(last) s, the row of the same room before it")
                }
                columns[channel]?[number].seconds.append(seconds)
                columns[channel]?[number].values.append(value)
            }
        }
        try check(columns, rooms)
        return columns
    }

    /// A room with one value says nothing of when the next comes, and would be silent.
    private func check(
        _ columns: [String: [MeasuredSeries.Column]], _ rooms: [String: Int]
    ) throws(MeasuredSeries.Malformed) {
        let last = rows.last?.line ?? 1
        for (name, channel) in channels {
            for (room, number) in rooms.sorted(by: { $0.value < $1.value }) {
                let list = columns[channel] ?? []
                let count = number < list.count ? list[number].values.count : 0
                // A room need not have every channel.
                guard count == 1 || count == 0 && list.allSatisfy({ $0.values.isEmpty }) else { continue }
                let place = room.isEmpty ? "" : " of room \(room)"
                throw .init(
                    last,
                    "the column '\(name)' has \(count == 1 ? "one value" : "no value")\(place); a series has at least two"
                )
            }
            guard rooms.isEmpty else { continue }
            throw .init(last, "there is no row behind the header; a series has at least two")
        }
    }

    private static func seconds(_ cell: String, _ line: Int) throws(MeasuredSeries.Malformed) -> Int64 {
        guard let seconds = Int64(cell) ?? Double(cell).flatMap(Int64.init(exactly:)) else {
            throw .init(line, "'\(cell)' is not a whole number of seconds")
        }
        guard (0...secondsMax).contains(seconds) else {
            throw .init(line, "the offset '\(cell)' lies outside 0 to \(secondsMax) seconds (a hundred years)")
        }
        return seconds
    }

    private static func hint(_ line: Substring) -> String {
        line.contains(";") ? "; cells are separated by commas (,), and numbers have a point" : ""
    }
}
