public import SimulationKernel

/// The seeds of a sweep, in their order.
public struct Seeds: Hashable, Sendable, CustomStringConvertible {
    /// The first and the last.
    public let range: ClosedRange<UInt64>

    /// The seeds from one to another.
    public init(_ range: ClosedRange<UInt64>) {
        self.range = range
    }

    /// The first so many seeds, from 1 on; at least one.
    public static func count(_ count: Int) -> Seeds {
        precondition(count > 0, "a sweep of \(count) seeds tries nothing")
        return Seeds(1...UInt64(count))
    }

    /// The seeds from one to another.
    public static func range(_ range: ClosedRange<UInt64>) -> Seeds { Seeds(range) }

    /// One seed and no other.
    public static func only(_ seed: Seed) -> Seeds { Seeds(seed.value...seed.value) }

    /// How many there are; `Int.max` for more than that.
    public var count: Int {
        let others = range.upperBound - range.lowerBound
        return others >= UInt64(Int.max) ? .max : Int(others) + 1
    }

    /// Whether the sweep has this seed.
    func contains(_ seed: Seed) -> Bool { range.contains(seed.value) }

    /// `17`, or `1...1000`.
    public var description: String {
        range.lowerBound == range.upperBound
            ? "\(range.lowerBound)" : "\(range.lowerBound)...\(range.upperBound)"
    }

    /// Reads a number of seeds, as in `1000`, or the first and the last, as in `1...1000`; nil for anything else.
    public init?(_ text: String) {
        guard let dots = text.firstRange(of: "...") else {
            guard let count = UInt64(text), count > 0 else { return nil }
            range = 1...count
            return
        }
        guard let first = UInt64(text[..<dots.lowerBound]), let last = UInt64(text[dots.upperBound...]), first <= last
        else { return nil }
        range = first...last
    }
}
