import Documents

/// How far local times are from UTC: always as far, or by the rules of a place.
public enum MeasurementZone: Hashable, Sendable {
    /// A fixed number of seconds east of UTC.
    case fixed(Int)
    /// By rules, such as those of `Europe/Berlin`.
    case rules(ZoneRules)

    /// How far a device's clock may be ahead of ours without its times being taken for those of an hour before, in ms.
    private static let aheadMax: Int64 = 60_000

    /// Reads a zone: `Z`, `+01:00`, or a name of the time zone database; nil for what this machine does not know.
    public init?(_ text: String) {
        if let seconds = MeasurementTime.zone(text) {
            self = .fixed(seconds)
        } else if let rules = ZoneRules(named: text) {
            self = .rules(rules)
        } else {
            return nil
        }
    }

    /// The moment of a local time.
    ///
    /// Where clocks are set back, an hour comes twice. Measurements are fetched soon after they were made, so of the two
    /// moments that a time may mean the later one counts that is not yet to come.
    ///
    /// - Parameters:
    ///   - local: Seconds that a clock there would show since 1970-01-01 00:00.
    ///   - now: The present, in ms since 1970.
    /// - Returns: Milliseconds since 1970, in UTC.
    func milliseconds(ofLocal local: Int64, now: Int64) -> Int64 {
        switch self {
        case .fixed(let seconds): return (local - Int64(seconds)) * 1000
        case .rules(let rules):
            let moments = rules.moments(ofLocal: local).map { $0 * 1000 }
            return moments.last { $0 <= now + Self.aheadMax } ?? moments[0]
        }
    }
}
