import SimulationKernel

/// Finds a node for each pod, one pod at a time.
final class Scheduler {
    private unowned let cluster: Cluster
    private var active: [Record<Pod>] = []
    /// The first of `active` that was not taken yet.
    private var next: Int = 0
    private var known: Set<UID> = []
    private var isBusy: Bool = false
    /// Pods that found no node, in the order in which they failed.
    private var unschedulable: KeyedList<UID, Waiting> = KeyedList()
    private var isMovePlanned: Bool = false
    private var luck: RandomStream
    private var firstNode: Int = 0

    private struct Waiting {
        let pod: Record<Pod>
        let attempts: Int
        let since: VirtualInstant
    }

    init(_ cluster: Cluster) {
        self.cluster = cluster
        luck = cluster.world.stream("cluster/scheduler")
    }

    func start() {
        for pod in cluster.store.pods.all.elements.sorted(by: { $0.uid < $1.uid }) where pod.value.nodeName == nil {
            add(pod)
        }
    }

    func stop() {
        active = []
        next = 0
        known = []
        isBusy = false
        unschedulable.removeAll()
        isMovePlanned = false
        attempts = [:]
    }

    /// A pod has no node.
    func add(_ pod: Record<Pod>) {
        guard cluster.controlPlane.areControllersRunning, unschedulable[pod.uid] == nil,
            known.insert(pod.uid).inserted
        else { return }
        active.append(pod)
        work()
    }

    private func work() {
        guard !isBusy, next < active.count else { return }
        isBusy = true
        let delay = luck.duration(cluster.settings.schedulingLatency)
        cluster.controlPlane.after(delay) { [unowned self] in
            isBusy = false
            let pod = active[next]
            next += 1
            if next > 1000, next * 2 > active.count {
                active.removeFirst(next)
                next = 0
            }
            known.remove(pod.uid)
            schedule(pod)
            work()
        }
    }

    // MARK: Again

    /// Something changed that may give a node to those who found none.
    func somethingChanged() {
        guard !unschedulable.isEmpty, !isMovePlanned else { return }
        isMovePlanned = true
        cluster.controlPlane.after(cluster.apiLatency()) { [unowned self] in
            isMovePlanned = false
            for waiting in unschedulable.elements { retry(waiting, after: backoff(waiting.attempts)) }
        }
    }

    private func backoff(_ attempts: Int) -> Duration {
        let doubled = cluster.settings.podInitialBackoff * (1 << min(attempts - 1, 20))
        return min(doubled, cluster.settings.podMaxBackoff)
    }

    private func retry(_ waiting: Waiting, after delay: Duration) {
        let uid = waiting.pod.uid
        let time = max(waiting.since.advanced(by: delay), cluster.now)
        cluster.controlPlane.at(time) { [unowned self] in
            // Only the failure that it was planned for.
            guard let present = unschedulable[uid], present.attempts == waiting.attempts else { return }
            unschedulable.remove(uid)
            guard present.pod.isStored, known.insert(uid).inserted else { return }
            attempts[uid] = present.attempts
            active.append(present.pod)
            work()
        }
    }

    /// How often pods that are tried again have failed.
    private var attempts: [UID: Int] = [:]

    // MARK: One pod

    private func schedule(_ record: Record<Pod>) {
        let tried = attempts.removeValue(forKey: record.uid) ?? 0
        guard record.isStored, record.value.nodeName == nil, !record.value.metadata.isTerminating else { return }
        var placement = Placement(record.value, in: cluster)
        let (node, why) = choose(&placement)
        guard let node else {
            let waiting = Waiting(pod: record, attempts: tried + 1, since: cluster.now)
            unschedulable.set(waiting, for: record.uid)
            retry(waiting, after: cluster.settings.unschedulableRetry)
            cluster.recordEvent(.warning, "FailedScheduling", record, why)
            if record.value.reason != "Unschedulable" {
                cluster.store.update(record, in: cluster.store.pods) { $0.reason = "Unschedulable" }
            }
            return
        }
        cluster.controllers.volumes.bindLocalClaims(of: record.value, to: node)
        cluster.store.update(record, in: cluster.store.pods) {
            $0.nodeName = node.name
            $0.reason = ""
        }
        cluster.recordEvent(.normal, "Scheduled", record, "Successfully assigned \(record.key) to \(node.name)")
    }

    /// The best of enough nodes that fit, by lot among equals.
    private func choose(_ placement: inout Placement) -> (ClusterNode?, String) {
        if let problem = placement.problem { return (nil, problem) }
        let nodes = cluster.nodes
        guard !nodes.isEmpty else { return (nil, "there are no nodes") }
        let wanted = feasibleNodesWanted(of: nodes.count)
        var feasible: [ClusterNode] = []
        var refusals: [String: Int] = [:]
        var looked = 0
        while looked < nodes.count, feasible.count < wanted {
            let node = nodes[(firstNode + looked) % nodes.count]
            looked += 1
            if let refusal = placement.refusal(of: node) {
                refusals[refusal, default: 0] += 1
            } else {
                feasible.append(node)
            }
        }
        firstNode = (firstNode + looked) % nodes.count
        guard !feasible.isEmpty else {
            let reasons = refusals.keys.sorted().map { "\(refusals[$0] ?? 0) \($0)" }.joined(separator: ", ")
            return (nil, "0/\(nodes.count) nodes are available: \(reasons)")
        }
        guard feasible.count > 1 else { return (feasible[0], "") }
        var best: (node: ClusterNode, score: Int)?
        var equals: UInt64 = 1
        for (node, score) in zip(feasible, placement.scores(of: feasible)) {
            if let present = best, score <= present.score {
                guard score == present.score else { continue }
                equals += 1
                if luck.next(below: equals) == 0 { best = (node, score) }
            } else {
                best = (node, score)
                equals = 1
            }
        }
        return (best?.node, "")
    }

    /// Of few nodes all are looked at; of many a share, which is smaller the more there are.
    private func feasibleNodesWanted(of count: Int) -> Int {
        let least = cluster.settings.minFeasibleNodes
        guard count > least else { return count }
        let percent = max(5, 50 - count / 125)
        return max(least, count * percent / 100)
    }
}
