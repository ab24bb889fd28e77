/// What one end of a connection is doing: TCP's states, by the names that `netstat` shows.
///
/// LISTEN belongs to a port, not to a connection. The states are those of RFC 9293, section 3.3.2.
enum ConnectionState: UInt8, CustomStringConvertible {
    /// This machine asked for the connection; can become `established` or `closed`.
    case synSent
    /// The other machine asked, and its acknowledgement or first data has not come yet; can become `established` or `closed`.
    case synReceived
    /// Both directions are open; can become `finWait1`, `closeWait` or `closed`.
    case established
    /// This end has sent its end of stream, which is not acknowledged; can become `finWait2`, `closing` or `closed`.
    case finWait1
    /// This end's end of stream has arrived; can become `timeWait` or `closed`.
    case finWait2
    /// Both ends have sent theirs at once; can become `timeWait` or `closed`.
    case closing
    /// Both directions are over, and this end ended first: its port stays taken for a while.
    case timeWait
    /// The other end has ended; this one still may send; can become `lastAck` or `closed`.
    case closeWait
    /// Both have ended, this one later, and its end is not acknowledged; can become `closed`.
    case lastAck
    /// This machine knows of no such connection (any more): reset, timed out, refused, over, or crashed with the machine.
    case closed

    /// What happens to an end.
    enum Event: CaseIterable {
        /// The answer to the SYN has come, or the acknowledgement of the answer.
        case established
        /// This end sends its end of stream.
        case sendsEnd
        /// The other end's end of stream has come.
        case receivesEnd
        /// This end's end of stream has arrived, and the acknowledgement has come back.
        case endAcknowledged
    }

    /// The state after an event; nil when the event means nothing in this one.
    func after(_ event: Event) -> ConnectionState? {
        switch (self, event) {
        case (.synSent, .established), (.synReceived, .established): .established
        case (.established, .sendsEnd): .finWait1
        case (.closeWait, .sendsEnd): .lastAck
        case (.established, .receivesEnd): .closeWait
        case (.finWait1, .receivesEnd): .closing
        case (.finWait2, .receivesEnd): .timeWait
        case (.finWait1, .endAcknowledged): .finWait2
        case (.closing, .endAcknowledged): .timeWait
        case (.lastAck, .endAcknowledged): .closed
        case (.synSent, _), (.synReceived, _), (.established, _), (.finWait1, _), (.finWait2, _), (.closing, _),
            (.timeWait, _), (.closeWait, _), (.lastAck, _), (.closed, _):
            nil
        }
    }

    /// Whether it can become another: by an event, because this machine gives the connection up or forgets it, or because a closed
    /// one is asked for.
    func mayBecome(_ next: ConnectionState) -> Bool {
        switch (self, next) {
        case (.closed, .synReceived): true
        case (.closed, .closed): false
        case (_, .closed): true
        case (.synSent, _), (.synReceived, _), (.established, _), (.finWait1, _), (.finWait2, _), (.closing, _),
            (.timeWait, _), (.closeWait, _), (.lastAck, _), (.closed, _):
            Event.allCases.contains { after($0) == next }
        }
    }

    /// Whether this machine still answers for the connection.
    var isOver: Bool { self == .closed || self == .timeWait }

    /// Whether this end may still send its end of stream.
    var maySendEnd: Bool { self == .established || self == .closeWait }

    /// The name that netstat shows.
    var description: String {
        switch self {
        case .synSent: "SYN_SENT"
        case .synReceived: "SYN_RECV"
        case .established: "ESTABLISHED"
        case .finWait1: "FIN_WAIT1"
        case .finWait2: "FIN_WAIT2"
        case .closing: "CLOSING"
        case .timeWait: "TIME_WAIT"
        case .closeWait: "CLOSE_WAIT"
        case .lastAck: "LAST_ACK"
        case .closed: "CLOSED"
        }
    }
}
