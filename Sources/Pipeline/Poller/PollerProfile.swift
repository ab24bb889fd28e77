/// How a poller goes about its flats: a composition of mechanisms, each of which can be left out.
public struct PollerProfile: Hashable, Sendable {
    /// The order in which flats wait for each other.
    public enum Order: String, Hashable, Sendable {
        /// Flats one after another in sweeps; a failure ends the sweep. Sweeps begin at every interval, whether the last has ended or not.
        case sweeps
        /// Each flat on its own.
        case independent
    }

    /// The profile's name.
    public var name: String
    /// The order in which flats wait for each other.
    public var order: Order
    /// The time between two polls of a flat, or two sweeps.
    public var interval: Duration = .seconds(10)
    /// How long a request may take.
    public var timeout: Duration
    /// Requests of one flat, or sweeps, that may be in flight at the same time.
    public var overlap: Int = 1
    /// The limit of requests in flight in all; nil is without limit.
    public var bulkhead: Bulkhead.Options?
    /// The rule by which a flat that fails is left alone; nil leaves none alone.
    public var breaker: CircuitBreaker.Options?
    /// How failures are tried again before the next interval; nil leaves them to it.
    public var retry: Retry?
    /// Whether polls are spread over the interval, by the flat's name.
    public var spreadsPhase: Bool = true
    /// The longest time that a server's `Retry-After` is obeyed; nil does not look at it.
    public var retryAfterMax: Duration?

    /// How failures are tried again.
    public struct Retry: Hashable, Sendable {
        /// The first wait is up to so long; each following up to twice the one before.
        public var base: Duration
        /// No wait is longer.
        public var cap: Duration
        /// Retries for each hundred requests, at most.
        public var budgetPercent: Int
        /// Retries of one poll, at most.
        public var attemptsMax: Int

        /// Makes a rule of its parts.
        public init(base: Duration, cap: Duration, budgetPercent: Int, attemptsMax: Int) {
            self.base = base
            self.cap = cap
            self.budgetPercent = budgetPercent
            self.attemptsMax = attemptsMax
        }
    }

    /// Makes a profile of its name, order and timeout; without any other mechanism.
    public init(name: String, order: Order, timeout: Duration) {
        self.name = name
        self.order = order
        self.timeout = timeout
    }

    /// What is wrong with the profile; nil where it can be used.
    public var validationError: String? {
        if interval < .milliseconds(100) { return "an interval of \(interval) is below 100 ms" }
        if timeout <= .zero { return "a timeout of \(timeout) is not above 0" }
        if !(1...64).contains(overlap) { return "an overlap of \(overlap) is not from 1 to 64" }
        return nil
    }
}

extension PollerProfile {
    /// The student clients' poller: sweeps every 10 s, 5 s for each request.
    public static let naive: PollerProfile = {
        var profile = PollerProfile(name: "naive", order: .sweeps, timeout: .seconds(5))
        profile.overlap = 16
        profile.spreadsPhase = false
        return profile
    }()

    /// Each flat on its own: 5 s, 32 requests in all, of which slow flats take no more than a quarter.
    public static let bulkhead: PollerProfile = {
        var profile = PollerProfile(name: "bulkhead", order: .independent, timeout: .seconds(5))
        profile.bulkhead = Bulkhead.Options(total: 32, slow: 8)
        return profile
    }()

    /// Bulkhead, and it leaves failing flats alone, tries again within a budget and obeys `Retry-After`.
    public static let adaptive: PollerProfile = {
        var profile = bulkhead
        profile.name = "adaptive"
        profile.breaker = CircuitBreaker.Options(failures: 3, open: .seconds(15), probeTimeout: .seconds(35))
        profile.retry = Retry(base: .milliseconds(500), cap: .seconds(8), budgetPercent: 20, attemptsMax: 3)
        profile.retryAfterMax = .seconds(60)
        return profile
    }()

    /// Up to four requests of a flat at the same time, each 35 s.
    public static let pipelined: PollerProfile = {
        var profile = PollerProfile(name: "pipelined", order: .independent, timeout: .seconds(35))
        profile.overlap = 4
        profile.retryAfterMax = .seconds(60)
        return profile
    }()

    /// All profiles, in the order of what they can bear.
    public static let all: [PollerProfile] = [naive, bulkhead, adaptive, pipelined]

    /// The profile of a name.
    public init?(named name: String) {
        guard let profile = Self.all.first(where: { $0.name == name }) else { return nil }
        self = profile
    }
}
