/// What a Linux machine does by default when nobody answers, in nanoseconds.
///
/// Source: the kernel's documentation of `tcp_syn_retries` (6, hence 127 s), `tcp_retries2` (15, hence 924.6 s) and RFC 6298.
enum TCPTimings {
    /// The first repetition of a SYN; the interval doubles.
    static let synRetransmission: UInt64 = 1_000_000_000
    /// Repetitions of a SYN before the connection attempt fails.
    static let synRetries: Int = 6
    /// The first repetition of data; the interval doubles up to the longest.
    static let retransmission: UInt64 = 200_000_000
    /// The longest interval between repetitions.
    static let retransmissionMax: UInt64 = 120_000_000_000
    /// Repetitions of data before the connection is given up.
    static let retries: Int = 15

    /// When the repetitions of data that was sent first at `start` are sent.
    static func retransmissions(since start: UInt64) -> some Sequence<UInt64> {
        sequence(state: (start, retransmission, 0)) { state in
            guard state.2 < retries else { return nil }
            state.0 += state.1
            state.1 = min(2 * state.1, retransmissionMax)
            state.2 += 1
            return state.0
        }
    }

    /// When repetitions end and the connection is given up: one interval after the last.
    static func giveUp(since start: UInt64) -> UInt64 {
        var interval = retransmission
        var time = start
        for _ in 0...retries {
            time += interval
            interval = min(2 * interval, retransmissionMax)
        }
        return time
    }
}
