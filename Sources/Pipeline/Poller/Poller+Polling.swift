import Durations
import HTTP
import HTTPTypes
import Measurements
import NIOCore
import Ports

extension Poller {
    // MARK: Passes

    /// Polls all flats, one after another; the first failure ends it.
    func pass() async {
        defer { passesUnderWay -= 1 }
        for flat in order {
            guard let state = flats[flat], state.isPulled else { continue }
            guard !Task.isCancelled,
                case .success(let readings) = await fetch(state, deadline: options.profile.deadline)
            else { return }
            await publish(readings, of: state)
        }
        lastPass = .now
        observer(.passed)
    }

    // MARK: One flat

    /// Whether a flat may be polled now; nil leaves this poll out.
    func permission(for state: FlatState) -> CircuitBreaker.Permission? {
        guard state.isPulled else { return nil }
        if state.underWay >= options.profile.overlap { return skip(state, .overlap) }
        if let stayAway = state.stayAway, stayAway.end > .now { return skip(state, .retryAfter) }
        switch state.breaker?.ask(now: started.duration(to: .now)) ?? .pass {
        case .refuse: return skip(state, .breaker)
        case let permission: return permission
        }
    }

    private func skip(_ state: FlatState, _ reason: PollerEvent.Skip) -> CircuitBreaker.Permission? {
        counters.skips += 1
        observer(.skipped(flat: state.flat, reason))
        return nil
    }

    /// Polls a flat, and again as the profile says, as long as there is time before the next poll.
    func poll(_ state: FlatState, _ permission: CircuitBreaker.Permission, until end: ContinuousClock.Instant) async {
        defer { state.underWay -= 1 }
        var deadline = options.profile.deadline
        if case .probe(let longer) = permission { deadline = longer }
        var attempt = 0
        while !Task.isCancelled {
            let lane: Bulkhead.Lane = state.isSlow ? .slow : .fast
            guard await takePlace(lane) else { return }
            let result = await fetch(state, deadline: deadline)
            // The place is for requests: a slow sink keeps nobody from the server.
            bulkhead?.release(lane)
            switch result {
            case .success(let readings): return await publish(readings, of: state)
            case .failure(let failure):
                guard let retry = options.profile.retry, attempt < retry.attemptsMax, failure.mayBeTriedAgain,
                    state.breaker?.isClosed ?? true
                else { return }
                var random = SystemRandomNumberGenerator()
                let wait = Backoff(rule: retry).wait(attempt, random: random.next())
                guard ContinuousClock.now + wait < end, retryBudget.take() else { return }
                attempt += 1
                counters.retries += 1
                guard (try? await Task.sleep(for: wait)) != nil else { return }
            }
        }
    }

    // MARK: Requests

    /// Sends one request for a flat and notes what came of it.
    ///
    /// - Returns: Readings that are new.
    func fetch(_ state: FlatState, deadline: Duration) async -> Result<[Reading], PollFailure> {
        counters.requests += 1
        retryBudget.noteRequest()
        let began = ContinuousClock.now
        let result = await request(state, deadline)
        // Removed meanwhile: nobody wants to know.
        guard flats[state.flat] === state else { return result.map { _ in [] } }
        state.isSlow = began.duration(to: .now) * 2 > options.profile.deadline
        switch result {
        case .success(let answer):
            noteSuccess(state, began: began)
            switch answer {
            case .same(let readings):
                counters.duplicates += readings
                observer(.fetched(flat: state.flat, new: 0, known: readings, newest: state.newest))
                return .success([])
            case .read(let payload): return .success(take(payload, of: state))
            }
        case .failure(let failure):
            noteFailure(state, failure)
            return .failure(failure)
        }
    }

    /// What an answer is.
    private enum Answer {
        /// The same bytes as the one before, with so many readings.
        case same(readings: Int)
        case read(ParsedPayload)
    }

    /// The largest answer that is kept to be compared with the next.
    private static let comparedBytesMax: Int = 16 << 10

    private func request(_ state: FlatState, _ deadline: Duration) async -> Result<Answer, PollFailure> {
        var request = HTTPRequest(method: .get, scheme: nil, authority: options.authority, path: state.path)
        if let authorization = options.authorization { request.headerFields.append(authorization) }
        let response: HTTPResponse
        let body: ByteBuffer
        do throws(HTTPFailure) {
            let limit = TimeAmount.nanoseconds(deadline.nanoseconds)
            (response, body) = try await client.send(request, to: options.endpoint, deadline: limit)
        } catch {
            return .failure(.http(error))
        }
        if let date = response.headerFields[.date] { compareClocks(date) }
        guard response.status.code == 200 else {
            let wait = response.headerFields[.retryAfter].flatMap(Self.seconds)
            return .failure(.status(response.status.code, retryAfter: wait))
        }
        if let last = state.lastBody, last.body == body { return .success(.same(readings: last.readings)) }
        do throws(PayloadProblem) {
            let payload = try options.contract.read(body.readableBytesView, of: state.flat)
            let isKept = payload.problems.isEmpty && body.readableBytes <= Self.comparedBytesMax
            // A copy: the answer may be a slice of much more.
            state.lastBody = isKept ? (ByteBuffer(bytes: body.readableBytesView), payload.readings.count) : nil
            return .success(.read(payload))
        } catch {
            return .failure(.payload(error))
        }
    }

