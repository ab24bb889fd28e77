import SimulationKernel

/// Eviction: a deletion that asks the budgets.
extension Cluster {
    /// Asks for the end of a pod.
    ///
    /// - Parameters:
    ///   - name: The pod.
    ///   - namespace: Where it lies.
    ///   - grace: What its containers get; nil for its own.
    /// - Throws: `APIError.tooManyRequests` when a budget does not allow it, `APIError.severalBudgets`, `APIError.notFound`,
    ///   `APIError.unavailable`.
    package func evict(_ name: String, namespace: String = "default", grace: Duration? = nil) throws(APIError) {
        guard controlPlane.isAnswering else { throw .unavailable }
        guard let record = store.pods[namespace, name] else { throw .notFound(.pod, ObjectKey(namespace, name)) }
        let pod = record.value
        // Nothing is disrupted by the end of what does not run, or ends already.
        guard pod.phase == .running, !pod.metadata.isTerminating else { return deletePod(record, grace: grace) }
        if !settings.mistakes.contains(.budgetIgnored) { try askBudget(of: record) }
        checkBudgets(of: record)
        store.update(record, in: store.pods) { $0.reason = "EvictionByEvictionAPI" }
        deletePod(record, grace: grace)
    }

    private func askBudget(of record: Record<Pod>) throws(APIError) {
        let budgets = indexes.budgets(selecting: record.value)
        guard let budget = budgets.first else { return }
        guard budgets.count == 1 else { throw .severalBudgets(record.key) }
        let value = budget.value
        if !record.value.isReady {
            // A pod that is not well may go, if enough others are.
            let hasEnough = value.currentHealthy >= value.desiredHealthy && value.desiredHealthy > 0
            if value.alwaysAllowsUnhealthy || hasEnough { return }
        }
        guard value.disruptionsAllowed > 0 else {
            throw .tooManyRequests(budget: value.name, healthy: value.currentHealthy, needed: value.desiredHealthy)
        }
        let now = now
        store.update(budget, in: store.budgets) {
            $0.disruptionsAllowed -= 1
            $0.disrupted.append(PodDisruptionBudget.Disrupted(pod: record.uid, since: now))
        }
    }

    /// Counts anew, from the pods themselves, whether an eviction leaves what a budget demands.
    ///
    /// What has happened within the last second apart from evictions may not have been counted: it is not held against it.
    private func checkBudgets(of record: Record<Pod>) {
        for budget in indexes.budgets(selecting: record.value) where record.value.isReady {
            let pods = indexes.pods(in: record.value.metadata.namespace, matching: budget.value.selector)
            let left = pods.count { $0.uid != record.uid && wasWell($0.value) }
            guard case .minAvailable(.count(let needed)) = budget.value.demand, left < needed else { continue }
            evictionFindings.append(
                "\(now): the eviction of \(record.key) leaves \(left) of the \(needed) pods of budget \(budget.key)")
        }
    }

    /// Whether a pod counts, or counted a second ago and was not evicted.
    private func wasWell(_ pod: Pod) -> Bool {
        guard !pod.isFinished, pod.reason != "EvictionByEvictionAPI" else { return false }
        let recently = VirtualInstant(nanoseconds: now.nanoseconds - min(now.nanoseconds, 1_000_000_000))
        let isActive =
            pod.metadata.deletion.map { $0.advanced(by: .zero - pod.metadata.deletionGrace) > recently } ?? true
        return isActive && (pod.isReady || pod.readySince > recently)
    }
}
