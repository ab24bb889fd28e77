// Fault model. What goes wrong at a measurement server, for all flats or for one, from a moment to another: it answers late, in one of seven ways;
// resets, closes without an answer, answers nonsense, half an answer, an answer in drops, or nothing at all; refuses with a status; says what it said
// before, says it twice, says it in another order, or with a clock that is wrong. What it never does is to invent a value.

public import Randomness

/// What goes wrong, for whom and when.
public struct DeviceSchedule: Hashable, Sendable {
    /// A time in which something goes wrong.
    public struct Window: Hashable, Sendable {
        /// From when on, since the schedule was set.
        public var from: Duration
        /// Until when; nil is for ever.
        public var to: Duration?
        /// How late answers are; nil leaves them as they are.
        public var latency: Latency?
        /// How long it takes from the window's beginning until lateness has its full size; it grows in a straight line.
        public var ramp: Duration
        /// How often it happens.
        public var probability: Ratio
        /// What else goes wrong; nil is nothing.
        public var fault: Fault?
        /// Only the first so many requests of each flat in the window are hit; nil is all.
        public var failures: Int?

        /// A window in which nothing goes wrong yet.
        public init(
            from: Duration = .zero, to: Duration? = nil, latency: Latency? = nil, ramp: Duration = .zero,
            probability: Ratio = Ratio(1, outOf: 1), fault: Fault? = nil, failures: Int? = nil
        ) {
            self.from = from
            self.to = to
            self.latency = latency
            self.ramp = ramp
            self.probability = probability
            self.fault = fault
            self.failures = failures
        }
    }

    /// How late an answer is.
    public enum Latency: Hashable, Sendable {
        /// Late by what is drawn from a distribution.
        case distribution(DurationDistribution)
        /// Late by one duration after the other for the requests of each flat in the window, and from the beginning again.
        case trace([Duration])
        /// Late by the second with the given probability, else by the first.
        case spike(usual: Duration, spike: Duration, probability: Ratio)
    }

    /// What goes wrong besides lateness.
    public enum Fault: Hashable, Sendable {
        /// The connection is reset.
        case reset
        /// The connection is closed without an answer.
        case empty
        /// The body is not JSON.
        case malformed
        /// The first time that is written in the manner of ISO 8601 cannot be read; the rest of the body can.
        case garbled
        /// The connection is closed in the middle of the body.
        case truncated
        /// The body comes in pieces of so many bytes, one each interval.
        case dribble(bytes: Int, every: Duration)
        /// There is never an answer.
        case hang
        /// A status in place of an answer, with or without a time to wait, in seconds.
        case status(Int, retryAfter: Int?)
        /// Readings are those of the window's beginning.
        case stale
        /// Each reading is there twice.
        case duplicate
        /// Readings go back by none, one and two of the device's measurements in turn.
        case outOfOrder
        /// Times are so much ahead of the truth.
        case skew(Duration)
    }

    /// No answer is later, whatever windows add up to.
    public static let delayMax: Duration = .seconds(86_400)

    /// The windows; where several are open, lateness adds up and the first fault counts.
    public var windows: [Window]

    /// Makes a schedule.
    public init(windows: [Window]) {
        self.windows = windows
    }
}
