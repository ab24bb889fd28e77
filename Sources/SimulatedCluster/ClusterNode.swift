import Durations
package import SimulationKernel

/// A virtual machine of the cluster: its power, its clock, its disk and its kubelet, whatever the API knows of it.
package final class ClusterNode {
    /// Its name, which is also its node object's.
    package let name: String
    let index: Int
    let zone: String
    /// The place of its zone among the zones.
    let zoneIndex: Int
    let capacity: Resources
    let labels: Labels
    /// When within each interval its lease is renewed.
    let leasePhase: UInt64
    /// When within each interval its kubelet looks at containers, and its proxy at endpoints.
    let relistPhase: UInt64
    let proxyPhase: UInt64
    var random: RandomStream

    // What it is.
    /// Whether it has power.
    package internal(set) var isPowered: Bool = true
    /// Whether its kubelet's process runs.
    package internal(set) var isKubeletUp: Bool = true
    /// Whether its container runtime answers.
    package internal(set) var isRuntimeUp: Bool = true
    /// Whether nobody reaches it, and it reaches nobody.
    package internal(set) var isCutOff: Bool = false
    /// How far its clock is ahead, at `clockSince`, and what it gains in a second, in ns.
    var clockOffset: Duration = .zero
    var clockSince: VirtualInstant = .start
    var clockDrift: Int = 0
    /// Counts up whenever its power is switched.
    var powerChanges: Int = 0
    /// How often it was started.
    package internal(set) var bootCount: Int = 1
    /// How often its disk was replaced.
    package internal(set) var diskCount: Int = 1
    /// Images on its disk.
    var images: Set<String> = []
    var ipsGiven: Int = 0

    // What it says.
    /// Whether its kubelet talks to the API.
    package internal(set) var isConnected: Bool = true
    /// Whether its kubelet will try again soon.
    var isConnecting: Bool = false
    /// Whether its kubelet was started since it talked last, and registers its node.
    var mustRegister: Bool = false
    /// Whether its kubelet has noticed that the runtime is dead.
    var hasNoticedRuntime: Bool = false
    /// Since when it does, or did: it renews its lease at once.
    var connectedSince: VirtualInstant = .start
    /// Since when it does not.
    var silentSince: VirtualInstant = .start
    /// Its object; nil when it was deleted or lost.
    var record: Record<Node>?

    // What is on it, by the API.
    /// The pods bound to it.
    var pods: RecordList<Pod> = RecordList()
    /// What those that are not finished ask for.
    var requested: Resources = Resources()
    var unfinishedPods: Int = 0

    /// Its proxy: since when it applies nothing new, because it is cut off or off; nil when it does.
    var proxyFrozenSince: VirtualInstant?
    /// Whether it has learned endpoints since it was started.
    var proxyStarted: VirtualInstant? = .start

    private(set) lazy var kubelet: Kubelet = Kubelet(self, in: cluster)
    unowned let cluster: Cluster

    init(
        _ name: String, index: Int, zone: String, zoneIndex: Int, capacity: Resources, labels: Labels,
        in cluster: Cluster
    ) {
        self.name = name
        self.index = index
        self.zone = zone
        self.zoneIndex = zoneIndex
        self.capacity = capacity
        self.labels = labels
        self.cluster = cluster
        random = cluster.world.stream("cluster/node/\(name)")
        let settings = cluster.settings
        leasePhase = random.next(below: max(1, settings.leaseRenewInterval.unsignedNanoseconds))
        relistPhase = random.next(below: max(1, settings.relistPeriod.unsignedNanoseconds))
        proxyPhase = random.next(below: max(1, settings.proxyMinSyncPeriod.unsignedNanoseconds))
    }

    /// Whether its kubelet could reach the API.
    var canReachAPI: Bool { isPowered && isKubeletUp && !isCutOff && cluster.controlPlane.isAnswering }

    /// What its clock shows beyond the time that it is.
    package var clockError: Duration {
        let elapsed = clockSince.duration(to: cluster.now)
        return clockOffset + .nanoseconds(elapsed.nanoseconds / 1000 * Int64(clockDrift) / 1_000_000)
    }

    /// When its lease was renewed last, by the cluster's time: it is worked out, for no event happens at a renewal.
    var lastRenewal: VirtualInstant {
        let end = isConnected ? cluster.now : silentSince
        return max(connectedSince, end.floor(period: cluster.settings.leaseRenewInterval, phase: leasePhase))
    }

    /// What its lease object shows: its own clock's time of the last renewal.
    package var leaseRenewTime: VirtualInstant { lastRenewal.advanced(by: clockError) }
}

extension VirtualInstant {
    /// The last tick not after this instant; the start of the run if there was none.
    func floor(period: Duration, phase: UInt64) -> VirtualInstant {
        let length = max(1, period.unsignedNanoseconds)
        guard nanoseconds >= phase else { return .start }
        return VirtualInstant(nanoseconds: (nanoseconds - phase) / length * length + phase)
    }

    /// The first tick not before this instant.
    func ceiling(period: Duration, phase: UInt64) -> VirtualInstant {
        let length = max(1, period.unsignedNanoseconds)
        guard nanoseconds > phase else { return VirtualInstant(nanoseconds: phase) }
        return VirtualInstant(nanoseconds: (nanoseconds - phase + length - 1) / length * length + phase)
    }
}
