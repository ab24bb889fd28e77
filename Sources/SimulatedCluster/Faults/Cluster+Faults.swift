import SimulationKernel

/// What may happen to machines, registry and control plane; each with its reverse.
///
/// A drain is not among these: it is a client's work (``Cluster/drain(_:options:done:)``), and pods leave in order. Here nobody is
/// told anything, and the cluster has to find out.
extension Cluster {
    private func note(_ what: StaticString, _ node: ClusterNode, _ isOn: Bool) {
        world.record(.clusterFault, UInt64(node.index), isOn ? 1 : 0, text: "\(what) \(node.name)")
    }

    // MARK: Power

    /// A machine loses power: its containers are gone at once, its disk stays.
    package func powerOff(_ node: ClusterNode) {
        guard node.isPowered else { return }
        note("power", node, false)
        node.isPowered = false
        node.powerChanges += 1
        node.kubelet.losePower()
        node.proxyStarted = nil
        node.isConnecting = false
        node.hasNoticedRuntime = false
        connectivityChanged(node)
        controlPlane.update()
    }

    /// A machine gets power again, and boots.
    package func powerOn(_ node: ClusterNode) {
        guard !node.isPowered else { return }
        note("power", node, true)
        node.powerChanges += 1
        let change = node.powerChanges
        after(node.random.duration(settings.bootTime)) { [unowned self] in
            // Switched off again while it booted.
            guard node.powerChanges == change else { return }
            node.isPowered = true
            node.bootCount += 1
            node.mustRegister = true
            controlPlane.update()
            connectivityChanged(node)
        }
    }

    /// All machines lose power at once, and get it again.
    package func restartAll(after pause: Duration = .seconds(5)) {
        for node in nodes { powerOff(node) }
        after(pause) { [unowned self] in
            for node in nodes { powerOn(node) }
        }
    }

    /// A machine's disk is replaced by an empty one: images, local volumes and its copy of the store are gone; it has no power.
    package func loseDisk(of node: ClusterNode) {
        note("disk", node, false)
        powerOff(node)
        node.diskCount += 1
        for image in node.images.sorted() { imageNodes[image, default: 1] -= 1 }
        node.images = []
        for volume in store.volumes.all.elements where volume.value.node == node.name {
            registry.lose(volume.value.name)
        }
        if controlPlane.nodes.contains(node.name) { controlPlane.loseVolume(of: node.name) }
    }

    // MARK: Kubelet, runtime, network, clock

    /// A kubelet's process ends; containers go on.
    package func stopKubelet(of node: ClusterNode) {
        guard node.isKubeletUp else { return }
        note("kubelet", node, false)
        node.isKubeletUp = false
        connectivityChanged(node)
    }

    /// A kubelet is started again.
    package func startKubelet(of node: ClusterNode) {
        guard !node.isKubeletUp else { return }
        note("kubelet", node, true)
        node.isKubeletUp = true
        node.mustRegister = true
        if node.isPowered { node.kubelet.returned() }
        connectivityChanged(node)
    }

    /// A container runtime stops to answer: containers go on, none is started or ended.
    package func stopRuntime(of node: ClusterNode) {
        guard node.isRuntimeUp else { return }
        note("runtime", node, false)
        node.isRuntimeUp = false
        // Noticed, and told with the next status.
        let noticed = now.advanced(by: settings.runtimeFailureThreshold)
        at(noticed.ceiling(period: settings.nodeStatusUpdateFrequency, phase: node.leasePhase)) { [unowned self] in
            guard !node.isRuntimeUp, node.isPowered else { return }
            node.hasNoticedRuntime = true
            postStatus(of: node)
        }
    }

    /// A container runtime answers again.
    package func startRuntime(of node: ClusterNode) {
        guard !node.isRuntimeUp else { return }
        note("runtime", node, true)
        node.isRuntimeUp = true
        node.hasNoticedRuntime = false
        let told = now.ceiling(period: settings.nodeStatusUpdateFrequency, phase: node.leasePhase)
        at(told) { [unowned self] in postStatus(of: node) }
        if node.isPowered { node.kubelet.runtimeReturned() }
    }

    /// A machine reaches nobody, and nobody reaches it.
    package func cutOff(_ node: ClusterNode) {
        guard !node.isCutOff else { return }
        note("network", node, false)
        node.isCutOff = true
        connectivityChanged(node)
        controlPlane.update()
    }

    /// A machine's network is whole again.
    package func reconnect(_ node: ClusterNode) {
        guard node.isCutOff else { return }
        note("network", node, true)
        node.isCutOff = false
        controlPlane.update()
        connectivityChanged(node)
    }

    /// A machine's clock is wrong: ahead by a time, and gaining nanoseconds each second.
    package func skewClock(of node: ClusterNode, by offset: Duration, driftNanosecondsPerSecond drift: Int = 0) {
        note("clock", node, false)
        node.clockOffset = offset
        node.clockSince = now
        node.clockDrift = drift
    }

    /// A machine's clock is right again.
    package func unskewClock(of node: ClusterNode) {
        note("clock", node, true)
        node.clockOffset = .zero
        node.clockSince = now
        node.clockDrift = 0
    }

    // MARK: Registry and control plane

    /// A registry outside of the cluster answers, or not.
    package func setRegistry(isDown: Bool) {
        world.record(.clusterFault, isDown ? 0 : 1, 0, text: "registry")
        registry.isDown = isDown
    }

    /// The control plane is down, or may run again.
    package func setControlPlane(isDown: Bool) {
        world.record(.clusterFault, isDown ? 0 : 1, 0, text: "control plane")
        controlPlane.holdDown(isDown)
    }

    /// The store's volume on a node is lost, or, of a control plane elsewhere, all there is.
    ///
    /// The store is lost with the volumes of a majority; nobody has a backup.
    package func loseStoreVolume(of node: String? = nil) {
        world.record(.clusterFault, 0, 0, text: "store's volume \(node ?? "")")
        controlPlane.loseVolume(of: node)
    }
}
