/// A label in a namespace.
struct NamespacedLabel: Hashable {
    let namespace: String
    let label: Label
}

/// Who belongs to whom, so that nobody has to look at all objects.
struct Indexes {
    private(set) var podsByOwner: [UID: RecordList<Pod>] = [:]
    private var podsByLabel: [NamespacedLabel: RecordList<Pod>] = [:]
    private(set) var podsByClaim: [ObjectKey: RecordList<Pod>] = [:]
    private(set) var replicaSetsByOwner: [UID: RecordList<ReplicaSet>] = [:]
    private var servicesByLabel: [NamespacedLabel: RecordList<Service>] = [:]
    private var budgetsByLabel: [NamespacedLabel: RecordList<PodDisruptionBudget>] = [:]

    // MARK: Pods

    mutating func add(_ pod: Record<Pod>) {
        let metadata = pod.value.metadata
        if let owner = metadata.owner { podsByOwner[owner.uid, default: RecordList()].set(pod, for: pod.uid) }
        for label in metadata.labels.pairs {
            podsByLabel[NamespacedLabel(namespace: metadata.namespace, label: label), default: RecordList()]
                .set(pod, for: pod.uid)
        }
        for claim in pod.value.spec.claims {
            podsByClaim[ObjectKey(metadata.namespace, claim), default: RecordList()].set(pod, for: pod.uid)
        }
    }

    mutating func remove(_ pod: Record<Pod>) {
        let metadata = pod.value.metadata
        if let owner = metadata.owner { Self.remove(pod, at: owner.uid, from: &podsByOwner) }
        for label in metadata.labels.pairs {
            Self.remove(pod, at: NamespacedLabel(namespace: metadata.namespace, label: label), from: &podsByLabel)
        }
        for claim in pod.value.spec.claims {
            Self.remove(pod, at: ObjectKey(metadata.namespace, claim), from: &podsByClaim)
        }
    }

    private static func remove<Key, Object>(
        _ record: Record<Object>, at key: Key, from index: inout [Key: RecordList<Object>]
    ) {
        index[key]?.remove(record.uid)
        if index[key]?.isEmpty == true { index[key] = nil }
    }

    /// The pods of a namespace that a selector matches; none for an empty one.
    func pods(in namespace: String, matching selector: Labels) -> [Record<Pod>] {
        let lists = selector.pairs.map { podsByLabel[NamespacedLabel(namespace: namespace, label: $0)] }
        guard let smallest = lists.map({ $0?.count ?? 0 }).min(), smallest > 0,
            let list = lists.first(where: { $0?.count == smallest })
        else { return [] }
        let candidates = list?.elements ?? []
        guard selector.pairs.count > 1 else { return candidates }
        return candidates.filter { $0.value.metadata.labels.matches(selector) }
    }

    /// The pods that an object owns.
    func pods(of owner: UID) -> [Record<Pod>] { podsByOwner[owner]?.elements ?? [] }

    /// The pods that mount a claim.
    func pods(mounting claim: ObjectKey) -> [Record<Pod>] { podsByClaim[claim]?.elements ?? [] }

    // MARK: Who selects them

    mutating func add(_ service: Record<Service>) {
        guard let first = Self.first(service.value.selector, service.value.metadata) else { return }
        servicesByLabel[first, default: RecordList()].set(service, for: service.uid)
    }

    mutating func remove(_ service: Record<Service>, selector: Labels) {
        guard let first = Self.first(selector, service.value.metadata) else { return }
        Self.remove(service, at: first, from: &servicesByLabel)
    }

    mutating func add(_ budget: Record<PodDisruptionBudget>) {
        guard let first = Self.first(budget.value.selector, budget.value.metadata) else { return }
        budgetsByLabel[first, default: RecordList()].set(budget, for: budget.uid)
    }

    mutating func remove(_ budget: Record<PodDisruptionBudget>, selector: Labels) {
        guard let first = Self.first(selector, budget.value.metadata) else { return }
        Self.remove(budget, at: first, from: &budgetsByLabel)
    }

    private static func first(_ selector: Labels, _ metadata: Metadata) -> NamespacedLabel? {
        selector.pairs.first.map { NamespacedLabel(namespace: metadata.namespace, label: $0) }
    }

    /// The services whose selector matches a pod.
    func services(selecting pod: Pod) -> [Record<Service>] {
        guard !servicesByLabel.isEmpty else { return [] }
        return pod.metadata.labels.pairs.flatMap { label in
            servicesByLabel[NamespacedLabel(namespace: pod.metadata.namespace, label: label)]?.elements ?? []
        }
        .filter { pod.metadata.labels.matches($0.value.selector) }
    }

    /// The budgets whose selector matches a pod.
    func budgets(selecting pod: Pod) -> [Record<PodDisruptionBudget>] {
        guard !budgetsByLabel.isEmpty else { return [] }
        return pod.metadata.labels.pairs.flatMap { label in
            budgetsByLabel[NamespacedLabel(namespace: pod.metadata.namespace, label: label)]?.elements ?? []
        }
        .filter { pod.metadata.labels.matches($0.value.selector) }
    }

    // MARK: Replica sets

    mutating func add(_ set: Record<ReplicaSet>) {
        guard let owner = set.value.metadata.owner else { return }
        replicaSetsByOwner[owner.uid, default: RecordList()].set(set, for: set.uid)
    }

    mutating func remove(_ set: Record<ReplicaSet>) {
        guard let owner = set.value.metadata.owner else { return }
        Self.remove(set, at: owner.uid, from: &replicaSetsByOwner)
    }

    /// The replica sets that a deployment owns, the oldest first.
    func replicaSets(of owner: UID) -> [Record<ReplicaSet>] {
        (replicaSetsByOwner[owner]?.elements ?? []).sorted { $0.uid < $1.uid }
    }
}
