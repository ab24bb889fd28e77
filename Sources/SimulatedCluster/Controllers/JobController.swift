import SimulationKernel

/// Makes pods until enough of them have ended well, or too many badly.
final class JobController {
    private unowned let cluster: Cluster
    private(set) lazy var queue: WorkQueue<UID> = WorkQueue(cluster) { [unowned self] in reconcile($0) }

    init(_ cluster: Cluster) { self.cluster = cluster }

    func start() {
        for record in cluster.store.jobs.all.elements { queue.add(record.uid) }
    }

    private func reconcile(_ uid: UID) {
        guard let record = cluster.store.jobs[uid] else { return }
        let job = record.value
        let pods = cluster.indexes.pods(of: uid)
        let succeeded = pods.count { $0.value.phase == .succeeded }
        let failures = pods.filter { $0.value.phase == .failed }
        let failed = failures.count
        if job.succeeded != succeeded || job.failed != failed {
            cluster.store.update(record, in: cluster.store.jobs) {
                $0.succeeded = succeeded
                $0.failed = failed
            }
        }
        guard !job.isComplete, !job.hasFailed else { return }
        let active = pods.filter { $0.value.isActive }
        if succeeded >= job.completions {
            for pod in active { cluster.deletePod(pod) }
            cluster.recordEvent(.normal, "Completed", record, "Job completed")
            return cluster.store.update(record, in: cluster.store.jobs) { $0.isComplete = true }
        }
        if failed > job.backoffLimit {
            for pod in active { cluster.deletePod(pod) }
            cluster.recordEvent(.warning, "BackoffLimitExceeded", record, "Job has reached the specified backoff limit")
            return cluster.store.update(record, in: cluster.store.jobs) { $0.hasFailed = true }
        }
        let wanted = min(job.parallelism, job.completions - succeeded) - active.count
        guard wanted > 0 else { return }
        if failed > 0, let last = failures.compactMap(\.value.finished).max() {
            let doubled = cluster.settings.jobBackoffInitial * (1 << min(failed - 1, 20))
            let earliest = last.advanced(by: min(doubled, cluster.settings.jobBackoffMax))
            guard earliest <= cluster.now else {
                return queue.add(uid, after: cluster.now.duration(to: earliest))
            }
        }
        let owner = OwnerReference(kind: .job, name: job.name, uid: uid)
        for _ in 0..<wanted {
            cluster.createPod(
                "\(job.name)-\(cluster.nameSuffix())", of: job.template, owner: owner,
                namespace: job.metadata.namespace, revision: 0
            ) { pod in
                if pod.spec.restartPolicy == .always { pod.spec.restartPolicy = .never }
            }
        }
    }
}
