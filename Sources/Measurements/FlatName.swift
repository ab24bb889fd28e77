/// What a flat may be called.
///
/// Names come from configuration and from events of other services, and go into paths, answers and metrics: letters and digits of ASCII and
/// `-`, `_`, `.`, `:` and `~` need no escaping anywhere.
public enum FlatName {
    /// The longest name, in characters.
    public static let lengthMax: Int = 64

    /// What keeps a text from being a flat's name; nil if nothing does.
    public static func problem(of name: String) -> String? {
        guard (1...lengthMax).contains(name.utf8.count), name.utf8.first.map(isLetterOrDigit) ?? false,
            name.utf8.allSatisfy({ isLetterOrDigit($0) || "-_.:~".utf8.contains($0) })
        else {
            return "is 1 to \(lengthMax) letters and digits, after the first also '-', '_', '.', ':' and '~'"
        }
        return nil
    }

    /// A text that cannot be a flat's name.
    public struct Invalid: Error, Hashable, Sendable, CustomStringConvertible {
        /// The text, and what a name is.
        public let description: String
    }

    /// - Throws: ``Invalid``.
    public static func check(_ name: String) throws(Invalid) {
        if let problem = problem(of: name) {
            throw Invalid(description: "'\(name.prefix(lengthMax))' is not a flat: a flat's name \(problem)")
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
