import Documents

/// A moment as journals write it.
public enum WallTime {
    /// The moment so long after 1970-01-01 00:00 UTC, in UTC, to the microsecond; the fraction is left out when it is 0.
    public static func iso8601(_ time: Duration) -> String {
        let parts = parts(time)
        let micros = time.components.attoseconds / 1_000_000_000_000
        let fraction = micros == 0 ? "" : "." + pad(Int(micros), 6)
        return "\(parts.date)T\(parts.clock)\(fraction)+00:00"
    }

    /// A moment in milliseconds since 1970, in UTC, with `Z`; without a fraction where it has none.
    public static func iso8601(milliseconds: Int64) -> String {
        let parts = parts(.seconds(milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000))
        let fraction = ((milliseconds % 1000) + 1000) % 1000
        return "\(parts.date)T\(parts.clock)\(fraction == 0 ? "" : "." + pad(Int(fraction), 3))Z"
    }

    /// The day and the time of day, in UTC.
    static func parts(_ time: Duration) -> (date: String, clock: String) {
        let seconds = Int(time.components.seconds)
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let rest = seconds - days * 86_400
        let (year, month, day) = GregorianCalendar.date(days)
        return (
            "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))",
            "\(pad(rest / 3600, 2)):\(pad(rest / 60 % 60, 2)):\(pad(rest % 60, 2))"
        )
    }

    static func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
