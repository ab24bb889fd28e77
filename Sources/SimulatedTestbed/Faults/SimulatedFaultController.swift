public import Faults
import Randomness
import SimulatedWorld
import SimulationKernel
public import Testbed

/// Applies faults to a simulated deployment, takes them back, and counts what they hit.
///
/// What a link, a host or a disk does follows from all faults that act on it: the controller folds them anew whenever one begins or ends.
public final class SimulatedFaultController: FaultController {
    unowned let deployment: SimulatedDeployment
    let handlers: [any CustomFaultHandler]
    /// All faults that were ever applied.
    private(set) var all: [ActiveFault] = []

    init(_ deployment: SimulatedDeployment, handlers: [any CustomFaultHandler]) {
        self.deployment = deployment
        self.handlers = handlers
    }

    var now: Duration { .nanoseconds(Int64(deployment.world.nanoseconds)) }

    // MARK: Applying

    /// Lets a fault begin.
    ///
    /// - Returns: A number to take it back by.
    /// - Throws: ``FaultError`` when there is no such target.
    @discardableResult
    public func apply(_ fault: Fault) throws(FaultError) -> Int {
        let active = ActiveFault(
            id: all.count + 1, fault: fault, since: now, targets: try targets(of: fault))
        if case .link(let kind, let route) = fault {
            active.links = links(between: route)
            for key in active.links { active.linksBefore[key] = counter(of: kind, key) }
        }
        for (index, target) in active.targets.enumerated() {
            active.targets[index].before = counter(of: active, target.name)
        }
        if case .custom(let custom) = fault { try handler(of: custom).apply(custom) }
        all.append(active)
        // Told before it acts: what it does is told behind it.
        deployment.log.record(.applied(snapshot(active)))
        begin(active)
        if fault.definition.life == .momentary, !leavesSomethingBehind(fault) { end(active) }
        return active.id
    }

    /// Whether taking a momentary fault back does something: who is held down is started, what is planned is not done.
    private func leavesSomethingBehind(_ fault: Fault) -> Bool {
        switch fault {
        case .process(.crash(let moment, let down), _): down == nil || moment != .now
        case .process(.powerLoss(let moment, let down, _), _): down == nil || moment != .now
        default: false
        }
    }

    private func begin(_ active: ActiveFault) {
        switch active.fault {
        case .link(.reset, let route): reset(route, active)
        case .link: active.links.forEach(update)
        case .listener(.unresolvable, _):
            for target in active.targets { deployment.network.failResolution(of: target.name) }
        case .listener: active.targets.forEach { updateListener($0.name) }
        case .process(let fault, let target): begin(fault, target, active)
        case .clock(let fault, let target):
            for process in nodes(of: target) {
                Self.skew(process, fault)
                active.ownHits[process.name] = process.isUp ? 1 : 0
            }
        case .disk(.rot(let bits), let target):
            for process in deployment.processes(of: target) {
                active.ownHits[process.name] = process.disksInOrder.reduce(0) { $0 + $1.disk.applyBitRot(bits: bits) }
            }
        case .disk(.lose, let target):
            for process in deployment.processes(of: target) {
                active.ownHits[process.name] = process.disksInOrder.count { !$0.disk.names.isEmpty }
                process.loseDisks(down: ProcessFault.downUsually)
                updateDisk(process.name)
            }
        case .disk(_, let target):
            for process in deployment.processes(of: target) {
                active.usedBytes[process.name] = process.disksInOrder.first?.disk.usedBytes ?? 0
                updateDisk(process.name)
            }
        case .custom: break
        }
    }

    private func begin(_ fault: ProcessFault, _ target: FaultTarget, _ active: ActiveFault) {
        let chosen = deployment.processes(of: target)
        switch fault {
        case .crash(let moment, let down):
            for process in chosen {
                at(moment, .process, of: process) { [active] in
                    active.ownHits[process.name, default: 0] += process.isUp ? 1 : 0
                    process.kill(down: down)
                }
            }
        case .powerLoss(let moment, let down, let outcome):
            let all = deployment.processesOnNodes(of: chosen)
            guard case .operation = moment, let first = chosen.first else {
                return losePower(all, outcome, down, active)
            }
            at(moment, .powerLoss(outcome), of: first) { [self, active] in losePower(all, outcome, down, active) }
        case .crashStarting(let time):
            for process in chosen {
                process.planCrash(afterStart: time)
                process.onPlannedEnd = { [active] in active.ownHits[process.name, default: 0] += 1 }
            }
        case .pause:
            for process in chosen {
                active.ownHits[process.name] = process.isUp && !process.isPaused ? 1 : 0
                process.pause()
            }
        }
    }

