extension ConfigMap {
    package static func table(in store: Store) -> Table<ConfigMap> { store.configMaps }
}

extension DaemonSet {
    package static func table(in store: Store) -> Table<DaemonSet> { store.daemonSets }
    package var problem: String? { template.problem(selector: template.labels) }
}

extension Deployment {
    package static func table(in store: Store) -> Table<Deployment> { store.deployments }
    package var problem: String? { template.problem(selector: selector) ?? negative(replicas, "replicas") }
}

extension EndpointSlice {
    package static func table(in store: Store) -> Table<EndpointSlice> { store.endpointSlices }
}

extension Job {
    package static func table(in store: Store) -> Table<Job> { store.jobs }
    package var problem: String? {
        template.spec.problem ?? negative(completions, "completions") ?? negative(parallelism, "parallelism")
    }
}

extension Lease {
    package static func table(in store: Store) -> Table<Lease> { store.leases }
}

extension Namespace {
    package static func table(in store: Store) -> Table<Namespace> { store.namespaces }
}

extension Node {
    package static func table(in store: Store) -> Table<Node> { store.nodes }
}

extension PersistentVolume {
    package static func table(in store: Store) -> Table<PersistentVolume> { store.volumes }
}

extension PersistentVolumeClaim {
    package static func table(in store: Store) -> Table<PersistentVolumeClaim> { store.claims }
}

extension Pod {
    package static func table(in store: Store) -> Table<Pod> { store.pods }
    package var problem: String? { spec.problem }
}

extension PodDisruptionBudget {
    package static func table(in store: Store) -> Table<PodDisruptionBudget> { store.budgets }
}

extension ReplicaSet {
    package static func table(in store: Store) -> Table<ReplicaSet> { store.replicaSets }
    package var problem: String? { template.problem(selector: selector) ?? negative(replicas, "replicas") }
}

extension Service {
    package static func table(in store: Store) -> Table<Service> { store.services }
}

extension StatefulSet {
    package static func table(in store: Store) -> Table<StatefulSet> { store.statefulSets }
    package var problem: String? { template.problem(selector: template.labels) ?? negative(replicas, "replicas") }
}

extension PodSpec {
    /// What it contradicts itself in.
    var problem: String? {
        guard !containers.isEmpty else { return "it has no container" }
        if Set(containers.map(\.name)).count < containers.count { return "two containers have one name" }
        if Set(volumes.map(\.name)).count < volumes.count { return "two volumes have one name" }
        for probe in containers.flatMap({ [$0.readiness, $0.liveness, $0.startup].compactMap(\.self) }) {
            guard probe.period >= .seconds(1), probe.timeout >= .seconds(1) else {
                return "a probe's period and timeout are at least 1 s"
            }
            guard probe.successThreshold >= 1, probe.failureThreshold >= 1 else {
                return "a probe's thresholds are at least 1"
            }
        }
        return nil
    }
}

extension PodTemplate {
    func problem(selector: Labels) -> String? {
        if selector.isEmpty { return "its selector is empty and would select every pod" }
        if !labels.matches(selector) {
            return "its selector \(selector) does not match its template's labels \(labels)"
        }
        return spec.problem
    }
}

private func negative(_ number: Int, _ name: String) -> String? {
    number < 0 ? "\(name) is \(number); it must not be negative" : nil
}
