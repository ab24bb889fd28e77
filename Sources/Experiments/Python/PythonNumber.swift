import Documents

/// Numbers in texts, as Python's `int`, `float` and `Decimal` read them.
enum PythonNumber {
    /// What `int(text)` gives; nil where it fails.
    static func integer(_ text: String) -> Value? {
        guard let digits = digits(text) else { return nil }
        let unsigned = digits.drop { $0 == "-" || $0 == "+" }
        guard !unsigned.isEmpty, unsigned.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        if let integer = Int(digits) { return .integer(integer) }
        let significant = unsigned.drop { $0 == "0" }
        return .largeInteger((digits.hasPrefix("-") ? "-" : "") + significant)
    }

    /// What `float(text)` gives; nil where it fails.
    static func real(_ text: String) -> Double? {
        guard let digits = digits(text) else { return nil }
        let unsigned = digits.lowercased().drop { $0 == "-" || $0 == "+" }
        let sign = digits.hasPrefix("-") ? -1.0 : 1.0
        switch unsigned {
        case "inf", "infinity": return sign * .infinity
        case "nan": return .nan
        default:
            guard let first = unsigned.first, first.isNumber || first == ".",
                unsigned.allSatisfy({ "0123456789.e+-".contains($0) })
            else { return nil }
            // Swift wants a digit on both sides of the point.
            var text = unsigned.hasPrefix(".") ? "0" + unsigned : String(unsigned)
            if let point = text.firstIndex(of: ".") {
                let next = text.index(after: point)
                if next == text.endIndex || !text[next].isNumber {
                    guard unsigned.first != "." else { return nil }
                    text.insert("0", at: next)
                }
            }
            return Double(text).map { sign * $0 }
        }
    }

    /// The text without blanks around it and without underscores between digits; nil when one stands elsewhere.
    private static func digits(_ text: String) -> String? {
        let blanks: Set<Character> = [" ", "\t", "\n", "\r", "\u{b}", "\u{c}", "\r\n"]
        var rest = text[...]
        while let first = rest.first, blanks.contains(first) { rest.removeFirst() }
        while let last = rest.last, blanks.contains(last) { rest.removeLast() }
        guard !rest.isEmpty, rest.utf8.count <= 4_300 else { return nil }
        var result = ""
        var previous: Character = "_"
        for character in rest {
            if character == "_" {
                guard previous.isASCII, previous.isNumber else { return nil }
            } else {
                if previous == "_", !result.isEmpty, !(character.isASCII && character.isNumber) { return nil }
                result.append(character)
            }
            previous = character
        }
        return previous == "_" ? nil : result
    }
}

/// A number in exact decimal digits, for comparing a text with a binary fraction as Python's `Decimal` does.
struct ExactDecimal: Comparable {
    private let isNegative: Bool
    /// Decimal digits without zeros at either end, the most significant first; empty for zero.
    private let digits: [UInt8]
    /// The first digit's power of ten, and one more.
    private let magnitude: Int

    /// The exact value of a finite binary fraction.
    init?(_ real: Double) {
        guard real.isFinite else { return nil }
        var significand = real.magnitude.significandBitPattern
        var exponent = Int(real.exponentBitPattern)
        if exponent == 0 {
            exponent = 1
        } else {
            significand |= 1 << 52
        }
        exponent -= 1075
        var digits = String(significand).utf8.reversed().map { Int($0) - 48 }
        var scale = 0
        // A division by two is a multiplication by five and a shift.
        for _ in 0..<abs(exponent) {
            Self.multiply(&digits, by: exponent > 0 ? 2 : 5)
            if exponent < 0 { scale += 1 }
        }
        self.init(isNegative: real < 0, reversed: digits, scale: scale)
    }

    /// What `Decimal(text)` reads, if it is finite; nil for anything else.
    init?(_ text: String) {
        var rest = Substring(text.filter { $0 != "_" })
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        let isNegative = rest.first == "-"
        if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
        let parts = rest.split(omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
        guard (1...2).contains(parts.count) else { return nil }
        var exponent = 0
        if parts.count == 2 {
            guard let given = Int(parts[1]), given.magnitude < 1 << 40 else { return nil }
            exponent = given
        }
        let number = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(number.count), number.joined().allSatisfy({ $0.isASCII && $0.isNumber }),
            !number.joined().isEmpty
        else { return nil }
        let fraction = number.count == 2 ? number[1].count : 0
        self.init(
            isNegative: isNegative, reversed: number.joined().utf8.reversed().map { Int($0) - 48 },
            scale: fraction - exponent)
    }

    private init(isNegative: Bool, reversed: [Int], scale: Int) {
        var digits = reversed
        while digits.last == 0 { digits.removeLast() }
        magnitude = digits.isEmpty ? 0 : digits.count - scale
        let significant = digits.drop { $0 == 0 }
        self.digits = significant.reversed().map { UInt8($0) }
        self.isNegative = isNegative && !digits.isEmpty
    }

    private static func multiply(_ digits: inout [Int], by factor: Int) {
        var carry = 0
        for index in digits.indices {
            let product = digits[index] * factor + carry
            digits[index] = product % 10
            carry = product / 10
        }
        if carry > 0 { digits.append(carry) }
    }

    static func < (left: ExactDecimal, right: ExactDecimal) -> Bool {
        guard left.isNegative == right.isNegative else { return left.isNegative }
        let (small, large) = left.isNegative ? (right, left) : (left, right)
        guard !small.digits.isEmpty, !large.digits.isEmpty else { return small.digits.isEmpty && !large.digits.isEmpty }
        if small.magnitude != large.magnitude { return small.magnitude < large.magnitude }
        return small.digits.lexicographicallyPrecedes(large.digits)
    }
}
