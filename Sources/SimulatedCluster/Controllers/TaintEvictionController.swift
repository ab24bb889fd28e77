import SimulationKernel

/// Deletes pods from nodes whose taints they do not bear, or no longer: deletes, so that no budget is asked.
final class TaintEvictionController {
    private unowned let cluster: Cluster
    private var planned: [UID: ScheduledEvent] = [:]

    init(_ cluster: Cluster) { self.cluster = cluster }

    func start() {
        for node in cluster.nodes { changed(node) }
    }

    func stop() { planned = [:] }

    /// A node's taints may have changed.
    func changed(_ node: ClusterNode) {
        guard cluster.controlPlane.areControllersRunning, let record = node.record else { return }
        let taints = record.value.executingTaints
        for pod in node.pods.elements { evaluate(pod, taints) }
    }

    /// A pod was bound to a node.
    func bound(_ pod: Record<Pod>) {
        guard cluster.controlPlane.areControllersRunning else { return }
        let node = pod.value.nodeName.flatMap(cluster.node(named:))
        guard let taints = node?.record?.value.executingTaints, !taints.isEmpty else { return }
        evaluate(pod, taints)
    }

    func forget(_ pod: UID) {
        if let event = planned.removeValue(forKey: pod) { cluster.world.cancel(event) }
    }

    private func evaluate(_ pod: Record<Pod>, _ taints: [Taint]) {
        guard !taints.isEmpty else { return forget(pod.uid) }
        guard !pod.value.metadata.isTerminating else { return }
        let limits = taints.map { pod.value.spec.toleration(of: $0) }
        // Nil bears its taint for ever.
        guard let shortest = limits.compactMap(\.self).min() else { return forget(pod.uid) }
        if shortest == .zero {
            forget(pod.uid)
            cluster.controlPlane.after(cluster.apiLatency()) { [unowned self] in evict(pod) }
        } else if planned[pod.uid] == nil {
            planned[pod.uid] = cluster.controlPlane.after(shortest) { [unowned self] in
                planned[pod.uid] = nil
                evict(pod)
            }
        }
    }

    private func evict(_ pod: Record<Pod>) {
        guard pod.isStored, !pod.value.metadata.isTerminating else { return }
        cluster.recordEvent(.normal, "TaintManagerEviction", pod, "Marking for deletion Pod \(pod.key)")
        cluster.store.update(pod, in: cluster.store.pods) { $0.reason = "DeletionByTaintManager" }
        cluster.deletePod(pod)
    }
}
