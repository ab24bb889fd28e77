/// One decision of a recorded run, as a line of its file has it.
public struct TraceEntry: Hashable, Sendable, Codable {
    /// The entry's number in the run, from 0.
    public let number: Int
    /// Virtual nanoseconds since the run's beginning.
    public let time: UInt64
    /// The host whose code ran, or `world`.
    public let host: String
    /// What kind of decision it was.
    public let kind: String
    /// What was decided; the kind gives the meaning.
    public let first: UInt64
    /// What was decided; the kind gives the meaning.
    public let second: UInt64
    /// The digest of bytes that went with it, such as a packet's.
    public let contents: UInt64?
    /// What was decided, in words.
    public let text: String?

    private enum CodingKeys: String, CodingKey {
        case number = "n"
        case time = "t"
        case host
        case kind
        case first = "a"
        case second = "b"
        case contents = "c"
        case text
    }
}

extension TraceEntry: CustomStringConvertible {
    /// The kind, the numbers and the words.
    public var description: String {
        var parts = [kind]
        if let text { parts.append("'\(text)'") }
        if first != 0 || second != 0 { parts.append(String(first)) }
        if second != 0 { parts.append(String(second)) }
        if let contents { parts.append("contents \(String(contents, radix: 16))") }
        return parts.joined(separator: " ")
    }

    /// Virtual seconds with nine decimals.
    public var seconds: String {
        let fraction = String(time % 1_000_000_000)
        return "\(time / 1_000_000_000).\(String(repeating: "0", count: 9 - fraction.count))\(fraction) s"
    }
}
