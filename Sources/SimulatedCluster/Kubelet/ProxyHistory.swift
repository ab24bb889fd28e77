import Durations
import SimulationKernel

/// What machines may still see of endpoints: each applies changes at times of its own, and some have stopped learning.
///
/// Nothing happens when a machine applies a change: what it sees is worked out when somebody asks.
struct ProxyHistory {
    private struct Version {
        let since: VirtualInstant
        let endpoints: [PodEndpoint]
    }

    private var versions: [ObjectKey: [Version]] = [:]

    /// Notes a change; keeps what somebody may still see.
    ///
    /// - Parameters:
    ///   - service: Whose endpoints they are.
    ///   - endpoints: What connections go to from now on.
    ///   - now: The time.
    ///   - frozen: The times at which machines have stopped learning.
    mutating func changed(
        _ service: ObjectKey, to endpoints: [PodEndpoint], at now: VirtualInstant, keeping frozen: [VirtualInstant]
    ) {
        var list = versions[service] ?? []
        list.append(Version(since: now, endpoints: endpoints))
        // A minute is more than a machine that learns is ever behind.
        let recent = VirtualInstant(nanoseconds: now.nanoseconds - min(now.nanoseconds, 60_000_000_000))
        let oldest = min(recent, frozen.min() ?? recent)
        let firstNeeded = list.lastIndex { $0.since <= oldest } ?? 0
        list.removeFirst(firstNeeded)
        versions[service] = list
    }

    /// When the endpoints of a service changed last.
    func lastChange(of service: ObjectKey) -> VirtualInstant? { versions[service]?.last?.since }

    /// What was there at a time.
    func endpoints(of service: ObjectKey, at time: VirtualInstant) -> [PodEndpoint] {
        versions[service]?.last { $0.since <= time }?.endpoints ?? []
    }
}

/// What came of a connection to a pod.
package enum Reach: Hashable, Sendable {
    case answered
    /// The machine is there and nobody listens.
    case refused
    /// Nobody answers.
    case silent
}

extension Cluster {
    /// The pods that a machine sends connections for a service to; what it has not learned yet is not among them.
    package func endpoints(of service: ObjectKey, from node: ClusterNode) -> [PodEndpoint] {
        guard let started = node.proxyStarted else { return [] }
        let end = node.proxyFrozenSince ?? now
        let applied = end.floor(period: settings.proxyMinSyncPeriod, phase: node.proxyPhase)
        return proxies.endpoints(of: service, at: max(applied, started))
    }

    /// What comes of a connection from a machine to the pod behind an endpoint.
    package func reach(_ endpoint: PodEndpoint, from node: ClusterNode) -> Reach {
        guard let target = self.node(named: endpoint.node), target.isPowered else { return .silent }
        if target !== node, target.isCutOff || node.isCutOff { return .silent }
        guard let worker = target.kubelet.workers[endpoint.podUID], worker.ip == endpoint.ip else { return .silent }
        return worker.isRunning ? .answered : .refused
    }

    /// A machine's proxy learns, or has stopped to.
    func updateProxy(of node: ClusterNode) {
        let learns = node.isPowered && !node.isCutOff && controlPlane.isAnswering
        if learns {
            node.proxyFrozenSince = nil
            frozenProxies.remove(node.index)
            if node.proxyStarted == nil { node.proxyStarted = now }
        } else if node.proxyFrozenSince == nil {
            node.proxyFrozenSince = now
            frozenProxies.set(now, for: node.index)
        }
    }
}

extension Cluster {
    /// A pod as an endpoint, whether or not a service leads to it.
    package func endpoint(of pod: Pod, ip: PodIP) -> PodEndpoint {
        PodEndpoint(
            pod: pod.name, podUID: pod.uid, node: pod.nodeName ?? "", ip: ip,
            isReady: pod.isReady && !pod.metadata.isTerminating, isServing: pod.isReady,
            isTerminating: pod.metadata.isTerminating)
    }
}
