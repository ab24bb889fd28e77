import Durations
import HTTP
import HTTPTypes
import Measurements
import NIOCore
import Ports

extension Poller {
    // MARK: Sweeps

    /// Polls all flats, one after another; the first failure ends it.
    func sweep() async {
        defer { sweepsInFlight -= 1 }
        for name in order {
            guard let state = flats[name], state.polling.isEnabled else { continue }
            guard !Task.isCancelled else { return }
            let id = state.id
            state.polling.sweepBegan()
            let result = await fetch(id, timeout: options.profile.timeout)
            self.state(of: id)?.polling.pollEnded()
            guard case .success(let readings) = result else { return }
            await publish(readings, of: id)
        }
        lastSweep = .now
        observer(.sweepCompleted)
    }

    // MARK: One flat

    /// Polls a flat, and again as the profile says, as long as there is time before the next poll.
    func poll(_ flat: FlatState.ID, timeout: Duration, until end: ContinuousClock.Instant) async {
        defer { state(of: flat)?.polling.pollEnded() }
        var attempt = 0
        while !Task.isCancelled {
            guard let lane = state(of: flat)?.polling.lane, let permit = await acquirePermit(lane, for: flat) else {
                return
            }
            let result = await fetch(flat, timeout: timeout)
            // The permit is for requests: a slow sink keeps nobody from the server.
            release(permit)
            switch result {
            case .success(let readings): return await publish(readings, of: flat)
            case .failure(let failure):
                guard case .retry(let wait) = afterFailure(failure, of: flat, attempt: attempt, until: end) else {
                    return
                }
                attempt += 1
                counters.retries += 1
                observer(.retrying(flat: flat.name))
                guard (try? await Task.sleep(for: wait)) != nil else { return }
            }
        }
    }

    private func afterFailure(
        _ failure: PollFailure, of flat: FlatState.ID, attempt: Int, until end: ContinuousClock.Instant
    ) -> FlatPolling.FailureCommand {
        guard let state = state(of: flat) else { return .endPoll }
        var random = SystemRandomNumberGenerator()
        return state.polling.afterFailure(
            failure, attempt: attempt, until: started.duration(to: end), at: now, budget: &retryBudget, using: &random)
    }

    // MARK: Requests