    private func losePower(
        _ processes: [SimulatedProcess], _ outcome: PowerLossOutcome?, _ down: Duration?, _ active: ActiveFault
    ) {
        for process in processes {
            active.ownHits[process.name, default: 0] += process.isUp ? 1 : 0
            process.losePower(outcome, down: down)
        }
    }

    private func at(
        _ moment: ProcessFault.Moment, _ kind: Disk.Crash, of process: SimulatedProcess, _ action: @escaping () -> Void
    ) {
        switch moment {
        case .now: action()
        case .operation(let number): process.planCrash(kind, atOperation: number, action)
        }
    }

    private func reset(_ route: FaultRoute, _ active: ActiveFault) {
        let others = route.other == .everybody ? [nil] : deployment.hosts(of: route.other).map { Optional($0) }
        for target in active.targets {
            for other in others {
                let count = (try? deployment.network.resetConnections(of: target.name, with: other)) ?? 0
                active.ownHits[target.name, default: 0] += count
            }
        }
    }

    // MARK: Taking back

    /// Takes a fault back, or, of a network fault, only what it does between two; does nothing when that was done.
    public func revert(_ id: Int, on route: FaultRoute? = nil) {
        guard all.indices.contains(id - 1), all[id - 1].isActive else { return }
        let active = all[id - 1]
        if let route {
            let spared = Set(links(between: route))
            let kept = active.links.filter { !spared.contains($0) }
            if !kept.isEmpty {
                let freed = active.links.filter { spared.contains($0) }
                active.ownHits = Dictionary(
                    uniqueKeysWithValues: impact(of: active).targets.map { ($0.name, $0.hits) })
                active.links = kept
                if case .link(let kind, _) = active.fault {
                    for key in kept { active.linksBefore[key] = counter(of: kind, key) }
                }
                return freed.forEach(update)
            }
        }
        end(active)
    }

    /// Takes everything back, and starts whoever was killed for a time that is not over.
    ///
    /// - Returns: The faults that still acted, or had left somebody down for good.
    @discardableResult
    public func revertAll() -> [AppliedFault] {
        let left = all.filter { $0.isActive && !isSpent($0) }
        for active in all where active.isActive { end(active) }
        // Nobody is away any more either, however long it was to be.
        for process in deployment.processes { process.startIfKilled() }
        return left.map(snapshot)
    }

    /// Whether a fault that is planned has happened already, and nothing of it is left.
    private func isSpent(_ active: ActiveFault) -> Bool {
        switch active.fault {
        case .process(.crash(.operation, .some), _), .process(.powerLoss(.operation, .some, _), _):
            !active.ownHits.isEmpty
        case .process(.crashStarting, _): !active.ownHits.isEmpty
        default: false
        }
    }

    private func end(_ active: ActiveFault) {
        active.finalImpact = impact(of: active)
        active.until = now
        switch active.fault {
        case .link(.reset, _), .disk(.rot, _), .disk(.lose, _): break
        case .link: active.links.forEach(update)
        case .listener(.unresolvable, _):
            for target in active.targets where !isUnresolvable(target.name) {
                deployment.network.restoreResolution(of: target.name)
            }
        case .listener: active.targets.forEach { updateListener($0.name) }
        case .process(let fault, let target): end(fault, target)
        case .clock: active.targets.forEach { updateClock($0.name) }
        case .disk: active.targets.forEach { updateDisk($0.name) }
        case .custom(let custom): if let handler = try? handler(of: custom) { handler.revert(custom) }
        }
        if active.fault.definition.life == .lasting || leavesSomethingBehind(active.fault) {
            deployment.log.record(.reverted(snapshot(active)))
        }
    }

    private func end(_ fault: ProcessFault, _ target: FaultTarget) {
        for process in deployment.processes(of: target) {
            switch fault {
            case .crash(.operation, _): process.planCrash(.process, atOperation: nil) {}
            case .powerLoss(.operation, _, _): process.planCrash(.powerLoss(nil), atOperation: nil) {}
            case .crashStarting: process.planCrash(afterStart: nil)
            case .pause: process.resume()
            case .crash, .powerLoss: break
            }
        }
        if case .powerLoss = fault {
            for process in deployment.processesOnNodes(of: deployment.processes(of: target)) { _ = process.release() }
        } else if case .crash = fault {
            for process in deployment.processes(of: target) { _ = process.release() }
        }
    }
}
