import Durations
import Faults
import MeasurementServer
import Pipeline
import SimulatedTestbed
import SimulatedWorld
import SimulationKernel
import Testbed

/// The pipeline on simulated nodes, and those who watch it: what activities and invariants work on.
///
/// It belongs to one simulation and its thread.
final class SimulatedPipeline: @unchecked Sendable {
    let scenario: Scenario
    let deployment: SimulatedDeployment
    /// How old what the poller knows is.
    let ages: AgeRecorder
    /// What became of every reading.
    let ledger: Ledger
    /// Whether the storage's disk has failed it, and its process has not begun anew: the disk may hold what it does not show.
    private(set) var isStorageStopping: Bool = false
    /// What is wrong with devices.
    let schedules: DeviceScheduleFaults
    /// Who appends to the broker's log what is no reading; nil where there is no broker.
    let strangers: StrangeRecords?
    private var lastAudit: (moment: AuditMoment, audit: LedgerAudit)?

    init(_ scenario: Scenario, in simulation: Simulation) throws {
        self.scenario = scenario
        let world = simulation.world
        let now: () -> UInt64 = { world.nanoseconds }
        let flats = MeasurementServer.flatNames(scenario.flats)
        ages = AgeRecorder(flats: flats, profile: scenario.profile, now: now)
        ledger = Ledger(now: now)
        schedules = DeviceScheduleFaults(scenario) { .nanoseconds(Int64(now())) }
        strangers = (scenario.persistence?.topic).map(StrangeRecords.init)
        let services = PipelineServices(scenario: scenario, seed: simulation.seed, schedules: schedules)
        deployment = try SimulatedDeployment(
            services.deployment, in: simulation, disk: scenario.persistence?.disk ?? .init(),
            handlers: [schedules] + (strangers.map { [$0] } ?? []))
        strangers?.deployment = deployment
        hear()
    }

    /// Lets those who watch hear of what happens.
    private func hear() {
        let (ages, ledger, schedules, log) = (ages, ledger, schedules, deployment.log)
        var failed: Set<String> = []
        let stopped = Mark(Waypoint.storageStopped.rawValue)
        log.listen { [unowned self, unowned log] event in
            switch event.kind {
            case .reached(stopped, _): isStorageStopping = true
            case .failed(let process, _): failed.insert(process)
            case .started(let process, _):
                if process == PipelineServices.Name.storage.rawValue { isStorageStopping = false }
                if failed.remove(process) != nil { log.reach(StormMarks.serviceRestarted) }
            default: break
            }
            guard case .observed(let observation as PipelineObservation, _) = event.kind else { return }
            switch observation {
            case .poller(let event): ages.note(event)
            case .read(let readings): ledger.noteAttempt(readings)
            case .acknowledged(let readings): ledger.noteAcknowledgement(readings)
            case .gauge: break
            case .schedule(let event): schedules.hear(event, log)
            }
        }
    }

    /// Looks at the disks as they are at this moment.
    func audit() -> LedgerAudit {
        let moment = AuditMoment(
            time: deployment.nanoseconds, notes: ledger.notes, faults: deployment.faults.applied.count,
            operations: deployment.processes.map { $0.disk()?.operations ?? 0 })
        // At one moment several may ask.
        if let lastAudit, lastAudit.moment == moment { return lastAudit.audit }
        let audit = ledger.audit(deployment)
        lastAudit = (moment, audit)
        return audit
    }

    /// What an audit depends on.
    private struct AuditMoment: Hashable {
        let time: UInt64
        let notes: Int
        let faults: Int
        let operations: [Int]
    }

    /// What the broker's log holds at this moment; nil if there is none yet.
    var log: (any LoggedReadings)? {
        Ledger.location(deployment, PipelineServices.Name.broker, PipelineServices.File.broker).map(
            BrokerLogReadings.init)
    }

    /// All faults that were ever applied, by whomever, in the order in which they began, with what they hit.
    var faults: [AppliedFault] {
        (deployment.faults.applied + schedules.applied).sorted { ($0.since, $0.id) < ($1.since, $1.id) }
    }

    /// Services that do not run.
    var down: [String] { deployment.processes.filter { !$0.isUp }.map(\.name).sorted() }
}
