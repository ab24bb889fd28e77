public import Faults
import Randomness
import SimulatedWorld
import SimulationKernel
public import Testbed

/// Applies faults to a simulated deployment, takes them back, and counts what they hit.
///
/// What a link, a host or a disk does follows from all faults that act on it: the controller folds them anew whenever one begins or ends.
public final class SimulatedFaultController: FaultController {
    private unowned let deployment: SimulatedDeployment
    private let handlers: [any CustomFaultHandler]
    /// All faults that were ever applied.
    private var all: [ActiveFault] = []

    /// A fault at work, and what the counters showed when it began.
    private final class ActiveFault {
        let id: Int
        let fault: Fault
        let since: Duration
        var until: Duration?
        /// Whom it is meant for, and how often each had felt it before, or, once it is over, feels it no more.
        var targets: [(name: String, before: Int)]
        /// Hits that no counter shows: processes that were killed.
        var ownHits: [String: Int] = [:]
        /// The directed links that it acts on.
        var links: [LinkKey] = []
        /// What the counters of those links showed when it began.
        var linksBefore: [LinkKey: Int] = [:]
        /// The bytes on each disk when it began.
        var usedBytes: [String: Int] = [:]
        /// What it hit, when it is over.
        var finalImpact: FaultImpact?

        init(id: Int, fault: Fault, since: Duration, targets: [String]) {
            self.id = id
            self.fault = fault
            self.since = since
            self.targets = targets.map { ($0, 0) }
        }

        var isActive: Bool { until == nil }
    }

    private struct LinkKey: Hashable {
        let source: String
        let target: String
    }

    init(_ deployment: SimulatedDeployment, handlers: [any CustomFaultHandler]) {
        self.deployment = deployment
        self.handlers = handlers
    }

    private var now: Duration { .nanoseconds(Int64(deployment.world.nanoseconds)) }

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

    // MARK: What follows from all faults

    private var active: [ActiveFault] { all.filter(\.isActive) }

    private func update(_ key: LinkKey) {
        guard let link = try? deployment.network.link(from: key.source, to: key.target) else { return }
        var options = Link.Options(latency: .fixed(deployment.deployment.latency))
        var state = Link.State.up
        var toxics: [Toxic] = []
        for entry in active where entry.links.contains(key) {
            guard case .link(let fault, _) = entry.fault else { continue }
            switch fault {
            case .cut: state = .cut
            case .hold: if state == .up { state = .held }
            case .slow(let time, let jitter): options.latency = latency(time, jitter)
            case .lose(let share): options.loss = share
            case .limit(let bytes): options.bytesPerSecond = UInt64(bytes)
            case .toxic(let toxic):
                toxics.removeAll { $0.name == toxic.name }
                toxics.append(toxic)
            case .reset: break
            }
        }
        set(state, of: link)
        if link.options != options { try? link.setOptions(options) }
        for old in link.toxics where !toxics.contains(where: { $0.name == old.name }) { link.removeToxic(old.name) }
        for toxic in toxics where !link.toxics.contains(toxic) { try? link.setToxic(toxic) }
    }

    private func latency(_ time: Duration, _ jitter: Duration) -> DurationDistribution {
        let least = deployment.deployment.latency + time
        return jitter == .zero ? .fixed(least) : .uniform(min: least, max: least + jitter)
    }

    private func set(_ state: Link.State, of link: Link) {
        switch state {
        case .cut: link.cut()
        case .held: link.hold()
        case .up:
            link.heal()
            link.release()
        }
    }

    private func updateListener(_ host: String) {
        var faults = ListenerFaults()
        for entry in active where entry.targets.contains(where: { $0.name == host }) {
            guard case .listener(let fault, _) = entry.fault else { continue }
            switch fault {
            case .refuse: faults.isRefusing = true
            case .blackHole: faults.isBlackHole = true
            case .acceptLate(let delay): faults.acceptDelay = delay
            case .unresolvable: break
            }
        }
        try? deployment.network.setListenerFaults(of: host, faults)
    }

    private func isUnresolvable(_ host: String) -> Bool {
        active.contains { entry in
            guard case .listener(.unresolvable, _) = entry.fault else { return false }
            return entry.targets.contains { $0.name == host }
        }
    }

    private func updateDisk(_ name: String) {
        guard let process = deployment.process(named: name) else { return }
        var faults = DiskFaults()
        for entry in active where entry.targets.contains(where: { $0.name == name }) {
            guard case .disk(let fault, _) = entry.fault else { continue }
            faults.add(fault, usedBytes: entry.usedBytes[name] ?? 0)
        }
        for volume in process.disksInOrder { volume.disk.faults = faults }
    }

