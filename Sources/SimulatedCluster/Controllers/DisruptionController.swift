import SimulationKernel

/// Counts what each disruption budget allows.
final class DisruptionController {
    private unowned let cluster: Cluster
    private(set) lazy var queue: WorkQueue<UID> = WorkQueue(cluster) { [unowned self] in reconcile($0) }

    init(_ cluster: Cluster) { self.cluster = cluster }

    func start() {
        for record in cluster.store.budgets.all.elements { queue.add(record.uid) }
    }

    private func reconcile(_ uid: UID) {
        guard let record = cluster.store.budgets[uid] else { return }
        let budget = record.value
        let pods = cluster.indexes.pods(in: budget.metadata.namespace, matching: budget.selector)
            .filter { !$0.value.isFinished }
        let (expected, desired) = demand(of: budget, over: pods)
        let disrupted = stillDisrupted(record)
        let noted = Set(disrupted.map(\.pod))
        let healthy = pods.count { pod in
            pod.value.isReady && !pod.value.metadata.isTerminating && !noted.contains(pod.uid)
        }
        let allowed = expected > 0 ? max(0, healthy - desired) : 0
        let isSame =
            budget.currentHealthy == healthy && budget.desiredHealthy == desired && budget.expectedPods == expected
            && budget.disruptionsAllowed == allowed && budget.disrupted == disrupted
        guard !isSame else { return }
        cluster.store.update(record, in: cluster.store.budgets) {
            $0.currentHealthy = healthy
            $0.desiredHealthy = desired
            $0.expectedPods = expected
            $0.disruptionsAllowed = allowed
            $0.disrupted = disrupted
        }
    }

    /// How many pods are to be there, and how many of them well.
    private func demand(of budget: PodDisruptionBudget, over pods: [Record<Pod>]) -> (expected: Int, desired: Int) {
        switch budget.demand {
        case .minAvailable(.count(let count)): return (pods.count, count)
        case .minAvailable(let share):
            let scale = scale(of: pods)
            return (scale, share.scaled(of: scale, roundUp: true))
        case .maxUnavailable(let share):
            let scale = scale(of: pods)
            return (scale, max(0, scale - share.scaled(of: scale, roundUp: true)))
        }
    }

    /// What the controllers of some pods are to keep together; pods without one count as one each.
    private func scale(of pods: [Record<Pod>]) -> Int {
        var seen: Set<UID> = []
        var last: UID?
        var sum = 0
        for pod in pods {
            guard let owner = pod.value.metadata.owner else {
                sum += 1
                continue
            }
            // Most pods have the owner of the one before.
            guard owner.uid != last else { continue }
            last = owner.uid
            let (controller, replicas) = controller(of: owner)
            if seen.insert(controller).inserted { sum += replicas }
        }
        return sum
    }

    private func controller(of owner: OwnerReference) -> (UID, Int) {
        let store = cluster.store
        switch owner.kind {
        case .replicaSet:
            guard let set = store.replicaSets[owner.uid]?.value else { return (owner.uid, 0) }
            guard let above = set.metadata.owner, let deployment = store.deployments[above.uid] else {
                return (owner.uid, set.replicas)
            }
            return (above.uid, deployment.value.replicas)
        case .statefulSet: return (owner.uid, store.statefulSets[owner.uid]?.value.replicas ?? 0)
        case .job: return (owner.uid, store.jobs[owner.uid]?.value.parallelism ?? 0)
        case .daemonSet: return (owner.uid, cluster.indexes.pods(of: owner.uid).count)
        case .configMap, .deployment, .endpointSlice, .lease, .namespace, .node, .persistentVolume,
            .persistentVolumeClaim, .pod, .podDisruptionBudget, .service:
            return (owner.uid, 0)
        }
    }

    /// Evictions that were allowed, and whose pods are still there and not being deleted.
    private func stillDisrupted(_ record: Record<PodDisruptionBudget>) -> [PodDisruptionBudget.Disrupted] {
        record.value.disrupted.filter { note in
            guard let pod = cluster.store.pods[note.pod], !pod.value.metadata.isTerminating else { return false }
            let end = note.since.advanced(by: cluster.settings.disruptedPodTimeout)
            guard end > cluster.now else { return false }
            queue.add(record.uid, after: cluster.now.duration(to: end))
            return true
        }
    }
}
