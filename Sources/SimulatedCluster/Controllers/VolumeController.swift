import SimulationKernel

/// Makes volumes for claims, and attaches network volumes to the one node that may have them.
final class VolumeController {
    private unowned let cluster: Cluster
    private lazy var queue: WorkQueue<UID> = WorkQueue(cluster) { [unowned self] in reconcile($0) }
    private var luck: RandomStream
    /// Volumes that are being attached or detached.
    private var moving: Set<UID> = []
    /// When volumes were found to be wanted no more on the node that has them.
    private var unwanted: [UID: VirtualInstant] = [:]
    private var provisioning: Set<UID> = []
    /// Volumes that were detached although they may have been mounted.
    private(set) var detachedByForce: Set<String> = []

    init(_ cluster: Cluster) {
        self.cluster = cluster
        luck = cluster.world.stream("cluster/volumes")
    }

    func start() {
        for claim in cluster.store.claims.all.elements { claimChanged(.added, claim) }
        for volume in cluster.store.volumes.all.elements { queue.add(volume.uid) }
    }

    func stop() {
        queue.clear()
        moving = []
        unwanted = [:]
        provisioning = []
    }

    // MARK: Claims

    func claimChanged(_ type: ChangeType, _ record: Record<PersistentVolumeClaim>) {
        guard cluster.controlPlane.areControllersRunning else { return }
        if type == .deleted {
            guard let name = record.value.volume, let volume = cluster.store.volumes["", name] else { return }
            cluster.controlPlane.after(cluster.apiLatency()) { [unowned self] in
                cluster.registry.lose(name)
                cluster.store.remove(volume, from: cluster.store.volumes)
            }
            return
        }
        guard record.value.volume == nil, record.value.storage == .network,
            provisioning.insert(record.uid).inserted
        else { return }
        cluster.controlPlane.after(luck.duration(cluster.settings.provisionTime)) { [unowned self] in
            provisioning.remove(record.uid)
            guard record.isStored, record.value.volume == nil else { return }
            let free = cluster.store.volumes.list().first { $0.storage == .network && $0.claim == nil }
            bind(record, to: free?.name, storage: .network, node: nil)
        }
    }

    /// Gives a claim a volume: a free one, or a new one.
    private func bind(
        _ claim: Record<PersistentVolumeClaim>, to free: String?, storage: StorageClass, node: String?
    ) {
        let name = free ?? "pvc-\(claim.uid)"
        let volume =
            cluster.store.volumes["", name]
            ?? cluster.store.add(PersistentVolume(name, storage: storage, node: node), to: cluster.store.volumes)
        let key = claim.key
        cluster.store.update(volume, in: cluster.store.volumes) { $0.claim = key }
        cluster.store.update(claim, in: cluster.store.claims) { $0.volume = name }
        cluster.recordEvent(.normal, "ProvisioningSucceeded", claim, "bound to volume \(name)")
    }

    /// A pod was given a node: so are its local claims that have no volume yet.
    func bindLocalClaims(of pod: Pod, to node: ClusterNode) {
        for name in pod.spec.claims {
            guard let claim = cluster.store.claims[pod.metadata.namespace, name], claim.value.volume == nil,
                claim.value.storage == .local
            else { continue }
            let free = cluster.store.volumes.list().first {
                $0.storage == .local && $0.claim == nil && $0.node == node.name
            }
            bind(claim, to: free?.name, storage: .local, node: node.name)
        }
    }

    // MARK: Attaching

    func volumeChanged(_ record: Record<PersistentVolume>) {
        if record.isStored, record.value.storage == .network { queue.add(record.uid) }
    }

    func podChanged(_ pod: Record<Pod>) {
        for name in pod.value.spec.claims {
            guard let volume = cluster.store.claims[pod.value.metadata.namespace, name]?.value.volume else { continue }
            unmounted(volume)
        }
    }

    /// A kubelet may have unmounted a volume.
    func unmounted(_ volume: String) {
        if let record = cluster.store.volumes["", volume] { volumeChanged(record) }
    }

    /// A node is back, or was said to be out of service.
    func nodeChanged(_ node: ClusterNode) {
        for pod in node.pods.elements where !pod.value.spec.volumes.isEmpty { podChanged(pod) }
        for volume in unwanted.keys.sorted() { queue.add(volume) }
    }

    private func reconcile(_ uid: UID) {
        guard let record = cluster.store.volumes[uid], !moving.contains(uid), let claim = record.value.claim else {
            return
        }
        let pods = cluster.indexes.pods(mounting: claim)
            .filter { $0.value.nodeName != nil && !$0.value.isFinished }.sorted { $0.uid < $1.uid }
        let wanted = pods.compactMap(\.value.nodeName)
        guard let holder = record.value.attachedTo else {
            guard let first = pods.first(where: { !$0.value.metadata.isTerminating })?.value.nodeName else { return }
            return move(record, to: first)
        }
        if wanted.contains(holder), !cluster.settings.mistakes.contains(.volumeOnTwoNodes) {
            unwanted[uid] = nil
            for pod in pods where pod.value.nodeName != holder {
                cluster.recordEvent(
                    .warning, "FailedAttachVolume", pod,
                    "Multi-Attach error for volume \"\(record.value.name)\": it is attached to \(holder)")
            }
            return
        }
        if cluster.settings.mistakes.contains(.volumeOnTwoNodes) {
            guard let other = wanted.first(where: { $0 != holder }) else { return }
            return move(record, to: other)
        }
        detach(record, from: holder)
    }

    private func detach(_ record: Record<PersistentVolume>, from holder: String) {
        let node = cluster.node(named: holder)
        let isOutOfService =
            node?.record.map { object in
                object.value.ready != .true && object.value.taints.contains { $0.key == Taint.outOfService }
            } ?? false
        // What a silent node has mounted is not known.
        let mayBeMounted = node.map { !$0.isConnected || $0.kubelet.uses(record.value.name) } ?? false
        let since = unwanted[record.uid] ?? cluster.now
        let force = since.advanced(by: cluster.settings.maxWaitForUnmount)
        guard mayBeMounted, !isOutOfService, force > cluster.now else {
            unwanted[record.uid] = nil
            if mayBeMounted { detachedByForce.insert(record.value.name) }
            return move(record, to: nil)
        }
        if unwanted[record.uid] == nil {
            unwanted[record.uid] = since
            queue.add(record.uid, after: cluster.settings.maxWaitForUnmount)
        }
    }

    private func move(_ record: Record<PersistentVolume>, to node: String?) {
        let uid = record.uid
        moving.insert(uid)
        cluster.controlPlane.after(luck.duration(cluster.settings.attachTime)) { [unowned self] in
            moving.remove(uid)
            guard record.isStored else { return }
            cluster.store.update(record, in: cluster.store.volumes) { $0.attachedTo = node }
        }
    }
}
