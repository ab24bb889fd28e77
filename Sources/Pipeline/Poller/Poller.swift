import Durations
import HTTP
public import HTTPTypes
public import Measurements
import NIOCore
public import Ports

/// Fetches what flats' devices measure, from somebody else's server, as its profile says.
///
/// Real code: it reads ordinary clocks and speaks HTTP over ports, in reality and in a simulation.
public actor Poller {
    /// What it polls, and how.
    public struct Options: Sendable {
        /// How it goes about its flats.
        public var profile: PollerProfile
        /// What the server's answers look like.
        public var contract: MeasurementContract
        /// Where the server listens.
        public var endpoint: Endpoint
        /// The name that the server is asked for by; nil takes the endpoint.
        public var authority: String?
        /// The `Authorization` field; nil asks without.
        public var authorization: HTTPField?
        /// The flats to begin with.
        public var flats: [String]
        /// The longest answer that is taken.
        public var bodyBytesMax: Int = 1 << 20
        /// How far a device's clock may be ahead, and the server's off.
        public var skewMax: Duration = .seconds(5)
        /// How long the sink may take for the readings of one answer.
        public var publishMax: Duration = .seconds(30)
        /// Secures connections; nil speaks in the clear.
        public var tls: (any ChannelSecurity)?

        /// Polls flats of a server.
        public init(
            profile: PollerProfile, contract: MeasurementContract = .ieeFlat, endpoint: Endpoint, flats: [String],
            authorization: HTTPField? = nil, tls: (any ChannelSecurity)? = nil
        ) {
            self.profile = profile
            self.contract = contract
            self.endpoint = endpoint
            self.flats = flats
            self.authorization = authorization
            self.tls = tls
        }
    }

    /// Flats that one poller takes.
    public static let flatsMax: Int = 100_000

    let options: Options
    let client: HTTPClient
    let sink: any MeasurementSink
    let observer: @Sendable (PollerEvent) -> Void
    let started: ContinuousClock.Instant = .now
    var flats: [String: FlatState] = [:]
    /// The flats in the order in which they were added.
    private(set) var order: [String] = []
    /// Where flats that come while it runs go to be polled.
    private var added: AsyncStream<String>.Continuation?
    var lastPass: ContinuousClock.Instant?
    var lastSuccess: ContinuousClock.Instant?
    var bulkhead: Bulkhead?
    var retryBudget: RetryBudget
    private var lastWait: UInt64 = 0
    var passesUnderWay: Int = 0
    /// What the server last said what time it is, and whether it was wrong.
    var lastDate: String = ""
    var isServerOff: Bool = false
    /// What was done, for metrics.
    public internal(set) var counters: PollerCounters = PollerCounters()

    /// Makes a poller that reaches its server through `ports`.
    ///
    /// - Throws: ``FlatName/Invalid``, or what keeps the client from being made.
    public static func make(
        _ ports: any Ports, options: Options, sink: any MeasurementSink,
        observer: @escaping @Sendable (PollerEvent) -> Void = { _ in }
    ) async throws -> Poller {
        for flat in options.flats { try FlatName.check(flat) }
        let profile = options.profile
        let deadline = TimeAmount.nanoseconds(profile.deadline.nanoseconds)
        var http = HTTPClient.Options(
            connect: deadline, firstByte: deadline, total: deadline,
            connectionsMax: connectionsMax(of: profile), waitingMax: flatsMax,
            bodyBytesMax: options.bodyBytesMax, idle: .seconds(60))
        http.tls = options.tls
        return Poller(options, try await HTTPClient.make(ports, options: http), sink, observer)
    }

    /// As many connections as requests can be under way: the mechanisms bound them, not a pool that was made for the flats at the start.
    private static func connectionsMax(of profile: PollerProfile) -> Int {
        if let bulkhead = profile.bulkhead { return bulkhead.total }
        return profile.order == .passes ? profile.overlap : flatsMax * profile.overlap
    }

    private init(
        _ options: Options, _ client: HTTPClient, _ sink: any MeasurementSink,
        _ observer: @escaping @Sendable (PollerEvent) -> Void
    ) {
        self.options = options
        self.client = client
        self.sink = sink
        self.observer = observer
        bulkhead = options.profile.bulkhead.map { Bulkhead($0) }
        retryBudget = RetryBudget(percent: options.profile.retry?.budgetPercent ?? 0)
        for flat in options.flats where flats[flat] == nil {
            order.append(flat)
            flats[flat] = FlatState(
                flat: flat, path: options.contract.path(of: flat), since: started, breaker: options.profile.breaker)
        }
    }

    // MARK: Flats

    /// Polls a flat from now on; false if it is polled already, if there are as many as may be, or if it cannot be a flat's name.
    @discardableResult
    public func add(_ flat: String) -> Bool {
        guard flats[flat] == nil, order.count < Self.flatsMax, FlatName.problem(of: flat) == nil else { return false }
        order.append(flat)
        flats[flat] = FlatState(
            flat: flat, path: options.contract.path(of: flat), since: .now, breaker: options.profile.breaker)
        added?.yield(flat)
        return true
    }

    /// Polls a flat no more; false if it was not polled.
    ///
    /// Requests under way end, and nothing is taken from them.
    @discardableResult
    public func remove(_ flat: String) -> Bool {
        guard flats.removeValue(forKey: flat) != nil else { return false }
        order.removeAll { $0 == flat }
        return true
    }

    /// Stops or goes on polling a flat that stays known; false if it is not.
    @discardableResult
    public func setPulled(_ flat: String, _ isPulled: Bool) -> Bool {
        guard let state = flats[flat] else { return false }
        // Nobody wanted it to be fresh meanwhile.
        if isPulled, !state.isPulled { (state.since, state.lastSuccess) = (.now, nil) }
        state.isPulled = isPulled
        return true
    }

    // MARK: Running

    /// Polls until the task is cancelled.
    public func run() async {
        switch options.profile.order {
        case .passes: await runPasses()
        case .independent: await runLoops()
        }
        await client.shutDown()
    }

    /// A loop for each flat, those that are added later too.
    private func runLoops() async {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        for flat in order { continuation.yield(flat) }
        added = continuation
        await withDiscardingTaskGroup { group in
            for await flat in stream { group.addTask { await self.runLoop(flat) } }
            group.cancelAll()
        }
        added = nil
    }

    /// Polls one flat at every interval, until it is removed.
    private func runLoop(_ flat: String) async {
        guard let state = flats[flat] else { return }
        let interval = options.profile.interval
        var tick = ContinuousClock.now + (options.profile.spreadsPhase ? Self.phase(of: flat, in: interval) : .zero)
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do {
                    try await Task.sleep(until: tick, clock: .continuous)
                } catch {
                    break
                }
                guard flats[flat] === state else { break }
                let next = self.next(after: tick)
                if let permission = permission(for: state) {
                    state.underWay += 1
                    group.addTask { await self.poll(state, permission, until: next) }
                }
                tick = next
            }
            group.cancelAll()
        }
    }

    /// Passes over all flats, one at every interval.
    private func runPasses() async {
        var tick = ContinuousClock.now
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                if passesUnderWay < options.profile.overlap {
                    passesUnderWay += 1
                    group.addTask { await self.pass() }
                } else {
                    counters.skips += 1
                    observer(.passSkipped)
                }
                tick = next(after: tick)
                do {
                    try await Task.sleep(until: tick, clock: .continuous)
                } catch {
                    break
                }
            }
            group.cancelAll()
        }
    }

    /// The next tick that has not passed: a process that was held up does not make up for what it missed in a burst.
    private func next(after tick: ContinuousClock.Instant) -> ContinuousClock.Instant {
        let interval = options.profile.interval
        let late = tick.duration(to: .now)
        guard late >= interval else { return tick + interval }
        let missed = Int(late / interval)
        counters.missed += missed
        return tick + interval * (missed + 1)
    }

    /// Where in the interval a flat is polled: always the same, and spread over all flats.
    static func phase(of flat: String, in interval: Duration) -> Duration {
        var hash = FNV1a.hash(flat)
        hash ^= hash >> 32
        hash &*= 0x9e37_79b9_7f4a_7c15
        return .nanoseconds(Int64(UInt64(interval.nanoseconds).multipliedFullWidth(by: hash).high))
    }

    // MARK: Places

    /// Waits for a place in the bulkhead; false when the task was cancelled meanwhile.
    func takePlace(_ lane: Bulkhead.Lane) async -> Bool {
        guard bulkhead != nil else { return true }
        lastWait += 1
        let id = lastWait
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                bulkhead?.take(lane, id: id) { continuation.resume(returning: $0) }
            }
        } onCancel: {
            Task { await self.cancelWait(lane, id) }
        }
    }

    private func cancelWait(_ lane: Bulkhead.Lane, _ id: UInt64) {
        bulkhead?.cancel(lane, id: id)
    }

    // MARK: Ages

    /// How old what is known is.
    public var ages: Ages {
        let wall = WallClock.milliseconds
        let last = (options.profile.order == .passes ? lastPass : lastSuccess) ?? started
        return Ages(
            lastSuccess: last.duration(to: .now).inSeconds,
            flats: order.compactMap { flats[$0] }.filter(\.isPulled).map { Self.age(of: $0, wall) })
    }

    /// How old what is known of a flat is; nil if it is not polled.
    public func age(of flat: String) -> Ages.Flat? { flats[flat].map { Self.age(of: $0, WallClock.milliseconds) } }

    private static func age(of state: FlatState, _ wall: Int64) -> Ages.Flat {
        Ages.Flat(
            flat: state.flat, lastSuccess: (state.lastSuccess ?? state.since).duration(to: .now).inSeconds,
            data: state.newest.map { Double(wall - $0) / 1000 }, isFailing: state.failingSince != nil)
    }

    /// Whether something can be delivered: a flat was fetched and does not fail, or there is none to fetch.
    public var isReady: Bool {
        let pulled = flats.values.filter(\.isPulled)
        return pulled.isEmpty || pulled.contains { $0.failingSince == nil && $0.lastSuccess != nil }
    }

    /// The latest readings of a flat; nil if it is not polled.
    public func latest(of flat: String) -> [Reading]? { flats[flat]?.latest }

    /// How one of a flat's latest readings is less than the one before it, if it is a register's.
    func fall(at reading: Reading) -> CounterFall? {
        isCounter(reading.id.channel) ? flats[reading.id.flat]?.fall(at: reading)?.kind : nil
    }
}

/// What a poller has done so far.
public struct PollerCounters: Hashable, Sendable {
    /// Requests that were sent.
    public var requests: Int = 0
    /// Answers that were understood.
    public var successes: Int = 0
    /// Requests that brought nothing.
    public var failures: Int = 0
    /// Requests that repeated one that failed.
    public var retries: Int = 0
    /// Polls that were left out.
    public var skips: Int = 0
    /// Readings that were new.
    public var readings: Int = 0
    /// Readings that were known.
    public var duplicates: Int = 0
    /// Readings that the sink did not take.
    public var unpublished: Int = 0
    /// Readings of channels beyond those that are remembered; they are not taken.
    public var refused: Int = 0
    /// Answers of which a part was not understood.
    public var partial: Int = 0
    /// Readings of registers that showed less than before.
    public var falls: Int = 0
    /// Readings whose time had not come.
    public var ahead: Int = 0
    /// Polls or passes that were due while the process was held up.
    public var missed: Int = 0
    /// Times that a breaker opened.
    public var opened: Int = 0
}
