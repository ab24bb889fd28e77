package import SimulationKernel

/// What sort of object something is, by its name in Kubernetes.
package enum Kind: String, CaseIterable, Sendable {
    case configMap = "ConfigMap"
    case daemonSet = "DaemonSet"
    case deployment = "Deployment"
    case endpointSlice = "EndpointSlice"
    case job = "Job"
    case lease = "Lease"
    case namespace = "Namespace"
    case node = "Node"
    case persistentVolume = "PersistentVolume"
    case persistentVolumeClaim = "PersistentVolumeClaim"
    case pod = "Pod"
    case podDisruptionBudget = "PodDisruptionBudget"
    case replicaSet = "ReplicaSet"
    case service = "Service"
    case statefulSet = "StatefulSet"

    /// Whether its objects lie in a namespace.
    package var isNamespaced: Bool {
        switch self {
        case .namespace, .node, .persistentVolume: false
        case .configMap, .daemonSet, .deployment, .endpointSlice, .job, .lease, .persistentVolumeClaim, .pod,
            .podDisruptionBudget, .replicaSet, .service, .statefulSet:
            true
        }
    }

    /// What the kind is in a decision's record.
    var code: UInt64 { UInt64(Self.codes[self] ?? 0) }

    private static let codes: [Kind: Int] = Dictionary(
        uniqueKeysWithValues: allCases.enumerated().map { ($0.element, $0.offset + 1) })
}

/// What tells an object from all that were ever in the cluster, those of its name included.
package struct UID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let number: UInt64

    package static func < (left: UID, right: UID) -> Bool { left.number < right.number }

    package var description: String { "\(number)" }
}

/// Where an object is found: its namespace, empty for what lies in none, and its name.
package struct ObjectKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let namespace: String
    package let name: String

    package init(_ namespace: String, _ name: String) {
        self.namespace = namespace
        self.name = name
    }

    package static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }

    package var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }
}

/// The object that another one exists for: when it goes, so does the other.
package struct OwnerReference: Hashable, Sendable {
    package let kind: Kind
    package let name: String
    package let uid: UID
}

/// What every object has.
package struct Metadata: Hashable, Sendable {
    package var name: String
    package var namespace: String
    package var labels: Labels
    package var owner: OwnerReference?
    /// Who must act before the object may go.
    package var finalizers: [String] = []
    package internal(set) var uid: UID = UID(number: 0)
    /// The number of the object's last change; changes of all objects are counted together.
    package internal(set) var resourceVersion: UInt64 = 0
    package internal(set) var creation: VirtualInstant = .start
    /// When it was to be gone; nil while nobody has deleted it.
    package internal(set) var deletion: VirtualInstant?
    /// What its containers get to end after it was deleted.
    package internal(set) var deletionGrace: Duration = .zero

    package init(_ name: String, namespace: String = "", labels: Labels = [:]) {
        self.name = name
        self.namespace = namespace
        self.labels = labels
    }

    package var key: ObjectKey { ObjectKey(namespace, name) }

    /// Whether it was deleted and is still there.
    package var isTerminating: Bool {
        @inline(__always) get { deletion != nil }
    }
}

/// An object of the cluster's API.
package protocol APIObject: Sendable {
    static var kind: Kind { get }
    var metadata: Metadata { get set }

    /// Where its kind is kept.
    static func table(in store: Store) -> Table<Self>

    /// What it contradicts itself in; nil if in nothing.
    var problem: String? { get }
}

extension APIObject {
    package var name: String { metadata.name }
    package var key: ObjectKey { metadata.key }
    package var uid: UID { metadata.uid }
    package var problem: String? { nil }
}
