import SimulationKernel

/// Waits that double: the time from which on the next attempt may be made.
struct Backoff {
    let initial: Duration
    let max: Duration
    private var wait: Duration?
    private var updated: VirtualInstant = .start

    init(initial: Duration, max: Duration) {
        self.initial = initial
        self.max = max
    }

    /// From when on a container that ended at `finished` may be started again.
    ///
    /// A container that ran well for twice the longest wait begins anew.
    func earliest(after finished: VirtualInstant) -> VirtualInstant {
        guard let wait, updated.duration(to: finished) <= max * 2 else { return finished }
        return finished.advanced(by: wait)
    }

    /// Notes an attempt at `now`, after something ended at `finished`.
    mutating func advance(now: VirtualInstant, finished: VirtualInstant) {
        if let wait, updated.duration(to: finished) <= max * 2 {
            self.wait = min(wait * 2, max)
        } else {
            wait = initial
        }
        updated = now
    }
}

/// So many at once, and then so many a second.
struct TokenBucket {
    private let rate: Ratio
    private let burst: Int
    /// Billionths of a token, times the rate's denominator, that are there at `filled`.
    private var level: UInt64
    private var filled: VirtualInstant = .start

    init(rate: Ratio, burst: Int) {
        self.rate = rate
        self.burst = burst
        level = UInt64(burst) * rate.denominator * 1_000_000_000
    }

    private var unit: UInt64 { rate.denominator * 1_000_000_000 }

    private mutating func fill(_ now: VirtualInstant) {
        let elapsed = min(now.nanoseconds - filled.nanoseconds, 1_000_000_000_000_000)
        level = min(UInt64(burst) * unit, level + elapsed * rate.numerator)
        filled = now
    }

    /// Takes a token if one is there.
    ///
    /// - Returns: Nil if it did; else when one will be there, or the far future at a rate of zero.
    mutating func take(_ now: VirtualInstant) -> VirtualInstant? {
        fill(now)
        if level >= unit {
            level -= unit
            return nil
        }
        guard rate.numerator > 0 else { return VirtualInstant(nanoseconds: .max / 4) }
        let missing = unit - level
        return VirtualInstant(nanoseconds: now.nanoseconds + (missing + rate.numerator - 1) / rate.numerator)
    }
}
