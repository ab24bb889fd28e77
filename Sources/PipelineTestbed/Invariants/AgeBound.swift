import Documents
import Durations
import Faults
import MeasurementServer
import Testbed

/// The age that a scenario bounds stays below its bound, but for some seconds after a fault begins or ends.
final class AgeBound: Invariant {
    let name: String
    private let bound: Scenario.Bound
    private let settle: Duration
    private let ages: AgeRecorder
    /// When a fault began or ended, or will: a device schedule says so in advance.
    private var changes: [Duration] = []

    init(_ bound: Scenario.Bound, settle: Duration, _ ages: AgeRecorder) {
        name = "the \(bound.age.rawValue) age stays below \(bound.seconds) s"
        self.bound = bound
        self.settle = settle
        self.ages = ages
    }

    func observe(_ event: TestbedEvent) {
        switch event.kind {
        case .applied(let applied): changes += [event.time] + Self.windows(of: applied.fault).map { event.time + $0 }
        case .reverted, .healed: changes.append(event.time)
        default: break
        }
    }

    /// When the windows of a device schedule begin and end, since it was set.
    private static func windows(of fault: Fault) -> [Duration] {
        guard case .custom(let custom) = fault, let schedule = try? DeviceSchedule(.object(custom.parameters)) else {
            return []
        }
        return schedule.windows.flatMap { [$0.from, $0.from + $0.ramp] + ($0.to.map { [$0] } ?? []) }
    }

    /// When the windows of a device schedule are open, since it was set; nothing of another fault.
    static func openings(of fault: Fault) -> [(from: Duration, to: Duration?)] {
        guard case .custom(let custom) = fault, let schedule = try? DeviceSchedule(.object(custom.parameters)) else {
            return []
        }
        return schedule.windows.map { ($0.from, $0.to) }
    }

    func check(at moment: CheckMoment) -> [InvariantFinding] {
        guard let age = ages.latest[bound.age] else { return [] }
        let seconds = Double(age.nanoseconds) / 1e9
        guard seconds > bound.seconds, !isSettling(at: moment.time) else { return [] }
        let tenths = (seconds * 10).rounded() / 10
        let whose = age.flat.map { " of \($0)" } ?? ""
        return [
            InvariantFinding(
                "the age\(whose) is \(tenths) s",
                entities: age.flat.map { [$0] } ?? [PipelineServices.Name.poller.rawValue])
        ]
    }

    private func isSettling(at time: Duration) -> Bool {
        changes.contains { $0 <= time && time <= $0 + settle }
    }
}
