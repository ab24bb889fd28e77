/// Where one pod may go, and how good each node is.
struct Placement {
    private let pod: Pod
    private let cluster: Cluster
    private let requests: Resources
    /// The pod's images that some node has, and what having them is worth.
    private let images: [(name: String, bytes: Int)]
    /// The only nodes that have its local volumes; nil if it has none.
    private var volumeNodes: Set<String>?
    private let antiAffinityNodes: Set<Int>
    private var spreads: [Spread] = []
    /// Why it can be placed nowhere now.
    private(set) var problem: String?

    /// How many pods that count are in each place.
    private struct Spread {
        let constraint: SpreadConstraint
        /// By the index of the node, or of its zone.
        var counts: [Int]
        var least: Int = 0

        @inline(__always)
        func place(of node: ClusterNode) -> Int {
            switch constraint.topology {
            case .hostname: node.index
            case .zone: node.zoneIndex
            }
        }

        @inline(__always)
        func count(of node: ClusterNode) -> Int { counts[place(of: node)] }
    }

    init(_ pod: Pod, in cluster: Cluster) {
        self.pod = pod
        self.cluster = cluster
        requests = pod.spec.requests
        let size = cluster.registry.standardSize.map(Int.init) ?? 0
        images = pod.spec.containers.compactMap { container in
            guard let count = cluster.imageNodes[container.image], count > 0 else { return nil }
            return (container.image, size * count / max(1, cluster.nodes.count))
        }
        let namespace = pod.metadata.namespace
        antiAffinityNodes = Set(
            cluster.indexes.pods(in: namespace, matching: pod.spec.antiAffinity)
                .filter { !$0.value.isFinished && $0.uid != pod.uid }
                .compactMap { $0.value.nodeName.flatMap(cluster.node(named:))?.index })
        lookAtClaims()
        if pod.spec.spread.isEmpty {
            // The system's default: by the pod's siblings, wanted and not demanded.
            if let owner = pod.metadata.owner, owner.kind != .daemonSet, owner.kind != .job {
                let siblings = cluster.indexes.pods(of: owner.uid)
                for (topology, skew) in [(SpreadConstraint.Topology.hostname, 3), (.zone, 5)] {
                    let constraint = SpreadConstraint(topology, maxSkew: skew, isRequired: false, selector: [:])
                    spreads.append(count(siblings, constraint))
                }
            }
        } else {
            for constraint in pod.spec.spread {
                let counted = cluster.indexes.pods(in: namespace, matching: constraint.selector)
                spreads.append(count(counted, constraint))
            }
        }
    }

    private mutating func lookAtClaims() {
        for name in pod.spec.claims {
            guard let claim = cluster.store.claims[pod.metadata.namespace, name]?.value else {
                problem = "persistentvolumeclaim \"\(name)\" not found"
                return
            }
            guard let volume = claim.volume.flatMap({ cluster.store.volumes["", $0]?.value }) else {
                // A local one is bound with the pod; others must be there before.
                if claim.storage == .network { problem = "pod has unbound immediate PersistentVolumeClaims" }
                continue
            }
            guard let node = volume.node else { continue }
            volumeNodes = volumeNodes.map { $0.intersection([node]) } ?? [node]
        }
    }

    private func count(_ pods: [Record<Pod>], _ constraint: SpreadConstraint) -> Spread {
        var spread = Spread(constraint: constraint, counts: Array(repeating: 0, count: cluster.nodes.count))
        for record in pods where record.value.isActive && record.uid != pod.uid {
            guard let node = record.value.nodeName.flatMap(cluster.node(named:)) else { continue }
            spread.counts[spread.place(of: node)] += 1
        }
        guard constraint.isRequired else { return spread }
        // Nodes that the pod could not go to anyway do not count.
        let counts = cluster.nodes.filter { eligible($0) }.map { spread.count(of: $0) }
        spread.least = counts.min() ?? 0
        return spread
    }

