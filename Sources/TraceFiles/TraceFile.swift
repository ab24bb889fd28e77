public import FoundationEssentials

/// A recorded run: JSON Lines, one decision a line.
public struct TraceFile: Sendable {
    /// The lines, undecoded.
    public let lines: [Data]
    /// What messages call the file.
    public let name: String

    /// Takes the text of a recording.
    public init(name: String, data: Data) {
        self.name = name
        lines = data.split(separator: UInt8(ascii: "\n")).map { Data($0) }
    }

    /// Reads a file.
    ///
    /// - Throws: ``TraceFileError/unreadable(name:reason:)``.
    public init(path: String) throws(TraceFileError) {
        do {
            self.init(name: path, data: try Data(contentsOf: URL(filePath: path)))
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            throw .unreadable(name: path, reason: "there is no such file")
        } catch {
            throw .unreadable(name: path, reason: "\(error)")
        }
    }

    /// Decodes the line at `index`.
    ///
    /// - Throws: ``TraceFileError/malformed(name:line:reason:)``.
    public func entry(at index: Int) throws(TraceFileError) -> TraceEntry {
        do {
            return try JSONDecoder().decode(TraceEntry.self, from: lines[index])
        } catch let DecodingError.keyNotFound(key, _) {
            throw .malformed(name: name, line: index + 1, reason: "it has no '\(key.stringValue)'")
        } catch {
            throw .malformed(name: name, line: index + 1, reason: "it is no JSON object of a trace")
        }
    }

    /// Where this run and another first differ; nil when they are equal.
    ///
    /// - Throws: ``TraceFileError`` when a line at or before that point is no trace entry.
    public func firstDivergence(from other: TraceFile) throws(TraceFileError) -> TraceDivergence? {
        let shared = min(lines.count, other.lines.count)
        let index = (0..<shared).first { lines[$0] != other.lines[$0] } ?? shared
        // A file that is no trace at all should be said to be none, not to be equal.
        for file in [self, other] where !file.lines.isEmpty { _ = try file.entry(at: 0) }
        guard index < max(lines.count, other.lines.count) else { return nil }
        let before = index > 0 ? try entry(at: index - 1) : nil
        return TraceDivergence(
            index: index, before: before, left: index < lines.count ? try entry(at: index) : nil,
            right: index < other.lines.count ? try other.entry(at: index) : nil, leftName: name, rightName: other.name)
    }
}

/// A trace file could not be used.
public enum TraceFileError: Error, Hashable, CustomStringConvertible {
    /// The file cannot be read.
    case unreadable(name: String, reason: String)
    /// A line is no trace entry; lines count from 1.
    case malformed(name: String, line: Int, reason: String)

    /// The file, the line and what is wrong.
    public var description: String {
        switch self {
        case .unreadable(let name, let reason): "\(name): cannot be read: \(reason)"
        case .malformed(let name, let line, let reason): "\(name):\(line): not a line of a trace: \(reason)"
        }
    }
}

/// The first decision in which two recorded runs differ.
public struct TraceDivergence: Hashable, Sendable, CustomStringConvertible {
    /// Lines that are equal before it.
    public let index: Int
    /// The last decision that both made.
    public let before: TraceEntry?
    /// The decision of the first run; nil when it had ended.
    public let left: TraceEntry?
    /// The decision of the second run; nil when it had ended.
    public let right: TraceEntry?
    /// What the first file is called.
    public let leftName: String
    /// What the second file is called.
    public let rightName: String

    /// The place, then both sides.
    public var description: String {
        let place = left ?? right
        var lines = ["the runs differ from entry \(place?.number ?? index) on, after \(index) equal lines:"]
        if let before { lines.append("  both:  \(Self.text(before))") }
        lines.append("  left:  \(left.map(Self.text) ?? "the run had ended")  (\(leftName))")
        lines.append("  right: \(right.map(Self.text) ?? "the run had ended")  (\(rightName))")
        return lines.joined(separator: "\n")
    }

    private static func text(_ entry: TraceEntry) -> String {
        "\(entry.seconds), host '\(entry.host)': \(entry)"
    }
}
