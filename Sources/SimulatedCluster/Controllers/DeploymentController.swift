import SimulationKernel

/// Moves pods from old replica sets of a deployment to the one of its present template, as its strategy allows.
final class DeploymentController {
    private unowned let cluster: Cluster
    private(set) lazy var queue: WorkQueue<UID> = WorkQueue(cluster) { [unowned self] in reconcile($0) }

    init(_ cluster: Cluster) { self.cluster = cluster }

    func start() {
        for record in cluster.store.deployments.all.elements { queue.add(record.uid) }
    }

    func stop() {
        queue.clear()
        watched = []
    }

    /// Those whose deadline is planned already.
    private var watched: Set<UID> = []

    private static let hashLabel: String = "pod-template-hash"

    private func reconcile(_ uid: UID) {
        guard let record = cluster.store.deployments[uid], !record.value.metadata.isTerminating else { return }
        let sets = cluster.indexes.replicaSets(of: uid)
        var current = sets.first { matches($0.value, record.value.template) }
        let old = sets.filter { $0 !== current }
        if current == nil, !record.value.isPaused { current = makeSet(for: record, after: sets) }
        if let current, current.value.revision < record.value.revision, !record.value.isPaused {
            // An old template came back: its set is the newest again.
            advance(current, of: record, to: record.value.revision + 1)
        }
        if record.value.isPaused {
            // Only its size is followed.
            if let current, old.allSatisfy({ $0.value.replicas == 0 }) { scale(current, to: record.value.replicas) }
        } else if let current {
            switch record.value.strategy {
            case .recreate: recreate(record.value, current, old)
            case .rollingUpdate(let surge, let unavailable): roll(record.value, current, old, surge, unavailable)
            }
        }
        updateStatus(record, current, old)
        forgetOldSets(record.value, old)
    }

    private func matches(_ set: ReplicaSet, _ template: PodTemplate) -> Bool {
        var own = set.template
        own.labels[Self.hashLabel] = nil
        return own == template
    }

    private func makeSet(for record: Record<Deployment>, after sets: [Record<ReplicaSet>]) -> Record<ReplicaSet>? {
        let deployment = record.value
        guard let place = cluster.store.namespaces["", deployment.metadata.namespace],
            !place.value.metadata.isTerminating
        else { return nil }
        let hash = cluster.nameSuffix(9)
        var template = deployment.template
        template.labels[Self.hashLabel] = hash
        var set = ReplicaSet(
            "\(deployment.name)-\(hash)", namespace: deployment.metadata.namespace, replicas: 0, template: template)
        set.metadata.owner = OwnerReference(kind: .deployment, name: deployment.name, uid: record.uid)
        let made = cluster.store.add(set, to: cluster.store.replicaSets)
        advance(made, of: record, to: (sets.map(\.value.revision).max() ?? 0) + 1)
        return made
    }

    private func advance(_ set: Record<ReplicaSet>, of record: Record<Deployment>, to revision: Int) {
        cluster.store.update(set, in: cluster.store.replicaSets) { $0.revision = revision }
        let now = cluster.now
        cluster.store.update(record, in: cluster.store.deployments) {
            $0.revision = revision
            $0.lastProgress = now
            $0.hasExceededDeadline = false
        }
    }

    private func scale(_ set: Record<ReplicaSet>, to replicas: Int) {
        guard set.value.replicas != replicas else { return }
        cluster.store.update(set, in: cluster.store.replicaSets) { $0.replicas = replicas }
    }

    private func recreate(_ deployment: Deployment, _ current: Record<ReplicaSet>, _ old: [Record<ReplicaSet>]) {
        for set in old { scale(set, to: 0) }
        // Even those that are still ending count.
        let remaining = old.contains { set in
            cluster.indexes.pods(of: set.uid).contains { !$0.value.isFinished }
        }
        if !remaining { scale(current, to: deployment.replicas) }
    }

