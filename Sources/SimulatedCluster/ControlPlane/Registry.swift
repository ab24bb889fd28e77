import Randomness

/// Where images come from: outside of the cluster, or a service in it, with or without a volume.
package final class Registry {
    /// Where it is.
    package enum Placement: Hashable, Sendable {
        case outside
        /// A service of the cluster: what was pushed to it lies on its pod's claim, or, if there is none, dies with the pod.
        case service(ObjectKey)
    }

    enum Answer {
        case has(bytes: UInt64)
        case lacks
        case refuses
        case isSilent
    }

    package var placement: Placement = .outside
    /// What an image takes that nobody has pushed, outside; nil if there are only those that were.
    package var standardSize: UInt64? = 50_000_000
    /// Whether it is down, outside.
    package internal(set) var isDown: Bool = false
    /// Images by the volume that they lie on.
    private var contents: [String: [String: UInt64]] = [:]

    init() {}

    /// Puts an image where the registry keeps them now.
    ///
    /// - Returns: Whether it could be put there: a registry in the cluster must be ready.
    @discardableResult
    package func push(_ image: String, bytes: UInt64 = 50_000_000, in cluster: Cluster) -> Bool {
        guard let place = currentPlace(in: cluster) else { return false }
        contents[place, default: [:]][image] = bytes
        return true
    }

    /// A volume, or a pod's own directory, is lost with all images on it.
    func lose(_ volume: String) { contents[volume] = nil }

    private func currentPlace(in cluster: Cluster) -> String? {
        switch placement {
        case .outside: return isDown ? nil : ""
        case .service(let key):
            guard let endpoint = cluster.store.endpointSlices[key]?.value.routable.first else { return nil }
            return place(of: endpoint, in: cluster)
        }
    }

    /// What the pod behind an endpoint keeps images on.
    private func place(of endpoint: PodEndpoint, in cluster: Cluster) -> String? {
        guard let worker = cluster.node(named: endpoint.node)?.kubelet.workers[endpoint.podUID] else { return nil }
        return worker.volumes.first?.volume ?? "pod \(endpoint.podUID)"
    }

    func ask(for image: String, from node: ClusterNode, in cluster: Cluster) -> Answer {
        switch placement {
        case .outside:
            if isDown || node.isCutOff { return .isSilent }
            return (contents[""]?[image] ?? standardSize).map { .has(bytes: $0) } ?? .lacks
        case .service(let key):
            let endpoints = cluster.endpoints(of: key, from: node)
            guard !endpoints.isEmpty else { return .refuses }
            let endpoint = endpoints[node.random.index(below: endpoints.count)]
            switch cluster.reach(endpoint, from: node) {
            case .refused: return .refuses
            case .silent: return .isSilent
            case .answered:
                guard let place = place(of: endpoint, in: cluster) else { return .refuses }
                return contents[place]?[image].map { .has(bytes: $0) } ?? .lacks
            }
        }
    }
}
