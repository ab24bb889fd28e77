import SimulationKernel

/// Pulls images to a machine's disk, one at a time unless the settings say otherwise.
final class ImagePuller {
    private unowned let node: ClusterNode
    private unowned let cluster: Cluster
    private var queue: [(image: String, done: (String?) -> Void)] = []
    private var pulling: Int = 0
    private var bucket: TokenBucket
    /// Counts up when everything that was begun is lost.
    private var life: Int = 0

    init(_ node: ClusterNode, in cluster: Cluster) {
        self.node = node
        self.cluster = cluster
        bucket = TokenBucket(rate: cluster.settings.registryPullRate, burst: cluster.settings.registryPullBurst)
    }

    /// Pulls; `done` gets what went wrong, or nil.
    func pull(_ image: String, done: @escaping (String?) -> Void) {
        queue.append((image, done))
        next()
    }

    func reset() {
        queue = []
        pulling = 0
        life += 1
    }

    private func next() {
        guard !queue.isEmpty, !cluster.settings.serializesImagePulls || pulling == 0 else { return }
        let life = life
        if let later = bucket.take(cluster.now) {
            cluster.at(later) { [weak self] in
                guard let self, self.life == life else { return }
                next()
            }
            return
        }
        let (image, done) = queue.removeFirst()
        pulling += 1
        let (time, problem) = cost(of: image)
        cluster.after(time) { [weak self] in
            guard let self, self.life == life else { return }
            pulling -= 1
            if problem == nil { cluster.imageArrived(image, on: node) }
            done(problem)
            next()
        }
    }

    private func cost(of image: String) -> (Duration, String?) {
        let settings = cluster.settings
        let latency = node.random.duration(settings.pullLatency)
        switch cluster.registry.ask(for: image, from: node, in: cluster) {
        case .has(let bytes):
            // What is on the disk already is not transferred again, whatever the policy.
            guard !node.images.contains(image) else { return (latency, nil) }
            let nanoseconds = UInt128(bytes) * 1_000_000_000 / UInt128(max(1, settings.pullBytesPerSecond))
            return (latency + .nanoseconds(Int64(clamping: nanoseconds)), nil)
        case .lacks: return (latency, "manifest unknown")
        case .refuses: return (latency, "connection refused")
        case .isSilent: return (settings.pullTimeout, "i/o timeout")
        }
    }
}

extension Cluster {
    func imageArrived(_ image: String, on node: ClusterNode) {
        guard node.images.insert(image).inserted else { return }
        imageNodes[image, default: 0] += 1
    }

    /// Puts an image on a machine's disk, as if it had been pulled before.
    package func load(_ image: String, on node: ClusterNode) { imageArrived(image, on: node) }
}