    private static func skew(_ process: SimulatedProcess, _ fault: ClockFault) {
        switch fault {
        case .step(let offset): process.stepClock(by: offset)
        case .drift(let drift): process.driftClock(nanosecondsPerSecond: drift)
        }
    }

    private func updateClock(_ name: String) {
        guard let process = deployment.process(named: name) else { return }
        process.unskewClock()
        for entry in active where entry.targets.contains(where: { $0.name == name }) {
            if case .clock(let fault, _) = entry.fault { Self.skew(process, fault) }
        }
    }

    // MARK: Targets

    private func targets(of fault: Fault) throws(FaultError) -> [String] {
        let (names, target): ([String], FaultTarget) =
            switch fault {
            case .link(_, let route): (deployment.hosts(of: route.target), route.target)
            case .listener(_, let target): (deployment.hosts(of: target), target)
            case .process(.powerLoss, let target):
                (deployment.processesOnNodes(of: deployment.processes(of: target)).map(\.name), target)
            case .process(_, let target): (deployment.processes(of: target).map(\.name), target)
            case .clock(_, let target): (nodes(of: target).map(\.name), target)
            case .disk(_, let target):
                (deployment.processes(of: target).filter { !$0.volumes.isEmpty }.map(\.name), target)
            case .custom(let custom): ([custom.target.name], custom.target)
            }
        if case .link(_, let route) = fault, deployment.hosts(of: route.other).isEmpty {
            throw FaultError(
                "there is no machine '\(route.other)'; there are \(deployment.names.hosts.joined(separator: ", "))")
        }
        guard names.isEmpty else { return names }
        if case .disk = fault {
            throw FaultError(
                deployment.names.disks.isEmpty
                    ? "the deployment has no service with a disk that could be hit"
                    : "'\(target)' has no disk; there are \(deployment.names.disks.joined(separator: ", "))")
        }
        throw FaultError("there is no '\(target)'; there are \(deployment.names.processes.joined(separator: ", "))")
    }

    private func nodes(of target: FaultTarget) -> [SimulatedProcess] {
        deployment.processesOnNodes(of: deployment.processes(of: target))
    }

    private func handler(of fault: CustomFault) throws(FaultError) -> any CustomFaultHandler {
        guard let handler = handlers.first(where: { $0.name == fault.name }) else {
            let known = handlers.map(\.name).joined(separator: ", ")
            throw FaultError(
                "the deployment has no fault '\(fault.name)' of its own; \(known.isEmpty ? "it has none" : "it has \(known)")"
            )
        }
        return handler
    }

    private func links(between route: FaultRoute) -> [LinkKey] {
        let sources = deployment.hosts(of: route.target)
        let others = deployment.hosts(of: route.other)
        var links: [LinkKey] = []
        for source in sources {
            for other in others where other != source {
                if route.direction != .inbound { links.append(LinkKey(source: source, target: other)) }
                if route.direction != .outbound { links.append(LinkKey(source: other, target: source)) }
            }
        }
        return links
    }

    // MARK: Impact

    /// All faults that were ever applied, with what they hit.
    public var applied: [AppliedFault] { all.map(snapshot) }

    private func snapshot(_ active: ActiveFault) -> AppliedFault {
        AppliedFault(
            id: active.id, fault: active.fault, since: active.since, until: active.until,
            impact: active.finalImpact ?? impact(of: active))
    }

    private func impact(of active: ActiveFault) -> FaultImpact {
        FaultImpact(
            active.targets.map { target in
                let counted = counter(of: active, target.name) - target.before
                return FaultImpact.Target(name: target.name, hits: counted + (active.ownHits[target.name] ?? 0))
            })
    }

    /// What shows, for one target, how often faults of this kind were felt.
    private func counter(of active: ActiveFault, _ name: String) -> Int {
        switch active.fault {
        case .link(let fault, _):
            active.links.reduce(0) { sum, key in
                guard key.source == name || key.target == name else { return sum }
                return sum + counter(of: fault, key) - (active.linksBefore[key] ?? 0)
            }
        case .listener(.unresolvable, _): deployment.network.failedResolutions(of: name)
        case .listener: (try? deployment.network.listenerHits(of: name)) ?? 0
        case .disk(let fault, _):
            deployment.process(named: name)?.disksInOrder.reduce(0) { $0 + $1.disk.hits.count(of: fault) } ?? 0
        case .custom(let custom): (try? handler(of: custom))?.hits(of: custom.target) ?? 0
        case .process, .clock: 0
        }
    }

    private func counter(of fault: LinkFault, _ key: LinkKey) -> Int {
        guard let counts = try? deployment.network.link(from: key.source, to: key.target).counts else { return 0 }
        return switch fault {
        case .cut: counts.cut
        case .hold: counts.held
        case .lose: counts.lost
        case .slow, .limit, .toxic: counts.sent
        case .reset: 0
        }
    }
}
