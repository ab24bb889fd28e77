/// Fetches quotes from a slow and unreliable server: keeps each for a while, asks once for all who want it, retries with a growing
/// pause, and gives up after a timeout.
///
/// It is ordinary async Swift. Nothing in it was written for a simulation.
public actor QuoteClient {
    /// Asks the server for the quote of a symbol.
    public typealias Fetch = @Sendable (String) async throws -> Int

    private let fetch: Fetch
    private let lifetime: Duration
    private let timeout: Duration
    private let attemptsMax: Int
    private var kept: [String: (quote: Int, at: ContinuousClock.Instant)] = [:]
    private var asking: [String: Task<Int, any Error>] = [:]

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - lifetime: For how long a quote is as good as a new one.
    ///   - timeout: How long the server may take to answer.
    ///   - attemptsMax: How often it is asked before the client gives up.
    ///   - fetch: Asks the server.
    public init(
        lifetime: Duration = .seconds(5), timeout: Duration = .seconds(2), attemptsMax: Int = 3, fetch: @escaping Fetch
    ) {
        self.lifetime = lifetime
        self.timeout = timeout
        self.attemptsMax = attemptsMax
        self.fetch = fetch
    }

    /// The quote of a symbol, at most `lifetime` old.
    ///
    /// - Throws: What the server's last answer was, or ``QuoteError/tooSlow``.
    public func quote(of symbol: String) async throws -> Int {
        if let kept = kept[symbol], kept.at.duration(to: .now) < lifetime { return kept.quote }
        let task = asking[symbol] ?? ask(symbol)
        return try await task.value
    }

    /// Asks once for everybody who wants to know meanwhile; who no longer wants to know leaves the others their answer.
    private func ask(_ symbol: String) -> Task<Int, any Error> {
        let task = Task(name: "ask for \(symbol)") {
            defer { asking[symbol] = nil }
            let quote = try await retrying(symbol)
            kept[symbol] = (quote, .now)
            return quote
        }
        asking[symbol] = task
        return task
    }

    private func retrying(_ symbol: String) async throws -> Int {
        var pause = Duration.milliseconds(100)
        for attempt in 1...attemptsMax {
            do {
                return try await limited(symbol)
            } catch  where attempt < attemptsMax {
                // Not all at once, after the server was away.
                try await Task.sleep(for: pause * Double.random(in: 1...2))
                pause *= 2
            }
        }
        throw QuoteError.tooSlow
    }

    private func limited(_ symbol: String) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { [fetch, timeout] group in
            group.addTask { try await fetch(symbol) }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw QuoteError.tooSlow
            }
            defer { group.cancelAll() }
            return try await group.next() ?? 0
        }
    }
}

/// Why there is no quote.
public enum QuoteError: Error, Equatable {
    /// The server has not answered in time.
    case tooSlow
    /// The server has refused.
    case refused
}
