import Durations
import SimulationKernel

/// Notices that nodes are silent, marks their pods, and taints them, zone by zone and not too many at once.
///
/// It looks at nodes at each tick of its period. A look that would find nothing is not an event: when a node falls silent, it is
/// worked out which tick will find that its grace is over.
final class NodeLifecycleController {
    private unowned let cluster: Cluster
    private var silent: [Int: ScheduledEvent] = [:]
    private var luck: RandomStream
    private var zones: [String: Zone] = [:]
    /// The names of the zones, in the order in which their first nodes came.
    private var zoneNames: [String] = []
    private var isFullyDisrupted: Bool = false

    private enum ZoneState {
        case normal
        case partlyDisrupted
        case fullyDisrupted
    }

    /// Nodes of a zone, and those that wait to be tainted.
    private struct Zone {
        var ready: Set<Int> = []
        var notReady: Set<Int> = []
        var state: ZoneState = .normal
        var queue: [ClusterNode] = []
        var bucket: TokenBucket
        var isWorkPlanned: Bool = false
    }

    init(_ cluster: Cluster) {
        self.cluster = cluster
        luck = cluster.world.stream("cluster/node lifecycle")
    }

    private var settings: ClusterSettings { cluster.settings }
    private var controlPlane: ControlPlane { cluster.controlPlane }
    private var phase: UInt64 {
        controlPlane.controllersSince.nanoseconds % max(1, settings.nodeMonitorPeriod.unsignedNanoseconds)
    }

    /// The first look at or after a time.
    private func look(from time: VirtualInstant) -> VirtualInstant {
        time.ceiling(period: settings.nodeMonitorPeriod, phase: phase)
    }

    // MARK: Life

    func start() {
        for node in cluster.nodes {
            guard let record = node.record else { continue }
            count(node, as: record.value.ready)
            // What it knew of heartbeats is gone: each node has its whole grace again.
            if !node.isConnected { planDetection(on: node, seen: look(from: cluster.now)) }
            // A node that was ready again before they began may have its taints still, whether or not it talks just now.
            updateTaints(of: node)
        }
        updateZoneStates()
    }

    func stop() {
        silent = [:]
        zones = [:]
        zoneNames = []
        isFullyDisrupted = false
    }

    // MARK: Heartbeats

    /// A node's kubelet has stopped to talk to the API.
    func heartbeatsStopped(_ node: ClusterNode) {
        guard controlPlane.areControllersRunning else { return }
        planDetection(on: node, seen: look(from: node.lastRenewal))
    }

    /// Plans the look that finds a node's grace to be over; `seen` is the look that saw its last heartbeat.
    private func planDetection(on node: ClusterNode, seen: VirtualInstant) {
        let end = max(seen, controlPlane.controllersSince).advanced(by: settings.nodeMonitorGracePeriod)
        var verdict = look(from: end)
        // A look that comes exactly when the grace ends is a matter of microseconds, and of luck.
        if verdict == end, luck.chance(Ratio(1, outOf: 2)) {
            verdict = verdict.advanced(by: settings.nodeMonitorPeriod)
        }
        if let old = silent[node.index] { cluster.world.cancel(old) }
        silent[node.index] = controlPlane.at(verdict) { [unowned self] in
            silent[node.index] = nil
            guard !node.isConnected, node.record != nil else { return }
            markUnknown(node)
        }
    }

    /// A node's kubelet talks again.
    func heartbeatsResumed(_ node: ClusterNode) {
        if let planned = silent.removeValue(forKey: node.index) { cluster.world.cancel(planned) }
    }

    private func markUnknown(_ node: ClusterNode) {
        guard let record = node.record else { return }
        let now = cluster.now
        if record.value.ready != .unknown {
            cluster.store.update(record, in: cluster.store.nodes) {
                $0.ready = .unknown
                $0.readyReason = "NodeStatusUnknown"
                $0.readySince = now
            }
            cluster.recordEvent(.normal, "NodeNotReady", record, "Kubelet stopped posting node status.")
        } else {
            // Found by controllers that have ended since.
            markPodsNotReady(of: node)
            updateTaints(of: node)
            updateZoneStates()
        }
    }

    // MARK: What nodes are found to be

    /// A node's object has changed, or came or went.
    func changed(_ node: ClusterNode, _ type: ChangeType) {
        guard controlPlane.areControllersRunning else { return }
        guard let record = node.record else {
            heartbeatsResumed(node)
            zones[node.zone]?.ready.remove(node.index)
            zones[node.zone]?.notReady.remove(node.index)
            return updateZoneStates()
        }
        let isNews = type == .added || isCountedReady(node) != (record.value.ready == .true)
        guard isNews else { return }
        if record.value.ready == .unknown {
            // This very look has found it.
            count(node, as: .unknown)
            markPodsNotReady(of: node)
            updateTaints(of: node)
            return updateZoneStates()
        }
        controlPlane.at(look(from: cluster.now)) { [unowned self] in
            guard let record = node.record else { return }
            count(node, as: record.value.ready)
            if record.value.ready != .true { markPodsNotReady(of: node) }
            updateTaints(of: node)
            updateZoneStates()
        }
    }

    private func isCountedReady(_ node: ClusterNode) -> Bool? {
        guard let zone = zones[node.zone] else { return nil }
        if zone.ready.contains(node.index) { return true }
        return zone.notReady.contains(node.index) ? false : nil
    }

