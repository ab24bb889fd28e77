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

    /// Sums of the weights before each hour, dynamised, of every day of a year that begins on a Monday: day by day, 25 entries each.
    private static let hours: [[Int64]] = (0..<365).map { day in
        var sums: [Int64] = [0]
        for weight in weights(day) { sums.append(sums[sums.count - 1] + weight * factor(day) / 10_000) }
        return sums
    }

    /// Sums of whole days before each day of that year.
    private static let days: [Int64] = {
        var sums: [Int64] = [0]
        for day in hours { sums.append(sums[sums.count - 1] + day[24]) }
        return sums
    }()

    private static func weights(_ day: Int) -> [Int64] {
        let kind = day % 7 == 6 ? 2 : day % 7 == 5 ? 1 : 0
        switch day {
        case 0..<79, 304..<365: return winter[kind]
        case 134..<257: return summer[kind]
        default: return transition[kind]
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

    /// The energy used from 1970 to a moment, in mWh, by a household of so many kWh a year.
    static func energy(until milliseconds: Int64, kilowattHoursPerYear: Int64) -> Int64 {
        let allDays = milliseconds / 86_400_000
        let (years, day) = (allDays / 365, Int(allDays % 365))
        let inDay = milliseconds % 86_400_000
        let hour = Int(inDay / 3_600_000)
        let before = hours[day][hour]
        let here = (hours[day][hour + 1] - before) * (inDay % 3_600_000) / 3_600_000
        let weight = days[day] + before + here
        // Of a year's energy, the share that the year's weights have reached.
        let milliwattHours = kilowattHoursPerYear * 1_000_000
        return years * milliwattHours + Int64(Int128(milliwattHours) * Int128(weight) / Int128(days[365]))
    }
}
