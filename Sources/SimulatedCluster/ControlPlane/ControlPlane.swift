import SimulationKernel

/// The API's servers, the controllers and the store under them: on nodes of the cluster, or somewhere else.
///
/// While it does not answer, pods go on, and nothing is healed, moved or started anew.
final class ControlPlane {
    private unowned let cluster: Cluster
    /// The nodes that it runs on; empty if it runs elsewhere.
    private(set) var nodes: [String] = []
    /// Whether somebody has taken it down.
    private(set) var isHeldDown: Bool = false
    /// Whether the API answers.
    private(set) var isAnswering: Bool = true
    /// Whether controllers and scheduler work.
    private(set) var areControllersRunning: Bool = true
    /// Since when controllers work.
    private(set) var controllersSince: VirtualInstant = .start
    /// Counts up whenever what controllers had planned is lost.
    private var epoch: Int = 0
    /// Whether it will answer soon, if nothing happens until then.
    private var isStarting: Bool = false
    private var starts: Int = 0
    /// Nodes whose copy of the store was lost and not filled again.
    private var lostMembers: Set<String> = []
    private var random: RandomStream

    init(_ cluster: Cluster) {
        self.cluster = cluster
        random = cluster.world.stream("cluster/control plane")
    }

    func place(on names: [String]) { nodes = names }

    /// Does something later for a controller; nothing of it happens when the controllers end before.
    @discardableResult
    func after(_ delay: Duration, _ action: @escaping () -> Void) -> ScheduledEvent {
        at(cluster.now.advanced(by: delay), action)
    }

    @discardableResult
    func at(_ time: VirtualInstant, _ action: @escaping () -> Void) -> ScheduledEvent {
        let epoch = epoch
        return cluster.at(time) { [weak self] in
            guard let self, self.epoch == epoch, areControllersRunning else { return }
            action()
        }
    }

    // MARK: Up and down

    private var upMembers: [String] {
        nodes.filter { name in cluster.node(named: name).map { $0.isPowered && !$0.isCutOff } ?? false }
    }

    /// Whether more than half of its nodes are there.
    private var hasQuorum: Bool { nodes.isEmpty || upMembers.count * 2 > nodes.count }

    /// Something that it needs went or came.
    func update() {
        let canRun = hasQuorum && !isHeldDown
        if !canRun {
            starts += 1
            isStarting = false
            if isAnswering { stop() }
        } else if !isAnswering, !isStarting {
            starts += 1
            isStarting = true
            let start = starts
            cluster.after(random.duration(cluster.settings.controlPlaneStart)) { [weak self] in
                guard let self, starts == start, !isAnswering else { return }
                isStarting = false
                answer()
            }
        }
    }

    private func stop() {
        isAnswering = false
        areControllersRunning = false
        epoch += 1
        cluster.controllers.stop()
        cluster.world.record(.clusterFault, 0, 0, text: "control plane stops")
        cluster.connectivityChanged()
    }

    private func answer() {
        // A majority that has lost its copies has lost the store.
        let lost = nodes.filter { lostMembers.contains($0) }.count
        if !lostMembers.isEmpty, nodes.isEmpty || lost * 2 > nodes.count { loseStore() }
        lostMembers = []
        isAnswering = true
        cluster.world.record(.clusterFault, 0, 1, text: "control plane answers")
        cluster.connectivityChanged()
        let epoch = epoch
        cluster.after(random.duration(cluster.settings.leaderElection)) { [weak self] in
            guard let self, self.epoch == epoch, isAnswering, !areControllersRunning else { return }
            areControllersRunning = true
            controllersSince = cluster.now
            cluster.controllers.start()
        }
    }

    func holdDown(_ isDown: Bool) {
        isHeldDown = isDown
        update()
    }

    // MARK: The store's volume

    /// The store's volume of a node is gone, or, of a control plane elsewhere, all of them.
    func loseVolume(of node: String?) {
        lostMembers.formUnion(node.map { [$0] } ?? (nodes.isEmpty ? [""] : nodes))
        let lost = nodes.filter { lostMembers.contains($0) }.count
        guard nodes.isEmpty || lost * 2 > nodes.count, isAnswering else { return }
        // It must be started anew, and finds nothing.
        stop()
        update()
    }

    private func loseStore() {
        cluster.store.lose()
        cluster.indexes = Indexes()
        cluster.proxies = ProxyHistory()
        for node in cluster.nodes {
            node.record = nil
            node.pods.removeAll()
            node.requested = Resources()
            node.unfinishedPods = 0
        }
        for name in ["default", "kube-system"] { cluster.store.add(Namespace(name), to: cluster.store.namespaces) }
    }
}

extension Cluster {
    /// Puts the control plane on nodes of the cluster: it answers while more than half of them are there.
    package func placeControlPlane(on names: [String]) { controlPlane.place(on: names) }

    /// Whether the API answers.
    package var isAnswering: Bool { controlPlane.isAnswering }
    /// Whether controllers work.
    package var areControllersRunning: Bool { controlPlane.areControllersRunning }

    /// Somebody may reach the API who did not, or the other way round.
    func connectivityChanged() {
        for node in nodes { connectivityChanged(node) }
    }

    func connectivityChanged(_ node: ClusterNode) {
        updateProxy(of: node)
        let isAble = node.canReachAPI
        if node.isConnected, !isAble {
            node.isConnected = false
            node.silentSince = now
            controllers.nodeLifecycle.heartbeatsStopped(node)
        } else if !node.isConnected, isAble, !node.isConnecting {
            node.isConnecting = true
            after(node.random.duration(settings.leaseRetry)) { [weak self] in
                node.isConnecting = false
                guard let self, node.canReachAPI, !node.isConnected else { return }
                connect(node)
            }
        }
    }

    private func connect(_ node: ClusterNode) {
        node.isConnected = true
        node.connectedSince = now
        if node.mustRegister { register(node) }
        node.mustRegister = false
        controllers.nodeLifecycle.heartbeatsResumed(node)
        postStatus(of: node)
        node.kubelet.resync()
    }

    /// The kubelet tells whether its node can run pods.
    func postStatus(of node: ClusterNode) {
        guard node.isConnected, let record = node.record else { return }
        let status: ConditionStatus = node.isRuntimeUp || !node.hasNoticedRuntime ? .true : .false
        guard record.value.ready != status else { return }
        // Its pods were called not ready by those who missed it.
        if status == .true { node.kubelet.pushAll() }
        let now = now
        store.update(record, in: store.nodes) {
            $0.ready = status
            $0.readyReason = status == .true ? "KubeletReady" : "KubeletNotReady"
            $0.readySince = now
        }
        recordEvent(
            .normal, status == .true ? "NodeReady" : "NodeNotReady", record, "Node \(node.name) status is now \(status)"
        )
    }
}
