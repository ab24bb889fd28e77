package import SimulationKernel

/// What pods ask for and nodes have.
package struct Resources: Hashable, Sendable {
    /// Thousandths of a processor.
    package var cpu: Int
    /// In MiB.
    package var memory: Int

    package init(cpu: Int = 0, memory: Int = 0) {
        self.cpu = cpu
        self.memory = memory
    }

    package static func + (left: Resources, right: Resources) -> Resources {
        Resources(cpu: left.cpu + right.cpu, memory: left.memory + right.memory)
    }

    package static func - (left: Resources, right: Resources) -> Resources {
        Resources(cpu: left.cpu - right.cpu, memory: left.memory - right.memory)
    }
}

/// What a taint does to pods that do not tolerate it.
package enum TaintEffect: String, Hashable, Sendable {
    case noSchedule = "NoSchedule"
    case preferNoSchedule = "PreferNoSchedule"
    case noExecute = "NoExecute"
}

/// A mark of a node that keeps pods away.
package struct Taint: Hashable, Sendable, CustomStringConvertible {
    package let key: String
    package let effect: TaintEffect
    /// When it was put there.
    package internal(set) var added: VirtualInstant = .start

    package init(_ key: String, _ effect: TaintEffect) {
        self.key = key
        self.effect = effect
    }

    package static let unreachable: String = "node.kubernetes.io/unreachable"
    package static let notReady: String = "node.kubernetes.io/not-ready"
    package static let unschedulable: String = "node.kubernetes.io/unschedulable"
    /// Put there by people who know that the machine is off: what it had may be given to others.
    package static let outOfService: String = "node.kubernetes.io/out-of-service"

    package func isSame(as other: Taint) -> Bool { key == other.key && effect == other.effect }

    package var description: String { "\(key):\(effect.rawValue)" }
}

/// What a pod bears of a node.
package struct Toleration: Hashable, Sendable {
    /// The taint's key; nil bears all.
    package let key: String?
    /// The effect; nil bears each.
    package let effect: TaintEffect?
    /// For how long, of `NoExecute`; nil for ever.
    package let duration: Duration?

    package init(_ key: String?, _ effect: TaintEffect? = nil, for duration: Duration? = nil) {
        self.key = key
        self.effect = effect
        self.duration = duration
    }

    func tolerates(_ taint: Taint) -> Bool {
        (key == nil || key == taint.key) && (effect == nil || effect == taint.effect)
    }
}

/// Whether something is so.
package enum ConditionStatus: String, Hashable, Sendable {
    case `true` = "True"
    case `false` = "False"
    case unknown = "Unknown"
}

/// A machine as the cluster knows it.
package struct Node: APIObject {
    package static let kind: Kind = .node
    package var metadata: Metadata
    /// What its pods may ask for together.
    package var allocatable: Resources
    /// The zone that it fails with.
    package var zone: String
    /// Whether it was cordoned.
    package var isUnschedulable: Bool = false
    package var taints: [Taint] = []
    /// Whether its kubelet says that it can run pods; unknown when it says nothing.
    package internal(set) var ready: ConditionStatus = .true
    package internal(set) var readyReason: String = "KubeletReady"
    package internal(set) var readySince: VirtualInstant = .start

    package init(_ name: String, zone: String, allocatable: Resources, labels: Labels = [:]) {
        metadata = Metadata(name, labels: labels)
        self.allocatable = allocatable
        self.zone = zone
        metadata.labels["kubernetes.io/hostname"] = name
        metadata.labels["topology.kubernetes.io/zone"] = zone
    }

    func has(_ key: String, _ effect: TaintEffect) -> Bool {
        taints.contains { $0.key == key && $0.effect == effect }
    }

    /// The taints that pods are evicted for.
    var executingTaints: [Taint] { taints.filter { $0.effect == .noExecute } }
}
