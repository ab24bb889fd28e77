import SimulationKernel

/// Who is told of which change: indexes at once, controllers and kubelets after a time.
extension Cluster {
    func connectTables() {
        store.pods.onChange = { [unowned self] in podChanged($0, $1, $2) }
        store.nodes.onChange = { [unowned self] in nodeChanged($0, $1, $2) }
        store.replicaSets.onChange = { [unowned self] in replicaSetChanged($0, $1, $2) }
        store.deployments.onChange = { [unowned self] type, record, _ in
            controllers.deployments.queue.add(record.uid)
            if type == .deleted { controllers.garbage.ownerDeleted(record.uid) }
        }
        store.statefulSets.onChange = { [unowned self] type, record, _ in
            controllers.statefulSets.queue.add(record.uid)
            if type == .deleted { controllers.garbage.ownerDeleted(record.uid) }
        }
        store.daemonSets.onChange = { [unowned self] type, record, old in
            controllers.daemonSets.setChanged(type, record, old)
            if type == .deleted { controllers.garbage.ownerDeleted(record.uid) }
        }
        store.jobs.onChange = { [unowned self] type, record, _ in
            controllers.jobs.queue.add(record.uid)
            if type == .deleted { controllers.garbage.ownerDeleted(record.uid) }
        }
        store.services.onChange = { [unowned self] type, record, old in
            if type != .added { indexes.remove(record, selector: old.selector) }
            if type != .deleted { indexes.add(record) }
            controllers.endpoints.serviceChanged(record)
        }
        store.budgets.onChange = { [unowned self] type, record, old in
            if type != .added { indexes.remove(record, selector: old.selector) }
            if type != .deleted { indexes.add(record) }
            let budget = record.value
            if type == .added || old.demand != budget.demand || old.selector != budget.selector {
                controllers.disruption.queue.add(record.uid)
            }
        }
        store.endpointSlices.onChange = { [unowned self] type, record, _ in
            proxies.changed(
                record.key, to: type == .deleted ? [] : record.value.routable, at: now,
                keeping: frozenProxies.elements)
        }
        store.claims.onChange = { [unowned self] type, record, _ in
            controllers.volumes.claimChanged(type, record)
            controllers.scheduler.somethingChanged()
            retryMounts()
        }
        store.volumes.onChange = { [unowned self] _, record, _ in
            controllers.volumes.volumeChanged(record)
            retryMounts()
        }
        store.configMaps.onChange = { [unowned self] _, _, _ in retryMounts() }
        store.namespaces.onChange = { [unowned self] type, record, _ in
            if type != .deleted { controllers.namespaces.queue.add(record.uid) }
        }
    }

    // MARK: Pods

    private func podChanged(_ type: ChangeType, _ record: Record<Pod>, _ old: Pod) {
        let pod = record.value
        switch type {
        case .added: indexes.add(record)
        case .deleted: indexes.remove(record)
        case .modified: break
        }
        let before = type == .added ? nil : old.nodeName
        let after = type == .deleted ? nil : pod.nodeName
        account(record, from: before, wasFinished: old.isFinished, to: after)
        if let name = pod.nodeName, let node = node(named: name) {
            let isNews = type != .modified || before != after || old.metadata.deletion != pod.metadata.deletion
            if isNews { node.kubelet.podChanged(record) }
        }
        if let owner = pod.metadata.owner { ownerHears(type, owner, of: record) }
        let isRouted =
            type == .deleted || old.isReady != pod.isReady || old.ip != pod.ip || old.isFinished != pod.isFinished
            || old.metadata.deletion != pod.metadata.deletion
        if isRouted {
            for service in indexes.services(selecting: pod) { controllers.endpoints.podChanged(record, of: service) }
        }
        if isRouted || type == .added {
            for budget in indexes.budgets(selecting: pod) { controllers.disruption.queue.add(budget.uid) }
        }
        if type != .deleted, pod.nodeName == nil {
            controllers.scheduler.add(record)
        } else if before != nil, type == .deleted || pod.isFinished != old.isFinished {
            controllers.scheduler.somethingChanged()
        }
        if type != .deleted, before != after { controllers.taintEviction.bound(record) }
        if type == .deleted { controllers.taintEviction.forget(record.uid) }
        if !pod.spec.volumes.isEmpty, type == .deleted || before != after || old.isFinished != pod.isFinished {
            controllers.volumes.podChanged(record)
        }
        if type == .deleted { controllers.namespaces.somethingWent(from: pod.metadata.namespace) }
        if type == .modified, pod.metadata.isTerminating, pod.isEndConfirmed, pod.metadata.finalizers.isEmpty {
            store.remove(record, from: store.pods)
        }
    }

