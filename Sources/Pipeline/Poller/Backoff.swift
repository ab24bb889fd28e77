import Durations

/// How long to wait before a failure is tried again: exponential with full jitter.
struct Backoff {
    let rule: PollerProfile.Retry

    /// A wait before the n-th retry, n from 0 on; the whole range is equally likely.
    func wait(_ retry: Int, random: UInt64) -> Duration {
        let (longest, overflows) = rule.base.milliseconds.multipliedReportingOverflow(by: 1 << min(retry, 30))
        let bound = overflows ? rule.cap.milliseconds : min(longest, rule.cap.milliseconds)
        return .milliseconds(Int64(UInt64(max(0, bound)).multipliedFullWidth(by: random).high))
    }
}

/// Retries in proportion to requests, so that trying again cannot double the load on a server that struggles.
struct RetryBudget {
    private let percent: Int
    private var hundredths: Int = 0

    /// Retries that may be saved up.
    private static let saved: Int = 10

    init(percent: Int) {
        self.percent = percent
        // A start without any would refuse the first failures.
        hundredths = 100
    }

    /// A request was sent.
    mutating func noteRequest() {
        hundredths = min(hundredths + percent, Self.saved * 100)
    }

    /// Takes a retry; false when there is none left.
    mutating func take() -> Bool {
        guard hundredths >= 100 else { return false }
        hundredths -= 100
        return true
    }
}
