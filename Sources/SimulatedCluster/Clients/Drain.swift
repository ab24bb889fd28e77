import SimulationKernel

/// How `kubectl drain` is called.
package struct DrainOptions: Hashable, Sendable {
    package var ignoresDaemonSets: Bool = true
    /// `--delete-emptydir-data`.
    package var deletesLocalData: Bool = true
    /// Whether pods go that no controller would make again.
    package var forces: Bool = false
    /// Whether it deletes pods, without asking budgets.
    package var disablesEviction: Bool = false
    /// What containers get; nil for each pod's own.
    package var grace: Duration?
    /// `--skip-wait-for-delete-timeout`: pods that should have been gone for so long are not waited for; nil waits for all.
    package var skipsDeletedAfter: Duration?
    /// When it gives up; nil for never.
    package var timeout: Duration?
    /// When it asks again after a refusal.
    package var retry: Duration = .seconds(5)
    /// How often it looks whether a pod has gone.
    package var poll: Duration = .seconds(1)

    package init() {}
}

/// What came of a drain.
package enum DrainResult: Hashable, Sendable {
    case drained(after: Duration)
    /// Pods stand in the way that the options do not allow to go; nothing was evicted, the node is cordoned.
    case refused([String])
    /// The time was over; the node stays cordoned.
    case timedOut(left: [ObjectKey])
    case failed(APIError)
}

/// `kubectl drain`: cordons a node, evicts its pods side by side, and waits until they are gone.
package final class Drain {
    private unowned let cluster: Cluster
    let name: String
    private let options: DrainOptions
    private let begun: VirtualInstant
    private let done: (DrainResult) -> Void
    private var left: KeyedList<UID, ObjectKey> = KeyedList()
    /// How often an eviction was refused by a budget.
    package private(set) var refusals: Int = 0
    /// What came of it; nil while it goes on.
    package private(set) var result: DrainResult?

    fileprivate init(
        _ name: String, _ options: DrainOptions, in cluster: Cluster, done: @escaping (DrainResult) -> Void
    ) {
        self.cluster = cluster
        self.name = name
        self.options = options
        self.done = done
        begun = cluster.now
    }

    /// Gives up.
    package func cancel() {
        if result == nil { finish(.timedOut(left: left.elements.sorted())) }
    }

    fileprivate func start() {
        do throws(APIError) {
            try cluster.cordon(name)
            let pods = (cluster.node(named: name)?.pods.elements ?? []).map(\.value).sorted { $0.key < $1.key }
            let (chosen, problems) = choose(pods)
            guard problems.isEmpty else { return finish(.refused(problems)) }
            for pod in chosen { left.set(pod.key, for: pod.uid) }
        } catch {
            return finish(.failed(error))
        }
        guard !left.isEmpty else { return finish(.drained(after: .zero)) }
        if let timeout = options.timeout {
            cluster.after(timeout) { [weak self] in self?.cancel() }
        }
        for key in left.elements {
            guard let uid = cluster.store.pods[key]?.uid else { continue }
            cluster.after(cluster.apiLatency()) { [weak self] in self?.evict(key, uid) }
        }
    }

    /// The pods that go, and why others stand in the way.
    private func choose(_ pods: [Pod]) -> (chosen: [Pod], problems: [String]) {
        var problems: [String] = []
        let chosen = pods.filter { pod in
            if let limit = options.skipsDeletedAfter, let deletion = pod.metadata.deletion,
                deletion.duration(to: cluster.now) > limit
            {
                return false
            }
            if pod.isFinished { return true }
            if pod.metadata.owner?.kind == .daemonSet {
                if !options.ignoresDaemonSets {
                    problems.append("cannot delete DaemonSet-managed Pods (use --ignore-daemonsets): \(pod.key)")
                }
                return false
            }
            let hasLocalData = pod.spec.volumes.contains { if case .emptyDir = $0 { true } else { false } }
            if hasLocalData, !options.deletesLocalData {
                problems.append("cannot delete Pods with local storage (use --delete-emptydir-data): \(pod.key)")
            }
            if pod.metadata.owner == nil, !options.forces {
                problems.append("cannot delete Pods that declare no controller (use --force): \(pod.key)")
            }
            return true
        }
        return (chosen, problems)
    }

    private func evict(_ key: ObjectKey, _ uid: UID) {
        guard result == nil else { return }
        do throws(APIError) {
            guard cluster.store.pods[key]?.uid == uid else { return wait(key, uid) }
            if options.disablesEviction {
                try cluster.delete(Pod.self, key.name, namespace: key.namespace, grace: options.grace, uid: uid)
            } else {
                try cluster.evict(key.name, namespace: key.namespace, grace: options.grace)
            }
        } catch {
            switch error {
            case .tooManyRequests:
                refusals += 1
                cluster.after(options.retry) { [weak self] in self?.evict(key, uid) }
                return
            case .notFound: break
            case .alreadyExists, .conflict, .expired, .forbidden, .invalid, .severalBudgets, .unavailable:
                return finish(.failed(error))
            }
        }
        wait(key, uid)
    }

    private func wait(_ key: ObjectKey, _ uid: UID) {
        guard result == nil else { return }
        guard cluster.controlPlane.isAnswering else { return finish(.failed(.unavailable)) }
        if cluster.store.pods[key]?.uid != uid {
            left.remove(uid)
            if left.isEmpty { finish(.drained(after: begun.duration(to: cluster.now))) }
            return
        }
        cluster.after(options.poll) { [weak self] in self?.wait(key, uid) }
    }

    private func finish(_ result: DrainResult) {
        guard self.result == nil else { return }
        self.result = result
        cluster.drains.removeAll { $0 === self }
        done(result)
    }
}

