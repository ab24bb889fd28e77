/// A fraction of integers: a probability, a scale or an exponent, without floating point.
///
/// Kept as given, not reduced, so that `1/20` and `5/100` draw alike and print as written.
public struct Ratio: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The upper number.
    public let numerator: UInt64
    /// The lower number, at least 1.
    public let denominator: UInt64

    /// Never, as a probability.
    public static let zero: Ratio = Ratio(0, outOf: 1)
    /// Always, as a probability.
    public static let one: Ratio = Ratio(1, outOf: 1)

    /// Makes the fraction `numerator / denominator`.
    ///
    /// - Precondition: `denominator` is at least 1.
    public init(_ numerator: UInt64, outOf denominator: UInt64) {
        precondition(denominator >= 1, "a ratio needs a denominator of at least 1, not \(denominator)")
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Makes a fraction of a hundred.
    public static func percent(_ numerator: UInt64) -> Ratio {
        Ratio(numerator, outOf: 100)
    }

    /// The fraction as written.
    public var description: String {
        "\(numerator)/\(denominator)"
    }

    /// The value in units of 2^-32, rounded down.
    ///
    /// - Precondition: The ratio is below 2^31.
    var fixedPoint: Int64 {
        let (high, low) = numerator.multipliedFullWidth(by: 1 << 32)
        precondition(high < denominator >> 1 || high == 0, "a ratio of 2^31 or more: \(self)")
        return Int64(denominator.dividingFullWidth((high, low)).quotient)
    }
}
