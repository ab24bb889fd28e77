import SimulationKernel

/// What must be true of a cluster, whatever happens to it; each line that is returned names something that is wrong.
///
/// It looks at what runs, not only at what the API says: kubelets know more than the API does.
extension Cluster {
    /// Everything that is wrong now.
    ///
    /// - Parameter forced: Whether somebody has taken objects of pods away that may still run: then two pods may have one identity.
    /// - Returns: A line for each thing.
    package func violations(forced: Bool = false) -> [String] {
        staleEndpoints() + evictionFindings + (forced ? [] : doubleIdentities()) + sharedVolumes()
            + overcommittedNodes()
            + wrongAccounts()
    }

    /// An endpoint gets connections only while its pod is there and, for the API, ready.
    ///
    /// Controllers need a moment: what they have not seen yet is not their fault, so a pod must have been gone for a while.
    private func staleEndpoints() -> [String] {
        guard controlPlane.areControllersRunning else { return [] }
        let patience = settings.endpointUpdatesBatchPeriod + .seconds(1)
        guard controlPlane.controllersSince.duration(to: now) > patience || controlPlane.controllersSince == .start
        else {
            return []
        }
        return store.endpointSlices.list().flatMap { slice in
            slice.endpoints.filter(\.isReady).compactMap { endpoint in
                guard let pod = store.pods[endpoint.podUID]?.value else {
                    return lastChange(of: slice, isBefore: patience)
                        ? "endpoint \(endpoint.ip) of \(slice.key) leads to pod \(endpoint.pod), which is gone" : nil
                }
                let since = pod.metadata.isTerminating ? terminatingSince(pod) : pod.readySince
                guard !pod.isReady || pod.metadata.isTerminating, since.duration(to: now) > patience else { return nil }
                return
                    "endpoint \(endpoint.ip) of \(slice.key) leads to pod \(endpoint.pod), which is \(pod.statusText)"
                    + " and not ready"
            }
        }
    }

    private func lastChange(of slice: EndpointSlice, isBefore patience: Duration) -> Bool {
        guard let change = proxies.lastChange(of: slice.key) else { return true }
        return change.duration(to: now) > patience
    }

    private func terminatingSince(_ pod: Pod) -> VirtualInstant {
        (pod.metadata.deletion ?? now).advanced(by: .zero - pod.metadata.deletionGrace)
    }

    /// No two pods of one identity of a stateful set run at once, wherever.
    private func doubleIdentities() -> [String] {
        var running: [ObjectKey: [String]] = [:]
        for node in nodes {
            for worker in node.kubelet.workers.elements
            where worker.isRunning && worker.record.value.metadata.owner?.kind == .statefulSet {
                running[worker.record.value.key, default: []].append(node.name)
            }
        }
        return running.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }.map {
            "\($0.key) runs on \($0.value.joined(separator: " and "))"
        }
    }

    /// No network volume is mounted on two nodes.
    private func sharedVolumes() -> [String] {
        var users: [String: Set<String>] = [:]
        for node in nodes {
            for worker in node.kubelet.workers.elements where worker.isRunning {
                for volume in worker.volumes { users[volume.volume, default: []].insert(node.name) }
            }
        }
        return users.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }.compactMap { volume, nodes in
            // One that was detached by force is used on by a machine that nobody reached for six minutes: that is its danger,
            // and not the controller's mistake.
            guard !controllers.volumes.detachedByForce.contains(volume) else { return nil }
            return "volume \(volume) is mounted on \(nodes.sorted().joined(separator: " and "))"
        }
    }

    /// No node was given more than it has.
    private func overcommittedNodes() -> [String] {
        nodes.compactMap { node in
            let free = node.capacity - node.requested
            guard free.cpu < 0 || free.memory < 0 || node.unfinishedPods > settings.maxPods else { return nil }
            return "node \(node.name) was given \(node.unfinishedPods) pods that ask for \(node.requested)"
                + " of \(node.capacity)"
        }
    }

    /// Indexes and accounts say what the objects say.
    private func wrongAccounts() -> [String] {
        var found: [String] = []
        var requested: [String: Resources] = [:]
        var counts: [String: Int] = [:]
        for pod in store.pods.all.elements.map(\.value) {
            guard let node = pod.nodeName else { continue }
            counts[node, default: 0] += 1
            if !pod.isFinished { requested[node] = (requested[node] ?? Resources()) + pod.spec.requests }
        }
        for node in nodes {
            if node.pods.count != counts[node.name] ?? 0 {
                found.append(
                    "node \(node.name) counts \(node.pods.count) pods, and \(counts[node.name] ?? 0) are bound")
            }
            if node.requested != requested[node.name] ?? Resources() {
                found.append("node \(node.name) has counted wrongly what its pods ask for")
            }
        }
        return found
    }
}
