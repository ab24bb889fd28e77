/// Writes JSON as Python's `json` does, so that journals can be compared to the byte.
public struct JSONWriter {
    /// How a value is laid out.
    public enum Layout: Hashable, Sendable {
        /// On one line, without spaces.
        case compact
        /// On lines of their own, indented by so many spaces.
        case indented(Int)
    }

    /// What was written.
    package private(set) var bytes: [UInt8] = []
    private let layout: Layout

    /// Begins a document.
    package init(_ layout: Layout = .compact) {
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

    mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }
    mutating func put(_ character: Unicode.Scalar) { bytes.append(UInt8(ascii: character)) }
    mutating func put(_ number: UInt64) { NumberText.append(number, to: &bytes) }
    mutating func put(_ real: Double) { NumberText.append(real, to: &bytes) }

    private mutating func write(_ value: Value, depth: Int) {
        switch value {
        case .null: put("null")
        case .bool(let bool): put(bool ? "true" : "false")
        case .integer(let integer): put(String(integer))
        case .largeInteger(let digits): put(digits)
        case .real(let real): put(real)
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

    mutating func writeString(_ string: String) {
        put("\"" as Unicode.Scalar)
        var string = string
        string.withUTF8 { text in
            var plain = 0
            for index in text.indices {
                guard let escape = unsafe Self.escape(of: text[index]) else { continue }
                // What needs no escape is put at once.
                unsafe bytes.append(contentsOf: text[plain..<index])
                put(escape)
                plain = index + 1
            }
            unsafe bytes.append(contentsOf: text[plain...])
        }
        put("\"" as Unicode.Scalar)
    }

    private static func escape(of byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "\""): return "\\\""
        case UInt8(ascii: "\\"): return "\\\\"
        case 0x20...: return nil
        case 0x0a: return "\\n"
        case 0x0d: return "\\r"
        case 0x09: return "\\t"
        case 0x08: return "\\b"
        case 0x0c: return "\\f"
        default:
            let digits = String(byte, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
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

    /// The most digits, a point among them, of numbers whose value follows from them at once.
    static let exactDigitsMax: Int = 16

    /// The number that is nearest to digits of which some stand behind the point.
    ///
    /// Fifteen digits and their power of ten are exact as floating-point numbers, and so the quotient is the nearest number.
    package static func exact(_ digits: some BinaryInteger, fractionDigits: Int) -> Double {
        Double(digits) / powers[fractionDigits]
    }

    private static let powers: [Double] = (0...15).map { power in (0..<power).reduce(1.0) { value, _ in value * 10 } }

    /// Appends a number as JSON writes it.
    package static func append(_ real: Double, to bytes: inout [UInt8]) {
        let thousandths = (real * 1000).rounded()
        // What has three digits behind the point and fifteen in all is its own shortest text.
        guard abs(thousandths) < 1e15, thousandths / 1000 == real, real != 0 || real.sign == .plus else {
            return bytes.append(contentsOf: json(real).utf8)
        }
        if real < 0 { bytes.append(UInt8(ascii: "-")) }
        let (whole, fraction) = UInt64(abs(thousandths)).quotientAndRemainder(dividingBy: 1000)
        append(whole, to: &bytes)
        let digits = (fraction / 100, fraction / 10 % 10, fraction % 10)
        bytes.append(UInt8(ascii: "."))
        bytes.append(UInt8(ascii: "0") + UInt8(digits.0))
        if digits.1 != 0 || digits.2 != 0 { bytes.append(UInt8(ascii: "0") + UInt8(digits.1)) }
        if digits.2 != 0 { bytes.append(UInt8(ascii: "0") + UInt8(digits.2)) }
    }

    /// Appends a whole number.
    package static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var divisor: UInt64 = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }
}
