import Documents

/// Reads times as ISO 8601 writes them, and intervals, of which the end is the time at which something was known.
struct ISO8601Reader {
    /// The zone of times that do not say theirs.
    let zone: MeasurementZone
    /// The present, in ms since 1970.
    let now: Int64

    /// Reads a time, or an interval by its two ends, or by one and its length.
    ///
    /// - Returns: Milliseconds since 1970; nil for anything else.
    func read(_ text: String) -> Int64? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return parts.count == 1 ? time(parts[0]) : nil }
        if parts[0].hasPrefix("P") { return Self.length(parts[0]) == nil ? nil : time(parts[1]) }
        guard let start = time(parts[0]) else { return nil }
        if parts[1].hasPrefix("P") { return Self.length(parts[1]).map { start + $0 } }
        guard let end = time(parts[1]), end >= start else { return nil }
        return end
    }

    private func time(_ text: Substring) -> Int64? {
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
        // A day may end as 24:00.
        let isEndOfDay = hour == 24 && minute == 0 && second == 0 && millisecond == 0
        guard GregorianCalendar.isDate(year, month, day), hour < 24 || isEndOfDay, minute < 60, second < 61 else {
            return nil
        }
        let days = Int64(GregorianCalendar.days(year, month, day))
        let local = days * 86_400 + Int64(hour * 3600 + minute * 60 + second)
        guard scanner.rest.isEmpty else {
            guard let offset = MeasurementTime.zone(Substring(scanner.rest)) else { return nil }
            return (local - Int64(offset)) * 1000 + Int64(millisecond)
        }
        return zone.milliseconds(ofLocal: local, now: now) + Int64(millisecond)
    }

    /// Milliseconds of a length such as `PT15M` or `P1DT12H`; nil for anything else, months and years among it.
    private static func length(_ text: Substring) -> Int64? {
        var seconds: Int64 = 0
        var isTime = false
        var digits = ""
        for character in text.dropFirst() {
            switch (character, isTime) {
            case ("0"..."9", _): digits.append(character)
            case ("T", false) where digits.isEmpty: isTime = true
            case ("W", false), ("D", false), ("H", true), ("M", true), ("S", true):
                guard let number = Int64(digits), number < 1_000_000 else { return nil }
                let unit: Int64 =
                    switch character {
                    case "W": 604_800
                    case "D": 86_400
                    case "H": 3600
                    case "M": 60
                    default: 1
                    }
                seconds += number * unit
                // Its parts may come again and again; nothing is measured over 300 years.
                guard seconds < 10_000_000_000 else { return nil }
                digits = ""
            default: return nil
            }
        }
        return digits.isEmpty && text.count > 2 ? seconds * 1000 : nil
    }
}

/// Takes a time's text apart.
private struct TimeScanner {
    private(set) var rest: Substring.UTF8View

    init(_ text: Substring) {
        rest = text.utf8
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
