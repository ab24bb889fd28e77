import Durations
import HTTP
import Measurements
import Pipeline
import SimulationKernel

/// Watches how old what the poller knows is, second by second, as the world sees it: from what the poller tells, not from what its services answer.
final class AgeRecorder: @unchecked Sendable {
    private let simulation: Simulation
    private let hasPasses: Bool
    private var index: [String: Int] = [:]
    private var lastSuccess: [UInt64]
    /// The newest measurement's time of each flat, in ms since 1970; nil before there is one.
    private var newest: [Int64?]
    private var lastGlobal: UInt64 = 0
    private var isOver: Bool = false
    private var globalAges: AgeStatistics = AgeStatistics()
    private var successAges: AgeStatistics = AgeStatistics()
    private var dataAges: AgeStatistics = AgeStatistics()
    /// How often each kind of failure was seen.
    private(set) var failures: [String: Int] = [:]

    /// Looks, now and then, whether somebody wants the run to end.
    var look: () -> Void = {}

    private static let interval: Duration = .seconds(1)

    init(_ simulation: Simulation, flats: [String], profile: PollerProfile) {
        self.simulation = simulation
        hasPasses = profile.order == .passes
        lastSuccess = Array(repeating: 0, count: flats.count)
        newest = Array(repeating: nil, count: flats.count)
        for (number, flat) in flats.enumerated() { index[flat] = number }
    }

    /// Hears what the poller tells.
    func note(_ event: PollerEvent) {
        look()
        let now = simulation.world.nanoseconds
        switch event {
        case .fetched(let flat, _, _, let newest):
            if !hasPasses { lastGlobal = now }
            guard let number = index[flat] else { return }
            lastSuccess[number] = now
            self.newest[number] = newest
        case .passed: if hasPasses { lastGlobal = now }
        case .failed(_, let failure): failures[Self.kind(of: failure), default: 0] += 1
        case .failing, .recovered, .skipped, .passSkipped, .clockAhead, .serverClockOff, .partial, .unpublished,
            .counterFell:
            break
        }
    }

    private static func kind(of failure: PollFailure) -> String {
        switch failure {
        case .http(let failure):
            switch failure {
            case .connect: "no connection"
            case .timedOut: "timed out"
            case .closed: "closed"
            case .reset: "reset"
            case .malformed: "no HTTP"
            case .bodyTooLarge: "too large"
            case .transport, .poolExhausted, .cancelled, .shutDown: "other"
            }
        case .status(let status, _): "status \(status)"
        case .payload: "not understood"
        }
    }

    /// Begins to sample, from now on and every second.
    func start() {
        simulation.schedule(after: Self.interval) { [self] _ in sample() }
    }

    /// Samples no more.
    func stop() { isOver = true }

    private func sample() {
        guard !isOver else { return }
        look()
        let now = simulation.world.nanoseconds
        let wall = WallClock.milliseconds
        globalAges.add(now - lastGlobal)
        successAges.add(now - (lastSuccess.min() ?? now))
        let oldest = newest.map { $0 ?? 0 }.min() ?? wall
        // A flat that never measured is as old as the run.
        dataAges.add(oldest == 0 ? now : UInt64(max(0, wall - oldest)) * 1_000_000)
        start()
    }

    var statistics: [Scenario.AgeKind: AgeStatistics] {
        [.globalLastSuccess: globalAges, .perFlatLastSuccess: successAges, .perFlatData: dataAges]
    }
}

/// The largest and the 95th percentile of samples, in tenths of a second.
public struct AgeStatistics: Hashable, Sendable {
    private var tenths: [Int] = []
    private var count: Int = 0
    private var largest: UInt64 = 0

    /// Ages beyond are counted as this: an hour.
    private static let tenthsMax: Int = 36_000

    mutating func add(_ nanoseconds: UInt64) {
        let bucket = Swift.min(Int(nanoseconds / 100_000_000), Self.tenthsMax)
        while tenths.count <= bucket { tenths.append(0) }
        tenths[bucket] += 1
        count += 1
        largest = Swift.max(largest, nanoseconds)
    }

    /// How many samples there are.
    public var samples: Int { count }

    /// How many samples exceed so many seconds, to the tenth.
    public func exceeding(_ seconds: Double) -> Int {
        tenths.dropFirst(Int((Swift.min(seconds, 1e9) * 10).rounded())).reduce(0, +)
    }

    /// The largest, in seconds.
    public var max: Double { Double(largest / 1_000_000) / 1000 }

    /// What 95 of 100 samples do not exceed, in seconds.
    public var p95: Double {
        var left = Percentile.rank(95, of: count)
        for (bucket, number) in tenths.enumerated() {
            left -= number
            if left <= 0 { return Double(bucket) / 10 }
        }
        return max
    }
}
