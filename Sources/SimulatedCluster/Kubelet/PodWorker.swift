import SimulationKernel

/// A pod on its machine, as its kubelet knows it, whatever the API knows.
final class PodWorker {
    let record: Record<Pod>
    unowned let node: ClusterNode
    unowned let cluster: Cluster
    private(set) var containers: [ContainerWorker] = []
    private(set) var ip: PodIP?
    private(set) var volumes: [(name: String, volume: String)] = []
    /// Whether its machine has kept power and its kubelet has not forgotten it.
    private(set) var isAlive: Bool = true
    /// Whether its containers are told to end.
    private(set) var isEnding: Bool = false
    /// Whether its containers have ended and everything is cleaned up.
    private(set) var isCleanedUp: Bool = false
    private var isPushPlanned: Bool = false
    private var isCleaning: Bool = false
    /// When its containers are killed.
    private var deadlineTime: VirtualInstant?
    private var deadline: ScheduledEvent?

    init(_ record: Record<Pod>, on node: ClusterNode, in cluster: Cluster) {
        self.record = record
        let snapshot = record.value
        self.node = node
        self.cluster = cluster
        containers = snapshot.spec.containers.indices.map { index in
            let old = index < snapshot.containers.count ? snapshot.containers[index] : ContainerStatus()
            let hasRun = old.restartCount > 0 || old.state.hasRun
            return ContainerWorker(index, of: self, restartCount: old.restartCount, hasRun: hasRun)
        }
    }

    var uid: UID { record.uid }
    var spec: PodSpec { record.value.spec }
    var grace: Duration { spec.terminationGracePeriod ?? cluster.settings.terminationGracePeriod }
    var isRunning: Bool { containers.contains { $0.isRunning } }

    // MARK: Begin

    /// Waits for what it mounts, makes its sandbox, and starts its containers.
    func prepare() {
        guard isAlive, !isEnding, ip == nil, node.isRuntimeUp else { return }
        if let missing = missingMount() {
            cluster.mountWaiters.set(self, for: uid)
            cluster.recordEvent(.warning, "FailedMount", record, missing)
            return
        }
        cluster.mountWaiters.remove(uid)
        volumes = spec.volumes.compactMap { volume in
            guard case .claim(let name, let claim) = volume else { return nil }
            let key = ObjectKey(record.value.metadata.namespace, claim)
            return cluster.store.claims[key]?.value.volume.map { (name, $0) }
        }
        node.ipsGiven += 1
        ip = PodIP(node: node.index, number: node.ipsGiven)
        cluster.after(node.random.duration(cluster.settings.sandboxStart)) { [weak self] in
            guard let self, isAlive, !isEnding else { return }
            for container in containers { container.begin() }
        }
    }

    private func missingMount() -> String? {
        let namespace = record.value.metadata.namespace
        for volume in spec.volumes {
            switch volume {
            case .emptyDir: continue
            case .configMap(_, let name):
                if cluster.store.configMaps[namespace, name] == nil { return "configmap \"\(name)\" not found" }
            case .claim(_, let name):
                guard let claim = cluster.store.claims[namespace, name]?.value, let volume = claim.volume,
                    let found = cluster.store.volumes["", volume]?.value
                else { return "persistentvolumeclaim \"\(name)\" is not bound" }
                switch found.storage {
                case .local where found.node != node.name: return "volume \"\(volume)\" is on another node"
                case .network where found.attachedTo != node.name: return "volume \"\(volume)\" is not attached"
                case .local, .network: continue
                }
            }
        }
        return nil
    }

    /// Whether it has a volume mounted, or may have.
    func uses(_ volume: String) -> Bool {
        guard !isCleanedUp, volumes.contains(where: { $0.volume == volume }) else { return false }
        return isRunning || phase == .pending || phase == .running
    }

    // MARK: Status

