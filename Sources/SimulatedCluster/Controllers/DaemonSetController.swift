import SimulationKernel

/// Keeps a pod of each daemon set on each node that bears it.
final class DaemonSetController {
    /// A daemon set, and the node to look at.
    struct Place: Hashable {
        let set: UID
        let node: Int
    }

    private unowned let cluster: Cluster
    private(set) lazy var queue: WorkQueue<Place> = WorkQueue(cluster) { [unowned self] in reconcile($0) }

    init(_ cluster: Cluster) { self.cluster = cluster }

    func start() {
        for record in cluster.store.daemonSets.all.elements { lookEverywhere(record) }
    }

    func setChanged(_ type: ChangeType, _ record: Record<DaemonSet>, _ old: DaemonSet) {
        guard type != .deleted, type == .added || old.template != record.value.template else { return }
        lookEverywhere(record)
    }

    private func lookEverywhere(_ record: Record<DaemonSet>) {
        for node in cluster.nodes { queue.add(Place(set: record.uid, node: node.index)) }
    }

    func podChanged(_ pod: Record<Pod>, of set: UID) {
        guard let name = pod.value.spec.requiredNode, let node = cluster.node(named: name) else { return }
        queue.add(Place(set: set, node: node.index))
        // One that became ready may let the next be replaced.
        guard let record = cluster.store.daemonSets[set], pod.value.isReady else { return }
        if let outdated = outdatedPods(of: record).first?.value.spec.requiredNode.flatMap(cluster.node(named:)) {
            queue.add(Place(set: set, node: outdated.index))
        }
    }

    func nodeChanged(_ node: ClusterNode) {
        for record in cluster.store.daemonSets.all.elements { queue.add(Place(set: record.uid, node: node.index)) }
    }

    private static let tolerations: [Toleration] = [
        Toleration(Taint.notReady, .noExecute), Toleration(Taint.unreachable, .noExecute),
        Toleration(Taint.notReady, .noSchedule), Toleration(Taint.unreachable, .noSchedule),
        Toleration(Taint.unschedulable, .noSchedule),
    ]

    private func outdatedPods(of record: Record<DaemonSet>) -> [Record<Pod>] {
        cluster.indexes.pods(of: record.uid).filter {
            $0.value.revision != record.value.revision && !$0.value.metadata.isTerminating
        }
    }

    private func reconcile(_ place: Place) {
        guard let record = cluster.store.daemonSets[place.set] else { return }
        let node = cluster.nodes[place.node]
        let pods = cluster.indexes.pods(of: record.uid).filter { $0.value.spec.requiredNode == node.name }
        defer { updateStatus(record) }
        guard let present = node.record?.value, isWanted(record.value, on: present) else {
            for pod in pods where !pod.value.metadata.isTerminating && node.record != nil { cluster.deletePod(pod) }
            return
        }
        guard let pod = pods.first else { return create(for: record, on: node) }
        if pod.value.isFinished, !pod.value.metadata.isTerminating { return cluster.deletePod(pod) }
        guard pod.value.revision != record.value.revision, !pod.value.metadata.isTerminating else { return }
        // Replaced a few at a time.
        let all = cluster.indexes.pods(of: record.uid)
        let unavailable = all.count { !$0.value.isReady || $0.value.metadata.isTerminating }
        let limit = max(1, record.value.maxUnavailable.scaled(of: all.count, roundUp: true))
        if unavailable < limit || !pod.value.isReady { cluster.deletePod(pod) }
    }

    private func isWanted(_ set: DaemonSet, on node: Node) -> Bool {
        let spec = set.template.spec
        guard node.metadata.labels.matches(spec.nodeSelector) else { return false }
        return node.taints.allSatisfy { taint in
            taint.effect == .preferNoSchedule || spec.tolerates(taint)
                || Self.tolerations.contains { $0.tolerates(taint) }
        }
    }

    private func create(for record: Record<DaemonSet>, on node: ClusterNode) {
        let set = record.value
        cluster.createPod(
            "\(set.name)-\(cluster.nameSuffix())", of: set.template,
            owner: OwnerReference(kind: .daemonSet, name: set.name, uid: record.uid),
            namespace: set.metadata.namespace, revision: set.revision
        ) { pod in
            pod.spec.requiredNode = node.name
            pod.spec.tolerations += Self.tolerations
        }
    }

    private func updateStatus(_ record: Record<DaemonSet>) {
        let pods = cluster.indexes.pods(of: record.uid).filter { $0.value.isActive }
        let ready = pods.count { $0.value.isReady }
        guard record.value.statusReplicas != pods.count || record.value.readyReplicas != ready else { return }
        cluster.store.update(record, in: cluster.store.daemonSets) {
            $0.statusReplicas = pods.count
            $0.readyReplicas = ready
        }
    }
}
