import SimulationKernel

/// Keeps one pod for each identity of a stateful set: never a second one while the API still has the first.
final class StatefulSetController {
    private unowned let cluster: Cluster
    private(set) lazy var queue: WorkQueue<UID> = WorkQueue(cluster) { [unowned self] in reconcile($0) }

    init(_ cluster: Cluster) { self.cluster = cluster }

    func start() {
        for record in cluster.store.statefulSets.all.elements { queue.add(record.uid) }
    }

    private func reconcile(_ uid: UID) {
        guard let record = cluster.store.statefulSets[uid], !record.value.metadata.isTerminating else { return }
        if reconcileReplicas(record), scaleDown(record) { update(record) }
        updateStatus(record)
    }

    private func pod(_ ordinal: Int, of set: StatefulSet) -> Record<Pod>? {
        cluster.store.pods[set.metadata.namespace, "\(set.name)-\(ordinal)"]
    }

    /// Makes what is missing.
    ///
    /// - Returns: Whether all pods are there and, where order matters, well: only then anything else is done.
    private func reconcileReplicas(_ record: Record<StatefulSet>) -> Bool {
        let set = record.value
        let isOrdered = set.podManagement == .orderedReady
        for ordinal in 0..<set.replicas {
            guard let found = pod(ordinal, of: set) else {
                create(ordinal, of: record)
                if isOrdered { return false }
                continue
            }
            guard found.value.metadata.owner?.uid == record.uid else { return false }
            if found.value.isFinished {
                cluster.deletePod(found)
                return false
            }
            if found.value.metadata.isTerminating {
                if cluster.settings.mistakes.contains(.twoPodsOfOneIdentity) {
                    cluster.deletePod(found, grace: .zero)
                    return false
                }
                // Its kubelet must say that it has ended: until then it may still run.
                if isOrdered { return false }
                continue
            }
            if isOrdered, found.value.phase != .running || !found.value.isReady { return false }
        }
        return true
    }

    private func create(_ ordinal: Int, of record: Record<StatefulSet>) {
        let set = record.value
        let name = "\(set.name)-\(ordinal)"
        for template in set.claims {
            let claim = "\(template.name)-\(name)"
            guard cluster.store.claims[set.metadata.namespace, claim] == nil else { continue }
            cluster.store.add(
                PersistentVolumeClaim(claim, namespace: set.metadata.namespace, storage: template.storage),
                to: cluster.store.claims)
        }
        cluster.createPod(
            name, of: set.template, owner: OwnerReference(kind: .statefulSet, name: set.name, uid: record.uid),
            namespace: set.metadata.namespace, revision: set.revision
        ) { pod in
            pod.metadata.labels["statefulset.kubernetes.io/pod-name"] = name
            for template in set.claims {
                pod.spec.volumes.append(.claim(name: template.name, claim: "\(template.name)-\(name)"))
            }
        }
    }

    /// Deletes what is too much, the highest first; true if nothing is.
    private func scaleDown(_ record: Record<StatefulSet>) -> Bool {
        let set = record.value
        let surplus = cluster.indexes.pods(of: record.uid)
            .filter { (ordinal(of: $0.value, in: set) ?? 0) >= set.replicas }
            .sorted { (ordinal(of: $0.value, in: set) ?? 0) > (ordinal(of: $1.value, in: set) ?? 0) }
        guard !surplus.isEmpty else { return true }
        for pod in surplus {
            if !pod.value.metadata.isTerminating { cluster.deletePod(pod) }
            if set.podManagement == .orderedReady { return false }
        }
        return false
    }

    private func ordinal(of pod: Pod, in set: StatefulSet) -> Int? {
        Int(pod.name.dropFirst(set.name.count + 1))
    }

    /// Replaces one pod of an old template, the highest first, when all above are well.
    private func update(_ record: Record<StatefulSet>) {
        let set = record.value
        for ordinal in (0..<set.replicas).reversed() {
            guard let found = pod(ordinal, of: set) else { return }
            if found.value.revision != set.revision, !found.value.metadata.isTerminating {
                return cluster.deletePod(found)
            }
            if found.value.metadata.isTerminating || !found.value.isReady { return }
        }
    }

    private func updateStatus(_ record: Record<StatefulSet>) {
        let pods = cluster.indexes.pods(of: record.uid).filter { $0.value.isActive }
        let ready = pods.count { $0.value.isReady }
        let updated = pods.count { $0.value.revision == record.value.revision }
        let set = record.value
        guard set.statusReplicas != pods.count || set.readyReplicas != ready || set.updatedReplicas != updated else {
            return
        }
        cluster.store.update(record, in: cluster.store.statefulSets) {
            $0.statusReplicas = pods.count
            $0.readyReplicas = ready
            $0.updatedReplicas = updated
        }
    }
}
