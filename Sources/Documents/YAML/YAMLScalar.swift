/// What a scalar of YAML 1.1 means.
///
/// Source: PyYAML's resolver, which is the reference's: `yes` and `off` are booleans, `017` is octal, `1:30` is 90, `1e3` is a string
/// because a floating-point number needs a point and an exponent its sign.
enum YAMLScalar {
    /// The longest whole number: Python writes none that is longer.
    static let digitsMax: Int = 4_300

    static func value(_ scalar: YAMLEvent.Scalar, at place: Place) throws(DocumentError) -> Value {
        let text = scalar.text
        switch scalar.tag {
        case nil: return scalar.isPlain ? try plain(text, place) : .string(text)
        case "!", "tag:yaml.org,2002:str": return .string(text)
        case "tag:yaml.org,2002:null": return .null
        case "tag:yaml.org,2002:bool":
            guard let bool = bool(text) ?? Self.bool(text.lowercased()) else { throw wrong(text, "boolean", place) }
            return .bool(bool)
        case "tag:yaml.org,2002:int":
            guard let integer = try integer(text, place) else { throw wrong(text, "whole number", place) }
            return integer
        case "tag:yaml.org,2002:float":
            guard let real = real(text) ?? Double(text.filter { $0 != "_" }) else { throw wrong(text, "number", place) }
            return .real(real)
        case "tag:yaml.org,2002:timestamp":
            guard let date = try YAMLDate.read(text, place) else { throw wrong(text, "date", place) }
            return .date(date)
        case let tag?: throw DocumentError("the tag \(tag) is not plain data; remove it", at: place)
        }
    }

    private static func wrong(_ text: String, _ kind: String, _ place: Place) -> DocumentError {
        DocumentError("'\(text)' is not a valid \(kind)", at: place)
    }

    private static func plain(_ text: String, _ place: Place) throws(DocumentError) -> Value {
        guard let first = text.utf8.first else { return .null }
        switch text {
        case "~", "null", "Null", "NULL": return .null
        case "<<", "=": throw DocumentError("'\(text)' cannot stand as a value; put it into quotes", at: place)
        default: break
        }
        if let bool = bool(text) { return .bool(bool) }
        guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= first || "+-.".utf8.contains(first) else { return .string(text) }
        if let integer = try integer(text, place) { return integer }
        if let real = real(text) { return .real(real) }
        if let date = try YAMLDate.read(text, place) { return .date(date) }
        return .string(text)
    }

    private static func bool(_ text: String) -> Bool? {
        switch text {
        case "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": true
        case "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": false
        default: nil
        }
    }

    // MARK: Numbers

    /// A whole number in one of the five ways to write it; nil for another text.
    private static func integer(_ text: String, _ place: Place) throws(DocumentError) -> Value? {
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
        guard let first = rest.first, first.isASCII, first.isNumber else { return nil }
        let digits = rest.filter { $0 != "_" }
        func all(_ allowed: String, _ text: Substring) -> Bool { text.allSatisfy { allowed.contains($0) } }
        func number(_ digits: some StringProtocol, radix: Int) throws(DocumentError) -> Value? {
            guard digits.count <= digitsMax else {
                throw DocumentError("a number has more than \(digitsMax) digits; put it into quotes", at: place)
            }
            if digits.isEmpty { return .integer(0) }
            let signed = (isNegative ? "-" : "") + digits
            if let integer = Int(signed, radix: radix) { return .integer(integer) }
            return radix == 10 ? .largeInteger(signed) : large(digits, radix, isNegative)
        }
        if rest.hasPrefix("0b"), rest.count > 2, all("01_", rest.dropFirst(2)) {
            return try number(digits.dropFirst(2), radix: 2)
        }
        if rest.hasPrefix("0x"), rest.count > 2, all("0123456789abcdefABCDEF_", rest.dropFirst(2)) {
            return try number(digits.dropFirst(2), radix: 16)
        }
        if rest == "0" { return .integer(0) }
        if first == "0" { return all("01234567_", rest.dropFirst()) ? try number(digits.dropFirst(), radix: 8) : nil }
        if all("0123456789_", rest) { return try number(digits, radix: 10) }
        return sexagesimal(rest).map { .integer(isNegative ? -$0 : $0) }
    }

    /// A number too large for 64 bits in a base that is a power of two, in decimal digits.
    private static func large(_ digits: some StringProtocol, _ radix: Int, _ isNegative: Bool) -> Value? {
        var decimal: [Int] = [0]
        for digit in digits {
            guard var carry = digit.hexDigitValue else { return nil }
            for index in decimal.indices {
                let sum = decimal[index] * radix + carry
                decimal[index] = sum % 10
                carry = sum / 10
            }
            while carry > 0 {
                decimal.append(carry % 10)
                carry /= 10
            }
        }
        return .largeInteger((isNegative ? "-" : "") + decimal.reversed().map(String.init).joined())
    }

    /// Hours, minutes, seconds: every part behind the first is below 60.
    private static func sexagesimal(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count > 1, parts[0].first != "0" else { return nil }
        var value = 0
        for (index, part) in parts.enumerated() {
            let digits = part.filter { $0 != "_" }
            guard part.allSatisfy({ $0.isASCII && ($0.isNumber || index == 0 && $0 == "_") }), let number = Int(digits),
                index == 0 || (part.count <= 2 && number < 60)
            else { return nil }
            let (scaled, overflows) = value.multipliedReportingOverflow(by: 60)
            let (sum, overflowsToo) = scaled.addingReportingOverflow(number)
            guard !overflows, !overflowsToo else { return nil }
            value = sum
        }
        return value
    }