    /// What `Retry-After` says: seconds, or a moment (RFC 9110).
    static func seconds(_ retryAfter: String) -> Int64? {
        if let seconds = Int64(retryAfter) { return seconds >= 0 ? seconds : nil }
        return HTTPDate.milliseconds(retryAfter).map { max(0, ($0 - WallClock.milliseconds + 999) / 1000) }
    }

    /// Looks whether the server's clock is right; its time is whole seconds, and as old as the answer's way.
    private func compareClocks(_ date: String) {
        guard date != lastDate else { return }
        lastDate = date
        guard let milliseconds = HTTPDate.milliseconds(date) else { return }
        let offset = milliseconds - WallClock.milliseconds
        let isOff = abs(offset) > options.skewMax.milliseconds + 1000
        if isOff, !isServerOff { observer(.serverClockOff(milliseconds: offset)) }
        isServerOff = isOff
    }

    private func noteSuccess(_ state: FlatState, began: ContinuousClock.Instant) {
        counters.successes += 1
        let now = ContinuousClock.now
        lastSuccess = now
        state.lastSuccess = now
        state.breaker?.succeeded()
        // A success that was under way already when the server asked does not take its word back.
        if let stayAway = state.stayAway, began >= stayAway.asked { state.stayAway = nil }
        if let since = state.failingSince {
            state.failingSince = nil
            observer(.recovered(flat: state.flat, after: since.duration(to: now)))
        }
    }

    private func noteFailure(_ state: FlatState, _ failure: PollFailure) {
        if case .http(.cancelled) = failure { return }
        counters.failures += 1
        observer(.failed(flat: state.flat, failure))
        let wasOpen = state.breaker?.isOpen ?? false
        state.breaker?.failed(now: started.duration(to: .now))
        if !wasOpen, state.breaker?.isOpen ?? false { counters.opened += 1 }
        if case .status(_, let seconds?) = failure, let longest = options.profile.retryAfterMax {
            state.stayAway = (.now, .now + min(.seconds(seconds), longest))
        }
        guard state.failingSince == nil else { return }
        state.failingSince = .now
        observer(.failing(flat: state.flat, failure))
    }

    // MARK: Readings

    /// Notes what an answer says; the readings that are new.
    private func take(_ payload: ParsedPayload, of state: FlatState) -> [Reading] {
        let limit = WallClock.milliseconds + options.skewMax.milliseconds
        var fresh: [Reading] = []
        var (known, refused) = (0, 0)
        var furthest: Int64?
        for reading in payload.readings {
            let isAhead = reading.id.milliseconds > limit
            if isAhead { furthest = max(furthest ?? .min, reading.id.milliseconds) }
            switch state.note(reading, isAhead: isAhead) {
            case .new:
                fresh.append(reading)
                if isAhead { counters.ahead += 1 }
                noteFall(at: reading, of: state)
            case .known: known += 1
            case .tooMany: refused += 1
            }
        }
        counters.readings += fresh.count
        counters.duplicates += known
        counters.refused += refused
        observer(.fetched(flat: state.flat, new: fresh.count, known: known, newest: state.newest))
        var problem = payload.problems.first
        if refused > 0, problem == nil { problem = .tooManyChannels(limit: FlatState.channelsMax) }
        if let problem {
            counters.partial += 1
            observer(.partial(flat: state.flat, problem))
        }
        if let furthest, !state.isAhead {
            observer(.clockAhead(flat: state.flat, milliseconds: furthest - WallClock.milliseconds))
        }
        state.isAhead = furthest != nil
        return fresh
    }

    /// Tells of a register that shows less than before.
    private func noteFall(at reading: Reading, of state: FlatState) {
        guard isCounter(reading.id.channel), let fall = state.fall(at: reading) else { return }
        counters.falls += 1
        observer(.counterFell(reading.id, from: fall.from, to: reading.value, fall.kind))
    }

    /// Whether a channel is a register.
    func isCounter(_ channel: String) -> Bool {
        options.contract.channels.contains { $0.name == channel && $0.kind == .counter }
    }

    /// Gives new readings to the sink; what it does not take in time is new again when it comes again.
    func publish(_ readings: [Reading], of state: FlatState) async {
        guard !readings.isEmpty else { return }
        let (sink, longest) = (sink, options.publishMax)
        let isTaken = await withTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await sink.publish(readings)) != nil }
            group.addTask {
                try? await Task.sleep(for: longest)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
        guard !isTaken else { return }
        state.forget(readings)
        counters.unpublished += readings.count
        observer(.unpublished(flat: state.flat, readings: readings.count))
    }
}

extension PollFailure {
    /// Whether the same request may bring more in a moment: it did not reach the server, was cut off, or the server says that it is not well.
    var mayBeTriedAgain: Bool {
        switch self {
        case .http(.connect), .http(.timedOut), .http(.closed), .http(.reset): true
        case .http, .payload: false
        case .status(let status, let retryAfter): retryAfter == nil && (status >= 500 || status == 408)
        }
    }
}

extension CircuitBreaker {
    /// Whether it lets everything pass.
    var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    /// Whether it lets nothing pass.
    var isOpen: Bool {
        if case .open = state { true } else { false }
    }
}
