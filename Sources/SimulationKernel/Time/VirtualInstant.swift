/// A point of virtual time: nanoseconds since the run began.
public struct VirtualInstant: InstantProtocol, Codable, CustomStringConvertible {
    /// Nanoseconds since the run began.
    public let nanoseconds: UInt64

    /// The beginning of every run.
    public static let start: VirtualInstant = VirtualInstant(nanoseconds: 0)

    /// Makes the point `nanoseconds` after the beginning.
    @inlinable
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The point `duration` later, or earlier when it is negative; cut to the representable range.
    public func advanced(by duration: Duration) -> VirtualInstant {
        let offset = duration.clampedNanoseconds
        if offset < 0 {
            let (difference, overflow) = nanoseconds.subtractingReportingOverflow(offset.magnitude)
            return VirtualInstant(nanoseconds: overflow ? 0 : difference)
        }
        let (sum, overflow) = nanoseconds.addingReportingOverflow(UInt64(offset))
        return VirtualInstant(nanoseconds: overflow ? .max : sum)
    }

    /// How long it is from here to `other`; negative when `other` is earlier.
    public func duration(to other: VirtualInstant) -> Duration {
        .nanoseconds(Int64(clamping: Int128(other.nanoseconds) - Int128(nanoseconds)))
    }

    /// Whether `left` comes before `right`.
    @inlinable
    public static func < (left: VirtualInstant, right: VirtualInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Seconds with nine decimals, as in `12.000500000 s`.
    public var description: String {
        let fraction = String(nanoseconds % 1_000_000_000)
        let zeros = String(repeating: "0", count: 9 - fraction.utf8.count)
        return "\(nanoseconds / 1_000_000_000).\(zeros)\(fraction) s"
    }
}

extension Duration {
    /// Whole nanoseconds, rounded toward zero and cut to what 64 bits hold (292 years).
    package var clampedNanoseconds: Int64 {
        let attoseconds = self.attoseconds
        // Below 18 s, the usual case, one 64-bit division by a constant does.
        if let small = UInt64(exactly: attoseconds) {
            return Int64(small / 1_000_000_000)
        }
        return Int64(clamping: attoseconds / 1_000_000_000)
    }
}