    /// A number with a point; nil for another text.
    private static func real(_ text: String) -> Double? {
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest = rest.dropFirst() }
        let sign = isNegative ? -1.0 : 1.0
        switch rest {
        case ".inf", ".Inf", ".INF": return sign * .infinity
        case ".nan", ".NaN", ".NAN": return rest.startIndex == text.startIndex ? .nan : nil
        default: break
        }
        guard let point = rest.firstIndex(of: ".") else { return nil }
        let whole = rest[..<point]
        if whole.contains(":") {
            let fraction = rest[rest.index(after: point)...]
            guard fraction.allSatisfy({ $0.isASCII && $0.isNumber || $0 == "_" }),
                let base = sexagesimalWhole(whole)
            else { return nil }
            return sign * (base + (Double("0." + fraction.filter { $0 != "_" } + "0") ?? 0))
        }
        guard whole.allSatisfy({ $0.isASCII && $0.isNumber || $0 == "_" }), whole.first != "_" else { return nil }
        var fraction = rest[rest.index(after: point)...]
        var exponent: Substring = ""
        if let mark = fraction.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            exponent = fraction[fraction.index(after: mark)...]
            fraction = fraction[..<mark]
            guard exponent.first == "+" || exponent.first == "-", exponent.count > 1,
                exponent.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber })
            else { return nil }
        }
        guard fraction.allSatisfy({ $0.isASCII && $0.isNumber || $0 == "_" }) else { return nil }
        // Without a whole part there is a digit behind the point, and no sign before it.
        if whole.isEmpty {
            guard let first = fraction.first, first != "_", rest.startIndex == text.startIndex else { return nil }
        }
        let digits = (whole.isEmpty ? "0" : whole.filter { $0 != "_" }) + "." + fraction.filter { $0 != "_" } + "0"
        return Double(digits + (exponent.isEmpty ? "" : "e" + exponent)).map { sign * $0 }
    }

    private static func sexagesimalWhole(_ text: Substring) -> Double? {
        var value = 0.0
        for (index, part) in text.split(separator: ":", omittingEmptySubsequences: false).enumerated() {
            let digits = part.filter { $0 != "_" }
            guard let number = Double(digits), digits.allSatisfy({ $0.isASCII && $0.isNumber }),
                index == 0 || (part.count <= 2 && number < 60)
            else { return nil }
            value = value * 60 + number
        }
        return value
    }
}

/// Dates and times of YAML 1.1, in ISO 8601.
enum YAMLDate {
    static func read(_ text: String, _ place: Place) throws(DocumentError) -> String? {
        var scanner = Scanner(text[...])
        guard let year = scanner.digits(4...4), scanner.take("-"), let month = scanner.digits(1...2), scanner.take("-"),
            let day = scanner.digits(1...2)
        else { return nil }
        if scanner.isAtEnd {
            // A date alone has all its digits; with a time it need not.
            guard text.utf8.count == 10 else { return nil }
            try check(year, month, day, 0, 0, 0, text, place)
            return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))"
        }
        guard scanner.take("T") || scanner.take("t") || scanner.skipSpace(), let hour = scanner.digits(1...2),
            scanner.take(":"), let minute = scanner.digits(2...2), scanner.take(":"), let second = scanner.digits(2...2)
        else { return nil }
        var fraction = ""
        if scanner.take(".") { fraction = scanner.digitText() }
        var zone = ""
        if !scanner.isAtEnd {
            _ = scanner.skipSpace()
            if scanner.take("Z") {
                zone = "+00:00"
            } else {
                let sign = scanner.take("-") ? "-" : scanner.take("+") ? "+" : ""
                guard !sign.isEmpty, let hours = scanner.digits(1...2) else { return nil }
                var minutes = 0
                if scanner.take(":") {
                    guard let given = scanner.digits(2...2) else { return nil }
                    minutes = given
                }
                zone = "\(sign)\(pad(hours, 2)):\(pad(minutes, 2))"
            }
            guard scanner.isAtEnd else { return nil }
        }
        try check(year, month, day, hour, minute, second, text, place)
        // Six digits, as Python keeps them; none when there is nothing.
        let micros = String((fraction + "000000").prefix(6))
        let shown = micros == "000000" ? "" : ".\(micros)"
        return
            "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(hour, 2)):\(pad(minute, 2)):\(pad(second, 2))\(shown)\(zone)"
    }

    private static func check(
        _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int, _ text: String, _ place: Place
    ) throws(DocumentError) {
        guard year >= 1, GregorianCalendar.isDate(year, month, day), hour < 24, minute < 60, second < 60 else {
            throw DocumentError("'\(text)' is not a date; put it into quotes if it is a string", at: place)
        }
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private struct Scanner {
        private var rest: Substring

        init(_ text: Substring) {
            rest = text
        }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func take(_ character: Character) -> Bool {
            guard rest.first == character else { return false }
            rest.removeFirst()
            return true
        }

        /// Skips blanks; false when there are none.
        mutating func skipSpace() -> Bool {
            let before = rest.count
            rest = rest.drop { $0 == " " || $0 == "\t" }
            return rest.count < before
        }

        mutating func digitText() -> String {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            return String(digits)
        }

        mutating func digits(_ count: ClosedRange<Int>) -> Int? {
            let digits = rest.prefix(count.upperBound).prefix { $0.isASCII && $0.isNumber }
            guard count.contains(digits.count) else { return nil }
            rest = rest.dropFirst(digits.count)
            return Int(digits)
        }
    }
}