    /// Sends one request for a flat and notes what came of it.
    ///
    /// - Returns: Readings that are new.
    func fetch(_ flat: FlatState.ID, timeout: Duration) async -> Result<[Reading], PollFailure> {
        counters.requests += 1
        retryBudget.noteRequest()
        let sent = now
        requestsInFlight += 1
        let result = await request(flat, timeout)
        requestsInFlight -= 1
        // Removed meanwhile: nobody wants to know.
        guard let state = state(of: flat) else { return result.map { _ in [] } }
        let isSuccess = if case .success = result { true } else { false }
        observer(.requestEnded(flat: flat.name, after: now - sent, isSuccess: isSuccess))
        switch result {
        case .success(let answer):
            noteSuccess(state, sentAt: sent)
            switch answer {
            case .same(let readings):
                counters.duplicates += readings
                observer(.fetched(flat: flat.name, new: 0, known: readings, newest: state.readings.newest))
                return .success([])
            case .read(let payload): return .success(take(payload, of: state))
            }
        case .failure(let failure):
            noteFailure(failure, of: state, sentAt: sent)
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

    private func request(_ flat: FlatState.ID, _ timeout: Duration) async -> Result<Answer, PollFailure> {
        let path = state(of: flat)?.path ?? options.contract.path(of: flat.name)
        var request = HTTPRequest(method: .get, scheme: nil, authority: options.authority, path: path)
        if let authorization = options.authorization { request.headerFields.append(authorization) }
        let response: HTTPResponse
        let body: ByteBuffer
        do throws(HTTPFailure) {
            let limit = TimeAmount.nanoseconds(timeout.nanoseconds)
            (response, body) = try await client.send(request, to: options.endpoint, timeout: limit)
        } catch {
            return .failure(.http(error))
        }
        if let date = response.headerFields.first(where: { $0.name == .date })?.value { compareClocks(date) }
        guard response.status.code == 200 else {
            let wait = response.headerFields[.retryAfter].flatMap(Self.seconds)
            return .failure(.status(response.status.code, retryAfter: wait))
        }
        // Removed meanwhile, and perhaps another is there under its name.
        guard let state = state(of: flat) else { return .success(.same(readings: 0)) }
        if let last = state.lastBody, last.body == body { return .success(.same(readings: last.readings)) }
        do throws(PayloadProblem) {
            let payload = try options.contract.read(body.readableBytesUInt8Span, of: flat.name)
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

    private func noteSuccess(_ flat: FlatState, sentAt sent: Duration) {
        counters.successes += 1
        lastSuccess = .now
        for case .recovered(let after) in flat.polling.succeeded(sentAt: sent, at: now) {
            observer(.recovered(flat: flat.id.name, after: after))
        }
    }

    private func noteFailure(_ failure: PollFailure, of flat: FlatState, sentAt sent: Duration) {
        for report in flat.polling.failed(failure, sentAt: sent, at: now) {
            switch report {
            case .failed:
                counters.failures += 1
                observer(.failed(flat: flat.id.name, failure))
            case .breakerOpened:
                counters.opened += 1
                observer(.breakerOpened(flat: flat.id.name))
            case .failing: observer(.failing(flat: flat.id.name, failure))
            case .recovered: break
            }
        }
    }

    // MARK: Readings

    /// Notes what an answer says; the readings that are new.
    private func take(_ payload: ParsedPayload, of flat: FlatState) -> [Reading] {
        let name = flat.id.name
        flat.readings.reserve(payload.readings.count)
        let limit = WallClock.milliseconds + options.skewMax.milliseconds
        var fresh: [Reading] = []
        var (known, refused) = (0, 0)
        var furthest: Int64?
        for reading in payload.readings {
            let isAhead = reading.id.milliseconds > limit
            if isAhead { furthest = max(furthest ?? .min, reading.id.milliseconds) }
            switch flat.readings.note(reading, isAhead: isAhead) {
            case .new:
                fresh.append(reading)
                if isAhead { counters.ahead += 1 }
                noteFall(at: reading, of: flat)
            case .known: known += 1
            case .tooMany: refused += 1
            }
        }
        counters.readings += fresh.count
        counters.duplicates += known
        counters.refused += refused
        observer(.fetched(flat: name, new: fresh.count, known: known, newest: flat.readings.newest))
        var problem = payload.problems.first
        if refused > 0, problem == nil { problem = .tooManyChannels(limit: FlatReadings.channelsMax) }
        if let problem {
            counters.partial += 1
            observer(.partial(flat: name, problem))
        }
        if let furthest, !flat.hasFutureTimestamps {
            observer(.clockAhead(flat: name, milliseconds: furthest - WallClock.milliseconds))
        }
        flat.hasFutureTimestamps = furthest != nil
        return fresh
    }

    /// Tells of a register that shows less than before.
    private func noteFall(at reading: Reading, of flat: FlatState) {
        guard let fall = flat.readings.fall(at: reading), isCounter(reading.id.channel) else { return }
        counters.falls += 1
        observer(.counterFell(reading.id, from: fall.from, to: reading.value, fall.kind))
    }

    /// Whether a channel is a register.
    func isCounter(_ channel: String) -> Bool {
        options.contract.channels.contains { $0.name == channel && $0.kind == .counter }
    }

    /// Gives new readings to the sink; what it does not take in time is new again when it comes again.
    func publish(_ readings: [Reading], of flat: FlatState.ID) async {
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
        if let state = state(of: flat) {
            state.readings.forget(readings)
            state.lastBody = nil
        }
        counters.unpublished += readings.count
        observer(.unpublished(flat: flat.name, readings: readings.count))
    }
}
