/// Leaves a target alone that keeps failing, and looks now and then whether it is back.
///
/// No clock of its own: whoever uses it says what time it is, as time since any fixed moment.
public struct CircuitBreaker: Hashable, Sendable {
    /// When it opens and how it looks again.
    public struct Options: Hashable, Sendable {
        /// Failures in a row that open it.
        public var failures: Int
        /// How long it stays open.
        public var open: Duration
        /// How long the request that looks again may take.
        public var probeDeadline: Duration

        /// Makes options of their parts.
        public init(failures: Int, open: Duration, probeDeadline: Duration) {
            self.failures = failures
            self.open = open
            self.probeDeadline = probeDeadline
        }
    }

    /// Whether requests pass.
    public enum State: Hashable, Sendable {
        /// They do.
        case closed(failures: Int)
        /// They do not, until then.
        case open(until: Duration)
        /// One is looking whether the target is back.
        case halfOpen
    }

    /// What a request may do.
    public enum Permission: Hashable, Sendable {
        /// Go on.
        case pass
        /// Go on, and look whether the target is back, for so long.
        case probe(deadline: Duration)
        /// Stay away.
        case refuse
    }

    /// Whether requests pass.
    public private(set) var state: State = .closed(failures: 0)
    private let options: Options

    /// A breaker that is closed.
    public init(_ options: Options) {
        self.options = options
    }

    /// Asks for a request.
    public mutating func ask(now: Duration) -> Permission {
        switch state {
        case .closed: return .pass
        case .halfOpen: return .refuse
        case .open(let until):
            guard now >= until else { return .refuse }
            state = .halfOpen
            return .probe(deadline: options.probeDeadline)
        }
    }

    /// A request succeeded.
    public mutating func succeeded() {
        state = .closed(failures: 0)
    }

    /// A request failed.
    public mutating func failed(now: Duration) {
        switch state {
        case .closed(let failures):
            state =
                failures + 1 >= options.failures ? .open(until: now + options.open) : .closed(failures: failures + 1)
        case .halfOpen: state = .open(until: now + options.open)
        // A request that began before it opened.
        case .open: break
        }
    }
}