    private func account(_ record: Record<Pod>, from before: String?, wasFinished: Bool, to after: String?) {
        let isFinished = record.value.isFinished
        guard before != after || wasFinished != isFinished else { return }
        if let before, let node = node(named: before) {
            if after != before { node.pods.remove(record.uid) }
            if !wasFinished {
                node.requested = node.requested - record.value.spec.requests
                node.unfinishedPods -= 1
            }
        }
        if let after, let node = node(named: after) {
            if after != before { node.pods.set(record, for: record.uid) }
            if !isFinished {
                node.requested = node.requested + record.value.spec.requests
                node.unfinishedPods += 1
            }
        }
    }

    private func ownerHears(_ type: ChangeType, _ owner: OwnerReference, of pod: Record<Pod>) {
        switch owner.kind {
        case .replicaSet:
            controllers.replicaSets.queue.add(owner.uid)
            // One that recreates waits for the last of its old pods.
            if type == .deleted, let above = store.replicaSets[owner.uid]?.value.metadata.owner {
                controllers.deployments.queue.add(above.uid)
            }
        case .statefulSet: controllers.statefulSets.queue.add(owner.uid)
        case .daemonSet: controllers.daemonSets.podChanged(pod, of: owner.uid)
        case .job: controllers.jobs.queue.add(owner.uid)
        case .configMap, .deployment, .endpointSlice, .lease, .namespace, .node, .persistentVolume,
            .persistentVolumeClaim, .pod, .podDisruptionBudget, .service:
            break
        }
    }

    /// What waits for something to mount looks again.
    func retryMounts() {
        for worker in mountWaiters.elements { after(apiLatency()) { [weak worker] in worker?.prepare() } }
    }

    // MARK: Nodes and sets

    private func nodeChanged(_ type: ChangeType, _ record: Record<Node>, _ old: Node) {
        guard let node = node(named: record.value.name) else { return }
        node.record = type == .deleted ? nil : record
        if type == .deleted { controllers.podGC.nodeDeleted(node) }
        controllers.nodeLifecycle.changed(node, type)
        if type != .modified || old.taints != record.value.taints { controllers.taintEviction.changed(node) }
        if type != .modified || old.taints != record.value.taints || old.ready != record.value.ready
            || old.isUnschedulable != record.value.isUnschedulable
        {
            if type != .deleted { controllers.scheduler.somethingChanged() }
            controllers.daemonSets.nodeChanged(node)
            controllers.podGC.changed(node)
            controllers.volumes.nodeChanged(node)
        }
    }

    private func replicaSetChanged(_ type: ChangeType, _ record: Record<ReplicaSet>, _ old: ReplicaSet) {
        switch type {
        case .added: indexes.add(record)
        case .deleted:
            indexes.remove(record)
            controllers.garbage.ownerDeleted(record.uid)
        case .modified: break
        }
        let set = record.value
        if type != .deleted, type == .added || old.replicas != set.replicas || old.template != set.template {
            controllers.replicaSets.queue.add(record.uid)
        }
        if let owner = set.metadata.owner { controllers.deployments.queue.add(owner.uid) }
    }
}
