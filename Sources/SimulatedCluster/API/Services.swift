package import SimulationKernel

/// A name for the ready ones of some pods.
package struct Service: APIObject {
    package static let kind: Kind = .service
    package var metadata: Metadata
    package var selector: Labels
    package var port: Int

    package init(_ name: String, namespace: String, selector: Labels, port: Int = 80) {
        metadata = Metadata(name, namespace: namespace)
        self.selector = selector
        self.port = port
    }
}

/// A pod behind a service.
package struct PodEndpoint: Hashable, Sendable {
    package let pod: String
    package let podUID: UID
    package let node: String
    package let ip: PodIP
    /// Whether it gets new connections.
    package var isReady: Bool
    /// Whether it would answer, though it may be ending.
    package var isServing: Bool
    package var isTerminating: Bool
}

/// The pods behind a service of the same name.
package struct EndpointSlice: APIObject {
    package static let kind: Kind = .endpointSlice
    package var metadata: Metadata
    package internal(set) var endpoints: [PodEndpoint] = []

    /// What connections go to: ready ones, or, when all are ending, those that still serve.
    package var routable: [PodEndpoint] {
        let ready = endpoints.filter(\.isReady)
        guard ready.isEmpty else { return ready }
        return endpoints.filter { $0.isServing && $0.isTerminating }
    }
}

/// Values that pods are given.
package struct ConfigMap: APIObject {
    package static let kind: Kind = .configMap
    package var metadata: Metadata
    package var data: Labels

    package init(_ name: String, namespace: String, data: Labels) {
        metadata = Metadata(name, namespace: namespace)
        self.data = data
    }
}

/// A place that objects lie in.
package struct Namespace: APIObject {
    package static let kind: Kind = .namespace
    package var metadata: Metadata

    package init(_ name: String) { metadata = Metadata(name) }
}

/// Something that one of several holds for a time, such as a part of the work.
package struct Lease: APIObject {
    package static let kind: Kind = .lease
    package var metadata: Metadata
    package var holder: String?
    package var duration: Duration
    package var renewed: VirtualInstant

    package init(
        _ name: String, namespace: String, holder: String?, duration: Duration, renewed: VirtualInstant
    ) {
        metadata = Metadata(name, namespace: namespace)
        self.holder = holder
        self.duration = duration
        self.renewed = renewed
    }
}

/// Where the bytes of a volume lie.
package enum StorageClass: String, Hashable, Sendable {
    /// On the machine: the volume is made where its first pod is placed, and the pod can go nowhere else.
    case local
    /// On the network: one node at a time may have it.
    case network
}

/// A volume.
package struct PersistentVolume: APIObject {
    package static let kind: Kind = .persistentVolume
    package var metadata: Metadata
    package var storage: StorageClass
    /// The only node that has it, of a local volume.
    package var node: String?
    /// The claim that it serves.
    package internal(set) var claim: ObjectKey?
    /// The node that a network volume is attached to.
    package internal(set) var attachedTo: String?

    package init(_ name: String, storage: StorageClass, node: String? = nil) {
        metadata = Metadata(name)
        self.storage = storage
        self.node = node
    }
}

/// A demand for a volume.
package struct PersistentVolumeClaim: APIObject {
    package static let kind: Kind = .persistentVolumeClaim
    package var metadata: Metadata
    package var storage: StorageClass
    /// The volume that it got.
    package internal(set) var volume: String?

    package init(_ name: String, namespace: String, storage: StorageClass) {
        metadata = Metadata(name, namespace: namespace)
        self.storage = storage
    }
}

/// Something that a part of the cluster tells of an object.
package struct ClusterEvent: Hashable, Sendable, CustomStringConvertible {
    package enum EventType: String, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    package let time: VirtualInstant
    package let type: EventType
    package let reason: String
    package let kind: Kind
    package let object: ObjectKey
    package let message: String

    package var description: String {
        "\(time): \(type.rawValue) \(reason) \(kind.rawValue) \(object): \(message)"
    }
}