extension Cluster {
    /// Keeps new pods away from a node.
    ///
    /// - Throws: `APIError.notFound`, `APIError.unavailable`.
    package func cordon(_ name: String) throws(APIError) { try setUnschedulable(name, true) }

    /// Lets new pods come to a node again; nothing moves back by itself.
    ///
    /// - Throws: `APIError.notFound`, `APIError.unavailable`.
    package func uncordon(_ name: String) throws(APIError) { try setUnschedulable(name, false) }

    private func setUnschedulable(_ name: String, _ isUnschedulable: Bool) throws(APIError) {
        guard try get(Node.self, name).isUnschedulable != isUnschedulable else { return }
        let now = now
        try patch(Node.self, name) { node in
            node.isUnschedulable = isUnschedulable
            node.taints.removeAll { $0.key == Taint.unschedulable }
            guard isUnschedulable else { return }
            var taint = Taint(Taint.unschedulable, .noSchedule)
            taint.added = now
            node.taints.append(taint)
        }
    }

    /// Puts a taint on a node, such as ``Taint/outOfService``.
    ///
    /// - Throws: `APIError.notFound`, `APIError.unavailable`.
    package func taint(_ name: String, _ taint: Taint) throws(APIError) {
        var taint = taint
        taint.added = now
        try patch(Node.self, name) { node in
            if !node.taints.contains(where: { $0.isSame(as: taint) }) { node.taints.append(taint) }
        }
    }

    /// Takes the taints of a key off a node.
    ///
    /// - Throws: `APIError.notFound`, `APIError.unavailable`.
    package func untaint(_ name: String, _ key: String) throws(APIError) {
        try patch(Node.self, name) { node in node.taints.removeAll { $0.key == key } }
    }

    /// Drains a node as `kubectl drain` does.
    ///
    /// - Parameters:
    ///   - name: The node.
    ///   - options: How.
    ///   - done: Told of the end.
    /// - Returns: The drain as it goes on.
    @discardableResult
    package func drain(
        _ name: String, options: DrainOptions = DrainOptions(), done: @escaping (DrainResult) -> Void = { _ in }
    ) -> Drain {
        let drain = Drain(name, options, in: self, done: done)
        drains.append(drain)
        drain.start()
        return drain
    }

    /// Sets how many pods a deployment has.
    ///
    /// - Throws: `APIError.notFound`, `APIError.invalid`, `APIError.unavailable`.
    package func scale(deployment name: String, namespace: String = "default", to replicas: Int) throws(APIError) {
        try patch(Deployment.self, name, namespace: namespace) { $0.replicas = replicas }
    }

    /// Lets a deployment replace all its pods, as `kubectl rollout restart` does.
    ///
    /// - Throws: `APIError.notFound`, `APIError.unavailable`.
    package func restart(deployment name: String, namespace: String = "default") throws(APIError) {
        let now = now
        try patch(Deployment.self, name, namespace: namespace) { $0.template.restartedAt = now }
    }
}
