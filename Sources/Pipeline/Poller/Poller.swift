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
    /// How many flats were ever added.
    private var flatsAdded: UInt64 = 0
    /// The flats in the order in which they were added.
    private(set) var order: [String] = []
    /// Where flats that come while it runs go to be polled.
    private var added: AsyncStream<FlatState.ID>.Continuation?
    var lastSweep: ContinuousClock.Instant?
    var lastSuccess: ContinuousClock.Instant?
    private var bulkhead: Bulkhead?
    /// Who waits for a permit, by ticket.
    private var waiting: [Bulkhead.Ticket: CheckedContinuation<Bool, Never>] = [:]
    var retryBudget: RetryBudget
    var sweepsInFlight: Int = 0
    /// Requests that were sent and have not ended.
    var requestsInFlight: Int = 0
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
        let timeout = TimeAmount.nanoseconds(profile.timeout.nanoseconds)
        var http = HTTPClient.Options(
            connect: timeout, firstByte: timeout, total: timeout,
            connectionsMax: connectionsMax(of: profile), waitingMax: flatsMax,
            bodyBytesMax: options.bodyBytesMax, idle: .seconds(60))
        http.tls = options.tls
        return Poller(options, try await HTTPClient.make(ports, options: http), sink, observer)
    }

    /// As many connections as requests can be in flight: the mechanisms bound them, not a pool that was made for the flats at the start.
    package static func connectionsMax(of profile: PollerProfile) -> Int {
        if let bulkhead = profile.bulkhead { return bulkhead.total }
        return profile.order == .sweeps ? profile.overlap : flatsMax * profile.overlap
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
            flatsAdded += 1
            flats[flat] = FlatState(
                FlatState.ID(name: flat, number: flatsAdded), path: options.contract.path(of: flat),
                profile: options.profile, at: .zero)
        }
    }

    /// The time since the poller's start.
    var now: Duration { started.duration(to: .now) }

    // MARK: Flats

    /// Polls a flat from now on; false if it is polled already, if there are as many as may be, or if it cannot be a flat's name.
    @discardableResult
    public func add(_ flat: String) -> Bool {
        guard flats[flat] == nil, order.count < Self.flatsMax, FlatName.problem(of: flat) == nil else { return false }
        order.append(flat)
        flatsAdded += 1
        let id = FlatState.ID(name: flat, number: flatsAdded)
        flats[flat] = FlatState(id, path: options.contract.path(of: flat), profile: options.profile, at: now)
        added?.yield(id)
        return true
    }

    /// Polls a flat no more; false if it was not polled.
    ///
    /// Requests in flight end, and nothing is taken from them.
    @discardableResult
    public func remove(_ flat: String) -> Bool {
        guard flats.removeValue(forKey: flat) != nil else { return false }
        order.removeAll { $0 == flat }
        return true
    }

    /// Stops or goes on polling a flat that stays known; false if it is not.
    @discardableResult
    public func setEnabled(_ flat: String, _ isEnabled: Bool) -> Bool {
        guard let state = flats[flat] else { return false }
        state.polling.setEnabled(isEnabled, at: now)
        return true
    }

    // MARK: Running

    /// Polls until the task is cancelled.
    public func run() async {
        switch options.profile.order {
        case .sweeps: await runSweeps()
        case .independent: await runLoops()
        }
        await client.shutDown()
    }

    /// A loop for each flat, those that are added later too.
    private func runLoops() async {
        let (stream, continuation) = AsyncStream.makeStream(of: FlatState.ID.self)
        for flat in order.compactMap({ flats[$0]?.id }) { continuation.yield(flat) }
        added = continuation
        await withDiscardingTaskGroup { group in
            for await flat in stream { group.addTask { await self.runLoop(flat) } }
            group.cancelAll()
        }
        added = nil
    }

    /// Polls one flat at every interval, until it is removed.
    private func runLoop(_ flat: FlatState.ID) async {
        guard state(of: flat) != nil else { return }
        let interval = options.profile.interval
        let phase = options.profile.spreadsPhase ? Self.phase(of: flat.name, in: interval) : .zero
        var tick = ContinuousClock.now + phase
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do {
                    try await Task.sleep(until: tick, clock: .continuous)
                } catch {
                    break
                }
                guard let state = state(of: flat) else { break }
                let next = self.next(after: tick)
                switch state.polling.tick(at: now) {
                case .poll(let timeout):
                    if case .probing = state.polling.state(at: now) { observer(.probing(flat: flat.name)) }
                    group.addTask { await self.poll(flat, timeout: timeout, until: next) }
                case .skip(let reason):
                    counters.skips += 1
                    observer(.skipped(flat: flat.name, reason))
                case .nothing: break
                }
                tick = next
            }
            group.cancelAll()
        }
    }

    /// What is known of a flat; nil if it is no longer the one that was added under its number.
    func state(of flat: FlatState.ID) -> FlatState? {
        guard let state = flats[flat.name], state.id.number == flat.number else { return nil }
        return state
    }

    /// Sweeps over all flats, one at every interval.
    private func runSweeps() async {
        var tick = ContinuousClock.now
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                if sweepsInFlight < options.profile.overlap {
                    sweepsInFlight += 1
                    group.addTask { await self.sweep() }
                } else {
                    counters.skips += 1
                    observer(.sweepSkipped)
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

    // MARK: Permits

    /// A permit that was given; without a bulkhead there is no ticket.
    struct Permit {
        fileprivate let ticket: Bulkhead.Ticket?
    }

    /// Waits for a permit of the bulkhead; nil when the task was cancelled meanwhile.
    func acquirePermit(_ lane: Bulkhead.Lane, for flat: FlatState.ID) async -> Permit? {
        guard let (ticket, isPermit) = bulkhead?.take(lane) else { return Permit(ticket: nil) }
        if isPermit { return Permit(ticket: ticket) }
        observer(.queued(flat: flat.name))
        let isGiven = await withTaskCancellationHandler {
            await withCheckedContinuation { waiting[ticket] = $0 }
        } onCancel: {
            Task { await self.cancel(ticket) }
        }
        return isGiven ? Permit(ticket: ticket) : nil
    }

    /// Gives a permit back, and wakes who waited longest for it.
    func release(_ permit: Permit) {
        guard let ticket = permit.ticket, let next = bulkhead?.release(ticket) else { return }
        waiting.removeValue(forKey: next)?.resume(returning: true)
    }

    /// Permits of the bulkhead that somebody has; 0 without one.
    var permitsInUse: Int { bulkhead?.permitsInUse ?? 0 }

    private func cancel(_ ticket: Bulkhead.Ticket) {
        guard bulkhead?.cancel(ticket) ?? false else { return }
        waiting.removeValue(forKey: ticket)?.resume(returning: false)
    }

    // MARK: Ages

    /// How old what is known is.
    public var ages: Ages {
        let wall = WallClock.milliseconds
        let last = (options.profile.order == .sweeps ? lastSweep : lastSuccess) ?? started
        return Ages(
            lastSuccess: last.duration(to: .now).inSeconds,
            flats: order.compactMap { flats[$0] }.filter(\.polling.isEnabled).map { age(of: $0, wall) })
    }

    /// How old what is known of a flat is; nil if it is not polled.
    public func age(of flat: String) -> Ages.Flat? { flats[flat].map { age(of: $0, WallClock.milliseconds) } }

    private func age(of state: FlatState, _ wall: Int64) -> Ages.Flat {
        Ages.Flat(
            flat: state.id.name, lastSuccess: (now - (state.polling.lastSuccess ?? state.polling.since)).inSeconds,
            data: state.readings.newest.map { Double(wall - $0) / 1000 }, isFailing: state.polling.failingSince != nil)
    }

    /// Whether something can be delivered: a flat was fetched and does not fail, or there is none to fetch.
    public var isReady: Bool {
        let enabled = flats.values.map(\.polling).filter(\.isEnabled)
        return enabled.isEmpty || enabled.contains { $0.failingSince == nil && $0.lastSuccess != nil }
    }

    /// The latest readings of a flat; nil if it is not polled.
    public func latest(of flat: String) -> [Reading]? { flats[flat]?.readings.latest }

    /// How one of a flat's latest readings is less than the one before it, if it is a register's.
    func fall(at reading: Reading) -> CounterFall? {
        isCounter(reading.id.channel) ? flats[reading.id.flat]?.readings.fall(at: reading)?.kind : nil
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
    /// Polls or sweeps that were due while the process was held up.
    public var missed: Int = 0
    /// Times that a breaker opened.
    public var opened: Int = 0
}
