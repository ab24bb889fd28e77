/// Leaves a target alone that keeps failing, and looks now and then whether it is back.
///
/// No clock of its own: whoever uses it says what time it is, as time since any fixed moment.
public struct CircuitBreaker: Hashable, Sendable {
    /// The rules by which a breaker opens and looks again.
    public struct Options: Hashable, Sendable {
        /// Failures in a row that open the breaker.
        public var failures: Int
        /// How long the breaker stays open.
        public var open: Duration
        /// How long the request that looks again may take.
        public var probeTimeout: Duration

        /// Makes options of their parts.
        public init(failures: Int, open: Duration, probeTimeout: Duration) {
            self.failures = failures
            self.open = open
            self.probeTimeout = probeTimeout
        }
    }

    /// The state that decides which requests are admitted.
    public enum State: Hashable, Sendable {
        /// All requests are; so many have failed in a row. Can become `open`.
        case closed(failures: Int)
        /// No request is until that time; the first one after it becomes the probe. Can become `halfOpen`.
        case open(until: Duration)
        /// No request is while one looks whether the target is back. Can become `closed` or `open`.
        case halfOpen
    }

    /// What a request may do.
    public enum Admission: Hashable, Sendable {
        /// The request goes on.
        case allow
        /// The request goes on, and looks whether the target is back; it may take so long.
        case probe(timeout: Duration)
        /// The request is not sent.
        case reject
    }

    /// The state that decides which requests are admitted.
    public private(set) var state: State = .closed(failures: 0)
    private let options: Options

    /// Makes a breaker that is closed.
    public init(_ options: Options) {
        self.options = options
    }

    /// Decides about a request; one that is admitted as the probe must be followed by ``succeeded()`` or ``failed(at:)``.
    public mutating func admit(at now: Duration) -> Admission {
        switch state {
        case .closed: return .allow
        case .halfOpen: return .reject
        case .open(let until):
            guard now >= until else { return .reject }
            state = .halfOpen
            return .probe(timeout: options.probeTimeout)
        }
    }

    /// Learns that a request succeeded.
    public mutating func succeeded() {
        state = .closed(failures: 0)
    }

    /// Learns that a request failed.
    public mutating func failed(at now: Duration) {
        switch state {
        case .closed(let failures):
            state =
                failures + 1 >= options.failures ? .open(until: now + options.open) : .closed(failures: failures + 1)
        case .halfOpen: state = .open(until: now + options.open)
        // A request that began before it opened.
        case .open: break
        }
    }

    /// Whether all requests are admitted.
    var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    /// Whether requests are kept away until a time.
    var isOpen: Bool {
        if case .open = state { true } else { false }
    }
}
