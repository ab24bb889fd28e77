import Durations

/// How long something takes, as a random variable: parameters in nanoseconds, draws in integers only.
///
/// A draw is never negative and never longer than ``longest``; what lies beyond is cut to the bound.
public enum DurationDistribution: Hashable, Sendable {
    /// Always the same.
    case fixed(Duration)
    /// Each nanosecond in `min ... max` equally likely.
    case uniform(min: Duration, max: Duration)
    /// Bell-shaped around `mean`; what falls below zero becomes zero.
    case normal(mean: Duration, deviation: Duration)
    /// The logarithm is normal: `median * e^(spread * z)`; `spread` is the deviation of the logarithm.
    case logNormal(median: Duration, spread: Ratio)
    /// Times between independent events, with the given mean.
    case exponential(mean: Duration)
    /// Heavy-tailed: `min * u^(-1/shape)`; the smaller the shape, the heavier the tail.
    case pareto(min: Duration, shape: Ratio)

    /// The longest draw: about 146 years.
    public static let longest: Duration = .nanoseconds(Int64.max / 2)

    /// What is wrong with the parameters, or nil.
    public var validationError: String? {
        let durations: [Duration]
        switch self {
        case .fixed(let duration): durations = [duration]
        case .uniform(let min, let max):
            if max < min { return "the maximum \(max) is below the minimum \(min)" }
            durations = [min, max]
        case .normal(let mean, let deviation): durations = [mean, deviation]
        case .logNormal(let median, let spread):
            if spread.numerator / spread.denominator >= 8 { return "a spread of 8 or more: \(spread)" }
            durations = [median]
        case .exponential(let mean): durations = [mean]
        case .pareto(let min, let shape):
            if shape.numerator == 0 { return "a shape of 0" }
            durations = [min]
        }
        for duration in durations {
            if duration < .zero { return "a negative duration: \(duration)" }
            if duration > Self.longest { return "a duration above \(Self.longest): \(duration)" }
        }
        return nil
    }
}

extension RandomStream {
    /// Draws a duration, in whole nanoseconds.
    ///
    /// - Precondition: The distribution is valid (``DurationDistribution/validationError`` is nil).
    public mutating func duration(_ distribution: DurationDistribution) -> Duration {
        .nanoseconds(Int64(nanoseconds(distribution)))
    }

    /// Draws a duration as a number of nanoseconds, at most `Int64.max / 2`.
    public mutating func nanoseconds(_ distribution: DurationDistribution) -> UInt64 {
        if let validationError = distribution.validationError {
            preconditionFailure("\(distribution): \(validationError)")
        }
        let drawn: UInt64
        switch distribution {
        case .fixed(let duration):
            drawn = duration.unsignedNanoseconds
        case .uniform(let min, let max):
            drawn = min.unsignedNanoseconds + next(below: max.unsignedNanoseconds - min.unsignedNanoseconds + 1)
        case .normal(let mean, let deviation):
            let offset = scaled(deviation.unsignedNanoseconds, by: standardNormal())
            drawn = UInt64(Swift.max(0, Int64(mean.unsignedNanoseconds) + offset))
        case .logNormal(let median, let spread):
            let exponent = Int64(
                truncatingIfNeeded: (Int128(standardNormal()) * Int128(spread.fixedPoint)) >> 32)
            drawn = scaled(median.unsignedNanoseconds, byUnits: FixedPoint.exp(exponent))
        case .exponential(let mean):
            drawn = scaled(mean.unsignedNanoseconds, byUnits: UInt64(-FixedPoint.naturalLog(ofFraction: nonzero())))
        case .pareto(let min, let shape):
            // u^(-1/shape) = 2^(-log2(u) * denominator / numerator)
            let logarithm = Int128(-FixedPoint.log2(ofFraction: nonzero()))
            let exponent = logarithm * Int128(shape.denominator) / Int128(shape.numerator)
            let power = exponent >= 32 << 32 ? .max : FixedPoint.exp2(Int64(exponent))
            drawn = scaled(min.unsignedNanoseconds, byUnits: power)
        }
        return Swift.min(drawn, UInt64(Int64.max / 2))
    }

    /// A draw of the standard normal distribution in units of 2^-32 (Marsaglia's polar method).
    mutating func standardNormal() -> Int64 {
        while true {
            // Two coordinates in -1 ..< 1, in units of 2^-31.
            let x = Int64(bitPattern: next()) >> 32
            let y = Int64(bitPattern: next()) >> 32
            // Their squared length in units of 2^-62.
            let square = UInt64(x * x) + UInt64(y * y)
            guard square > 0, square < 1 << 62 else { continue }
            // sqrt(-2 ln s / s): the quotient in units of 2^-56, so that its root is in units of 2^-28.
            let logarithm = UInt64(-2 * FixedPoint.naturalLog(ofFraction: square << 2))
            let quotient = (UInt128(logarithm) << 86) / UInt128(square)
            let root = FixedPoint.squareRoot(
                high: UInt64(truncatingIfNeeded: quotient >> 64), low: UInt64(truncatingIfNeeded: quotient))
            return Int64(truncatingIfNeeded: (Int128(x) * Int128(root)) >> 27)
        }
    }

    /// 64 random bits that are not all zero: a number in 0 < u < 1 in units of 2^-64.
    private mutating func nonzero() -> UInt64 {
        while true {
            let bits = next()
            if bits != 0 { return bits }
        }
    }

    private func scaled(_ value: UInt64, by factor: Int64) -> Int64 {
        let product = (Int128(value) * Int128(factor)) >> 32
        let bound = Int128(Int64.max / 2)
        return Int64(Swift.min(Swift.max(product, -bound), bound))
    }

    private func scaled(_ value: UInt64, byUnits factor: UInt64) -> UInt64 {
        let (high, low) = value.multipliedFullWidth(by: factor)
        return high >= 1 << 31 ? .max : high << 32 | low >> 32
    }
}
