import Documents

/// Times as measurement servers write them; everywhere else they are milliseconds since 1970-01-01 00:00 UTC.
public enum MeasurementTime {
    /// What a measurement's time may be; a device whose clock says otherwise is not believed.
    public static let plausible: ClosedRange<Int64> = 946_684_800_000...4_102_444_800_000  // 2000 to 2100

    /// Seconds east of UTC that a text such as `+01:00` or `Z` says; nil for anything else.
    static func zone(_ text: some StringProtocol) -> Int? {
        if text == "Z" || text == "z" { return 0 }
        let digits = String(text.dropFirst()).filter { $0 != ":" }
        guard let sign = text.first, sign == "+" || sign == "-", digits.count == 2 || digits.count == 4,
            let number = Int(digits)
        else { return nil }
        let (hours, minutes) = digits.count == 2 ? (number, 0) : (number / 100, number % 100)
        guard hours <= 14, minutes < 60 else { return nil }
        return (sign == "-" ? -1 : 1) * (hours * 3600 + minutes * 60)
    }

    /// Reads a time; nil if it is of none of the formats.
    static func read(_ value: Value, _ formats: [MeasurementContract.TimeFormat], zoneSeconds: Int) -> Int64? {
        for format in formats {
            switch format {
            case .iso8601: if let text = value.string, let time = iso8601(text, zoneSeconds) { return time }
            case .epochSeconds: if let number = number(value) { return milliseconds(number * 1000) }
            case .epochMilliseconds: if let number = number(value) { return milliseconds(number) }
            }
        }
        return nil
    }

    private static func number(_ value: Value) -> Double? {
        guard let number = value.number ?? value.string.flatMap(Double.init), number.isFinite else { return nil }
        return number
    }

    private static func milliseconds(_ number: Double) -> Int64? { Int64(exactly: number.rounded()) }

    /// Writes a time in a format, in UTC.
    static func write(_ milliseconds: Int64, _ format: MeasurementContract.TimeFormat) -> Value {
        switch format {
        case .iso8601: .string(iso8601(milliseconds))
        case .epochSeconds:
            milliseconds % 1000 == 0 ? .integer(Int(milliseconds / 1000)) : .real(Double(milliseconds) / 1000)
        case .epochMilliseconds: .integer(Int(milliseconds))
        }
    }

    // MARK: ISO 8601

    private static func iso8601(_ text: String, _ zoneSeconds: Int) -> Int64? {
        var scanner = TimeScanner(text)
        guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2), scanner.take("-"),
            let day = scanner.number(2), scanner.take("T") || scanner.take(" "), let hour = scanner.number(2),
            scanner.take(":"), let minute = scanner.number(2)
        else { return nil }
        var second = 0
        var millisecond = 0
        if scanner.take(":") {
            guard let given = scanner.number(2) else { return nil }
            second = given
            if scanner.take(".") || scanner.take(",") {
                guard let fraction = scanner.fraction() else { return nil }
                millisecond = fraction
            }
        }
        var zone = zoneSeconds
        if !scanner.rest.isEmpty {
            guard let given = self.zone(Substring(scanner.rest)) else { return nil }
            zone = given
        }
        guard GregorianCalendar.isDate(year, month, day), hour < 24, minute < 60, second < 61 else { return nil }
        let days = Int64(GregorianCalendar.days(year, month, day))
        let seconds = days * 86_400 + Int64(hour * 3600 + minute * 60 + second - zone)
        return seconds * 1000 + Int64(millisecond)
    }

    private static func iso8601(_ milliseconds: Int64) -> String {
        let seconds = milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000
        let days = Int(seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400)
        let rest = Int(seconds) - days * 86_400
        let (year, month, day) = GregorianCalendar.date(days)
        func pad(_ number: Int, _ width: Int = 2) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let fraction = Int(milliseconds - seconds * 1000)
        let shown = fraction == 0 ? "" : "." + pad(fraction, 3)
        return
            "\(pad(year, 4))-\(pad(month))-\(pad(day))T\(pad(rest / 3600)):\(pad(rest / 60 % 60)):\(pad(rest % 60))\(shown)Z"
    }
}

/// Takes a time's text apart.
private struct TimeScanner {
    private(set) var rest: Substring.UTF8View

    init(_ text: String) {
        rest = text[...].utf8
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(_ count: Int) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let byte = rest.popFirst(), UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }

    /// Milliseconds of a fraction of any length.
    mutating func fraction() -> Int? {
        var value = 0
        var count = 0
        while let byte = rest.first, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte {
            if count < 3 { value = value * 10 + Int(byte - UInt8(ascii: "0")) }
            count += 1
            rest.removeFirst()
        }
        guard count > 0 else { return nil }
        for _ in count..<max(3, count) { value *= 10 }
        return value
    }
}
