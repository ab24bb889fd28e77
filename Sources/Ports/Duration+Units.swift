extension Duration {
    /// Whole nanoseconds; what does not fit is the largest that does.
    package var nanoseconds: Int64 {
        let (scaled, overflows) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflows else { return components.seconds < 0 ? .min : .max }
        let (sum, exceeds) = scaled.addingReportingOverflow(components.attoseconds / 1_000_000_000)
        return exceeds ? (scaled < 0 ? .min : .max) : sum
    }

    /// Whole milliseconds.
    package var milliseconds: Int64 { nanoseconds / 1_000_000 }

    /// Seconds with a fraction, for people and metrics.
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
