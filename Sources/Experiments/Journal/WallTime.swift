/// A moment as journals write it.
public enum WallTime {
    /// The moment so long after 1970-01-01 00:00 UTC, in UTC, to the microsecond; the fraction is left out when it is 0.
    public static func iso8601(_ time: Duration) -> String {
        let parts = parts(time)
        let micros = time.components.attoseconds / 1_000_000_000_000
        let fraction = micros == 0 ? "" : "." + pad(Int(micros), 6)
        return "\(parts.date)T\(parts.clock)\(fraction)+00:00"
    }

    /// The day and the time of day, in UTC.
    static func parts(_ time: Duration) -> (date: String, clock: String) {
        let seconds = Int(time.components.seconds)
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let rest = seconds - days * 86_400
        let (year, month, day) = date(days)
        return (
            "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))",
            "\(pad(rest / 3600, 2)):\(pad(rest / 60 % 60, 2)):\(pad(rest % 60, 2))"
        )
    }

    /// The date so many days after 1970-01-01, by the Gregorian calendar: eras of 400 years, years that begin in March.
    private static func date(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    static func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
