import Durations
import Faults
import MeasurementServer
import Measurements
import Pipeline
public import Randomness
import SimulatedWorld
public import SimulationKernel

/// The whole pipeline under faults that are drawn from a seed: whatever happens, nothing that was acknowledged may be lost, and when everything
/// is healed all of it must arrive.
public struct PipelineStorm: Sendable {
    /// What came of a storm.
    public struct Outcome: Sendable {
        /// What went wrong; nil if nothing.
        public let violation: String?
        /// The faults, in their order.
        public let faults: [String]
        /// What became of the readings.
        public let audit: LedgerAudit
        /// What all decisions fold to.
        public let digest: TraceDigest
    }

    private let seed: Seed
    private let persistence: Persistence

    /// Flats of the landscape: so many that no partition is empty.
    static let flats: Int = 12
    /// For how long faults happen.
    private static let duration: Duration = .seconds(240)
    /// How long after healing everything must have arrived.
    private static let drainMax: Duration = .seconds(120)

    /// Prepares a storm over a landscape that keeps readings as is said.
    public init(seed: Seed, persistence: Persistence = Persistence()) {
        self.seed = seed
        self.persistence = persistence
    }

    /// Runs it.
    ///
    /// - Returns: What came of it.
    /// - Throws: ``SimulationError`` when simulations cannot run here.
    public func run() throws -> Outcome {
        let simulation = Simulation(
            seed: seed,
            options: Simulation.Options(
                budget: Budget(virtualTime: .seconds(3600), events: 50_000_000, wallTime: .seconds(600))))
        var scenario = Scenario()
        scenario.flats = Self.flats
        scenario.rooms = 1
        scenario.persistence = persistence
        let landscape = try Landscape(simulation, scenario)
        let box = Box()
        let result = try simulation.run { try await play(landscape, box) }
        if result.stopReason != .finished { box.violation = "the simulation \(result.stopReason)" }
        try result.get()
        return Outcome(violation: box.violation, faults: box.faults, audit: box.audit, digest: result.digest)
    }

    private final class Box: @unchecked Sendable {
        var violation: String?
        var faults: [String] = []
        var audit: LedgerAudit = LedgerAudit()
    }

    // MARK: The storm

    private func play(_ landscape: Landscape, _ box: Box) async throws {
        var random = RandomStream(seed: seed).fork("storm")
        let end = ContinuousClock.now + Self.duration
        try await Task.sleep(for: .seconds(20))
        while ContinuousClock.now < end {
            box.faults.append(
                "\(landscape.simulation.world.nanoseconds / 1_000_000_000) s: \(try strike(landscape, &random))")
            try await Task.sleep(for: .milliseconds(Int64(1000 + random.index(below: 15_000))))
            // Checked all the time: what is nowhere now will be nowhere later.
            box.audit = landscape.ledger.audit(landscape.machines)
            if !box.audit.holds {
                box.violation = box.audit.text
                return
            }
        }
        landscape.healAll()
        try await drain(landscape, box)
        guard box.violation == nil else { return }
        // What was acknowledged must survive the worst, at the end too.
        for name in landscape.machines.keys.sorted() { landscape.machines[name]?.crash(power: true) }
        try await Task.sleep(for: .seconds(10))
        box.audit = landscape.ledger.audit(landscape.machines)
        if !box.audit.holds { box.violation = box.audit.text }
        Simulation.note(box.audit.text)
    }

    private func drain(_ landscape: Landscape, _ box: Box) async throws {
        let end = ContinuousClock.now + Self.drainMax
        let owed = landscape.ledger.audit(landscape.machines).waiting
        while true {
            try await Task.sleep(for: .seconds(5))
            box.audit = landscape.ledger.audit(landscape.machines)
            guard box.audit.holds else { return box.violation = box.audit.text }
            // Something is always on its way; what was there when everything was healed must not be.
            if owed.isDisjoint(with: box.audit.waiting) { return }
            guard ContinuousClock.now < end else {
                let down = landscape.machines.values.filter { !$0.isUp }.map(\.name).sorted()
                return box.violation =
                    "not all had arrived \(Self.drainMax) after healing; down: \(down)\n\(box.audit.text)"
            }
        }
    }

    /// One fault more, or some less.
    private func strike(_ landscape: Landscape, _ random: inout RandomStream) throws -> String {
        let names = landscape.machines.keys.sorted()
        let name = names[random.index(below: names.count)]
        guard let machine = landscape.machines[name] else { return "" }
        let others = landscape.others(of: name)
        let other = others[random.index(below: others.count)]
        let seconds = 1 + random.index(below: 30)
        switch random.index(below: 12) {
        case 0:
            for other in others { try landscape.network.partition(name, other) }
            return "\(name) is cut off"
        case 1:
            try landscape.network.partition(name, other)
            return "\(name) and \(other) are cut off from each other"
        case 2:
            try landscape.slow(name, other, by: .milliseconds(100 * seconds))
            return "\(name) and \(other) are \(100 * seconds) ms from each other"
        case 3, 4:
            machine.crash(down: .seconds(seconds))
            return "\(name) is killed for \(seconds) s"
        case 5, 6:
            machine.crash(power: true, down: .seconds(seconds))
            return "\(name) loses power for \(seconds) s"
        case 7:
            machine.disk.faults.syncFailures = Ratio(1, outOf: UInt64(2 + random.index(below: 20)))
            return "\(name)'s disk fails to sync"
        case 8:
            machine.disk.faults.writeFailures = Ratio(1, outOf: UInt64(5 + random.index(below: 50)))
            return "\(name)'s disk fails to write"
        case 9:
            machine.disk.faults.capacity = machine.disk.usedBytes + random.index(below: 40_000)
            return "\(name)'s disk is almost full"
        case 10:
            machine.disk.faults.syncLatency = .fixed(.milliseconds(100 * seconds))
            return "\(name)'s disk syncs in \(100 * seconds) ms"
        default:
            landscape.healAll()
            return "everything is healed"
        }
    }
}
