import Pipeline

/// What a scenario changes of a poller's profile; nil leaves a part as it is, and a part that is nil inside is left out of the profile.
struct PollerSettings: Sendable {
    var interval: Duration?
    var timeout: Duration?
    var overlap: Int?
    var spreadsPhase: Bool?
    var retryAfterMax: Duration??
    var bulkhead: Bulkhead.Options??
    var breaker: CircuitBreaker.Options??
    var retry: PollerProfile.Retry??

    /// The profile with these changes.
    func applied(to profile: PollerProfile) -> PollerProfile {
        var profile = profile
        if let interval { profile.interval = interval }
        if let timeout { profile.timeout = timeout }
        if let overlap { profile.overlap = overlap }
        if let spreadsPhase { profile.spreadsPhase = spreadsPhase }
        if let retryAfterMax { profile.retryAfterMax = retryAfterMax }
        if let bulkhead { profile.bulkhead = bulkhead }
        if let breaker { profile.breaker = breaker }
        if let retry { profile.retry = retry }
        return profile
    }
}
