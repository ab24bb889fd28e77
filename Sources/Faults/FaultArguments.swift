public import Documents
public import Randomness

/// Arguments of a fault or an activity, checked against its parameters: reading them cannot fail.
public struct FaultArguments: Sendable {
    /// The values by name.
    public let values: Value.Object

    /// Takes arguments that were checked.
    public init(_ values: Value.Object) {
        self.values = values
    }

    /// A name; everybody where there is none.
    public func target(_ name: String) -> FaultTarget {
        values[name]?.string.map { FaultTarget($0) } ?? .everybody
    }

    /// A duration that was given in seconds; zero where there is none.
    public func duration(_ name: String) -> Duration {
        optionalDuration(name) ?? .zero
    }

    /// A duration that was given in seconds; nil where there is none or it is null.
    public func optionalDuration(_ name: String) -> Duration? {
        values[name]?.number.map { .nanoseconds(Int64(($0 * 1e9).rounded())) }
    }

    /// How often; never where there is nothing.
    public func ratio(_ name: String) -> Ratio {
        values[name].flatMap { Self.ratio($0) } ?? .zero
    }

    /// A whole number; nil where there is none.
    public func count(_ name: String) -> Int? {
        values[name]?.integer
    }

    /// A string; nil where there is none.
    public func string(_ name: String) -> String? {
        values[name]?.string
    }

    /// A share as documents have it: a number from 0 to 1, or a string such as `1/20`; nil if it is neither.
    public static func ratio(_ value: Value) -> Ratio? {
        if let parts = value.string?.split(separator: "/", omittingEmptySubsequences: false) {
            guard parts.count == 2, let top = UInt64(parts[0]), let bottom = UInt64(parts[1]), bottom > 0, top <= bottom
            else { return nil }
            return Ratio(top, outOf: bottom)
        }
        guard let number = value.number, number == 0 || (Parameter.ratioMin...1).contains(number) else { return nil }
        if number == 0 || number == 1 { return number == 0 ? .zero : .one }
        return Ratio(UInt64((number * 1_000_000).rounded()), outOf: 1_000_000)
    }
}

extension Value {
    /// A duration as documents have it, in seconds: exact to the nanosecond up to a hundred days.
    public static func seconds(_ duration: Duration) -> Value {
        let nanoseconds = Int64(clamping: duration.attoseconds / 1_000_000_000)
        if nanoseconds % 1_000_000_000 == 0 { return .integer(Int(nanoseconds / 1_000_000_000)) }
        return .real(Double(nanoseconds) / 1e9)
    }

    /// A share as documents have it, exact: 0, 1 or a string such as `1/20`.
    public static func ratio(_ ratio: Ratio) -> Value {
        if ratio.numerator == 0 { return 0 }
        return ratio.numerator == ratio.denominator ? 1 : .string("\(ratio)")
    }
}