    private func eligible(_ node: ClusterNode) -> Bool {
        guard let record = node.record else { return false }
        return pod.spec.nodeSelector.isEmpty || record.value.metadata.labels.matches(pod.spec.nodeSelector)
    }

    // MARK: Filters

    /// Why a node cannot have it; nil if it can.
    func refusal(of node: ClusterNode) -> String? {
        guard let record = node.record else { return "node(s) were not registered" }
        if let required = pod.spec.requiredNode, required != node.name {
            return "node(s) didn't match Pod's node affinity/selector"
        }
        if record.value.isUnschedulable, !pod.spec.tolerates(Taint(Taint.unschedulable, .noSchedule)) {
            return "node(s) were unschedulable"
        }
        for taint in record.value.taints where taint.effect != .preferNoSchedule && !pod.spec.tolerates(taint) {
            return "node(s) had untolerated taint {\(taint.key)}"
        }
        if !pod.spec.nodeSelector.isEmpty, !record.value.metadata.labels.matches(pod.spec.nodeSelector) {
            return "node(s) didn't match Pod's node affinity/selector"
        }
        if !cluster.settings.mistakes.contains(.nodeOvercommitted) {
            let free = record.value.allocatable - node.requested
            if requests.cpu > free.cpu { return "Insufficient cpu" }
            if requests.memory > free.memory { return "Insufficient memory" }
            if node.unfinishedPods >= cluster.settings.maxPods { return "Too many pods" }
        }
        if let volumeNodes, !volumeNodes.contains(node.name) { return "node(s) had volume node affinity conflict" }
        for spread in spreads where spread.constraint.isRequired {
            if spread.count(of: node) + 1 - spread.least > spread.constraint.maxSkew {
                return "node(s) didn't match pod topology spread constraints"
            }
        }
        if antiAffinityNodes.contains(node.index) { return "node(s) didn't match pod anti-affinity rules" }
        return nil
    }

    // MARK: Scores

    /// How good each of some nodes is; by the weights of the default profile.
    func scores(of nodes: [ClusterNode]) -> [Int] {
        let soft = spreads.filter { !$0.constraint.isRequired }
        let crowds = nodes.map { node in soft.reduce(0) { $0 + $1.count(of: node) } }
        let (most, least) = (crowds.max() ?? 0, crowds.min() ?? 0)
        let avoided = nodes.map { node in
            node.record?.value.taints.count { $0.effect == .preferNoSchedule && !pod.spec.tolerates($0) } ?? 0
        }
        let mostAvoided = avoided.max() ?? 0
        return nodes.indices.map { index in
            let taints = mostAvoided == 0 ? 100 : 100 - avoided[index] * 100 / mostAvoided
            let spread = most == 0 ? 100 : 100 * (most + least - crowds[index]) / most
            return 3 * taints + 2 * spread + fit(nodes[index]) + locality(nodes[index])
        }
    }

    /// Room that is left, and whether processors and memory are used alike.
    private func fit(_ node: ClusterNode) -> Int {
        guard let capacity = node.record?.value.allocatable else { return 0 }
        let used = node.requested + requests
        let cpu = capacity.cpu == 0 ? 1000 : min(1000, used.cpu * 1000 / capacity.cpu)
        let memory = capacity.memory == 0 ? 1000 : min(1000, used.memory * 1000 / capacity.memory)
        let left = (1000 - cpu + 1000 - memory) / 20
        let balance = 100 - abs(cpu - memory) / 20
        return left + balance
    }

    /// Images that are there already, the large and widespread ones most.
    private func locality(_ node: ClusterNode) -> Int {
        guard !images.isEmpty else { return 0 }
        let bytes = images.reduce(0) { sum, image in node.images.contains(image.name) ? sum + image.bytes : sum }
        let (least, most) = (23_000_000, 1_000_000_000 * pod.spec.containers.count)
        return 100 * (min(max(bytes, least), most) - least) / (most - least)
    }
}
