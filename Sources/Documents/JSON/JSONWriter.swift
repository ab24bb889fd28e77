/// Writes JSON as Python's `json` does, so that journals can be compared to the byte.
public struct JSONWriter {
    /// How a value is laid out.
    public enum Layout: Hashable, Sendable {
        /// On one line, without spaces.
        case compact
        /// On lines of their own, indented by so many spaces.
        case indented(Int)
    }

    private var text: String = ""
    private let layout: Layout

    private init(_ layout: Layout) {
        self.layout = layout
    }

    /// Writes a value; characters beyond ASCII stay as they are, NaN and infinities are written bare.
    public static func write(_ value: Value, _ layout: Layout = .compact) -> String {
        var writer = JSONWriter(layout)
        writer.write(value, depth: 0)
        return writer.text
    }

    private mutating func write(_ value: Value, depth: Int) {
        switch value {
        case .null: text += "null"
        case .bool(let bool): text += bool ? "true" : "false"
        case .integer(let integer): text += String(integer)
        case .largeInteger(let digits): text += digits
        case .real(let real): text += NumberText.json(real)
        case .string(let string), .date(let string): writeString(string)
        case .bytes(let bytes): writeString(String(decoding: bytes, as: UTF8.self))
        case .array(let array):
            writeMembers("[", "]", array, depth) { writer, element in writer.write(element, depth: depth + 1) }
        case .object(let object):
            writeMembers("{", "}", object, depth) { writer, member in
                writer.writeString(member.key)
                writer.text += writer.layout == .compact ? ":" : ": "
                writer.write(member.value, depth: depth + 1)
            }
        }
    }

    private mutating func writeMembers<Members: Collection>(
        _ opening: String, _ closing: String, _ members: Members, _ depth: Int,
        _ write: (inout JSONWriter, Members.Element) -> Void
    ) {
        text += opening
        var isFirst = true
        for member in members {
            if !isFirst { text += "," }
            isFirst = false
            breakLine(depth + 1)
            write(&self, member)
        }
        if !members.isEmpty { breakLine(depth) }
        text += closing
    }

    private mutating func breakLine(_ depth: Int) {
        guard case .indented(let spaces) = layout else { return }
        text += "\n" + String(repeating: " ", count: depth * spaces)
    }

    private mutating func writeString(_ string: String) {
        text += "\""
        if string.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            text += string
        } else {
            for scalar in string.unicodeScalars { writeScalar(scalar) }
        }
        text += "\""
    }

    private mutating func writeScalar(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": text += "\\\""
        case "\\": text += "\\\\"
        case "\n": text += "\\n"
        case "\r": text += "\\r"
        case "\t": text += "\\t"
        case "\u{8}": text += "\\b"
        case "\u{c}": text += "\\f"
        case ..<" ":
            let digits = String(scalar.value, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: text.unicodeScalars.append(scalar)
        }
    }
}

/// How numbers with a fraction are written.
public enum NumberText {
    /// As JSON writes it, with the three values that are no JSON spelt as Python does.
    public static func json(_ real: Double) -> String {
        if real.isNaN { return "NaN" }
        if real.isInfinite { return real < 0 ? "-Infinity" : "Infinity" }
        return shortest(real)
    }

    /// The shortest digits that give the number back; with an exponent from 1e16 up and below 1e-4, as Python writes it.
    public static func shortest(_ real: Double) -> String {
        let text = real.description
        // Swift begins to write exponents at 2^54.
        guard abs(real) >= 1e16, abs(real) < 18_014_398_509_481_984, !text.contains("e") else { return text }
        let isNegative = text.hasPrefix("-")
        let digits = text.drop { $0 == "-" }.prefix { $0 != "." }
        var fraction = String(digits.dropFirst())
        while fraction.hasSuffix("0") { fraction.removeLast() }
        let mantissa = fraction.isEmpty ? "\(digits.prefix(1))" : "\(digits.prefix(1)).\(fraction)"
        return "\(isNegative ? "-" : "")\(mantissa)e+\(digits.count - 1)"
    }
}