    private func count(_ node: ClusterNode, as status: ConditionStatus) {
        if zones[node.zone] == nil {
            zoneNames.append(node.zone)
            zones[node.zone] = Zone(bucket: TokenBucket(rate: settings.nodeEvictionRate, burst: 1))
        }
        if status == .true {
            zones[node.zone]?.ready.insert(node.index)
            zones[node.zone]?.notReady.remove(node.index)
        } else {
            zones[node.zone]?.ready.remove(node.index)
            zones[node.zone]?.notReady.insert(node.index)
        }
    }

    private func markPodsNotReady(of node: ClusterNode) {
        let now = cluster.now
        for pod in node.pods.elements where pod.value.isReady {
            cluster.store.update(pod, in: cluster.store.pods) {
                $0.isReady = false
                $0.readySince = now
            }
        }
    }

    // MARK: Taints

    /// Puts the taint that only keeps new pods away, at once, and lets the node wait for the one that evicts.
    private func updateTaints(of node: ClusterNode) {
        guard let record = node.record else { return }
        let key: String? =
            switch record.value.ready {
            case .true: nil
            case .false: Taint.notReady
            case .unknown: Taint.unreachable
            }
        setTaints(of: record, to: key, .noSchedule)
        guard let key else {
            zones[node.zone]?.queue.removeAll { $0 === node }
            return setTaints(of: record, to: nil, .noExecute)
        }
        if record.value.executingTaints.contains(where: { $0.key == Taint.notReady || $0.key == Taint.unreachable }) {
            // It has been waiting for its turn already.
            return setTaints(of: record, to: key, .noExecute)
        }
        guard zones[node.zone]?.queue.contains(where: { $0 === node }) == false else { return }
        zones[node.zone]?.queue.append(node)
        planWork(in: node.zone)
    }

    private func setTaints(of record: Record<Node>, to key: String?, _ effect: TaintEffect) {
        let own = [Taint.notReady, Taint.unreachable]
        let present = record.value.taints.filter { own.contains($0.key) && $0.effect == effect }.map(\.key)
        guard present != (key.map { [$0] } ?? []) else { return }
        let now = cluster.now
        cluster.store.update(record, in: cluster.store.nodes) { node in
            node.taints.removeAll { own.contains($0.key) && $0.effect == effect }
            guard let key else { return }
            var taint = Taint(key, effect)
            taint.added = now
            node.taints.append(taint)
        }
    }

    private func planWork(in name: String) {
        guard let zone = zones[name], !zone.isWorkPlanned, !zone.queue.isEmpty, !isFullyDisrupted else { return }
        zones[name]?.isWorkPlanned = true
        controlPlane.after(settings.nodeTaintPeriod) { [unowned self] in work(in: name) }
    }

    /// Taints those whose turn it is.
    private func work(in name: String) {
        zones[name]?.isWorkPlanned = false
        while let node = zones[name]?.queue.first, !isFullyDisrupted {
            if let later = zones[name]?.bucket.take(cluster.now) {
                guard later.nanoseconds < UInt64.max / 8 else { return }
                zones[name]?.isWorkPlanned = true
                controlPlane.at(later) { [unowned self] in work(in: name) }
                return
            }
            zones[name]?.queue.removeFirst()
            guard let record = node.record, record.value.ready != .true else { continue }
            setTaints(
                of: record, to: record.value.ready == .unknown ? Taint.unreachable : Taint.notReady, .noExecute)
        }
    }

    // MARK: Zones

    private func state(of zone: Zone) -> ZoneState {
        let (ready, notReady) = (zone.ready.count, zone.notReady.count)
        if ready == 0, notReady > 0 { return .fullyDisrupted }
        let threshold = settings.unhealthyZoneThreshold
        let isMuch = UInt64(notReady) * threshold.denominator >= UInt64(ready + notReady) * threshold.numerator
        return notReady > 2 && isMuch ? .partlyDisrupted : .normal
    }

    private func updateZoneStates() {
        for name in zoneNames {
            guard var zone = zones[name] else { continue }
            let found = state(of: zone)
            if found != zone.state {
                zone.state = found
                zone.bucket = TokenBucket(rate: rate(found, nodes: zone.ready.count + zone.notReady.count), burst: 1)
                zones[name] = zone
                planWork(in: name)
            }
        }
        let areAllDown = !zoneNames.isEmpty && zoneNames.allSatisfy { zones[$0]?.state == .fullyDisrupted }
        if areAllDown, !isFullyDisrupted {
            // More likely the controller's own trouble: nobody is evicted.
            isFullyDisrupted = true
            for name in zoneNames { zones[name]?.queue = [] }
            for node in cluster.nodes {
                guard let record = node.record else { continue }
                setTaints(of: record, to: nil, .noExecute)
            }
        } else if !areAllDown, isFullyDisrupted {
            isFullyDisrupted = false
            let seen = look(from: cluster.now)
            for node in cluster.nodes where node.record?.value.ready != .true {
                if !node.isConnected { planDetection(on: node, seen: seen) }
                updateTaints(of: node)
            }
        }
    }

    private func rate(_ state: ZoneState, nodes: Int) -> Ratio {
        switch state {
        case .normal, .fullyDisrupted: settings.nodeEvictionRate
        case .partlyDisrupted:
            nodes > settings.largeClusterSizeThreshold ? settings.secondaryNodeEvictionRate : .zero
        }
    }
}
