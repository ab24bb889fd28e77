import Documents

/// A rule by which clocks are set every year, as POSIX writes it: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct YearlyRule: Hashable, Sendable {
    private let standard: Int
    private let summer: Summer?

    private struct Summer: Hashable {
        let offset: Int
        let begins: Day
        let ends: Day
    }

    /// The how-manieth weekday of a month, and the time of day by the clock before it is set.
    private struct Day: Hashable {
        let month: Int
        let week: Int
        let weekday: Int
        let seconds: Int
    }

    /// Reads a rule; nil for what is none, or of another form than places use today.
    init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        var rest = (parts.first ?? "")[...]
        guard Self.takeName(&rest), let standard = Self.takeTime(&rest) else { return nil }
        // POSIX counts west of Greenwich.
        self.standard = -standard
        guard !rest.isEmpty else {
            summer = nil
            return
        }
        guard Self.takeName(&rest), parts.count == 3 else { return nil }
        let offset = rest.isEmpty ? self.standard + 3600 : Self.takeTime(&rest).map { -$0 }
        guard rest.isEmpty, let offset, let begins = Self.day(parts[1]), let ends = Self.day(parts[2]) else {
            return nil
        }
        summer = Summer(offset: offset, begins: begins, ends: ends)
    }

    private static func takeName(_ rest: inout Substring) -> Bool {
        let name: Substring
        if rest.first == "<" {
            guard let end = rest.firstIndex(of: ">") else { return false }
            name = rest[...end]
        } else {
            name = rest.prefix { $0.isLetter }
        }
        rest = rest.dropFirst(name.count)
        return !name.isEmpty
    }

    /// Seconds of `[+-]hh[:mm[:ss]]`.
    private static func takeTime(_ rest: inout Substring) -> Int? {
        let text = rest.prefix { $0.isNumber || "+-:".contains($0) }
        rest = rest.dropFirst(text.count)
        let sign = text.first == "-" ? -1 : 1
        let numbers = text.drop { "+-".contains($0) }.split(separator: ":", omittingEmptySubsequences: false).map {
            Int($0)
        }
        guard (1...3).contains(numbers.count), !numbers.contains(nil) else { return nil }
        let parts = numbers.compactMap(\.self) + [0, 0]
        // POSIX allows a week; larger numbers are no times, whatever the file says.
        guard parts.allSatisfy({ (0...167).contains($0) }) else { return nil }
        return sign * (parts[0] * 3600 + parts[1] * 60 + parts[2])
    }

    private static func day(_ text: Substring) -> Day? {
        let parts = text.split(separator: "/", maxSplits: 1)
        guard let date = parts.first, date.first == "M" else { return nil }
        let numbers = date.dropFirst().split(separator: ".").compactMap { Int($0) }
        guard numbers.count == 3, (1...12).contains(numbers[0]), (1...5).contains(numbers[1]),
            (0...6).contains(numbers[2])
        else { return nil }
        var seconds = 7200
        if parts.count == 2 {
            var rest = parts[1]
            guard let given = takeTime(&rest), rest.isEmpty else { return nil }
            seconds = given
        }
        return Day(month: numbers[0], week: numbers[1], weekday: numbers[2], seconds: seconds)
    }

    /// The offset at a moment, in seconds east of UTC.
    func offset(at moment: Int64) -> Int {
        guard let summer else { return standard }
        let local = moment + Int64(standard)
        let days = Int((local >= 0 ? local : local - 86_399) / 86_400)
        let year = GregorianCalendar.date(days).year
        let begins = Self.seconds(of: summer.begins, year) - Int64(standard)
        let ends = Self.seconds(of: summer.ends, year) - Int64(summer.offset)
        // In the south, summer goes over the turn of the year.
        let isSummer =
            begins < ends ? begins <= moment && moment < ends : !(ends <= moment && moment < begins)
        return isSummer ? summer.offset : standard
    }

    private static func seconds(of day: Day, _ year: Int) -> Int64 {
        let first = GregorianCalendar.days(year, day.month, 1)
        // 1970-01-01 was a Thursday.
        let weekday = ((first + 4) % 7 + 7) % 7
        var date = 1 + (day.weekday - weekday + 7) % 7 + (day.week - 1) * 7
        while !GregorianCalendar.isDate(year, day.month, date) { date -= 7 }
        return Int64(first + date - 1) * 86_400 + Int64(day.seconds)
    }
}
