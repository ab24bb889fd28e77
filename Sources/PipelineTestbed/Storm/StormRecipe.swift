public import Documents
public import Experiments
import Faults
import Measurements
import Pipeline
public import Randomness
import Testbed

/// A storm as data: a landscape and a fault schedule, drawn from a seed, as a scenario that can be stored, played by anybody and made smaller.
///
/// A recipe is an experiment without a method, so `windkanal run` plays it too; from equal recipes follow equal digests.
public struct StormRecipe: Sendable {
    /// The experiment, with the landscape and the schedule in its extension.
    public let experiment: Experiment

    /// Reads a recipe back.
    public init(_ document: Document) {
        experiment = Experiment(document, origin: "")
    }

    /// Draws a recipe.
    public init(seed: Seed) {
        var draft = Draft(random: RandomStream(seed: seed).fork("storm"))
        let value: Value = [
            "title": .string("Storm \(seed.value)"),
            "description": "A landscape and a fault schedule that were drawn from a seed.",
            "method": [],
            "extensions": [.object(draft.extension(seed: seed))],
        ]
        experiment = Experiment(Document(value: value), origin: "")
    }

    /// The recipe as the text of a file.
    public var text: String { JSONWriter.write(experiment.document.value, .indented(2)) + "\n" }
}

/// Draws the parts of a recipe, each in its turn.
private struct Draft {
    var random: RandomStream
    private var keeps: Bool = false
    private var forgets: Bool = false
    /// How long the landscape runs before faults may begin, in s.
    private static let warmUp: Int = 20
    /// For how long faults begin, in s.
    private static let duration: Int = 240
    /// How long it may recover, in s: what was on its way has time to arrive.
    private static let recovery: Int = 135
    /// The same, where the broker forgets: long enough that it does.
    private static let longRecovery: Int = 700
    /// What is kept for longer than any storm, in s, survives the loss of the broker's disk.
    private static let keepAll: Int = 3600
    /// What a broker keeps, in s, is kept for longer than faults and recovery can hold it up.
    private static let retentionMin: Int = 420
    /// The same where readings may be lost: readers may come too late.
    private static let harshRetentionMin: Int = 5

    /// One in ten storms has faults that nothing survives: only that nothing is invented is claimed then.
    private var isHarsh: Bool = false

    init(random: RandomStream) {
        self.random = random
    }

    mutating func `extension`(seed: Seed) -> Value.Object {
        isHarsh = random.index(below: 10) == 0
        let persistence = persistence()
        let landscape = landscape(persistence)
        let recovery = forgets && !isHarsh ? Self.longRecovery : Self.recovery
        var scenario: Value.Object = [
            "name": .string(Scenario.extensionName), "seed": .integer(Int(clamping: seed.value)),
            "warm-up": .integer(Self.warmUp), "duration": .integer(Self.warmUp + Self.duration + recovery),
            "recovery": .integer(recovery), "landscape": .object(landscape),
        ]
        let schedule = schedule(landscape)
        scenario["faults"] = .array(schedule.faults.map { .string("\($0)") })
        let claims: [Scenario.Claim] =
            isHarsh
            ? [.nothingInvented]
            : [
                .nothingLost, .arrival, .complete, .fresh, .answers, .durable, .measured, .once, .retained, .calm,
                .resources,
            ]
        scenario["invariants"] = .array(claims.map { .string($0.rawValue) })
        return scenario
    }

    // MARK: The landscape

    private mutating func landscape(_ persistence: Value.Object) -> Value.Object {
        let profile = PollerProfile.all[random.index(below: PollerProfile.all.count)]
        var landscape: Value.Object = [
            "flats": .integer(random.index(below: 4) == 0 ? 1 + random.index(below: 3) : 4 + random.index(below: 17)),
            "rooms": .integer(1 + random.index(below: 3)),
            "latency": .real(Double(1 + random.index(below: 30)) / 10_000),
            "poller": .object(poller(profile)),
            "persistence": .object(persistence),
        ]
        let contracts = MeasurementContract.presets.keys.sorted()
        landscape["contract"] = .string(contracts[random.index(below: contracts.count)])
        if random.index(below: 4) == 0 { landscape["credentials"] = ["user": "u", "password": "p"] }
        return landscape
    }

    /// A profile, sometimes with so few permits or so little overlap that polls get into each other's way.
    private mutating func poller(_ profile: PollerProfile) -> Value.Object {
        var poller: Value.Object = ["profile": .string(profile.name)]
        if profile.bulkhead != nil, random.index(below: 2) == 0 {
            let slow = 1 + random.index(below: 2)
            poller["bulkhead"] = ["slow": .integer(slow), "total": .integer(slow + 1 + random.index(below: 4))]
        }
        if profile.overlap > 1, random.index(below: 2) == 0 {
            poller["overlap"] = .integer(1 + random.index(below: 2))
        }
        return poller
    }

