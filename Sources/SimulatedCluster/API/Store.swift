import SimulationKernel

/// A change of an object, as those who watch it are told.
package struct WatchEvent: Sendable {
    package let type: ChangeType
    package let object: any APIObject
    package let resourceVersion: UInt64
}

/// What the control plane knows: all objects, with one number for all their changes.
///
/// Changes are told at once and in their order; who acts on them does so in an event of its own, after a time.
package final class Store {
    private let world: World
    let configMaps: Table<ConfigMap> = Table()
    let daemonSets: Table<DaemonSet> = Table()
    let deployments: Table<Deployment> = Table()
    let endpointSlices: Table<EndpointSlice> = Table()
    let jobs: Table<Job> = Table()
    let leases: Table<Lease> = Table()
    let namespaces: Table<Namespace> = Table()
    let nodes: Table<Node> = Table()
    let volumes: Table<PersistentVolume> = Table()
    let claims: Table<PersistentVolumeClaim> = Table()
    let pods: Table<Pod> = Table()
    let budgets: Table<PodDisruptionBudget> = Table()
    let replicaSets: Table<ReplicaSet> = Table()
    let services: Table<Service> = Table()
    let statefulSets: Table<StatefulSet> = Table()

    /// Told after each change.
    var onEachChange: () -> Void = {}
    /// The number of the last change of any object.
    private(set) var resourceVersion: UInt64 = 0
    private var lastUID: UInt64 = 0
    private let historyLimit: Int
    /// The last changes, the oldest first from `historyStart` on, around the end.
    private var history: [WatchEvent] = []
    private var historyStart: Int = 0
    private var watchers: KeyedList<Int, Watcher> = KeyedList()
    private var watchersMade: Int = 0

    private struct Watcher {
        let kind: Kind
        let namespace: String?
        let action: (WatchEvent) -> Void
    }

    init(world: World, historyLimit: Int) {
        self.world = world
        self.historyLimit = historyLimit
    }

    private var now: VirtualInstant { VirtualInstant(nanoseconds: world.nanoseconds) }

    // MARK: Changes

    /// Adds an object whose name is free.
    @discardableResult
    func add<Object: APIObject>(_ object: Object, to table: Table<Object>) -> Record<Object> {
        assert(table[object.key] == nil, "\(Object.kind) \(object.key) is there already")
        let record = Record(object)
        lastUID += 1
        record.value.metadata.uid = UID(number: lastUID)
        record.value.metadata.creation = now
        table.add(record)
        finishChange(.added, record, table, old: record.value)
        return record
    }

    /// Changes an object; one that was deleted goes when its last finalizer has.
    func update<Object: APIObject>(
        _ record: Record<Object>, in table: Table<Object>, _ change: (inout Object) -> Void
    ) {
        assert(record.isStored, "\(Object.kind) \(record.key) is gone and is changed")
        let old = record.value
        change(&record.value)
        finishChange(.modified, record, table, old: old)
        let metadata = record.value.metadata
        // Pods go when their kubelet says so.
        if record.isStored, metadata.isTerminating, !old.metadata.finalizers.isEmpty, metadata.finalizers.isEmpty,
            Object.kind != .pod, Object.kind != .namespace
        {
            remove(record, from: table)
        }
    }

    /// Takes an object out.
    func remove<Object: APIObject>(_ record: Record<Object>, from table: Table<Object>) {
        guard record.isStored else { return }
        table.remove(record)
        finishChange(.deleted, record, table, old: record.value)
    }

    private func finishChange<Object: APIObject>(
        _ type: ChangeType, _ record: Record<Object>, _ table: Table<Object>, old: Object
    ) {
        resourceVersion += 1
        record.value.metadata.resourceVersion = resourceVersion
        world.record(.clusterChange, Object.kind.code << 56 | resourceVersion, record.uid.number, text: type.rawValue)
        if historyLimit > 0 || !watchers.isEmpty {
            notify(WatchEvent(type: type, object: record.value, resourceVersion: resourceVersion), Object.kind)
        }
        table.onChange(type, record, old)
        onEachChange()
    }

    // MARK: Watching

    private func notify(_ event: WatchEvent, _ kind: Kind) {
        if history.count < historyLimit {
            history.append(event)
        } else if historyLimit > 0 {
            history[historyStart] = event
            historyStart = (historyStart + 1) % historyLimit
        }
        for watcher in watchers.elements where watcher.kind == kind { Self.notify(event, to: watcher) }
    }

    private static func notify(_ event: WatchEvent, to watcher: Watcher) {
        guard watcher.namespace == nil || watcher.namespace == event.object.metadata.namespace else { return }
        watcher.action(event)
    }

    /// Tells of all changes of a kind after `version`, the past ones at once.
    ///
    /// - Returns: What ends it.
    /// - Throws: `APIError.expired` when some of the past ones are no longer known.
    func watch(
        _ kind: Kind, namespace: String?, after version: UInt64, _ action: @escaping (WatchEvent) -> Void
    ) throws(APIError) -> () -> Void {
        let oldest = history.isEmpty ? resourceVersion + 1 : history[historyStart].resourceVersion
        guard version + 1 >= oldest else { throw .expired(resourceVersion: version) }
        let watcher = Watcher(kind: kind, namespace: namespace, action: action)
        for offset in history.indices {
            let event = history[(historyStart + offset) % history.count]
            if event.resourceVersion > version, type(of: event.object).kind == kind { Self.notify(event, to: watcher) }
        }
        watchersMade += 1
        let number = watchersMade
        watchers.set(watcher, for: number)
        return { [weak self] in self?.watchers.remove(number) }
    }

    /// Everything is gone, as when the volume under it is.
    func lose() {
        configMaps.removeAll()
        daemonSets.removeAll()
        deployments.removeAll()
        endpointSlices.removeAll()
        jobs.removeAll()
        leases.removeAll()
        namespaces.removeAll()
        nodes.removeAll()
        volumes.removeAll()
        claims.removeAll()
        pods.removeAll()
        budgets.removeAll()
        replicaSets.removeAll()
        services.removeAll()
        statefulSets.removeAll()
        history = []
        historyStart = 0
        world.record(.clusterLoss, resourceVersion)
    }
}

extension TraceKind {
    static let clusterChange: TraceKind = TraceKind("cluster.change")
    static let clusterLoss: TraceKind = TraceKind("cluster.loss")
    static let clusterFault: TraceKind = TraceKind("cluster.fault")
    static let clusterContainer: TraceKind = TraceKind("cluster.container")
}
