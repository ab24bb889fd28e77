/// What a Linux machine does by default when nobody answers, in nanoseconds.
///
/// Source: the kernel's documentation of `tcp_syn_retries` (6, hence 127 s), `tcp_synack_retries` (5, hence 63 s),
/// `tcp_retries2` (15, hence 924.6 s) and RFC 6298; `ip_local_port_range` and the 60 s of TIME_WAIT.
enum TCPTimings {
    /// The first retransmission of a SYN, or of the answer to one; the interval doubles.
    static let synRetransmission: UInt64 = 1_000_000_000
    /// Retransmissions of a SYN before the connection attempt fails.
    static let synRetries: Int = 6
    /// Retransmissions of the answer to a SYN before the half-open connection is forgotten.
    static let synAnswerRetries: Int = 5
    /// The first retransmission of data; the interval doubles up to the longest.
    static let retransmission: UInt64 = 200_000_000
    /// The longest interval between retransmissions.
    static let retransmissionMax: UInt64 = 120_000_000_000
    /// Retransmissions of data before the connection times out.
    static let retries: Int = 15
    /// Segments behind a lost one whose duplicate acknowledgements tell the sender of the loss before its timer does.
    static let duplicateAcknowledgements: Int = 3
    /// How long the local port of a connection that this machine closed first stays taken.
    static let timeWait: UInt64 = 60_000_000_000
    /// The ports that connections get which did not ask for one.
    static let ephemeralPorts: ClosedRange<Int> = 32_768...60_999

    /// How long a connection attempt may take: until one interval after the last SYN.
    static let connectTimeout: UInt64 = synRetransmission * (1 << (UInt64(synRetries) + 1) - 1)

    /// When the retransmissions of data that was sent first at `start` are sent.
    static func retransmissions(since start: UInt64) -> some Sequence<UInt64> {
        sequence(state: (start, retransmission, 0)) { state in
            guard state.2 < retries else { return nil }
            state.0 += state.1
            state.1 = min(2 * state.1, retransmissionMax)
            state.2 += 1
            return state.0
        }
    }

    /// When retransmissions end and the connection times out: one interval after the last.
    static func timeout(since start: UInt64) -> UInt64 {
        var interval = retransmission
        var time = start
        for _ in 0...retries {
            time += interval
            interval = min(2 * interval, retransmissionMax)
        }
        return time
    }
}
