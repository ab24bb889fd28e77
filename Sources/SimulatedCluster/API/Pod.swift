package import SimulationKernel

/// How a kubelet asks a container how it is.
package struct Probe: Hashable, Sendable {
    package var initialDelay: Duration = .zero
    package var timeout: Duration = .seconds(1)
    package var period: Duration = .seconds(10)
    package var successThreshold: Int = 1
    package var failureThreshold: Int = 3

    package init() {}
}

/// When an image is pulled.
package enum ImagePullPolicy: String, Hashable, Sendable {
    case always = "Always"
    case ifNotPresent = "IfNotPresent"
    case never = "Never"
}

/// A container of a pod.
package struct ContainerSpec: Hashable, Sendable {
    package var name: String
    package var image: String
    package var pullPolicy: ImagePullPolicy
    package var requests: Resources
    package var readiness: Probe?
    package var liveness: Probe?
    package var startup: Probe?

    /// Makes a container whose image is pulled as Kubernetes would: `:latest` and no tag always, others if missing.
    package init(
        _ name: String, image: String, requests: Resources = Resources(cpu: 100, memory: 64), readiness: Probe? = nil,
        liveness: Probe? = nil, startup: Probe? = nil
    ) {
        self.name = name
        self.image = image
        self.requests = requests
        self.readiness = readiness
        self.liveness = liveness
        self.startup = startup
        let file = image.split(separator: "/").last ?? ""
        pullPolicy = file.hasSuffix(":latest") || !file.contains(":") ? .always : .ifNotPresent
    }
}

/// What is done with containers that have ended.
package enum PodRestartPolicy: String, Hashable, Sendable {
    case always = "Always"
    case onFailure = "OnFailure"
    case never = "Never"
}

/// Something that a pod has mounted.
package enum PodVolume: Hashable, Sendable {
    /// Lives and dies with the pod.
    case emptyDir(name: String)
    /// The volume of a claim.
    case claim(name: String, claim: String)
    /// Values of a config map; the pod waits for it.
    case configMap(name: String, configMap: String)

    package var name: String {
        switch self {
        case .emptyDir(let name), .claim(let name, _), .configMap(let name, _): name
        }
    }
}

/// How pods of a selector are to be spread.
package struct SpreadConstraint: Hashable, Sendable {
    /// What counts as one place.
    package enum Topology: String, Hashable, Sendable {
        case hostname = "kubernetes.io/hostname"
        case zone = "topology.kubernetes.io/zone"
    }

    package var topology: Topology
    package var maxSkew: Int
    /// Whether a pod that would break it waits.
    package var isRequired: Bool
    package var selector: Labels

    package init(_ topology: Topology, maxSkew: Int = 1, isRequired: Bool, selector: Labels) {
        self.topology = topology
        self.maxSkew = maxSkew
        self.isRequired = isRequired
        self.selector = selector
    }
}

/// What a pod is to be.
package struct PodSpec: Hashable, Sendable {
    package var containers: [ContainerSpec]
    package var volumes: [PodVolume] = []
    package var restartPolicy: PodRestartPolicy = .always
    /// Between SIGTERM and SIGKILL; nil for the cluster's default.
    package var terminationGracePeriod: Duration?
    package var tolerations: [Toleration] = []
    package var nodeSelector: Labels = [:]
    package var spread: [SpreadConstraint] = []
    /// Pods with these labels are not wanted on the same node; empty for nobody.
    package var antiAffinity: Labels = [:]
    /// The node that its controller has chosen; nil where the scheduler chooses.
    package var requiredNode: String?

    package init(_ containers: [ContainerSpec]) {
        self.containers = containers
    }

    /// What its containers ask for together.
    package var requests: Resources { containers.reduce(Resources()) { $0 + $1.requests } }

    /// The claims that it mounts.
    package var claims: [String] {
        volumes.compactMap { if case .claim(_, let claim) = $0 { claim } else { nil } }
    }

    /// For how long it bears a taint; nil for ever, zero not at all.
    func toleration(of taint: Taint) -> Duration? {
        let matching = tolerations.filter { $0.tolerates(taint) }
        guard !matching.isEmpty else { return .zero }
        return matching.compactMap(\.duration).min()
    }

    func tolerates(_ taint: Taint) -> Bool { tolerations.contains { $0.tolerates(taint) } }
}

