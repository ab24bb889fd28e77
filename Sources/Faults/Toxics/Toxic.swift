public import Randomness

/// A fault of a byte stream, with Toxiproxy's names and meaning.
///
/// Source: Toxiproxy 2.12 as measured; where its behaviour is a defect, ours is the repaired one (docs/network.md).
public struct Toxic: Hashable, Sendable {
    /// What it does; times are durations, sizes are bytes.
    public enum Kind: Hashable, Sendable {
        /// Nothing.
        case noop
        /// Each piece leaves `latency` after it came, give or take `jitter`, in order.
        case latency(latency: Duration, jitter: Duration)
        /// So many bytes leave each second, a tenth of a second's worth at a time; 0 lets nothing through, and loses nothing.
        case bandwidth(bytesPerSecond: UInt64)
        /// The end of the stream leaves later.
        case slowClose(delay: Duration)
        /// All data is dropped; the connection closes so long after the toxic began or the last data came; 0 is never.
        case timeout(Duration)
        /// The first data, or the end, resets the connection after a time.
        case resetPeer(after: Duration)
        /// Pieces of about `averageSize` bytes, give or take `sizeVariation`, with a pause behind each.
        case slicer(averageSize: Int, sizeVariation: Int, delay: Duration)
        /// So many bytes pass, then the connection closes.
        case limitData(bytes: UInt64)
        /// Pieces vanish, which corrupts the stream; behind a lost one, the next is lost so much more often.
        case packetLoss(rate: Ratio, correlation: Ratio)
    }

    /// Its name, unique on the link.
    public let name: String
    /// What it does.
    public var kind: Kind
    /// The share of connections that it acts on.
    public var toxicity: Ratio

    /// Makes a toxic that acts on all connections, or on a share of them.
    public init(_ name: String, _ kind: Kind, toxicity: Ratio = .one) {
        self.name = name
        self.kind = kind
        self.toxicity = toxicity
    }

    /// What is wrong with it, or nil.
    public var validationError: String? {
        if toxicity.numerator > toxicity.denominator { return "the toxicity \(toxicity) of '\(name)' is above 1" }
        switch kind {
        case .latency(let latency, let jitter):
            if latency < .zero || jitter < .zero { return "the latency or jitter of '\(name)' is negative" }
        case .slowClose(let delay), .timeout(let delay), .resetPeer(let delay):
            if delay < .zero { return "the time of '\(name)' is negative" }
        case .slicer(let size, let variation, let delay):
            if size < 1 { return "the average size of '\(name)' is \(size); it must be at least 1" }
            if variation < 0 || variation >= size {
                return "the size variation of '\(name)' is \(variation); it must be at least 0 and below \(size)"
            }
            if delay < .zero { return "the delay of '\(name)' is negative" }
        case .packetLoss(let rate, let correlation):
            if rate.numerator > rate.denominator || correlation.numerator > correlation.denominator {
                return "the loss of '\(name)' is above 1"
            }
        case .noop, .bandwidth, .limitData: break
        }
        return nil
    }
}
