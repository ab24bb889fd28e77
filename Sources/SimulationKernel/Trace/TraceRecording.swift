/// The decisions of a run, kept as JSON Lines up to a limit.
///
/// One object a line: `n` (the entry's number), `t` (virtual nanoseconds), `host`, `kind`, `a`, `b` (two numbers whose
/// meaning the kind gives) and, where there are any, `c` (the digest of bytes that went with it) and `text`. The last line, of kind `end`, has the digest, so that runs which
/// part where nothing was kept differ too. The same run writes the same bytes.
public struct TraceRecording: Sendable {
    /// How much of a trace is kept.
    public struct Limits: Hashable, Sendable {
        /// The first entry kept, counted from 0: to look at a later part of a long run.
        public var first: Int
        /// How many entries are kept at most.
        public var entries: Int

        /// Keeps `entries` entries from entry `first` on.
        public init(first: Int = 0, entries: Int) {
            self.first = first
            self.entries = entries
        }
    }

    /// What was asked for.
    public let limits: Limits
    /// The entries, each with its newline.
    public private(set) var lines: String = ""
    /// How many entries were kept.
    public private(set) var count: Int = 0
    /// Entries left out, before the first or beyond the limit.
    public private(set) var leftOut: Int = 0

    init(limits: Limits) {
        self.limits = limits
    }

    mutating func append(
        number: Int, time: UInt64, host: String, kind: TraceKind, first: UInt64, second: UInt64, contents: UInt64,
        text: String?
    ) {
        guard number >= limits.first, count < limits.entries else {
            leftOut += 1
            return
        }
        count += 1
        lines += "{\"n\":\(number),\"t\":\(time),\"host\":\(Self.quoted(host)),\"kind\":\(Self.quoted(kind.name))"
        lines += ",\"a\":\(first),\"b\":\(second)"
        if contents != 0 { lines += ",\"c\":\(contents)" }
        if let text { lines += ",\"text\":\(Self.quoted(text))" }
        lines += "}\n"
    }

    /// Adds the last line: kind `end`, the number of all entries, the digest.
    mutating func close(number: Int, time: UInt64, digest: TraceDigest) {
        lines += "{\"n\":\(number),\"t\":\(time),\"host\":\"world\",\"kind\":\"end\",\"a\":\(digest.high)"
        lines += ",\"b\":\(digest.low),\"text\":\(Self.quoted("digest \(digest), \(leftOut) entries left out"))}\n"
    }

    /// A JSON string.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\u{00}"..."\u{1f}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
