/// Why a register shows less than before: its values go on, and what was used is not their difference.
public enum CounterFall: String, Hashable, Sendable {
    /// The register began again at zero, or was exchanged.
    case reset
    /// The register has no more digits: it went over its end and on from zero.
    case rollover

    /// The part of its digits that a register that rolls over has left at most, and has counted at most since.
    private static let share: Double = 0.1

    /// What happened between two values of a register; nil if it did not fall.
    ///
    /// It rolled over where the first value is close to a power of ten and the second close to zero: registers have decimal digits.
    public static func between(_ before: Double, _ after: Double) -> CounterFall? {
        guard after < before else { return nil }
        var end = 10.0
        while end <= before { end *= 10 }
        return before >= end * (1 - share) && after >= 0 && after <= end * share ? .rollover : .reset
    }
}
