import Documents
public import Experiments
public import Pipeline
public import Randomness

/// What an experiment says in its extension `windkanal`: the landscape that it runs in, and how long.
///
/// The reference ignores extensions, so the same file runs with it, against a real landscape. The form is documented in docs/scenarios.md.
public struct Scenario: Sendable {
    /// The extension's name.
    public static let extensionName: String = "windkanal"
    /// Flats that a landscape may have.
    public static let flatsMax: Int = 10_000
    /// The longest run: a week of virtual time.
    public static let durationMax: Duration = .seconds(7 * 86_400)

    /// What the run follows from, unless the command line says otherwise.
    public var seed: Seed = Seed(1)
    /// Flats of the landscape.
    public var flats: Int = 20
    /// Rooms of each flat.
    public var rooms: Int = 4
    /// What the measurement server's answers look like.
    public var contract: MeasurementContract = .ieeFlat
    /// How the poller goes about its flats.
    public var profile: PollerProfile = .pipelined
    /// How long a packet takes between two machines.
    public var latency: Duration = .milliseconds(1)
    /// How long the landscape runs before the experiment begins.
    public var warmUp: Duration = .seconds(30)
    /// How long the landscape runs in all; an experiment that takes longer ends it later.
    public var duration: Duration = .seconds(600)
    /// The age that the hypothesis binds, and how old it may be.
    public var bound: Bound = Bound(age: .perFlatLastSuccess, seconds: 20)

    /// Twenty flats of four rooms, the pipelined poller, ten minutes.
    public init() {}

    /// An age and its limit.
    public struct Bound: Hashable, Sendable {
        /// Which age.
        public var age: AgeKind
        /// The limit, in seconds.
        public var seconds: Double
    }

    /// The three ages; a hypothesis names the one that it binds.
    public enum AgeKind: String, CaseIterable, Hashable, Sendable {
        /// Since anything was fetched; with passes, since a whole pass succeeded.
        case globalLastSuccess = "global-last-success"
        /// Since a flat was fetched; the oldest counts.
        case perFlatLastSuccess = "per-flat-last-success"
        /// Since a flat's newest measurement; the oldest counts.
        case perFlatData = "per-flat-data"
    }
}

/// Why an extension is no scenario.
public struct ScenarioError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where in the extension, and what is wrong.
    public let description: String

    init(_ place: String, _ problem: String) {
        description = "the extension 'windkanal': \(place) \(problem)"
    }
}

extension Scenario {
    /// Reads the extension of an experiment; nil if it has none.
    ///
    /// - Throws: ``ScenarioError`` with the first thing that is wrong.
    public init?(of experiment: Experiment) throws(ScenarioError) {
        guard let value = experiment.extension(Self.extensionName) else { return nil }
        try Self.check(value, ["name", "landscape", "seed", "warm-up", "duration", "bound"], at: "")
        if let seed = value["seed"] {
            guard let number = seed.integer, number >= 0 else {
                throw ScenarioError("seed", "is a whole number from 0 on")
            }
            self.seed = Seed(UInt64(number))
        }
        warmUp = try Self.seconds(value["warm-up"], "warm-up") ?? warmUp
        duration = try Self.seconds(value["duration"], "duration") ?? duration
        guard duration <= Self.durationMax, warmUp <= duration else {
            throw ScenarioError("duration", "is at most a week, and not shorter than warm-up")
        }
        if let landscape = value["landscape"] { try read(landscape) }
        guard let bound = value["bound"] else { return }
        try Self.check(bound, ["age", "seconds"], at: "bound/")
        guard let age = bound["age"]?.string.flatMap(AgeKind.init) else {
            throw ScenarioError("bound/age", "is one of \(AgeKind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard let seconds = bound["seconds"]?.number, seconds > 0, seconds.isFinite else {
            throw ScenarioError("bound/seconds", "is a number above 0")
        }
        self.bound = Bound(age: age, seconds: seconds)
    }

    private mutating func read(_ landscape: Value) throws(ScenarioError) {
        try Self.check(landscape, ["flats", "rooms", "contract", "poller", "latency"], at: "landscape/")
        flats = try Self.count(landscape["flats"], 1...Self.flatsMax, "landscape/flats") ?? flats
        rooms = try Self.count(landscape["rooms"], 1...100, "landscape/rooms") ?? rooms
        latency = try Self.seconds(landscape["latency"], "landscape/latency") ?? latency
        if let contract = landscape["contract"] {
            guard let known = contract.string.flatMap({ MeasurementContract.presets[$0] }) else {
                let names = MeasurementContract.presets.keys.sorted().joined(separator: ", ")
                throw ScenarioError("landscape/contract", "is one of \(names)")
            }
            self.contract = known
        }
        guard let poller = landscape["poller"] else { return }
        try Self.check(poller, ["profile", "interval", "deadline", "overlap"], at: "landscape/poller/")
        if let name = poller["profile"] {
            guard let known = name.string.flatMap(PollerProfile.init(named:)) else {
                let names = PollerProfile.all.map(\.name).joined(separator: ", ")
                throw ScenarioError("landscape/poller/profile", "is one of \(names)")
            }
            profile = known
        }
        profile.interval = try Self.seconds(poller["interval"], "landscape/poller/interval") ?? profile.interval
        profile.deadline = try Self.seconds(poller["deadline"], "landscape/poller/deadline") ?? profile.deadline
        profile.overlap = try Self.count(poller["overlap"], 1...64, "landscape/poller/overlap") ?? profile.overlap
        if let problem = profile.invalidity { throw ScenarioError("landscape/poller", "cannot work: \(problem)") }
    }

    private static func check(_ value: Value, _ known: [String], at place: String) throws(ScenarioError) {
        guard let object = value.object else { throw ScenarioError(place, "is an object, not \(value.kind)") }
        for name in object.keys where !known.contains(name) {
            throw ScenarioError(place + name, "is not known; there are \(known.joined(separator: ", "))")
        }
    }

    private static func seconds(_ value: Value?, _ place: String) throws(ScenarioError) -> Duration? {
        guard let value else { return nil }
        guard let seconds = value.number, (0...1e7).contains(seconds) else {
            throw ScenarioError(place, "is a number of seconds from 0 on")
        }
        return .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    private static func count(_ value: Value?, _ range: ClosedRange<Int>, _ place: String) throws(ScenarioError) -> Int?
    {
        guard let value else { return nil }
        guard let count = value.integer, range.contains(count) else {
            throw ScenarioError(place, "is a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return count
    }
}
