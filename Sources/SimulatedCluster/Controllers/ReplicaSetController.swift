import SimulationKernel

/// Keeps as many pods as a replica set asks for; those that end do not count.
final class ReplicaSetController {
    private unowned let cluster: Cluster
    private(set) lazy var queue: WorkQueue<UID> = WorkQueue(cluster) { [unowned self] in reconcile($0) }

    init(_ cluster: Cluster) { self.cluster = cluster }

    func start() {
        for record in cluster.store.replicaSets.all.elements { queue.add(record.uid) }
    }

    private func reconcile(_ uid: UID) {
        guard let record = cluster.store.replicaSets[uid] else { return }
        let set = record.value
        let active = cluster.indexes.pods(of: uid).filter { $0.value.isActive }
        let missing = set.replicas - active.count
        if missing > 0 {
            create(min(missing, cluster.settings.createBurst), for: record)
            if missing > cluster.settings.createBurst { queue.add(uid) }
        } else if missing < 0 {
            for pod in leastWanted(active).prefix(-missing) { cluster.deletePod(pod) }
        }
        updateStatus(record)
    }

    private func create(_ count: Int, for record: Record<ReplicaSet>) {
        let set = record.value
        let owner = OwnerReference(kind: .replicaSet, name: set.name, uid: record.uid)
        for _ in 0..<count {
            let created = cluster.createPod(
                "\(set.name)-\(cluster.nameSuffix())", of: set.template, owner: owner,
                namespace: set.metadata.namespace, revision: set.revision)
            // The name was taken, or the namespace ends.
            if created == nil { return queue.add(record.uid, after: .seconds(1)) }
        }
    }

    /// Those that are missed least first: without node, not ready, beside siblings, restarted often, young.
    private func leastWanted(_ pods: [Record<Pod>]) -> [Record<Pod>] {
        var siblings: [String: Int] = [:]
        for pod in pods { siblings[pod.value.nodeName ?? "", default: 0] += 1 }
        func rank(_ record: Record<Pod>) -> (Int, Int, Int, Int, Int, UInt64, UInt64) {
            let pod = record.value
            return (
                pod.nodeName == nil ? 0 : 1, pod.phase == .pending ? 0 : 1, pod.isReady ? 1 : 0,
                -(siblings[pod.nodeName ?? ""] ?? 0), -pod.restartCount,
                UInt64.max - pod.metadata.creation.nanoseconds, UInt64.max - record.uid.number
            )
        }
        return pods.map { (rank($0), $0) }.sorted { left, right in
            let (a, b) = (left.0, right.0)
            if (a.0, a.1, a.2) != (b.0, b.1, b.2) { return (a.0, a.1, a.2) < (b.0, b.1, b.2) }
            return (a.3, a.4, a.5, a.6) < (b.3, b.4, b.5, b.6)
        }.map(\.1)
    }

    private func updateStatus(_ record: Record<ReplicaSet>) {
        let active = cluster.indexes.pods(of: record.uid).filter { $0.value.isActive }
        let ready = active.count { $0.value.isReady }
        guard record.value.statusReplicas != active.count || record.value.readyReplicas != ready else { return }
        cluster.store.update(record, in: cluster.store.replicaSets) {
            $0.statusReplicas = active.count
            $0.readyReplicas = ready
        }
    }
}
