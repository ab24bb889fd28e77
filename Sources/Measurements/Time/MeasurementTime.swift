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
    ///
    /// - Parameters:
    ///   - value: What stands there.
    ///   - formats: How it may be written.
    ///   - zone: The zone of times that do not say theirs.
    ///   - now: The present, in ms since 1970, which tells two times apart that are written alike.
    /// - Returns: Milliseconds since 1970.
    static func read(
        _ value: Value, _ formats: [MeasurementContract.TimeFormat], zone: MeasurementZone, now: Int64
    ) -> Int64? {
        for format in formats {
            switch format {
            case .iso8601:
                if let text = value.string, let time = ISO8601Reader(zone: zone, now: now).read(text) { return time }
            case .epochSeconds: if let number = number(value) { return milliseconds(number * 1000) }
            case .epochMilliseconds: if let number = number(value) { return milliseconds(number) }
            }
        }
        return nil
    }

    private static func number(_ value: Value) -> Double? {
        guard let number = value.number ?? value.string.flatMap(number), number.isFinite else { return nil }
        return number
    }

    /// The number that a text is, as JSON writes numbers; nil for anything else.
    static func number(_ text: String) -> Double? {
        guard let value = try? JSONReader.read(text.utf8), let number = value.number, number.isFinite else {
            return nil
        }
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
