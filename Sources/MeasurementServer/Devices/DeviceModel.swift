import Documents
public import Randomness

/// What a room's devices measure, as a function of time alone: a million devices need no state.
///
/// Temperature and humidity follow the day and a noise that differs by room and hour; heat and electricity are registers that grow with the season and
/// with the standard load profile, and of which one in eight falls back to zero every 365 days. Integers only; the numbers are made up, the
/// shapes are not.
public struct DeviceModel: Hashable, Sendable {
    private let key: UInt64

    /// The devices of a seed.
    public init(seed: Seed) {
        var random = RandomStream(seed: seed).fork("devices")
        key = random.next()
    }

    /// What devices measure.
    static let channels: [String] = ["temperature", "humidity", "meterValue", "heat"]

    /// How often devices measure, in ms.
    public static let intervalMilliseconds: Int64 = 60_000

    /// The latest moment at which a flat's devices have measured, in ms since 1970: every minute, each flat at its own second.
    public func sampleTime(flat: Int, at milliseconds: Int64) -> Int64 {
        let phase = Int64(mix(flat, 0, 0) % 60) * 1000
        return (milliseconds - phase) / Self.intervalMilliseconds * Self.intervalMilliseconds + phase
    }

    /// A channel's value at a moment; nil for a channel that no device has.
    public func value(_ channel: String, flat: Int, room: Int, at milliseconds: Int64) -> Double? {
        switch channel {
        case "temperature": return Double(temperature(flat, room, milliseconds)) / 1000
        case "humidity": return Double(humidity(flat, room, milliseconds)) / 1000
        case "meterValue": return Double(electricity(flat, room, milliseconds) / 1000) / 1000
        case "heat": return Double(heat(flat, room, milliseconds) / 1000) / 1000
        default: return nil
        }
    }

    // MARK: Gauges

    /// In thousandths of a degree: 19.5 to 22.5 by room, a degree warmer in the afternoon, and up to 0.3 either way.
    private func temperature(_ flat: Int, _ room: Int, _ time: Int64) -> Int64 {
        let base = 19_500 + Int64(mix(flat, room, 1) % 3_000)
        return base + daily(time) / 1000 + noise(flat, room, 2, time) * 3 / 10
    }

    /// In thousandths of a per cent: drier where it is warmer.
    private func humidity(_ flat: Int, _ room: Int, _ time: Int64) -> Int64 {
        let base = 42_000 + Int64(mix(flat, room, 3) % 10_000)
        return base - daily(time) / 250 + noise(flat, room, 4, time) * 2
    }

    /// From -1,000,000 at 5 o'clock to 1,000,000 at 17 o'clock, in a straight line.
    private func daily(_ time: Int64) -> Int64 {
        let sinceFive = (time / 1000 - 5 * 3600) % 86_400
        let half: Int64 = 43_200
        return (half - abs(half - sinceFive)) * 2_000_000 / half - 1_000_000
    }

    /// From -1,000 to 1,000: another number at each hour, a straight line between.
    private func noise(_ flat: Int, _ room: Int, _ salt: UInt64, _ time: Int64) -> Int64 {
        let hour = time / 3_600_000
        func at(_ hour: Int64) -> Int64 { Int64(mix(flat, room, salt << 40 ^ UInt64(bitPattern: hour)) % 2001) - 1000 }
        let (left, right) = (at(hour), at(hour + 1))
        return left + (right - left) * (time % 3_600_000) / 3_600_000
    }

    // MARK: Registers

    /// In mWh: a household's electricity, an equal part for each room.
    private func electricity(_ flat: Int, _ room: Int, _ time: Int64) -> Int64 {
        let perYear = 400 + Int64(mix(flat, room, 5) % 600)
        return register(flat, room, 6, time) { HouseholdProfile.energy(until: $0, kilowattHoursPerYear: perYear) }
    }

    /// In mWh: heating, most of it in January, some hot water in July.
    private func heat(_ flat: Int, _ room: Int, _ time: Int64) -> Int64 {
        let perYear = 1_500 + Int64(mix(flat, room, 7) % 2_000)
        return register(flat, room, 8, time) { time in
            let (year, _, _) = GregorianCalendar.date(Int(time / 86_400_000))
            let january = Int64(GregorianCalendar.days(year, 1, 1)) * 86_400_000
            let length = Int64(GregorianCalendar.isDate(year, 2, 29) ? 366 : 365)
            // The season is a triangle from 190 % at new year to 10 % in the middle of the year; leap years are stretched.
            let inYear = (time - january) * 365 / length
            let (day, inDay) = (inYear / 86_400_000, inYear % 86_400_000)
            let reached = Self.season(day) + (Self.season(day + 1) - Self.season(day)) * inDay / 86_400_000
            return perYear * 1_000_000 * Int64(year - 1970) + perYear * 1_000 * reached / 36_500
        }
    }

    /// The sum of the seasons' weights of the days before, in hundred-thousandths of a mean day's.
    private static func season(_ day: Int64) -> Int64 {
        func sum(_ days: Int64) -> Int64 { 190_000 * days - 180_000 * days * days / 365 }
        // The second half of the year mirrors the first.
        return day <= 182 ? sum(day) : 36_500_000 - sum(365 - day)
    }

    /// The rise of a quantity since the register was at zero: since it was built in, or, one in eight, since a day of each year.
    private func register(_ flat: Int, _ room: Int, _ salt: UInt64, _ time: Int64, _ total: (Int64) -> Int64) -> Int64 {
        let draw = mix(flat, room, salt)
        let year: Int64 = 365 * 86_400_000
        var zero = Int64(draw >> 8 % 5_000) * 1_000_000 + 1_200_000_000_000
        if draw % 8 == 0 {
            let day = Int64(draw >> 16 % 365) * 86_400_000
            zero = max(zero, (time - day) / year * year + day)
        }
        return time > zero ? total(time) - total(zero) : 0
    }

    // MARK: Mixing

    /// A number that depends on everything that is put in (SplitMix64's mixing).
    private func mix(_ flat: Int, _ room: Int, _ salt: UInt64) -> UInt64 {
        var value = key ^ (UInt64(truncatingIfNeeded: flat) &* 0x9e37_79b9_7f4a_7c15)
        value = Self.mixed(value ^ (UInt64(truncatingIfNeeded: room) &* 0xd1b5_4a32_d192_ed03))
        return Self.mixed(value ^ salt)
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