/// What controllers make pods of.
package struct PodTemplate: Hashable, Sendable {
    package var labels: Labels
    package var spec: PodSpec
    /// When somebody asked for a restart of all pods.
    package var restartedAt: VirtualInstant?

    package init(labels: Labels, spec: PodSpec) {
        self.labels = labels
        self.spec = spec
    }
}

/// Where a pod is in its life.
package enum PodPhase: String, Hashable, Sendable {
    case pending = "Pending"
    case running = "Running"
    case succeeded = "Succeeded"
    case failed = "Failed"
}

/// What a container does, as its kubelet has told.
package enum ContainerState: Hashable, Sendable {
    case waiting(reason: String)
    case running(since: VirtualInstant)
    case terminated(exitCode: Int, reason: String, finished: VirtualInstant)
}

/// How it stands with a container, as its kubelet has told.
package struct ContainerStatus: Hashable, Sendable {
    package var state: ContainerState = .waiting(reason: "ContainerCreating")
    package var isReady: Bool = false
    package var restartCount: Int = 0
}

/// The address of a pod, which dies with it.
package struct PodIP: Hashable, Sendable, CustomStringConvertible {
    let node: Int
    let number: Int

    package var description: String { "10.\(64 + node / 256).\(node % 256).\(number)" }
}

/// A pod: containers that live and die together on one node.
package struct Pod: APIObject {
    package static let kind: Kind = .pod
    package var metadata: Metadata
    package var spec: PodSpec
    /// The node that it was bound to.
    package internal(set) var nodeName: String?
    package internal(set) var phase: PodPhase = .pending
    package internal(set) var isReady: Bool = false
    package internal(set) var readySince: VirtualInstant = .start
    /// Why it waits for a node, or is disrupted; empty if nothing is to be told.
    package internal(set) var reason: String = ""
    package internal(set) var ip: PodIP?
    package internal(set) var containers: [ContainerStatus] = []
    /// Whether its kubelet has said that nothing of it runs any more.
    var isEndConfirmed: Bool = false
    /// The template that it was made of, by its number.
    package internal(set) var revision: Int = 0

    package init(_ metadata: Metadata, spec: PodSpec) {
        self.metadata = metadata
        self.spec = spec
    }

    /// Whether its containers have ended for good.
    package var isFinished: Bool {
        @inline(__always) get { phase == .succeeded || phase == .failed }
    }
    /// Whether controllers count it: neither deleted nor finished.
    package var isActive: Bool {
        @inline(__always) get { !metadata.isTerminating && !isFinished }
    }
    package var restartCount: Int { containers.reduce(0) { $0 + $1.restartCount } }

    /// When the last of its containers ended; nil while none has.
    var finished: VirtualInstant? {
        containers.compactMap { if case .terminated(_, _, let time) = $0.state { time } else { nil } }.max()
    }

    /// What `kubectl get pods` shows as its status.
    package var statusText: String {
        if metadata.isTerminating { return "Terminating" }
        for container in containers {
            switch container.state {
            case .waiting(let reason) where phase != .pending || reason != "ContainerCreating": return reason
            case .terminated(let code, let reason, _) where code != 0: return reason
            case .waiting, .terminated, .running: break
            }
        }
        switch phase {
        case .succeeded: return "Completed"
        case .failed: return "Error"
        case .pending: return nodeName == nil ? "Pending" : "ContainerCreating"
        case .running: return "Running"
        }
    }
}
