import Documents
import Durations
import Randomness

/// A schedule at work: which request of which flat it is decides what becomes of it, not how often others ask.
struct ActiveSchedule {
    let schedule: DeviceSchedule
    /// As it was given.
    let document: Value
    /// When it was set, in ns of the server's monotonic clock.
    let since: UInt64
    /// How many requests of each flat came in each window, and how many of them were hit; only where a window asks for it.
    private var counts: [Place: Counts] = [:]

    private struct Place: Hashable {
        let flat: Int
        let window: Int
    }

    private struct Counts {
        var requests: Int = 0
        var hits: Int = 0
    }

    init(_ schedule: DeviceSchedule, document: Value = .null, since: UInt64) {
        self.schedule = schedule
        self.document = document
        self.since = since
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
    ///   - flat: The flat that is asked for.
    ///   - random: Random numbers of this flat and this request alone.
    /// - Returns: What becomes of it.
    mutating func decide(now: UInt64, flat: Int, random: RandomStream) -> Effect {
        var effect = Effect()
        let elapsed = Duration.nanoseconds(Int64(now - since))
        for (index, window) in schedule.windows.enumerated() {
            guard elapsed >= window.from, window.to.map({ elapsed < $0 }) ?? true else { continue }
            // Each window's own: none shifts the draws of another.
            var draws = random.fork("\(index)")
            let isHit = draws.chance(window.probability)
            let counts = count(flat, index, window, isHit)
            guard isHit, window.failures.map({ counts.hits <= $0 }) ?? true else { continue }
            if let latency = window.latency {
                let late = self.latency(of: latency, counts.requests - 1, &draws)
                let inWindow = elapsed - window.from
                effect.delay +=
                    inWindow < window.ramp
                    ? late * Int(inWindow.milliseconds) / max(1, Int(window.ramp.milliseconds)) : late
            }
            if effect.fault == nil, let fault = window.fault {
                effect.fault = fault
                effect.faultSince = since + UInt64(window.from.nanoseconds)
            }
        }
        effect.delay = min(effect.delay, DeviceSchedule.delayMax)
        return effect
    }

    /// Counts a request, where the window's effect depends on how many there were.
    private mutating func count(_ flat: Int, _ index: Int, _ window: DeviceSchedule.Window, _ isHit: Bool) -> Counts {
        var hasTrace = false
        if case .trace? = window.latency { hasTrace = true }
        guard hasTrace || window.failures != nil else { return Counts(requests: 1, hits: 1) }
        let place = Place(flat: flat, window: index)
        counts[place, default: Counts()].requests += 1
        if isHit { counts[place, default: Counts()].hits += 1 }
        return counts[place] ?? Counts()
    }

    private func latency(of latency: DeviceSchedule.Latency, _ index: Int, _ random: inout RandomStream) -> Duration {
        switch latency {
        case .distribution(let distribution): random.duration(distribution)
        case .trace(let trace): trace.isEmpty ? .zero : trace[index % trace.count]
        case .spike(let usual, let spike, let probability): random.chance(probability) ? spike : usual
        }
    }
}
