import Durations
package import SimulationKernel

/// A Kubernetes cluster in virtual time: its API, its controllers, a kubelet on each machine.
///
/// Everything is an event of the world, woken by changes and timers: at rest nothing happens, whatever the number of pods.
/// What its pods run is behind ``PodRuntime``.
///
/// What is simplified: controllers read the API's present state when they act, some milliseconds after the change that woke
/// them; of priorities, preemption, quotas, ingress and autoscaling there is nothing.
package final class Cluster {
    let world: World
    package let settings: ClusterSettings
    let store: Store
    var indexes: Indexes = Indexes()
    /// The machines, in the order in which they were added.
    package private(set) var nodes: [ClusterNode] = []
    private var nodesByName: [String: ClusterNode] = [:]
    private var zones: [String: Int] = [:]
    package let registry: Registry
    /// What pods run.
    package let runtime: any PodRuntime
    private(set) lazy var controlPlane: ControlPlane = ControlPlane(self)
    private(set) lazy var controllers: Controllers = Controllers(self)
    var latency: RandomStream
    var names: RandomStream
    /// What parts of the cluster told of objects, the latest last.
    package private(set) var events: [ClusterEvent] = []
    /// Told of each event.
    package var onEvent: (ClusterEvent) -> Void = { _ in }
    /// Told, at once, that some object has changed; it must not change any itself.
    package var onChange: () -> Void {
        get { store.onEachChange }
        set { store.onEachChange = newValue }
    }
    /// Pods that wait for a volume or a config map.
    var mountWaiters: KeyedList<UID, PodWorker> = KeyedList()
    /// How many machines have an image.
    var imageNodes: [String: Int] = [:]
    /// What proxies may still see of endpoints.
    var proxies: ProxyHistory = ProxyHistory()
    /// Since when machines learn nothing new of endpoints, by their index.
    var frozenProxies: KeyedList<Int, VirtualInstant> = KeyedList()
    /// Drains that go on, in the order in which they began.
    var drains: [Drain] = []
    /// Containers that were ever started.
    var containersStarted: Int = 0
    /// What was seen of evictions, for those who check them.
    var evictionFindings: [String] = []

    /// Makes a cluster without machines in a simulation that has not run.
    ///
    /// - Precondition: The settings are valid (``ClusterSettings/validationError`` is nil).
    /// - Parameters:
    ///   - simulation: Whose time and seed it has; keep the cluster as long as the simulation runs.
    ///   - settings: Its times and limits.
    ///   - runtime: What pods run.
    package init(
        _ simulation: Simulation, settings: ClusterSettings = ClusterSettings(),
        runtime: any PodRuntime = ModelRuntime()
    ) {
        if let problem = settings.validationError { preconditionFailure("settings of a cluster: \(problem)") }
        world = simulation.world
        self.settings = settings
        self.runtime = runtime
        store = Store(world: world, historyLimit: settings.watchHistory)
        latency = world.stream("cluster/latency")
        names = world.stream("cluster/names")
        registry = Registry()
        runtime.attach(to: world)
        connectTables()
        for name in ["default", "kube-system"] { store.add(Namespace(name), to: store.namespaces) }
        world.onReport { [weak self] in self?.report ?? [] }
    }

    /// The time since the run began.
    package var now: VirtualInstant { VirtualInstant(nanoseconds: world.nanoseconds) }

    // MARK: Machines

    /// Adds a machine, whose kubelet registers it at once, or when the API answers.
    @discardableResult
    package func addNode(
        _ name: String, zone: String = "zone-1", capacity: Resources = Resources(cpu: 4000, memory: 16_384),
        labels: Labels = [:]
    ) -> ClusterNode {
        precondition(nodesByName[name] == nil, "there is a node '\(name)' already")
        let zoneIndex = zones[zone] ?? zones.count
        zones[zone] = zoneIndex
        let node = ClusterNode(
            name, index: nodes.count, zone: zone, zoneIndex: zoneIndex, capacity: capacity, labels: labels, in: self)
        nodes.append(node)
        nodesByName[name] = node
        node.connectedSince = now
        if controlPlane.isAnswering {
            register(node)
        } else {
            node.isConnected = false
            node.mustRegister = true
            node.silentSince = now
            updateProxy(of: node)
        }
        return node
    }

    /// The machine of a name; nil if there is none.
    package func node(named name: String) -> ClusterNode? { nodesByName[name] }

    /// A kubelet makes its node's object, unless there is one.
    func register(_ node: ClusterNode) {
        guard store.nodes["", node.name] == nil else { return }
        store.add(
            Node(node.name, zone: node.zone, allocatable: node.capacity, labels: node.labels), to: store.nodes)
    }

    // MARK: Time

    /// Does something later.
    @discardableResult
    func after(_ delay: Duration, _ action: @escaping () -> Void) -> ScheduledEvent {
        at(now.advanced(by: delay), action)
    }

    /// Does something at a time; one that has passed is now.
    @discardableResult
    func at(_ time: VirtualInstant, _ action: @escaping () -> Void) -> ScheduledEvent {
        world.schedule(at: time.nanoseconds) { [weak self] _ in
            // What the action touches belongs to the cluster.
            guard self != nil else { return }
            action()
        }
    }

    func apiLatency() -> Duration { latency.duration(settings.apiLatency) }

    // MARK: Events

    func recordEvent<Object: APIObject>(
        _ type: ClusterEvent.EventType, _ reason: String, _ record: Record<Object>, _ message: @autoclosure () -> String
    ) {
        guard settings.eventLimit > 0 else { return }
        let event = ClusterEvent(
            time: now, type: type, reason: reason, kind: Object.kind, object: record.key, message: message())
        // Half of them go at once, so that keeping costs nothing.
        if events.count >= settings.eventLimit { events.removeFirst((events.count + 1) / 2) }
        events.append(event)
        onEvent(event)
    }

    private var report: [String] {
        var lines = ["control plane: \(controlPlane.isAnswering ? "answers" : "does not answer")"]
        for node in nodes where !node.isPowered || !node.isConnected || node.record?.value.ready != .true {
            let state = node.record.map { "ready \($0.value.ready.rawValue)" } ?? "unknown to the API"
            lines.append("node \(node.name): \(node.isPowered ? "has power" : "has no power"), \(state)")
        }
        for pod in store.pods.list() where !pod.isReady && !pod.isFinished {
            lines.append("pod \(pod.key): \(pod.statusText)")
            if lines.count > 40 { break }
        }
        return lines
    }
}
