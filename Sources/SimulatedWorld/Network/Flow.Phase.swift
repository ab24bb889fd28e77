import Faults
import NIOCore
import SimulationKernel

extension Flow {
    /// How sending goes.
    enum Phase {
        /// All that was sent is on its way or has arrived; can become any other.
        case flowing
        /// The link keeps what is sent, by this number; can become any other.
        case held(UInt64)
        /// Something is sent again until it is answered; can become any other.
        case retransmitting(Retransmission)
        /// Nothing is sent any more.
        case over
    }

    /// What is sent again.
    struct Retransmission {
        enum Purpose {
            /// The first of what waits, which was lost.
            case data
            /// A probe, because the acknowledgement of what arrived was lost.
            case acknowledgement
            /// A probe, because the news that there is room again was lost.
            case window
        }

        var purpose: Purpose
        var timer: ScheduledEvent
        /// Whether the timer waits for a whole interval, although later segments may tell of the loss before.
        var mayBeHastened: Bool
    }

    /// What of this direction waits, and for what; nil when nothing does.
    var waitingDescription: String? {
        let bytes = waiting.reduce(0) { $0 + $1.bytes }
        let held = chain?.heldBytes ?? 0
        let toxics = held > 0 ? "\(held) bytes held by toxics" : nil
        let what = bytes > 0 ? "\(bytes) bytes" : waiting.isEmpty ? "a probe" : "its end"
        switch phase {
        case .flowing, .over: return toxics
        case .held: return "\(what) to \(receiver.host.name) kept by a link that is held"
        case .retransmitting(let retransmission):
            let since = VirtualInstant(nanoseconds: unansweredSince ?? world.nanoseconds)
            let why =
                switch retransmission.purpose {
                case .data: link.state == .cut ? "the link is cut" : "lost or unanswered"
                case .acknowledgement: "acknowledgement lost"
                case .window: "window update lost"
                }
            return "\(what) to \(receiver.host.name) sent again since \(since): \(why)"
        }
    }
}
