public import Faults
import SimulationKernel
import Testbed

/// Plays a fault schedule on a simulated deployment: each fault at its time, or when its mark is reached, and for its duration.
public final class SchedulePlayer {
    private let deployment: SimulatedDeployment
    /// Faults that wait for their marks.
    private var waiting: [ScheduledFault]
    private var isOver: Bool = false
    /// Faults that could not be applied, with why.
    public private(set) var problems: [String] = []

    /// Prepares to play; begin it when the run begins.
    public init(_ schedule: FaultSchedule, on deployment: SimulatedDeployment) {
        self.deployment = deployment
        waiting = schedule.faults.filter { if case .on = $0.trigger { true } else { false } }
        for fault in schedule.faults {
            guard case .at(let time) = fault.trigger else { continue }
            schedulePlaying(of: fault, at: UInt64(max(0, time.attoseconds / 1_000_000_000)))
        }
        if !waiting.isEmpty { deployment.log.listen { [unowned self] event in hear(event) } }
    }

    /// Begins nothing any more.
    public func stop() { isOver = true }

    private func hear(_ event: TestbedEvent) {
        guard !isOver, case .reached(let mark, let count) = event.kind else { return }
        for fault in waiting {
            guard case .on(mark: mark.name, nth: count, delay: let delay) = fault.trigger else { continue }
            // Never in the middle of what reached the mark: as an event of its own.
            let time = deployment.world.nanoseconds + UInt64(max(0, delay.attoseconds / 1_000_000_000))
            schedulePlaying(of: fault, at: time)
        }
    }

    private func schedulePlaying(of fault: ScheduledFault, at time: UInt64) {
        deployment.world.schedule(at: time) { [weak self] _ in self?.play(fault) }
    }

    private func play(_ fault: ScheduledFault) {
        guard !isOver else { return }
        do throws(FaultError) {
            let id = try deployment.faults.apply(fault.fault)
            guard let duration = fault.duration else { return }
            let world = deployment.world
            let end = world.nanoseconds + UInt64(max(0, duration.attoseconds / 1_000_000_000))
            world.schedule(at: end) { [weak self] _ in
                guard let self, !isOver else { return }
                deployment.faults.revert(id)
            }
        } catch {
            problems.append("\(fault): \(error)")
        }
    }
}
