package import SimulationKernel

/// A number, or a share of another one.
package enum CountOrPercent: Hashable, Sendable {
    case count(Int)
    case percent(Int)

    /// What it comes to of `total`.
    func scaled(of total: Int, roundUp: Bool) -> Int {
        switch self {
        case .count(let count): count
        case .percent(let percent): roundUp ? (total * percent + 99) / 100 : total * percent / 100
        }
    }
}

/// So many pods of one template.
package struct ReplicaSet: APIObject {
    package static let kind: Kind = .replicaSet
    package var metadata: Metadata
    package var replicas: Int
    package var selector: Labels
    package var template: PodTemplate
    package internal(set) var revision: Int = 0
    package internal(set) var statusReplicas: Int = 0
    package internal(set) var readyReplicas: Int = 0

    package init(_ name: String, namespace: String, replicas: Int, template: PodTemplate) {
        metadata = Metadata(name, namespace: namespace, labels: template.labels)
        self.replicas = replicas
        self.template = template
        selector = template.labels
    }
}

/// How a deployment replaces its pods.
package enum DeploymentStrategy: Hashable, Sendable {
    /// All at once: first the old ones go.
    case recreate
    /// Step by step, within what may be too many and too few.
    case rollingUpdate(maxSurge: CountOrPercent, maxUnavailable: CountOrPercent)

    package static let standard: DeploymentStrategy = .rollingUpdate(
        maxSurge: .percent(25), maxUnavailable: .percent(25))
}

/// So many pods of a template that may change.
package struct Deployment: APIObject {
    package static let kind: Kind = .deployment
    package var metadata: Metadata
    package var replicas: Int
    package var selector: Labels
    package var template: PodTemplate
    package var strategy: DeploymentStrategy = .standard
    /// How long a rollout may make no progress; nil for the cluster's default.
    package var progressDeadline: Duration?
    package var revisionHistoryLimit: Int = 10
    package var isPaused: Bool = false
    package internal(set) var revision: Int = 0
    package internal(set) var statusReplicas: Int = 0
    package internal(set) var readyReplicas: Int = 0
    package internal(set) var updatedReplicas: Int = 0
    /// When the last step of a rollout was made.
    package internal(set) var lastProgress: VirtualInstant = .start
    package internal(set) var hasExceededDeadline: Bool = false

    package init(_ name: String, namespace: String, replicas: Int, template: PodTemplate) {
        metadata = Metadata(name, namespace: namespace, labels: template.labels)
        self.replicas = replicas
        self.template = template
        selector = template.labels
    }

    package var unavailableReplicas: Int { max(0, replicas - readyReplicas) }
    /// Whether all pods are of the present template and ready.
    package var isComplete: Bool {
        updatedReplicas == replicas && readyReplicas == replicas && statusReplicas == replicas
    }
}

/// What a stateful set claims for each of its pods.
package struct ClaimTemplate: Hashable, Sendable {
    package var name: String
    package var storage: StorageClass

    package init(_ name: String, storage: StorageClass) {
        self.name = name
        self.storage = storage
    }
}

/// Pods with an identity each, and volumes that follow it.
package struct StatefulSet: APIObject {
    package enum PodManagement: String, Hashable, Sendable {
        case orderedReady = "OrderedReady"
        case parallel = "Parallel"
    }

    package static let kind: Kind = .statefulSet
    package var metadata: Metadata
    package var replicas: Int
    package var template: PodTemplate
    package var podManagement: PodManagement = .orderedReady
    package var claims: [ClaimTemplate] = []
    package internal(set) var revision: Int = 1
    package internal(set) var statusReplicas: Int = 0
    package internal(set) var readyReplicas: Int = 0
    package internal(set) var updatedReplicas: Int = 0

    package init(_ name: String, namespace: String, replicas: Int, template: PodTemplate) {
        metadata = Metadata(name, namespace: namespace, labels: template.labels)
        self.replicas = replicas
        self.template = template
    }
}

/// A pod on each node that it may run on.
package struct DaemonSet: APIObject {
    package static let kind: Kind = .daemonSet
    package var metadata: Metadata
    package var template: PodTemplate
    package var maxUnavailable: CountOrPercent = .count(1)
    package internal(set) var revision: Int = 1
    package internal(set) var statusReplicas: Int = 0
    package internal(set) var readyReplicas: Int = 0

    package init(_ name: String, namespace: String, template: PodTemplate) {
        metadata = Metadata(name, namespace: namespace, labels: template.labels)
        self.template = template
    }
}

/// Pods that are to end well so many times.
package struct Job: APIObject {
    package static let kind: Kind = .job
    package var metadata: Metadata
    package var completions: Int
    package var parallelism: Int
    package var template: PodTemplate
    /// Failures after which it gives up.
    package var backoffLimit: Int = 6
    package internal(set) var succeeded: Int = 0
    package internal(set) var failed: Int = 0
    package internal(set) var isComplete: Bool = false
    package internal(set) var hasFailed: Bool = false

    package init(
        _ name: String, namespace: String, completions: Int = 1, parallelism: Int = 1, template: PodTemplate
    ) {
        metadata = Metadata(name, namespace: namespace, labels: template.labels)
        self.completions = completions
        self.parallelism = parallelism
        self.template = template
    }
}

/// What voluntary disruptions must leave.
package struct PodDisruptionBudget: APIObject {
    package enum Demand: Hashable, Sendable {
        case minAvailable(CountOrPercent)
        case maxUnavailable(CountOrPercent)
    }

    package static let kind: Kind = .podDisruptionBudget
    package var metadata: Metadata
    package var selector: Labels
    package var demand: Demand
    /// Whether running pods that are not ready may always be evicted.
    package var alwaysAllowsUnhealthy: Bool = false
    package internal(set) var currentHealthy: Int = 0
    package internal(set) var desiredHealthy: Int = 0
    package internal(set) var expectedPods: Int = 0
    package internal(set) var disruptionsAllowed: Int = 0
    /// Pods whose eviction was allowed and whose end is not seen yet, in the order of the evictions.
    package internal(set) var disrupted: [Disrupted] = []

    package struct Disrupted: Hashable, Sendable {
        package let pod: UID
        package let since: VirtualInstant
    }

    package init(_ name: String, namespace: String, selector: Labels, demand: Demand) {
        metadata = Metadata(name, namespace: namespace)
        self.selector = selector
        self.demand = demand
    }
}
