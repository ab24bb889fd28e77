import Documents

/// How much electricity households use through the year: the standard load profile H0.
///
/// Source: BDEW's profile H0 (hourly means of its quarter hours, as weights) and its dynamisation polynomial, as published in
/// the package demandlib 0.2.2. Summer is 15 May to 14 September, winter 1 November to 20 March, the rest is transition. Integers only, so that every machine
/// computes the same.
enum HouseholdProfile {
    /// Weights of the 24 hours, for working days, Saturdays and Sundays.
    private static let winter: [[Int64]] = [
        [
            58, 43, 40, 39, 39, 47, 90, 129, 134, 123, 116, 118, 131, 130, 115, 105, 105, 129, 166, 187, 168, 141, 117,
            86,
        ],
        [
            67, 53, 42, 40, 38, 40, 53, 82, 120, 142, 148, 155, 167, 166, 153, 144, 145, 180, 209, 210, 172, 134, 122,
            104,
        ],
        [78, 56, 45, 41, 39, 39, 41, 50, 89, 138, 174, 203, 207, 173, 136, 117, 107, 126, 156, 176, 160, 136, 115, 85],
    ]
    private static let transition: [[Int64]] = [
        [
            67, 49, 44, 43, 44, 53, 93, 130, 137, 136, 132, 133, 150, 146, 127, 113, 106, 116, 145, 172, 168, 156, 136,
            100,
        ],
        [
            73, 56, 46, 44, 43, 45, 59, 93, 130, 150, 163, 172, 181, 177, 161, 149, 147, 159, 183, 198, 180, 147, 139,
            117,
        ],
        [
            84, 62, 49, 44, 43, 43, 46, 66, 111, 160, 185, 205, 208, 169, 136, 121, 107, 112, 138, 161, 155, 144, 128,
            94,
        ],
    ]
    private static let summer: [[Int64]] = [
        [
            74, 55, 50, 47, 49, 59, 98, 130, 142, 144, 139, 142, 158, 153, 132, 119, 115, 122, 142, 165, 167, 158, 145,
            112,
        ],
        [
            83, 64, 52, 50, 50, 52, 64, 93, 128, 156, 165, 171, 182, 176, 157, 148, 145, 149, 166, 180, 173, 154, 149,
            125,
        ],
        [
            90, 67, 54, 51, 50, 49, 51, 69, 112, 160, 187, 206, 209, 175, 144, 124, 108, 110, 127, 152, 159, 151, 140,
            108,
        ],
    ]

    /// The sums of a year's weights, dynamised: before each hour of each day, 25 entries a day, and before each day.
    private struct Sums {
        var hours: [[Int64]] = []
        var days: [Int64] = [0]

        var total: Int64 { days[days.count - 1] }

        /// Of a year by its first day's weekday, from Monday 0 on, and its length.
        init(firstWeekday: Int, isLeap: Bool) {
            // A year of this length; only months and days are taken from it.
            let january = GregorianCalendar.days(isLeap ? 2024 : 2023, 1, 1)
            for day in 0..<(isLeap ? 366 : 365) {
                let (_, month, dayOfMonth) = GregorianCalendar.date(january + day)
                let weights = HouseholdProfile.weights(month, dayOfMonth, weekday: (firstWeekday + day) % 7)
                var sums: [Int64] = [0]
                for weight in weights { sums.append(sums[sums.count - 1] + weight * factor(day) / 10_000) }
                hours.append(sums)
                days.append(days[day] + sums[24])
            }
        }
    }

    /// Of the fourteen kinds of years: by the first day's weekday, leap years behind.
    private static let years: [Sums] = [false, true].flatMap { isLeap in
        (0..<7).map { Sums(firstWeekday: $0, isLeap: isLeap) }
    }

    private static func weights(_ month: Int, _ day: Int, weekday: Int) -> [Int64] {
        let kind = weekday == 6 ? 2 : weekday == 5 ? 1 : 0
        return switch month * 100 + day {
        case 515...914: summer[kind]
        case ...320, 1101...: winter[kind]
        default: transition[kind]
        }
    }

    /// BDEW's dynamisation, -3.92e-10 d⁴ + 3.2e-7 d³ - 7.02e-5 d² + 2.1e-3 d + 1.24, in ten thousandths.
    private static func factor(_ day: Int) -> Int64 {
        let d = Int64(day + 1)
        let scale: Int64 = 1_000_000_000_000
        let sum =
            -392 * d * d * d * d + 320_000 * d * d * d - 70_200_000 * d * d + 2_100_000_000 * d + 1_240_000_000_000
        return sum / (scale / 10_000)
    }

    /// The energy used from the beginning of 1970 to a moment since then, in mWh, by a household of so many kWh in each calendar year (UTC).
    static func energy(until milliseconds: Int64, kilowattHoursPerYear: Int64) -> Int64 {
        let allDays = Int(milliseconds / 86_400_000)
        let (year, _, _) = GregorianCalendar.date(allDays)
        let january = GregorianCalendar.days(year, 1, 1)
        // 1970-01-01 was a Thursday.
        let kind = (january + 3) % 7 + (GregorianCalendar.isDate(year, 2, 29) ? 7 : 0)
        let (sums, day) = (years[kind], allDays - january)
        let inDay = milliseconds % 86_400_000
        let hour = Int(inDay / 3_600_000)
        let before = sums.hours[day][hour]
        let here = (sums.hours[day][hour + 1] - before) * (inDay % 3_600_000) / 3_600_000
        // Of a year's energy, the share that the year's weights have reached.
        let milliwattHours = kilowattHoursPerYear * 1_000_000
        let reached = Int128(milliwattHours) * Int128(sums.days[day] + before + here) / Int128(sums.total)
        return Int64(year - 1970) * milliwattHours + Int64(reached)
    }
}