    private func roll(
        _ deployment: Deployment, _ current: Record<ReplicaSet>, _ old: [Record<ReplicaSet>],
        _ surge: CountOrPercent, _ unavailable: CountOrPercent
    ) {
        let replicas = deployment.replicas
        let maxSurge = surge.scaled(of: replicas, roundUp: true)
        var maxUnavailable = min(unavailable.scaled(of: replicas, roundUp: false), replicas)
        if maxSurge == 0, maxUnavailable == 0 { maxUnavailable = 1 }
        let all = ([current] + old).reduce(0) { $0 + $1.value.replicas }
        if current.value.replicas > replicas {
            scale(current, to: replicas)
        } else if current.value.replicas < replicas {
            let room = max(0, replicas + maxSurge - all)
            scale(current, to: current.value.replicas + min(room, replicas - current.value.replicas))
        }
        guard old.contains(where: { $0.value.replicas > 0 }) else { return }
        let present = ([current] + old).reduce(0) { $0 + $1.value.replicas }
        let least = replicas - maxUnavailable
        let notYet = current.value.replicas - current.value.readyReplicas
        var room = present - least - notYet
        guard room > 0 else { return }
        // What is not ready anyway goes first, the oldest set first.
        for set in old where room > 0 {
            let sick = min(room, set.value.replicas - min(set.value.replicas, set.value.readyReplicas))
            scale(set, to: set.value.replicas - sick)
            room -= sick
        }
        let ready = ([current] + old).reduce(0) { $0 + min($1.value.replicas, $1.value.readyReplicas) }
        var spare = min(room, ready - least)
        for set in old where spare > 0 {
            let step = min(spare, set.value.replicas)
            scale(set, to: set.value.replicas - step)
            spare -= step
        }
    }

    // MARK: Status

    private func updateStatus(
        _ record: Record<Deployment>, _ current: Record<ReplicaSet>?, _ old: [Record<ReplicaSet>]
    ) {
        let sets = (current.map { [$0] } ?? []) + old
        let total = sets.reduce(0) { $0 + $1.value.statusReplicas }
        let ready = sets.reduce(0) { $0 + $1.value.readyReplicas }
        let updated = current?.value.statusReplicas ?? 0
        let before = record.value
        let hasChanged =
            before.statusReplicas != total || before.readyReplicas != ready || before.updatedReplicas != updated
        if hasChanged {
            let isProgress = updated > before.updatedReplicas || ready > before.readyReplicas
            let now = cluster.now
            cluster.store.update(record, in: cluster.store.deployments) {
                $0.statusReplicas = total
                $0.readyReplicas = ready
                $0.updatedReplicas = updated
                if isProgress {
                    $0.lastProgress = now
                    $0.hasExceededDeadline = false
                }
            }
        }
        watchProgress(record)
    }

    private func watchProgress(_ record: Record<Deployment>) {
        let deployment = record.value
        guard !deployment.isComplete, !deployment.hasExceededDeadline, !deployment.isPaused else { return }
        let limit = deployment.progressDeadline ?? cluster.settings.progressDeadline
        let end = deployment.lastProgress.advanced(by: limit)
        guard end <= cluster.now else {
            guard watched.insert(record.uid).inserted else { return }
            cluster.controlPlane.at(end) { [unowned self] in
                watched.remove(record.uid)
                queue.add(record.uid)
            }
            return
        }
        cluster.store.update(record, in: cluster.store.deployments) { $0.hasExceededDeadline = true }
        cluster.recordEvent(.warning, "ProgressDeadlineExceeded", record, "no progress for \(limit)")
    }

    private func forgetOldSets(_ deployment: Deployment, _ old: [Record<ReplicaSet>]) {
        let empty = old.filter { $0.value.replicas == 0 && $0.value.statusReplicas == 0 }
            .sorted { $0.value.revision < $1.value.revision }
        for set in empty.prefix(max(0, empty.count - deployment.revisionHistoryLimit)) {
            cluster.store.remove(set, from: cluster.store.replicaSets)
        }
    }
}
