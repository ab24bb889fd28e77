import HTTP
import HTTPTypes
import NIOCore

extension Poller {
    // MARK: Passes

    /// Polls all flats, one after another; the first failure ends it.
    func pass() async {
        defer { passesUnderWay -= 1 }
        for flat in order where flats[flat]?.isPulled ?? false {
            guard !Task.isCancelled, case .success = await fetch(flat, deadline: options.profile.deadline) else {
                return
            }
        }
        lastPass = .now
        observer(.passed)
    }

    // MARK: One flat

    /// Whether a flat may be polled now; nil leaves this poll out.
    func permission(for flat: String) -> CircuitBreaker.Permission? {
        guard let state = flats[flat], state.isPulled else { return nil }
        if state.underWay >= options.profile.overlap { return skip(flat, .overlap) }
        if let notBefore = state.notBefore, notBefore > .now { return skip(flat, .retryAfter) }
        switch flats[flat]?.breaker?.ask(now: started.duration(to: .now)) ?? .pass {
        case .refuse: return skip(flat, .breaker)
        case let permission: return permission
        }
    }

    private func skip(_ flat: String, _ reason: PollerEvent.Skip) -> CircuitBreaker.Permission? {
        counters.skips += 1
        observer(.skipped(flat: flat, reason))
        return nil
    }

    /// Polls a flat, and again as the profile says, as long as there is time before the next poll.
    func poll(_ flat: String, _ permission: CircuitBreaker.Permission, until end: ContinuousClock.Instant) async {
        defer { flats[flat]?.underWay -= 1 }
        var deadline = options.profile.deadline
        if case .probe(let longer) = permission { deadline = longer }
        var attempt = 0
        while !Task.isCancelled {
            let lane: Bulkhead.Lane = flats[flat]?.isSlow ?? false ? .slow : .fast
            guard await takePlace(lane) else { return }
            let result = await fetch(flat, deadline: deadline)
            bulkhead?.release(lane)
            guard case .failure(let failure) = result, let retry = options.profile.retry, attempt < retry.attemptsMax,
                isWorthRetrying(failure), flats[flat]?.breaker?.isClosed ?? true
            else { return }
            var random = SystemRandomNumberGenerator()
            let wait = Backoff(rule: retry).wait(attempt, random: random.next())
            guard ContinuousClock.now + wait < end, retryBudget.take() else { return }
            attempt += 1
            counters.retries += 1
            guard (try? await Task.sleep(for: wait)) != nil else { return }
        }
    }

    private func isWorthRetrying(_ failure: PollFailure) -> Bool {
        switch failure {
        case .http(.cancelled), .http(.shutDown): false
        case .http: true
        case .status(let status, let retryAfter): retryAfter == nil && (status >= 500 || status == 408)
        case .payload: false
        }
    }

    // MARK: Requests

    /// Sends one request and notes what came of it.
    func fetch(_ flat: String, deadline: Duration) async -> Result<Void, PollFailure> {
        counters.requests += 1
        retryBudget.noteRequest()
        let began = ContinuousClock.now
        let result = await request(flat, deadline)
        guard flats[flat] != nil else { return result.map { _ in } }
        flats[flat]?.isSlow = began.duration(to: .now) * 2 > options.profile.deadline
        switch result {
        case .success(.same(let readings)):
            noteSuccess(flat)
            counters.duplicates += readings
            observer(.fetched(flat: flat, new: 0, known: readings, newest: flats[flat]?.newest))
            return .success(())
        case .success(.read(let measurements)):
            noteSuccess(flat)
            await take(measurements, of: flat)
            return .success(())
        case .failure(let failure):
            noteFailure(flat, failure)
            return .failure(failure)
        }
    }

    /// What an answer is.
    private enum Answer {
        /// The same bytes as the one before, with so many readings.
        case same(readings: Int)
        case read(Measurements)
    }

    /// The largest answer that is kept to be compared with the next.
    private static let comparedBytesMax: Int = 16 << 10

    private func request(_ flat: String, _ deadline: Duration) async -> Result<Answer, PollFailure> {
        var request = HTTPRequest(
            method: .get, scheme: nil, authority: options.authority, path: flats[flat]?.path)
        if let authorization = options.authorization { request.headerFields.append(authorization) }
        do throws(HTTPFailure) {
            let limit = TimeAmount.nanoseconds(deadline.nanoseconds)
            let (response, body) = try await client.send(request, to: options.endpoint, deadline: limit)
            guard response.status.code == 200 else {
                let seconds = response.headerFields[.retryAfter].flatMap { Int($0) }
                return .failure(.status(response.status.code, retryAfter: seconds))
            }
            if let last = flats[flat]?.lastBody, last.body == body { return .success(.same(readings: last.readings)) }
            do throws(PayloadProblem) {
                let measurements = try options.contract.read(body.readableBytesView, of: flat)
                let isKept = measurements.problems.isEmpty && body.readableBytes <= Self.comparedBytesMax
                flats[flat]?.lastBody = isKept ? (body, measurements.readings.count) : nil
                return .success(.read(measurements))
            } catch {
                return .failure(.payload(error))
            }
        } catch {
            return .failure(.http(error))
        }
    }

    private func noteSuccess(_ flat: String) {
        counters.successes += 1
        let now = ContinuousClock.now
        lastSuccess = now
        flats[flat]?.lastSuccess = now
        flats[flat]?.breaker?.succeeded()
        flats[flat]?.notBefore = nil
        if let since = flats[flat]?.failingSince {
            flats[flat]?.failingSince = nil
            observer(.recovered(flat: flat, after: since.duration(to: now)))
        }
    }

    private func noteFailure(_ flat: String, _ failure: PollFailure) {
        if case .http(.cancelled) = failure { return }
        counters.failures += 1
        observer(.failed(flat: flat, failure))
        flats[flat]?.breaker?.failed(now: started.duration(to: .now))
        if case .status(_, let seconds?) = failure, let longest = options.profile.retryAfterMax {
            flats[flat]?.notBefore = .now + min(.seconds(max(0, seconds)), longest)
        }
        guard flats[flat]?.failingSince == nil else { return }
        flats[flat]?.failingSince = .now
        observer(.failing(flat: flat, failure))
    }

    // MARK: Readings

    private func take(_ measurements: Measurements, of flat: String) async {
        let known = measurements.readings.count
        let fresh = measurements.readings.filter { flats[flat]?.note($0) ?? false }
        counters.readings += fresh.count
        counters.duplicates += known - fresh.count
        observer(.fetched(flat: flat, new: fresh.count, known: known - fresh.count, newest: flats[flat]?.newest))
        if let problem = measurements.problems.first { observer(.partial(flat: flat, problem)) }
        if let newest = fresh.map(\.id.milliseconds).max() {
            let ahead = newest - WallClock.milliseconds
            if ahead > options.skewMax.milliseconds { observer(.clockAhead(flat: flat, milliseconds: ahead)) }
        }
        guard !fresh.isEmpty else { return }
        do {
            try await sink.publish(fresh)
        } catch {
            counters.unpublished += fresh.count
        }
    }
}

extension CircuitBreaker {
    /// Whether it lets everything pass.
    var isClosed: Bool {
        if case .closed = state { true } else { false }
    }
}
