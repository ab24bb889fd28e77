package import Randomness

/// Every time and limit of a cluster; the defaults are those of Kubernetes 1.32 and later.
///
/// What Kubernetes leaves to the machines (how long a boot, a pull or a call takes) is a distribution, drawn from the seed.
package struct ClusterSettings: Sendable {
    /// Everything at its default.
    package init() {}

    // MARK: Heartbeats

    /// How often a kubelet renews its node's lease.
    package var leaseRenewInterval: Duration = .seconds(10)
    /// When a kubelet tries again after it could not reach the API, drawn from this range.
    package var leaseRetry: DurationDistribution = .uniform(min: .milliseconds(200), max: .seconds(7))
    /// How often a kubelet computes its node's status.
    package var nodeStatusUpdateFrequency: Duration = .seconds(10)
    /// How long the container runtime must be dead before a kubelet calls its node not ready.
    package var runtimeFailureThreshold: Duration = .seconds(30)

    // MARK: Node lifecycle

    /// How often the controller looks at nodes.
    package var nodeMonitorPeriod: Duration = .seconds(5)
    /// How long a node may be silent; 40 s before Kubernetes 1.32.
    package var nodeMonitorGracePeriod: Duration = .seconds(50)
    /// Nodes a second that are tainted `NoExecute` in a healthy zone.
    package var nodeEvictionRate: Ratio = Ratio(1, outOf: 10)
    /// The same in a zone that is partly disrupted and large.
    package var secondaryNodeEvictionRate: Ratio = Ratio(1, outOf: 100)
    /// The share of nodes that are not ready from which on a zone is partly disrupted.
    package var unhealthyZoneThreshold: Ratio = Ratio(55, outOf: 100)
    /// Nodes up to which a zone is small: partly disrupted, it is not evicted at all.
    package var largeClusterSizeThreshold: Int = 50
    /// How often the queue of nodes to taint is looked at.
    package var nodeTaintPeriod: Duration = .milliseconds(100)

    // MARK: Eviction and garbage collection

    /// How long pods that say nothing else stay on a node that is not ready or not reachable.
    package var defaultTolerationSeconds: Duration = .seconds(300)
    /// How often pods are looked at that nobody's kubelet will finish.
    package var podGCPeriod: Duration = .seconds(20)
    /// How long a pod stays after its node's object has gone.
    package var orphanQuarantine: Duration = .seconds(40)
    /// How long an allowed eviction counts as a disruption until the pod is gone.
    package var disruptedPodTimeout: Duration = .seconds(120)

    // MARK: Pods

    /// What pods get between SIGTERM and SIGKILL that say nothing else.
    package var terminationGracePeriod: Duration = .seconds(30)
    /// The first wait before a restarted container is restarted again.
    package var restartBackoffInitial: Duration = .seconds(10)
    /// The longest wait; after twice as long a run the next crash counts as the first.
    package var restartBackoffMax: Duration = .seconds(300)
    /// The first wait after a failed pull.
    package var imageBackoffInitial: Duration = .seconds(10)
    /// The longest wait after a failed pull.
    package var imageBackoffMax: Duration = .seconds(300)
    /// When a pod whose synchronization failed is looked at again.
    package var podSyncBackoff: DurationDistribution = .uniform(min: .seconds(10), max: .seconds(15))
    /// How often a kubelet asks its runtime what has become of containers.
    package var relistPeriod: Duration = .seconds(1)
    /// Pods that fit on a node.
    package var maxPods: Int = 110
    /// Whether a node pulls one image at a time.
    package var serializesImagePulls: Bool = true
    /// Pulls a second that a node may begin.
    package var registryPullRate: Ratio = Ratio(5, outOf: 1)
    /// Pulls that it may begin at once.
    package var registryPullBurst: Int = 10

    // MARK: Controllers

    /// Pods that a controller creates at most in one go.
    package var createBurst: Int = 500
    /// How long a rollout may make no progress.
    package var progressDeadline: Duration = .seconds(600)
    /// The first and the longest wait of a pod that found no node.
    package var podInitialBackoff: Duration = .seconds(1)
    /// The longest wait of a pod that found no node.
    package var podMaxBackoff: Duration = .seconds(10)
    /// When a pod that found no node is tried again even though nothing has changed.
    package var unschedulableRetry: Duration = .seconds(300)
    /// Nodes up to which all are scored.
    package var minFeasibleNodes: Int = 100
    /// How long changes of endpoints are collected.
    package var endpointUpdatesBatchPeriod: Duration = .zero
    /// How often a node applies changed endpoints at most.
    package var proxyMinSyncPeriod: Duration = .seconds(1)
    /// When a volume is detached although nobody has said that it is unmounted.
    package var maxWaitForUnmount: Duration = .seconds(360)
    /// The first wait of a job before it replaces a failed pod.
    package var jobBackoffInitial: Duration = .seconds(10)
    /// The longest such wait.
    package var jobBackoffMax: Duration = .seconds(360)

    // MARK: Machines

    /// From a change of an object to those who watch it, and from a client to the API.
    package var apiLatency: DurationDistribution = .uniform(min: .milliseconds(1), max: .milliseconds(10))
    /// What the scheduler takes for a pod.
    package var schedulingLatency: DurationDistribution = .uniform(min: .milliseconds(1), max: .milliseconds(5))
    /// From power on to a kubelet that runs.
    package var bootTime: DurationDistribution = .uniform(min: .seconds(15), max: .seconds(25))
    /// From the power of its nodes to a control plane that answers.
    package var controlPlaneStart: DurationDistribution = .uniform(min: .seconds(5), max: .seconds(15))
    /// From a control plane that answers to controllers that work: the old leader's lease must run out.
    package var leaderElection: DurationDistribution = .uniform(min: .seconds(2), max: .seconds(17))
    /// What a pod's sandbox and network take.
    package var sandboxStart: DurationDistribution = .uniform(min: .milliseconds(200), max: .milliseconds(800))
    /// What the start of a container takes.
    package var containerStart: DurationDistribution = .uniform(min: .milliseconds(100), max: .milliseconds(500))
    /// What a kubelet takes to clean up after the last container of a pod.
    package var podCleanup: DurationDistribution = .uniform(min: .milliseconds(100), max: .seconds(1))
    /// What a pull takes beyond the transfer.
    package var pullLatency: DurationDistribution = .uniform(min: .milliseconds(300), max: .milliseconds(900))
    /// What a node transfers of an image in a second, in bytes.
    package var pullBytesPerSecond: UInt64 = 50_000_000
    /// When a pull from a registry that does not answer fails.
    package var pullTimeout: Duration = .seconds(30)
    /// What it takes to attach or detach a network volume.
    package var attachTime: DurationDistribution = .uniform(min: .seconds(2), max: .seconds(5))
    /// What it takes to make a network volume.
    package var provisionTime: DurationDistribution = .uniform(min: .seconds(1), max: .seconds(4))
    /// Changes of objects that a watch may still ask for.
    package var watchHistory: Int = 1000
    /// Events that are kept.
    package var eventLimit: Int = 2000

    /// What is wrong with the settings, or nil.
    package var validationError: String? {
        let periods = [
            ("leaseRenewInterval", leaseRenewInterval), ("nodeStatusUpdateFrequency", nodeStatusUpdateFrequency),
            ("nodeMonitorPeriod", nodeMonitorPeriod), ("podGCPeriod", podGCPeriod), ("relistPeriod", relistPeriod),
            ("restartBackoffInitial", restartBackoffInitial), ("imageBackoffInitial", imageBackoffInitial),
            ("podInitialBackoff", podInitialBackoff), ("proxyMinSyncPeriod", proxyMinSyncPeriod),
            ("jobBackoffInitial", jobBackoffInitial),
        ]
        for (name, period) in periods where period <= .zero { return "\(name) is \(period); it must be above 0" }
        let times = [
            ("leaseRetry", leaseRetry), ("podSyncBackoff", podSyncBackoff), ("apiLatency", apiLatency),
            ("schedulingLatency", schedulingLatency), ("bootTime", bootTime), ("controlPlaneStart", controlPlaneStart),
            ("leaderElection", leaderElection), ("sandboxStart", sandboxStart), ("containerStart", containerStart),
            ("podCleanup", podCleanup), ("pullLatency", pullLatency), ("attachTime", attachTime),
            ("provisionTime", provisionTime),
        ]
        for (name, time) in times {
            if let problem = time.validationError { return "\(name): \(problem)" }
        }
        // A pod whose synchronization failed would be looked at without end in one moment.
        if case .fixed(.zero) = podSyncBackoff { return "podSyncBackoff is 0; it must be above 0" }
        if nodeMonitorGracePeriod <= leaseRenewInterval {
            return
                "nodeMonitorGracePeriod is \(nodeMonitorGracePeriod), no longer than leaseRenewInterval: every node would"
                + " be taken for dead"
        }
        if maxPods < 1 { return "maxPods is \(maxPods); it must be at least 1" }
        return nil
    }

    /// Mistakes of controllers, planted so that invariants can be seen to find them.
    package var mistakes: Set<ClusterMistake> = []
}

/// A mistake that a controller may be given.
package enum ClusterMistake: String, CaseIterable, Sendable {
    /// The endpoint of a pod that is not ready, or gone, is never removed.
    case endpointNeverRemoved = "endpoint-never-removed"
    /// An eviction asks no budget.
    case budgetIgnored = "budget-ignored"
    /// A stateful set does not wait until the old pod of an identity has ended.
    case twoPodsOfOneIdentity = "two-pods-of-one-identity"
    /// A network volume is attached to a second node while the first still has it.
    case volumeOnTwoNodes = "volume-on-two-nodes"
    /// The scheduler does not look at what is left of a node.
    case nodeOvercommitted = "node-overcommitted"
}
