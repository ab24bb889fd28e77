import Documents
import Faults
import MeasurementServer
import Ports
import Testbed

/// Lets device schedules be faults as any other: `custom name=device-schedule target=SD3 parameters={…}`.
///
/// What experiments schedule by the server's own API counts too: it is listed with what it hit.
final class DeviceScheduleFaults: CustomFaultHandler, @unchecked Sendable {
    static let name: String = "device-schedule"

    let name: String = DeviceScheduleFaults.name
    private let scenario: Scenario
    private let now: () -> Duration
    private var server: MeasurementServer?
    /// What acts, by target; the later of two of one target shows.
    private var active: [CustomFault] = []
    private var hits: [String: Int] = [:]
    /// What experiments scheduled by themselves.
    private var requested: [Requested] = []

    private struct Requested {
        let fault: CustomFault
        let since: Duration
        var until: Duration?
        let hitsBefore: Int
        var hits: Int?
    }

    init(_ scenario: Scenario, now: @escaping () -> Duration) {
        self.scenario = scenario
        self.now = now
    }

    /// The server has started: what acts, acts on it too.
    func attach(_ server: MeasurementServer) async {
        self.server = server
        for fault in active { set(fault, fault.target.name) }
    }

    // MARK: Faults

    func apply(_ fault: CustomFault) throws(FaultError) {
        if let problem = Self.problem(ofDevices: fault.target.name, in: scenario) { throw FaultError(problem) }
        do throws(ScheduleError) {
            _ = try DeviceSchedule(.object(fault.parameters))
        } catch {
            throw FaultError("the schedule is refused: \(error)")
        }
        active.append(fault)
        set(fault, fault.target.name)
    }

    func revert(_ fault: CustomFault) {
        guard let index = active.lastIndex(of: fault) else { return }
        active.remove(at: index)
        set(active.last { $0.target == fault.target }, fault.target.name)
    }

    func hits(of target: FaultTarget) -> Int { hits[target.name] ?? 0 }

    private func set(_ fault: CustomFault?, _ target: String) {
        server?.setSchedule(fault.map { .object($0.parameters) }, of: target)
    }

    /// What is wrong with devices as the measurement server's admin API names them, such as `SD3` or `SD3:1`; nil if nothing is.
    static func problem(ofDevices name: String, in scenario: Scenario) -> String? {
        if name == FaultTarget.everybody.name { return nil }
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard MeasurementServer.flatNames(scenario.flats).contains(String(parts[0])) else {
            return "there is no flat '\(parts[0])'; there are SD0 to SD\(scenario.flats - 1)"
        }
        guard parts.count == 2 else { return nil }
        guard let room = Int(parts[1]), (1...scenario.rooms).contains(room) else {
            return "there is no room '\(parts[1])' in \(parts[0]); there are 1 to \(scenario.rooms)"
        }
        return nil
    }

    // MARK: What experiments schedule

    /// Hears what the server tells; tells what begins and ends because an experiment asked for it.
    func hear(_ event: MeasurementServerEvent, _ log: TestbedLog) {
        switch event {
        case .hit(let target): hits[target, default: 0] += 1
        case .scheduled(let target, let document, .request):
            end(target, log)
            requested.append(
                Requested(
                    fault: CustomFault(Self.name, FaultTarget(target), document.object ?? [:]), since: now(),
                    hitsBefore: hits[target] ?? 0))
            log.record(.applied(snapshot(requested[requested.count - 1], requested.count)))
        case .unscheduled(let target, .request): end(target, log)
        case .scheduled(_, _, .owner), .unscheduled(_, .owner): break
        }
    }

    private func end(_ target: String, _ log: TestbedLog) {
        guard let index = requested.lastIndex(where: { $0.fault.target.name == target && $0.until == nil }) else {
            return
        }
        requested[index].hits = (hits[target] ?? 0) - requested[index].hitsBefore
        requested[index].until = now()
        log.record(.reverted(snapshot(requested[index], index + 1)))
    }

    /// What experiments scheduled by themselves, with what it hit.
    var applied: [AppliedFault] { requested.enumerated().map { snapshot($1, $0 + 1) } }

    private func snapshot(_ entry: Requested, _ id: Int) -> AppliedFault {
        let target = entry.fault.target.name
        let count = entry.hits ?? (hits[target] ?? 0) - entry.hitsBefore
        return AppliedFault(
            id: id, fault: .custom(entry.fault), since: entry.since, until: entry.until,
            impact: FaultImpact([FaultImpact.Target(name: target, hits: count)]))
    }
}
