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
        /// Only the first so many requests in the window are hit; nil is all.
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
        /// As a distribution says.
        case distribution(DurationDistribution)
        /// One after the other, and from the beginning again.
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
        /// The body is no JSON.
        case malformed
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
        /// Each room is there twice.
        case duplicate
        /// Readings go back and forth in time.
        case outOfOrder
        /// Times are so much ahead of the truth.
        case skew(Duration)
    }

    /// The windows; where several are open, lateness adds up and the first fault counts.
    public var windows: [Window]

    /// Makes a schedule.
    public init(windows: [Window]) {
        self.windows = windows
    }
}

/// A schedule at work on one flat: which request it is decides what becomes of it, not how often others ask.
struct ActiveSchedule {
    let schedule: DeviceSchedule
    /// When it was set, in ns of the server's monotonic clock.
    let since: UInt64
    private var hits: [Int]

    init(_ schedule: DeviceSchedule, since: UInt64) {
        self.schedule = schedule
        self.since = since
        hits = Array(repeating: 0, count: schedule.windows.count)
    }

    /// What becomes of a request.
    struct Effect {
        var delay: Duration = .zero
        var fault: DeviceSchedule.Fault?
        /// When the window of the fault began, in ns of the server's clock.
        var faultSince: UInt64 = 0
    }

    /// Decides on a request.
    ///
    /// - Parameters:
    ///   - now: The server's monotonic clock, in ns.
    ///   - request: The how-manieth request of the flat it is, from 0 on.
    ///   - random: Random numbers of this flat and this request alone.
    /// - Returns: What becomes of it.
    mutating func decide(now: UInt64, request: Int, random: inout RandomStream) -> Effect {
        var effect = Effect()
        let elapsed = Duration.nanoseconds(Int64(now - since))
        for (index, window) in schedule.windows.enumerated() {
            guard elapsed >= window.from, window.to.map({ elapsed < $0 }) ?? true else { continue }
            // Drawn whether it is needed or not: a changed window shifts no other draw.
            let isHit = random.chance(window.probability)
            let late = window.latency.map { latency(of: $0, request, &random) } ?? .zero
            guard isHit, window.failures.map({ hits[index] < $0 }) ?? true else { continue }
            hits[index] += 1
            let inWindow = elapsed - window.from
            effect.delay +=
                inWindow < window.ramp
                ? late * Int(inWindow.milliseconds) / max(1, Int(window.ramp.milliseconds)) : late
            if effect.fault == nil, let fault = window.fault {
                effect.fault = fault
                effect.faultSince = since + UInt64(window.from.nanoseconds)
            }
        }
        return effect
    }

    private func latency(of latency: DeviceSchedule.Latency, _ request: Int, _ random: inout RandomStream) -> Duration {
        switch latency {
        case .distribution(let distribution): random.duration(distribution)
        case .trace(let trace): trace.isEmpty ? .zero : trace[request % trace.count]
        case .spike(let usual, let spike, let probability): random.chance(probability) ? spike : usual
        }
    }
}

extension Duration {
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
    var milliseconds: Int64 { nanoseconds / 1_000_000 }
}
