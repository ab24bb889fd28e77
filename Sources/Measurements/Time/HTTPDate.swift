import Documents

/// Times as HTTP's fields have them, such as `Tue, 24 Nov 2026 23:51:58 GMT` (RFC 9110).
public enum HTTPDate {
    private static let months: [String] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    private static let weekdays: [String] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]

    /// Milliseconds since 1970 of a text; nil for what is no such time.
    public static func milliseconds(_ text: String) -> Int64? {
        let words = text.utf8.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ":") }
        func number(_ word: Int) -> Int? { Int(Substring(words[word])) }
        guard words.count == 8, let day = number(1),
            let month = months.firstIndex(where: { $0.utf8.elementsEqual(words[2]) }),
            let year = number(3), (1...9999).contains(year), let hour = number(4), (0..<24).contains(hour),
            let minute = number(5), (0..<60).contains(minute), let second = number(6), (0...60).contains(second),
            GregorianCalendar.isDate(year, month + 1, day), words[7].elementsEqual("GMT".utf8)
        else { return nil }
        let days = Int64(GregorianCalendar.days(year, month + 1, day))
        return (days * 86_400 + Int64(hour * 3600 + minute * 60 + second)) * 1000
    }

    /// The text of a time from 1970 on, in ms; fractions of a second are cut.
    public static func text(_ milliseconds: Int64) -> String {
        let seconds = Int(max(0, milliseconds) / 1000)
        let (days, inDay) = (seconds / 86_400, seconds % 86_400)
        let (year, month, day) = GregorianCalendar.date(days)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let time = "\(two(inDay / 3600)):\(two(inDay / 60 % 60)):\(two(inDay % 60))"
        return "\(weekdays[days % 7]), \(two(day)) \(months[month - 1]) \(year) \(time) GMT"
    }
}
