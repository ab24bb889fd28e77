extension Duration {
    /// Whole nanoseconds, rounded toward zero and cut to what 64 bits hold (292 years).
    @inlinable package var nanoseconds: Int64 {
        let attoseconds = self.attoseconds
        // Below 18 s, the usual case, one 64-bit division by a constant does.
        if let small = UInt64(exactly: attoseconds) { return Int64(small / 1_000_000_000) }
        return Int64(clamping: attoseconds / 1_000_000_000)
    }

    /// Whole nanoseconds of what is not negative, cut to 146 years: two of them can be added; a negative duration is 0.
    @inlinable package var unsignedNanoseconds: UInt64 { UInt64(min(max(nanoseconds, 0), Int64.max / 2)) }

    /// Whole microseconds, rounded toward zero and cut to 292 years.
    package var microseconds: Int64 { nanoseconds / 1000 }

    /// Whole milliseconds, rounded toward zero and cut to 292 years.
    package var milliseconds: Int64 { nanoseconds / 1_000_000 }

    /// Seconds with a fraction, for people and metrics.
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }

    /// Seconds to the microsecond, as Python writes them.
    package var secondsToMicrosecond: Double { Double(microseconds) / 1_000_000 }
}
