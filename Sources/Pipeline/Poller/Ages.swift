/// How old what a poller knows is; all in seconds.
public struct Ages: Hashable, Sendable {
    /// How old what is known of one flat is, in seconds.
    public struct Flat: Hashable, Sendable {
        /// The flat.
        public let flat: String
        /// Since its last successful fetch, or since it is polled.
        public let lastSuccess: Double
        /// Since its newest measurement; nil if there is none.
        public let data: Double?
        /// Whether its last poll failed.
        public let isFailing: Bool
    }

    /// Since anything was fetched; with sweeps, since a whole one succeeded.
    public let lastSuccess: Double
    /// The ages of the flats that are enabled, in the order in which they were added.
    public let flats: [Flat]
}

/// Percentiles of samples.
package enum Percentile {
    /// The smallest sample that at least so many of a hundred do not exceed (nearest rank); nil of none.
    package static func of<Sample: Comparable>(_ percent: Int, sorted: [Sample]) -> Sample? {
        sorted.isEmpty ? nil : sorted[rank(percent, of: sorted.count) - 1]
    }

    /// The number of the sample, from 1 on, among so many sorted ones.
    package static func rank(_ percent: Int, of count: Int) -> Int { max(1, (count * percent + 99) / 100) }
}