    /// The API is to know how it stands, as soon as it is reached.
    func statusChanged() {
        guard !isPushPlanned, isAlive else { return }
        isPushPlanned = true
        cluster.after(cluster.apiLatency()) { [weak self] in
            guard let self else { return }
            isPushPlanned = false
            push()
        }
    }

    /// Writes its status, if the API is reached; what is not written now is written when the kubelet reaches it again.
    func push() {
        guard isAlive, node.isConnected, record.isStored else { return }
        let (phase, isReady, statuses) = (phase, isReady, containers.map(\.status))
        let old = record.value
        guard old.phase != phase || old.isReady != isReady || old.containers != statuses || old.ip != ip else { return }
        let now = cluster.now
        cluster.store.update(record, in: cluster.store.pods) { pod in
            pod.phase = phase
            if pod.isReady != isReady { pod.readySince = now }
            pod.isReady = isReady
            pod.ip = ip
            pod.containers = statuses
        }
    }

    private var isReady: Bool { !isCleanedUp && containers.allSatisfy(\.isReady) }

    private var phase: PodPhase {
        let statuses = containers.map(\.status)
        let areOver = statuses.allSatisfy { if case .terminated = $0.state { true } else { false } }
        if areOver, isEnding || spec.restartPolicy != .always {
            let isClean = statuses.allSatisfy { if case .terminated(0, _, _) = $0.state { true } else { false } }
            if spec.restartPolicy == .onFailure, !isClean, !isEnding { return .running }
            return isClean ? .succeeded : .failed
        }
        return statuses.contains { $0.restartCount > 0 || $0.state.hasRun } ? .running : .pending
    }

    // MARK: End

    /// Its containers are told to end, and killed when the grace period is over.
    func terminate(grace: Duration) {
        guard isAlive else { return }
        if isEnding {
            // A second deletion may only shorten it.
            if let end = deadlineTime, cluster.now.advanced(by: grace) < end { setDeadline(after: grace) }
            return
        }
        isEnding = true
        cluster.mountWaiters.remove(uid)
        cluster.recordEvent(.normal, "Killing", record, "Stopping \(containers.count) container(s)")
        for container in containers { container.stop() }
        guard isRunning else { return containerEnded() }
        setDeadline(after: grace)
    }

    private func setDeadline(after grace: Duration) {
        if let deadline { cluster.world.cancel(deadline) }
        deadlineTime = cluster.now.advanced(by: grace)
        deadline = cluster.after(grace) { [weak self] in self?.killAll() }
    }

    private func killAll() {
        guard isAlive, isEnding else { return }
        for container in containers { container.kill() }
        containerEnded()
    }

    /// One of its containers has ended for good.
    func containerEnded() {
        guard isEnding, !isRunning, !isCleaning, !isCleanedUp else { return }
        isCleaning = true
        if let deadline { cluster.world.cancel(deadline) }
        cluster.after(node.random.duration(cluster.settings.podCleanup)) { [weak self] in
            guard let self, isAlive else { return }
            isCleanedUp = true
            confirm()
        }
    }

    /// Tells the API that it is over, if the API is reached.
    func confirm() {
        guard isCleanedUp, node.isConnected, node.isKubeletUp else { return }
        push()
        forget()
        node.kubelet.remove(self)
        cluster.confirmEnd(of: record)
        for volume in volumes { cluster.controllers.volumes.unmounted(volume.volume) }
    }

    /// Its machine lost power.
    func losePower() {
        for container in containers { container.losePower() }
        forget()
    }

    private func forget() {
        isAlive = false
        cluster.mountWaiters.remove(uid)
        if let deadline { cluster.world.cancel(deadline) }
    }

    /// The runtime answers again.
    func runtimeReturned() {
        if isEnding {
            for container in containers { container.stop() }
            guard isRunning else { return containerEnded() }
            setDeadline(after: grace)
        } else if ip == nil {
            prepare()
        } else {
            for container in containers { container.runtimeReturned() }
        }
    }
}

extension ContainerState {
    /// Whether the container was ever started.
    var hasRun: Bool { if case .waiting = self { false } else { true } }
}
