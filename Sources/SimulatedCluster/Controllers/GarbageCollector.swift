import SimulationKernel

/// Deletes what was owned by something that is gone.
final class GarbageCollector {
    private unowned let cluster: Cluster
    private(set) lazy var queue: WorkQueue<UID> = WorkQueue(cluster) { [unowned self] in collect($0) }

    init(_ cluster: Cluster) { self.cluster = cluster }

    func start() {
        for owner in cluster.store.pods.all.elements.compactMap(\.value.metadata.owner) where !exists(owner) {
            queue.add(owner.uid)
        }
        for owner in cluster.store.replicaSets.all.elements.compactMap(\.value.metadata.owner) where !exists(owner) {
            queue.add(owner.uid)
        }
    }

    private func exists(_ owner: OwnerReference) -> Bool {
        switch owner.kind {
        case .replicaSet: cluster.store.replicaSets[owner.uid] != nil
        case .deployment: cluster.store.deployments[owner.uid] != nil
        case .statefulSet: cluster.store.statefulSets[owner.uid] != nil
        case .daemonSet: cluster.store.daemonSets[owner.uid] != nil
        case .job: cluster.store.jobs[owner.uid] != nil
        case .configMap, .endpointSlice, .lease, .namespace, .node, .persistentVolume, .persistentVolumeClaim, .pod,
            .podDisruptionBudget, .service:
            true
        }
    }

    /// An owner is gone.
    func ownerDeleted(_ uid: UID) { queue.add(uid) }

    private func collect(_ owner: UID) {
        for set in cluster.indexes.replicaSets(of: owner) { cluster.store.remove(set, from: cluster.store.replicaSets) }
        for pod in cluster.indexes.pods(of: owner) where !pod.value.metadata.isTerminating { cluster.deletePod(pod) }
    }
}

/// Empties namespaces that were deleted.
final class NamespaceController {
    private unowned let cluster: Cluster
    private(set) lazy var queue: WorkQueue<UID> = WorkQueue(cluster) { [unowned self] in empty($0) }

    init(_ cluster: Cluster) { self.cluster = cluster }

    func start() {
        for record in cluster.store.namespaces.all.elements { queue.add(record.uid) }
    }

    /// An object of a namespace is gone.
    func somethingWent(from namespace: String) {
        guard let record = cluster.store.namespaces["", namespace], record.value.metadata.isTerminating else { return }
        queue.add(record.uid)
    }

    private func empty(_ uid: UID) {
        let store = cluster.store
        guard let record = store.namespaces[uid], record.value.metadata.isTerminating else { return }
        let name = record.value.name
        remove(store.deployments, of: name)
        remove(store.replicaSets, of: name)
        remove(store.statefulSets, of: name)
        remove(store.daemonSets, of: name)
        remove(store.jobs, of: name)
        remove(store.services, of: name)
        remove(store.budgets, of: name)
        remove(store.configMaps, of: name)
        remove(store.leases, of: name)
        for pod in store.pods.records(in: name) where !pod.value.metadata.isTerminating { cluster.deletePod(pod) }
        guard store.pods.records(in: name).isEmpty else { return }
        remove(store.claims, of: name)
        store.remove(record, from: store.namespaces)
    }

    private func remove<Object: APIObject>(_ table: Table<Object>, of namespace: String) {
        for record in table.records(in: namespace) { cluster.store.remove(record, from: table) }
    }
}
