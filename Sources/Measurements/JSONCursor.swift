import Documents

/// Reads usual JSON from bytes, without making values of it.
///
/// Strings have no escapes and numbers no exponents; whoever meets something else reads it as a value.
struct JSONCursor {
    /// The next byte.
    private(set) var index: Int = 0

    mutating func skipSpace(_ bytes: Span<UInt8>) {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x0a, 0x0d, 0x09: index += 1
            default: return
            }
        }
    }

    func isAtEnd(_ bytes: Span<UInt8>) -> Bool {
        var rest = self
        rest.skipSpace(bytes)
        return rest.index == bytes.count
    }

    mutating func take(_ character: Unicode.Scalar, _ bytes: Span<UInt8>) -> Bool {
        skipSpace(bytes)
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    /// Reads a member's name and the colon behind it.
    mutating func name(_ bytes: Span<UInt8>) -> Range<Int>? {
        guard let name = string(bytes), take(":", bytes) else { return nil }
        return name
    }

    /// Reads a string without escapes; where it stands between its quotes.
    mutating func string(_ bytes: Span<UInt8>) -> Range<Int>? {
        guard take("\"", bytes) else { return nil }
        let start = index
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return start..<(index - 1)
            // Escapes, control characters, and what may not be UTF-8.
            case UInt8(ascii: "\\"), ..<0x20, 0x80...: return nil
            default: index += 1
            }
        }
        return nil
    }

    /// Reads a number as JSON has them.
    mutating func number(_ bytes: Span<UInt8>) -> Double? {
        skipSpace(bytes)
        let start = index
        func digit(_ place: Int) -> UInt64? {
            guard place < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[place] else { return nil }
            return UInt64(bytes[place] - UInt8(ascii: "0"))
        }
        let isNegative = index < bytes.count && bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        guard let first = digit(index) else { return nil }
        // A leading zero stands alone.
        if first == 0, digit(index + 1) != nil { return nil }
        var mantissa: UInt64 = 0
        var digits = 0
        var fraction = 0
        while let next = digit(index) {
            (mantissa, digits, index) = (mantissa &* 10 &+ next, digits + 1, index + 1)
        }
        if index < bytes.count, bytes[index] == UInt8(ascii: "."), digit(index + 1) != nil {
            index += 1
            while let next = digit(index) {
                (mantissa, digits, fraction, index) = (mantissa &* 10 &+ next, digits + 1, fraction + 1, index + 1)
            }
        }
        // Exponents, and more digits than a whole number of a Double has, are read elsewhere.
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") { return nil }
        guard digits <= 15 else {
            return digits <= 18 ? Self.text(bytes, start..<index).flatMap { Double($0) } : nil
        }
        let number = NumberText.exact(mantissa, fractionDigits: fraction)
        return isNegative ? -number : number
    }

    /// Passes over a string, a number or a word that the contract does not look at.
    mutating func skipScalar(_ bytes: Span<UInt8>) -> Bool {
        skipSpace(bytes)
        guard index < bytes.count else { return false }
        switch bytes[index] {
        case UInt8(ascii: "\""): return string(bytes) != nil
        case UInt8(ascii: "t"): return word("true", bytes)
        case UInt8(ascii: "f"): return word("false", bytes)
        case UInt8(ascii: "n"): return word("null", bytes)
        default: return number(bytes) != nil
        }
    }

    private mutating func word(_ word: StaticString, _ bytes: Span<UInt8>) -> Bool {
        let count = word.utf8CodeUnitCount
        guard index + count <= bytes.count, let text = Self.text(bytes, index..<(index + count)),
            text == word.description
        else { return false }
        index += count
        return true
    }

    // MARK: Bytes

    static func areEqual(_ bytes: Span<UInt8>, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard left.count == right.count else { return false }
        for offset in 0..<left.count where bytes[left.lowerBound + offset] != bytes[right.lowerBound + offset] {
            return false
        }
        return true
    }

    /// Whether a range holds the bytes of a name.
    static func areEqual(_ name: [UInt8], _ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard name.count == range.count else { return false }
        for offset in name.indices where name[offset] != bytes[range.lowerBound + offset] { return false }
        return true
    }

    static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String? {
        guard let text = try? UTF8Span(validating: bytes.extracting(range)) else { return nil }
        return String(copying: text)
    }
}
