import SimulationKernel

/// Everything that acts on the API's objects, apart from kubelets and clients.
final class Controllers {
    let scheduler: Scheduler
    let nodeLifecycle: NodeLifecycleController
    let taintEviction: TaintEvictionController
    let podGC: PodGarbageCollector
    let replicaSets: ReplicaSetController
    let deployments: DeploymentController
    let statefulSets: StatefulSetController
    let daemonSets: DaemonSetController
    let jobs: JobController
    let endpoints: EndpointController
    let disruption: DisruptionController
    let garbage: GarbageCollector
    let namespaces: NamespaceController
    let volumes: VolumeController

    init(_ cluster: Cluster) {
        scheduler = Scheduler(cluster)
        nodeLifecycle = NodeLifecycleController(cluster)
        taintEviction = TaintEvictionController(cluster)
        podGC = PodGarbageCollector(cluster)
        replicaSets = ReplicaSetController(cluster)
        deployments = DeploymentController(cluster)
        statefulSets = StatefulSetController(cluster)
        daemonSets = DaemonSetController(cluster)
        jobs = JobController(cluster)
        endpoints = EndpointController(cluster)
        disruption = DisruptionController(cluster)
        garbage = GarbageCollector(cluster)
        namespaces = NamespaceController(cluster)
        volumes = VolumeController(cluster)
    }

    /// They begin with what the API has, and remember nothing.
    func start() {
        nodeLifecycle.start()
        taintEviction.start()
        podGC.start()
        garbage.start()
        volumes.start()
        namespaces.start()
        deployments.start()
        replicaSets.start()
        statefulSets.start()
        daemonSets.start()
        jobs.start()
        endpoints.start()
        disruption.start()
        scheduler.start()
    }

    /// They end, and what they had in memory is gone.
    func stop() {
        scheduler.stop()
        nodeLifecycle.stop()
        taintEviction.stop()
        podGC.stop()
        endpoints.stop()
        volumes.stop()
        replicaSets.queue.clear()
        deployments.stop()
        statefulSets.queue.clear()
        daemonSets.queue.clear()
        jobs.queue.clear()
        disruption.queue.clear()
        garbage.queue.clear()
        namespaces.queue.clear()
    }
}

extension Cluster {
    /// Makes a pod of a template for its controller.
    ///
    /// - Returns: Nil if the namespace takes none, or the name is taken.
    @discardableResult
    func createPod(
        _ name: String, of template: PodTemplate, owner: OwnerReference, namespace: String, revision: Int,
        change: (inout Pod) -> Void = { _ in }
    ) -> Record<Pod>? {
        guard let place = store.namespaces["", namespace], !place.value.metadata.isTerminating,
            store.pods[namespace, name] == nil
        else { return nil }
        var pod = Pod(Metadata(name, namespace: namespace, labels: template.labels), spec: template.spec)
        pod.metadata.owner = owner
        pod.revision = revision
        change(&pod)
        admit(&pod)
        return store.add(pod, to: store.pods)
    }

    /// What the API adds to each pod.
    func admit(_ pod: inout Pod) {
        if pod.containers.isEmpty { pod.containers = pod.spec.containers.map { _ in ContainerStatus() } }
        for key in [Taint.notReady, Taint.unreachable] {
            let isCovered = pod.spec.tolerations.contains { $0.tolerates(Taint(key, .noExecute)) }
            guard !isCovered else { continue }
            pod.spec.tolerations.append(Toleration(key, .noExecute, for: settings.defaultTolerationSeconds))
        }
    }

    /// Deletes a pod: at once if nothing of it runs, else when its kubelet has ended it.
    ///
    /// - Parameters:
    ///   - record: The pod.
    ///   - grace: What its containers get to end; nil for its own, zero to take its object away at once.
    func deletePod(_ record: Record<Pod>, grace: Duration? = nil) {
        guard record.isStored else { return }
        let pod = record.value
        let grace = grace ?? pod.spec.terminationGracePeriod ?? settings.terminationGracePeriod
        if (pod.nodeName == nil || grace == .zero), pod.metadata.finalizers.isEmpty {
            return store.remove(record, from: store.pods)
        }
        let end = now.advanced(by: grace)
        if let deletion = pod.metadata.deletion, deletion <= end { return }
        store.update(record, in: store.pods) {
            $0.metadata.deletion = end
            $0.metadata.deletionGrace = grace
            if pod.nodeName == nil { $0.isEndConfirmed = true }
        }
    }

    /// A kubelet says that nothing of a pod runs any more.
    func confirmEnd(of record: Record<Pod>) {
        guard record.isStored, record.value.metadata.isTerminating else { return }
        guard record.value.metadata.finalizers.isEmpty else {
            return store.update(record, in: store.pods) { $0.isEndConfirmed = true }
        }
        store.remove(record, from: store.pods)
    }

    /// Five letters and digits that look like nothing.
    func nameSuffix(_ length: Int = 5) -> String {
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)
        let bytes = (0..<length).map { _ in alphabet[names.index(below: alphabet.count)] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
