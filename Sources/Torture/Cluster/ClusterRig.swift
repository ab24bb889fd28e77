package import SimulatedCluster
package import SimulationKernel

/// A cluster in a simulation, and what scripts that watch it need.
package final class ClusterRig {
    package let simulation: Simulation
    package let cluster: Cluster
    package let containers: ModelRuntime
    private var lot: RandomStream

    /// Makes a cluster of nodes `vm-1` and so on.
    package init(
        seed: Seed, nodes: Int = 3, zones: Int = 1, settings: ClusterSettings = ClusterSettings(),
        containers: ModelRuntime = ModelRuntime(), recording: TraceRecording.Limits? = nil
    ) {
        simulation = Simulation(seed: seed, options: Simulation.Options(recording: recording))
        self.containers = containers
        lot = simulation.world.stream("script")
        cluster = Cluster(simulation, settings: settings, runtime: containers)
        for number in 1...max(1, nodes) where nodes > 0 {
            cluster.addNode("vm-\(number)", zone: "zone-\((number - 1) % zones + 1)")
        }
    }

    /// Runs a script as the root of the simulation.
    package func run<Value>(_ script: @escaping () async throws -> Value) throws -> (value: Value, digest: TraceDigest)
    {
        let outcome = try simulation.run(script)
        return (try outcome.get(), outcome.digest)
    }

    // MARK: Time

    package var seconds: Double { Double(cluster.now.nanoseconds) / 1e9 }

    package func wait(_ duration: Duration) async throws {
        try await simulation.clock.sleep(for: duration)
    }

    /// Waits for a time that the seed draws.
    package func waitByLot(upTo limit: Duration) async throws {
        try await wait(lot.duration(.uniform(min: .zero, max: limit)))
    }

    /// Waits until something is so, looking after each change of an object.
    ///
    /// - Parameters:
    ///   - what: What is waited for, in words.
    ///   - limit: How long it may take.
    ///   - interval: How often it looks although no object has changed; nil for never.
    ///   - condition: Whether it is so.
    /// - Returns: The seconds that it took.
    /// - Throws: ``ClusterRig/Late`` when it is not so in time.
    package func until(
        _ what: String, within limit: Duration, every interval: Duration? = nil, _ condition: () -> Bool
    ) async throws -> Double {
        let begin = cluster.now
        while !condition() {
            let left = limit - begin.duration(to: cluster.now)
            guard left > .zero else { throw Late(what: what, limit: limit) }
            await change(within: min(interval ?? left, left))
        }
        return Double(cluster.now.nanoseconds - begin.nanoseconds) / 1e9
    }

    /// Waits for a change of any object.
    private func change(within limit: Duration) async {
        var timer: ScheduledEvent?
        await withCheckedContinuation { continuation in
            var waiter: CheckedContinuation<Void, Never>? = continuation
            let wake = {
                waiter?.resume()
                waiter = nil
            }
            cluster.onChange = wake
            timer = simulation.schedule(after: limit) { _ in wake() }
        }
        cluster.onChange = {}
        if let timer { simulation.cancel(timer) }
    }

    /// Something has not happened in time.
    package struct Late: Error, CustomStringConvertible {
        let what: String
        let limit: Duration

        package var description: String { "not within \(limit): \(what)" }
    }

    // MARK: Objects

    /// A template with one container, which has a readiness probe.
    package static func template(
        _ app: String, image: String? = nil, cpu: Int = 100, change: (inout PodSpec) -> Void = { _ in }
    ) -> PodTemplate {
        var spec = PodSpec([
            ContainerSpec(
                app, image: image ?? "registry/\(app):1", requests: Resources(cpu: cpu, memory: 64), readiness: Probe())
        ])
        change(&spec)
        return PodTemplate(labels: ["app": app], spec: spec)
    }

    /// Makes a deployment and its service.
    package func deploy(
        _ app: String, replicas: Int, template: PodTemplate? = nil, budget: PodDisruptionBudget.Demand? = nil
    ) throws {
        try cluster.create(
            Deployment(app, namespace: "default", replicas: replicas, template: template ?? Self.template(app)))
        try cluster.create(Service(app, namespace: "default", selector: ["app": app]))
        guard let budget else { return }
        try cluster.create(PodDisruptionBudget(app, namespace: "default", selector: ["app": app], demand: budget))
    }

    /// Makes a stateful set, its service, and a claim for each of its pods.
    package func deployStateful(_ app: String, replicas: Int, storage: StorageClass? = nil) throws {
        var set = StatefulSet(app, namespace: "default", replicas: replicas, template: Self.template(app))
        if let storage { set.claims = [ClaimTemplate("data", storage: storage)] }
        try cluster.create(set)
        try cluster.create(Service(app, namespace: "default", selector: ["app": app]))
    }

    /// The pods of an app, those that end included, in the order of their names.
    package func pods(_ app: String) -> [Pod] {
        (try? cluster.list(Pod.self, namespace: "default", labels: ["app": app])) ?? []
    }

    package func readyPods(_ app: String) -> [Pod] {
        pods(app).filter { $0.isReady && !$0.metadata.isTerminating }
    }

    package func untilReady(_ app: String, _ count: Int, within limit: Duration = .seconds(300)) async throws {
        _ = try await until("\(count) ready pods of \(app)", within: limit) { readyPods(app).count == count }
    }

    /// The machine that a pod was bound to.
    package func machine(of pod: Pod) throws -> ClusterNode {
        guard let node = pod.nodeName.flatMap(cluster.node(named:)) else {
            throw Late(what: "pod \(pod.key) has a node", limit: .zero)
        }
        return node
    }

    package func pod(_ name: String) -> Pod? { try? cluster.get(Pod.self, name) }
    package func node(_ name: String) -> Node? { try? cluster.get(Node.self, name) }

    package func has(_ node: String, taint: String, _ effect: TaintEffect) -> Bool {
        self.node(node)?.taints.contains { $0.key == taint && $0.effect == effect } ?? false
    }

    /// Whether an endpoint of a service leads to a pod, as the API has it.
    package func isRouted(_ pod: Pod, by service: String) -> Bool {
        let slice = try? cluster.get(EndpointSlice.self, service)
        return slice?.endpoints.contains { $0.podUID == pod.uid && $0.isReady } ?? false
    }

    /// Whether any machine with power still sends connections for a service to a pod.
    package func isDialled(_ pod: Pod, by service: String) -> Bool {
        cluster.nodes.contains { node in
            node.isPowered
                && cluster.endpoints(of: ObjectKey("default", service), from: node).contains { $0.podUID == pod.uid }
        }
    }
}
