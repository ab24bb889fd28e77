import Faults
import SimulatedWorld
public import Testbed

/// Whom faults are meant for, and what they hit.
extension SimulatedFaultController {
    // MARK: Targets

    func targets(of fault: Fault) throws(FaultError) -> [String] {
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

    func nodes(of target: FaultTarget) -> [SimulatedProcess] {
        deployment.processesOnNodes(of: deployment.processes(of: target))
    }

    func handler(of fault: CustomFault) throws(FaultError) -> any CustomFaultHandler {
        guard let handler = handlers.first(where: { $0.name == fault.name }) else {
            let known = handlers.map(\.name).joined(separator: ", ")
            throw FaultError(
                "the deployment has no fault '\(fault.name)' of its own; \(known.isEmpty ? "it has none" : "it has \(known)")"
            )
        }
        return handler
    }

    func links(between route: FaultRoute) -> [LinkKey] {
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

    func snapshot(_ active: ActiveFault) -> AppliedFault {
        AppliedFault(
            id: active.id, fault: active.fault, since: active.since, until: active.until,
            impact: active.finalImpact ?? impact(of: active))
    }

    func impact(of active: ActiveFault) -> FaultImpact {
        FaultImpact(
            active.targets.map { target in
                let counted = counter(of: active, target.name) - target.before
                return FaultImpact.Target(name: target.name, hits: counted + (active.ownHits[target.name] ?? 0))
            })
    }

    /// What shows, for one target, how often faults of this kind were felt.
    func counter(of active: ActiveFault, _ name: String) -> Int {
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

    func counter(of fault: LinkFault, _ key: LinkKey) -> Int {
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