    private mutating func persistence() -> Value.Object {
        var persistence: Value.Object = [
            "partitions": .integer([1, 2, 3, 4, 8][random.index(below: 5)]),
            "ingesters": .integer(random.index(below: 2) == 0 ? 1 : 2 + random.index(below: 2)),
        ]
        keeps = random.index(below: 4) == 0
        if keeps { persistence["retains-after-ack"] = .integer(Self.keepAll) }
        forgets = !keeps && random.index(below: isHarsh ? 2 : 8) == 0
        if forgets {
            let least = isHarsh ? Self.harshRetentionMin : Self.retentionMin
            persistence["retention"] = .integer(least + random.index(below: 100))
        }
        if random.index(below: 2) == 0 { persistence["cache-pages"] = .integer(1 + random.index(below: 10)) }
        if random.index(below: 3) > 0 {
            persistence["checkpoint-messages"] = .integer(20 + random.index(below: 200))
            persistence["checkpoint-pages"] = .integer(4 + random.index(below: 40))
        }
        if random.index(below: 3) == 0 { persistence["storage-queue"] = .integer(random.index(below: 3)) }
        if random.index(below: 2) == 0 { persistence["batch"] = .integer(1 + random.index(below: 50)) }
        return persistence
    }

    // MARK: Faults

    private mutating func schedule(_ landscape: Value.Object) -> FaultSchedule {
        let document: Value = [
            "extensions": [["name": .string(Scenario.extensionName), "landscape": .object(landscape)]]
        ]
        guard let scenario = try? Scenario(of: Experiment(Document(value: document), origin: "")) else {
            preconditionFailure("a landscape that was drawn cannot be read")
        }
        var options = Nemesis.Options()
        options.quiet = .seconds(Self.warmUp)
        options.duration = .seconds(Self.duration)
        options.marks = StormMarks.triggers
        let sources =
            Nemesis.everything + devices(scenario) + [strangers(scenario)] + (isHarsh ? Nemesis.losses : [])
            + (keeps ? [brokerLoss] : [])
        let names = PipelineMap(scenario).names
        let nemesis = Nemesis(against: names, sources: sources.map { survivable($0) }, options: options)
        return nemesis.schedule(&random)
    }

    /// What a landscape with an outbox that keeps everything survives.
    private var brokerLoss: Nemesis.Source {
        Nemesis.Source("lost broker disk") { _, _ in [.disk(.lose, FaultTarget(PipelineServices.Name.broker.rawValue))]
        }
    }

    /// A broker that forgets by its clock loses what is young to it when that jumps: no landscape survives it.
    private func survivable(_ source: Nemesis.Source) -> Nemesis.Source {
        guard forgets, !isHarsh else { return source }
        return source.filtered { fault in
            guard case .clock(_, let target) = fault else { return true }
            return target.name != PipelineServices.Name.broker.rawValue
        }
    }

    /// Records of somebody who does not know what the topic is for.
    private func strangers(_ scenario: Scenario) -> Nemesis.Source {
        let partitions = scenario.persistence?.partitions ?? 1
        return Nemesis.Source("strange record") { random, _ in
            let partition = "measurements-\(random.index(below: partitions))"
            return [.custom(CustomFault(StrangeRecords.name, FaultTarget(partition)))]
        }
    }

    /// Everything that devices can do wrong.
    private func devices(_ scenario: Scenario) -> [Nemesis.Source] {
        let faults: [Value] = [
            ["type": "reset"], ["type": "empty"], ["type": "malformed"], ["type": "garbled"], ["type": "truncated"],
            ["type": "hang"],
            ["type": "dribble", "bytes": 40, "every": 0.05], ["type": "status", "status": 503, "retry-after": 7],
            ["type": "status", "status": 429, "retry-after": 25],
            ["type": "status", "status": 500], ["type": "stale"], ["type": "duplicate"], ["type": "out-of-order"],
            ["type": "skew", "ahead": 20],
        ]
        let (flats, rooms) = (scenario.flats, scenario.rooms)
        return [
            Nemesis.Source("device schedule", weight: 3) { random, _ in
                var window: Value.Object = [:]
                if random.index(below: 2) == 0 { window["latency"] = .real(Double(random.index(below: 400)) / 10) }
                if window.isEmpty || random.index(below: 2) == 0 {
                    window["fault"] = faults[random.index(below: faults.count)]
                }
                if random.index(below: 2) == 0 { window["probability"] = .string("1/\(1 + random.index(below: 5))") }
                let flat = "SD\(random.index(below: flats))"
                let target =
                    switch random.index(below: 3) {
                    case 0: FaultTarget.everybody.name
                    case 1: flat
                    default: "\(flat):\(1 + random.index(below: rooms))"
                    }
                return [.custom(CustomFault(DeviceScheduleFaults.name, FaultTarget(target), window))]
            }
        ]
    }
}
