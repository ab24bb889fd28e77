import Durations
import SimulationKernel

/// Takes away pods whose node will not do it: it is no longer known, or people said that it is out of service.
final class PodGarbageCollector {
    private unowned let cluster: Cluster
    /// When nodes' objects went, by their index.
    private var gone: [Int: VirtualInstant] = [:]

    init(_ cluster: Cluster) { self.cluster = cluster }

    func start() {
        for node in cluster.nodes {
            if node.record == nil, !node.pods.isEmpty { nodeDeleted(node) }
            changed(node)
        }
    }

    func stop() { gone = [:] }

    private func tick(from time: VirtualInstant) -> VirtualInstant {
        let period = cluster.settings.podGCPeriod
        let phase = cluster.controlPlane.controllersSince.nanoseconds % max(1, period.unsignedNanoseconds)
        return time.ceiling(period: period, phase: phase)
    }

    /// A node's object is gone; its pods follow, unless it comes back in time.
    func nodeDeleted(_ node: ClusterNode) {
        guard cluster.controlPlane.areControllersRunning else { return }
        // The first look after it went begins the quarantine.
        let found = tick(from: cluster.now)
        gone[node.index] = found
        cluster.controlPlane.at(tick(from: found.advanced(by: cluster.settings.orphanQuarantine))) { [unowned self] in
            guard gone[node.index] == found, node.record == nil else { return }
            gone[node.index] = nil
            for pod in node.pods.elements { collect(pod, "it was bound to a node that is gone") }
        }
    }

    /// A node may have been said to be out of service.
    func changed(_ node: ClusterNode) {
        guard cluster.controlPlane.areControllersRunning, isOutOfService(node) else { return }
        planCollection(on: node)
    }

    private func planCollection(on node: ClusterNode) {
        let next = tick(from: cluster.now.advanced(by: .nanoseconds(1)))
        cluster.controlPlane.at(next) { [unowned self] in
            guard isOutOfService(node) else { return }
            for pod in node.pods.elements where pod.value.metadata.isTerminating {
                collect(pod, "its node is out of service")
            }
            if !node.pods.isEmpty { planCollection(on: node) }
        }
    }

    private func isOutOfService(_ node: ClusterNode) -> Bool {
        guard let record = node.record, record.value.ready != .true else { return false }
        return record.value.taints.contains { $0.key == Taint.outOfService }
    }

    private func collect(_ pod: Record<Pod>, _ why: String) {
        cluster.recordEvent(.normal, "PodGC", pod, "deleted, because \(why)")
        cluster.deletePod(pod, grace: .zero)
    }
}
