import Durations
import HTTP
import Measurements
import Pipeline

/// Watches how old what the poller knows is, second by second, as the world sees it: from what the poller tells, not from what its services answer.
final class AgeRecorder {
    private let now: () -> UInt64
    private let hasSweeps: Bool
    private let flats: [String]
    private var index: [String: Int] = [:]
    private var lastSuccess: [UInt64]
    /// The newest measurement's time of each flat, in ms since 1970; nil before there is one.
    private var newest: [Int64?]
    private var lastGlobal: UInt64 = 0
    private var globalAges: AgeStatistics = AgeStatistics()
    private var successAges: AgeStatistics = AgeStatistics()
    private var dataAges: AgeStatistics = AgeStatistics()
    /// How often each kind of failure was seen.
    private(set) var failures: [String: Int] = [:]
    /// The ages at the last sample.
    private(set) var latest: [Scenario.AgeKind: Age] = [:]

    /// An age, and whose it is.
    struct Age {
        /// In ns.
        let nanoseconds: UInt64
        /// The flat that is oldest; nil for the global age.
        let flat: String?
    }

    /// Makes a recorder; `now` tells the nanoseconds since the run began.
    init(flats: [String], profile: PollerProfile, now: @escaping () -> UInt64) {
        self.now = now
        self.flats = flats
        hasSweeps = profile.order == .sweeps
        lastSuccess = Array(repeating: 0, count: flats.count)
        newest = Array(repeating: nil, count: flats.count)
        for (number, flat) in flats.enumerated() { index[flat] = number }
    }

    /// Hears what the poller tells.
    func note(_ event: PollerEvent) {
        let now = now()
        switch event {
        case .fetched(let flat, _, _, let newest):
            if !hasSweeps { lastGlobal = now }
            guard let number = index[flat] else { return }
            lastSuccess[number] = now
            self.newest[number] = newest
        case .sweepCompleted: if hasSweeps { lastGlobal = now }
        case .failed(_, let failure): failures[Self.kind(of: failure), default: 0] += 1
        case .failing, .recovered, .skipped, .sweepSkipped, .clockAhead, .serverClockOff, .partial, .unpublished,
            .counterFell, .breakerOpened, .probing, .queued, .retrying, .requestEnded:
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

    /// Takes a sample of all ages.
    func sample() {
        let now = now()
        let wall = WallClock.milliseconds
        globalAges.add(now - lastGlobal)
        let oldest = lastSuccess.indices.min { lastSuccess[$0] < lastSuccess[$1] }
        let success = now - (oldest.map { lastSuccess[$0] } ?? now)
        successAges.add(success)
        let stalest = newest.indices.min { (newest[$0] ?? 0) < (newest[$1] ?? 0) }
        let measured = stalest.map { newest[$0] ?? 0 } ?? wall
        // A flat that never measured is as old as the run.
        let data = measured == 0 ? now : UInt64(max(0, wall - measured)) * 1_000_000
        dataAges.add(data)
        latest = [
            .globalLastSuccess: Age(nanoseconds: now - lastGlobal, flat: nil),
            .perFlatLastSuccess: Age(nanoseconds: success, flat: oldest.map { flats[$0] }),
            .perFlatData: Age(nanoseconds: data, flat: stalest.map { flats[$0] }),
        ]
    }

    /// How long ago each flat was fetched, in ns, in the order of the flats.
    var agesOfFlats: [UInt64] {
        let now = now()
        return lastSuccess.map { now - $0 }
    }

    /// How long ago a flat was fetched, in seconds.
    func age(of flat: String) -> Double {
        index[flat].map { Double(now() - lastSuccess[$0]) / 1e9 } ?? .infinity
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
