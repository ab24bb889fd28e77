/// Writes JSON as Python's `json` does, so that journals can be compared to the byte.
public struct JSONWriter {
    /// How a value is laid out.
    public enum Layout: Hashable, Sendable {
        /// On one line, without spaces.
        case compact
        /// On lines of their own, indented by so many spaces.
        case indented(Int)
    }

    private var bytes: [UInt8] = []
    private let layout: Layout

    private init(_ layout: Layout) {
        self.layout = layout
        bytes.reserveCapacity(1024)
    }

    /// Writes a value; characters beyond ASCII stay as they are, NaN and infinities are written bare.
    public static func write(_ value: Value, _ layout: Layout = .compact) -> String {
        String(decoding: writeBytes(value, layout), as: UTF8.self)
    }

    /// The same as bytes of UTF-8.
    public static func writeBytes(_ value: Value, _ layout: Layout = .compact) -> [UInt8] {
        var writer = JSONWriter(layout)
        writer.write(value, depth: 0)
        return writer.bytes
    }

    private mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }
    private mutating func put(_ character: Unicode.Scalar) { bytes.append(UInt8(ascii: character)) }

    private mutating func write(_ value: Value, depth: Int) {
        switch value {
        case .null: put("null")
        case .bool(let bool): put(bool ? "true" : "false")
        case .integer(let integer): put(String(integer))
        case .largeInteger(let digits): put(digits)
        case .real(let real): put(NumberText.json(real))
        case .string(let string), .date(let string): writeString(string)
        case .bytes(let bytes): writeString(String(decoding: bytes, as: UTF8.self))
        case .array(let array):
            put("[" as Unicode.Scalar)
            for (index, element) in array.enumerated() {
                if index > 0 { put("," as Unicode.Scalar) }
                breakLine(depth + 1)
                write(element, depth: depth + 1)
            }
            if !array.isEmpty { breakLine(depth) }
            put("]" as Unicode.Scalar)
        case .object(let object):
            put("{" as Unicode.Scalar)
            for (index, member) in object.enumerated() {
                if index > 0 { put("," as Unicode.Scalar) }
                breakLine(depth + 1)
                writeString(member.key)
                put(":" as Unicode.Scalar)
                if layout != .compact { put(" " as Unicode.Scalar) }
                write(member.value, depth: depth + 1)
            }
            if !object.isEmpty { breakLine(depth) }
            put("}" as Unicode.Scalar)
        }
    }

    private mutating func breakLine(_ depth: Int) {
        guard case .indented(let spaces) = layout else { return }
        put("\n" as Unicode.Scalar)
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: depth * spaces))
    }

    private mutating func writeString(_ string: String) {
        put("\"" as Unicode.Scalar)
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0a: put("\\n")
            case 0x0d: put("\\r")
            case 0x09: put("\\t")
            case 0x08: put("\\b")
            case 0x0c: put("\\f")
            case ..<0x20:
                let digits = String(byte, radix: 16)
                put("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            default: bytes.append(byte)
            }
        }
        put("\"" as Unicode.Scalar)
    }
}

/// How numbers with a fraction are written.
public enum NumberText {
    /// As JSON writes it, with the three values that are not JSON spelt as Python does.
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
