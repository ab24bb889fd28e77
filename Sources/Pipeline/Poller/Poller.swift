import HTTP
public import HTTPTypes
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
        /// How far a device's clock may be ahead.
        public var skewMax: Duration = .seconds(5)
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
    private var loops: [String: Task<Void, Never>] = [:]
    private var isRunning: Bool = false
    var lastPass: ContinuousClock.Instant?
    var lastSuccess: ContinuousClock.Instant?
    var bulkhead: Bulkhead?
    var retryBudget: RetryBudget
    private var lastWait: UInt64 = 0
    var passesUnderWay: Int = 0
    /// What was done, for metrics.
    public internal(set) var counters: PollerCounters = PollerCounters()

    /// Makes a poller that reaches its server through `ports`.
    public static func make(
        _ ports: any Ports, options: Options, sink: any MeasurementSink,
        observer: @escaping @Sendable (PollerEvent) -> Void = { _ in }
    ) async throws -> Poller {
        let profile = options.profile
        let deadline = TimeAmount.nanoseconds(profile.deadline.nanoseconds)
        var http = HTTPClient.Options(
            connect: deadline, firstByte: deadline, total: deadline,
            connectionsMax: profile.bulkhead?.total ?? max(32, options.flats.count * profile.overlap),
            waitingMax: flatsMax, bodyBytesMax: options.bodyBytesMax, idle: .seconds(60))
        http.tls = options.tls
        return Poller(options, try await HTTPClient.make(ports, options: http), sink, observer)
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

    /// Polls a flat from now on; false if it is polled already, or if there are as many as may be.
    @discardableResult
    public func add(_ flat: String) -> Bool {
        guard flats[flat] == nil, order.count < Self.flatsMax else { return false }
        order.append(flat)
        flats[flat] = FlatState(
            flat: flat, path: options.contract.path(of: flat), since: .now, breaker: options.profile.breaker)
        if isRunning, options.profile.order == .independent { startLoop(flat) }
        return true
    }

    /// Polls a flat no more; false if it was not polled.
    @discardableResult
    public func remove(_ flat: String) -> Bool {
        guard flats.removeValue(forKey: flat) != nil else { return false }
        order.removeAll { $0 == flat }
        loops.removeValue(forKey: flat)?.cancel()
        return true
    }

    /// Stops or goes on polling a flat that stays known; false if it is not.
    @discardableResult
    public func setPulled(_ flat: String, _ isPulled: Bool) -> Bool {
        guard flats[flat] != nil else { return false }
        flats[flat]?.isPulled = isPulled
        return true
    }

    // MARK: Running

    /// Polls until the task is cancelled.
    public func run() async {
        isRunning = true
        switch options.profile.order {
        case .passes: await runPasses()
        case .independent:
            for flat in order { startLoop(flat) }
            // The loops do the work; this waits for the end.
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
        }
        for flat in order { loops[flat]?.cancel() }
        loops = [:]
        isRunning = false
        await client.shutDown()
    }

    private func startLoop(_ flat: String) {
        loops[flat] = Task { await runLoop(flat) }
    }

    /// Polls one flat at every interval.
    private func runLoop(_ flat: String) async {
        let interval = options.profile.interval
        var tick = ContinuousClock.now + (options.profile.spreadsPhase ? Self.phase(of: flat, in: interval) : .zero)
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do {
                    try await Task.sleep(until: tick, clock: .continuous)
                } catch {
                    break
                }
                if let permission = permission(for: flat) {
                    flats[flat]?.underWay += 1
                    let next = tick + interval
                    group.addTask { await self.poll(flat, permission, until: next) }
                }
                tick += interval
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
                }
                tick += options.profile.interval
                do {
                    try await Task.sleep(until: tick, clock: .continuous)
                } catch {
                    break
                }
            }
            group.cancelAll()
        }
    }

    /// Where in the interval a flat is polled: always the same, and spread over all flats.
    static func phase(of flat: String, in interval: Duration) -> Duration {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in flat.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        // The low bits of this hash differ little between short names.
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
        let now = ContinuousClock.now
        let wall = WallClock.milliseconds
        let last = (options.profile.order == .passes ? lastPass : lastSuccess) ?? started
        return Ages(
            lastSuccess: last.duration(to: now).inSeconds,
            flats: order.compactMap { flats[$0] }.map { state in
                Ages.Flat(
                    flat: state.flat, lastSuccess: (state.lastSuccess ?? state.since).duration(to: now).inSeconds,
                    data: state.newest.map { Double(wall - $0) / 1000 }, isFailing: state.failingSince != nil)
            })
    }

    /// The latest readings of a flat; nil if it is not polled.
    public func latest(of flat: String) -> [Reading]? { flats[flat]?.latest }
}

extension Duration {
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
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
}
