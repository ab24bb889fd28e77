import HTTP

/// Decides when one flat is polled, how long an answer may take, and whether a failure is tried again.
///
/// A value without clock, task or socket. Events come in with their time, which is the time since the poller's start; what is to be done goes
/// out as commands and reports, and the ``Poller`` does it. A poll is what a tick begins: a request, and those that try it again.
struct FlatPolling {
    /// What the next tick finds.
    enum State: Hashable {
        /// Nobody wants the flat polled for now; ticks do nothing. Can become `idle` by being enabled.
        case disabled
        /// Nothing is in flight; a tick begins a poll. Can become `inFlight`.
        case idle
        /// So many polls are in flight; a tick begins another where the profile lets them overlap. Can become each of the others.
        case inFlight(Int)
        /// The server asked to stay away until that time, and ticks are skipped. Can become `idle` by time, or by the success of a later request.
        case backingOff(until: Duration)
        /// The breaker keeps polls away until that time, and ticks are skipped; the first one after it begins a probe. Can become `probing`.
        case open(until: Duration)
        /// One poll looks whether the flat is back, and ticks are skipped. Can become `idle` or `open`.
        case probing
    }

    /// What a tick comes to.
    enum TickCommand: Hashable {
        /// Begin a poll whose requests may take so long, and call ``pollEnded()`` when it is over.
        case poll(timeout: Duration)
        /// Count and report that a poll was left out.
        case skip(PollerEvent.Skip)
        /// Do nothing.
        case nothing
    }

    /// What follows a request that failed.
    enum FailureCommand: Hashable {
        /// Wait so long, and send the request again.
        case retry(after: Duration)
        /// End the poll.
        case endPoll
    }

    /// What is to be told of a request's outcome.
    enum Report: Hashable {
        /// The request failed.
        case failed
        /// The request's failure has opened the breaker.
        case breakerOpened
        /// The flat begins to fail.
        case failing
        /// The flat that failed for so long is back.
        case recovered(after: Duration)
    }

    private let profile: PollerProfile
    /// Whether anybody wants the flat polled.
    private(set) var isEnabled: Bool = true
    /// Since when it is polled without a break.
    private(set) var since: Duration
    private(set) var lastSuccess: Duration?
    private(set) var failingSince: Duration?
    /// Whether its last answer took more than half of what it may.
    private(set) var isSlow: Bool = false
    private(set) var inFlight: Int = 0
    private var breaker: CircuitBreaker?
    /// The server asked to stay away until `end`, in an answer of the moment `asked`.
    private var retryAfter: (asked: Duration, end: Duration)?

    /// Begins to poll a flat.
    init(_ profile: PollerProfile, at now: Duration) {
        self.profile = profile
        since = now
        breaker = profile.breaker.map(CircuitBreaker.init)
    }

    /// What the next tick finds at a time.
    func state(at now: Duration) -> State {
        guard isEnabled else { return .disabled }
        if let retryAfter, retryAfter.end > now { return .backingOff(until: retryAfter.end) }
        switch breaker?.state {
        case .open(let until)?: return .open(until: until)
        case .halfOpen?: return .probing
        case .closed?, nil: return inFlight == 0 ? .idle : .inFlight(inFlight)
        }
    }

    /// The permits that its requests take.
    var lane: Bulkhead.Lane { isSlow ? .slow : .fast }

    // MARK: Events

    /// Stops or goes on polling; while it is disabled, nobody wants the flat to be fresh.
    mutating func setEnabled(_ enabled: Bool, at now: Duration) {
        if enabled, !isEnabled { (since, lastSuccess) = (now, nil) }
        isEnabled = enabled
    }

    /// It is time for a poll.
    mutating func tick(at now: Duration) -> TickCommand {
        guard isEnabled else { return .nothing }
        if inFlight >= profile.overlap { return .skip(.overlap) }
        if let retryAfter, retryAfter.end > now { return .skip(.retryAfter) }
        switch breaker?.admit(at: now) ?? .allow {
        case .allow:
            inFlight += 1
            return .poll(timeout: profile.timeout)
        case .probe(let timeout):
            inFlight += 1
            return .poll(timeout: timeout)
        case .reject: return .skip(.breaker)
        }
    }

    /// A sweep polls the flat, whatever its own mechanisms say.
    mutating func sweepBegan() {
        inFlight += 1
    }

    /// A request was answered, and the answer was understood.
    mutating func succeeded(sentAt sent: Duration, at now: Duration) -> [Report] {
        assert(inFlight > 0, "an answer without a poll")
        assert(sent <= now, "an answer before its request")
        isSlow = (now - sent) * 2 > profile.timeout
        lastSuccess = now
        breaker?.succeeded()
        // A success that was in flight already when the server asked does not take its word back.
        if let asked = retryAfter?.asked, sent >= asked { retryAfter = nil }
        guard let since = failingSince else { return [] }
        failingSince = nil
        return [.recovered(after: now - since)]
    }

    /// A request brought nothing.
    mutating func failed(_ failure: PollFailure, sentAt sent: Duration, at now: Duration) -> [Report] {
        assert(inFlight > 0, "a failure without a poll")
        assert(sent <= now, "a failure before its request")
        isSlow = (now - sent) * 2 > profile.timeout
        // Nobody waited for it any more.
        if case .http(.cancelled) = failure { return [] }
        var reports: [Report] = [.failed]
        let wasOpen = breaker?.isOpen ?? false
        breaker?.failed(at: now)
        if !wasOpen, breaker?.isOpen ?? false { reports.append(.breakerOpened) }
        if case .status(_, let seconds?) = failure, let longest = profile.retryAfterMax {
            retryAfter = (now, now + min(.seconds(seconds), longest))
        }
        if failingSince == nil {
            failingSince = now
            reports.append(.failing)
        }
        return reports
    }

    /// Decides whether a request that failed is tried again, as long as there is time before the next poll.
    ///
    /// - Parameters:
    ///   - failure: Why it failed.
    ///   - attempt: Which attempt of its poll it was, from 0 on.
    ///   - end: When the next poll begins.
    ///   - now: The time.
    ///   - budget: The retries of all flats; one is taken.
    ///   - random: Where the wait is drawn from, if it comes to that.
    /// - Returns: What to do next.
    func afterFailure(
        _ failure: PollFailure, attempt: Int, until end: Duration, at now: Duration, budget: inout RetryBudget,
        using random: inout some RandomNumberGenerator
    ) -> FailureCommand {
        guard let retry = profile.retry, attempt < retry.attemptsMax, failure.isRetryable, breaker?.isClosed ?? true
        else { return .endPoll }
        let wait = Backoff(rule: retry).wait(attempt, random: random.next())
        guard now + wait < end, budget.take() else { return .endPoll }
        return .retry(after: wait)
    }

    /// A poll is over.
    mutating func pollEnded() {
        assert(inFlight > 0, "a poll ends that did not begin")
        inFlight -= 1
    }
}

extension PollFailure {
    /// Whether the same request may bring more in a moment: it did not reach the server, was cut off, or the server says that it is not well.
    var isRetryable: Bool {
        switch self {
        case .http(.connect), .http(.timedOut), .http(.closed), .http(.reset): true
        case .http, .payload: false
        case .status(let status, let retryAfter): retryAfter == nil && (status >= 500 || status == 408)
        }
    }
}
