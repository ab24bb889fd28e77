import Documents
public import Experiments
public import Faults
public import MeasurementServer
public import Measurements
public import Pipeline
public import Randomness

/// What an experiment says in its extension `windkanal`: the landscape that it runs in, and how long.
///
/// The reference ignores extensions, so the same file runs with it, against a real landscape. The form is documented in docs/scenarios.md.
public struct Scenario: Sendable {
    /// The extension's name.
    public static let extensionName: String = "windkanal"
    /// What there is to be said of an experiment that looks as if it was to have a landscape and has none; nil if nothing is.
    public static func misspelling(in experiment: Experiment) -> String? {
        let names = (experiment["extensions"]?.array ?? []).compactMap { $0["name"]?.string }
        guard !names.contains(extensionName),
            let name = names.first(where: { Validator.isMisspelling($0, of: extensionName) })
        else { return nil }
        return
            "the extension '\(name)' is not known and has no effect: nothing is simulated; did you mean '\(extensionName)'?"
    }

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
    /// The profile of the poller, before the scenario's changes of it.
    public private(set) var baseProfile: PollerProfile = .pipelined
    /// The profile that the scenario's file names.
    public internal(set) var fileProfile: PollerProfile = .pipelined
    /// What the scenario changes of any profile.
    var pollerSettings: PollerSettings = PollerSettings()
    /// What the measurement server asks for and the poller knows; nil is neither.
    public var credentials: MeasurementServer.Credentials?
    /// Measured values in place of the model's.
    public var series: MeasuredSeries?
    /// What keeps readings behind the poller; nil is nothing.
    public var persistence: Persistence?
    /// How long a packet takes between two machines.
    public var latency: Duration = .milliseconds(1)
    /// How long the landscape runs before the experiment begins.
    public var warmUp: Duration = .seconds(30)
    /// How long the landscape runs in all; an experiment that takes longer ends it later.
    public var duration: Duration = .seconds(600)
    /// The age that the hypothesis binds, and how old it may be.
    public var bound: Bound = Bound(age: .perFlatLastSuccess, seconds: 20)
    /// What goes wrong besides what the experiment does, since the run began.
    public var faults: FaultSchedule = FaultSchedule()
    /// How long the system may recover at the end, with nothing wrong any more; counts where there is a schedule.
    public var recovery: Duration = .zero
    /// What is claimed of the run whatever its probes say; nil is what is claimed of every run.
    var chosenClaims: Set<Claim>?

    /// What may be claimed of a run.
    public enum Claim: String, CaseIterable, Hashable, Sendable {
        /// No acknowledged reading is lost, and none is invented.
        case nothingLost = "nothing-lost"
        /// Nothing is in the storage that was never read; where readings may be lost, this is what is left to claim.
        case nothingInvented = "nothing-invented"
        /// What was on its way when everything was healed arrives.
        case arrival
        /// What the measurement server shows after healing is acknowledged.
        case complete
        /// Every flat is fetched again after healing.
        case fresh
        /// What storage and gateway answer at the end is true.
        case answers
        /// What was acknowledged survives that all power is gone at the end.
        case durable
        /// What the poller gives away is what the model's devices have measured.
        case measured
        /// What a producer sends again is appended to the broker's log once.
        case once
        /// The broker forgets no record before its time.
        case retained
        /// When nothing has been wrong for a while, nothing is sent or brought twice.
        case calm
        /// Connections, requests in flight and permits stay within their limits, and go back to nothing.
        case resources
    }

    /// What is claimed of the run: that nothing is lost, where the landscape keeps readings, if it says nothing itself.
    public var claims: Set<Claim> { chosenClaims ?? (persistence == nil ? [] : [.nothingLost]) }

    /// What is not wrong, and yet may not be what was meant.
    var warnings: [String] = []

    /// Twenty flats of four rooms, the pipelined poller, ten minutes.
    public init() {}

    /// How the poller goes about its flats: a profile, and what the scenario changes of it.
    public var profile: PollerProfile { pollerSettings.applied(to: baseProfile) }

    /// Takes another profile; what the scenario changes stays changed.
    ///
    /// - Throws: ``ScenarioError`` if the two do not go together.
    public mutating func use(_ profile: PollerProfile) throws(ScenarioError) {
        let changed = pollerSettings.applied(to: profile)
        if let problem = changed.validationError {
            throw ScenarioError(problems: [
                "landscape/poller cannot work with the profile '\(profile.name)': \(problem)"
            ])
        }
        baseProfile = profile
    }

    /// An age and its limit.
    public struct Bound: Hashable, Sendable {
        /// Which age.
        public var age: AgeKind
        /// The limit, in seconds.
        public var seconds: Double
        /// Whether it refutes a run that exceeds it; otherwise it is told of, and no more.
        public var binds: Bool = false
        /// For how long after a fault begins or ends it may be exceeded.
        public var settle: Duration = .zero
    }

    /// The three ages; a hypothesis names the one that it binds.
    public enum AgeKind: String, CaseIterable, Hashable, Sendable {
        /// Since anything was fetched; with sweeps, since a whole one succeeded.
        case globalLastSuccess = "global-last-success"
        /// Since a flat was fetched; the oldest counts.
        case perFlatLastSuccess = "per-flat-last-success"
        /// Since a flat's newest measurement; the oldest counts.
        case perFlatData = "per-flat-data"
    }
}
