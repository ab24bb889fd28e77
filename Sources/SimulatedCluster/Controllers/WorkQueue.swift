import SimulationKernel

/// What a controller has to look at: each key once, however often it was named, a while after the first time.
final class WorkQueue<Key: Hashable> {
    private unowned let cluster: Cluster
    private var keys: [Key] = []
    private var known: Set<Key> = []
    private let act: (Key) -> Void

    init(_ cluster: Cluster, act: @escaping (Key) -> Void) {
        self.cluster = cluster
        self.act = act
    }

    /// Lets the controller look at something soon.
    func add(_ key: Key) {
        guard cluster.controlPlane.areControllersRunning, known.insert(key).inserted else { return }
        keys.append(key)
        guard keys.count == 1 else { return }
        cluster.controlPlane.after(cluster.apiLatency()) { [weak self] in self?.work() }
    }

    /// Lets the controller look at something later.
    func add(_ key: Key, after delay: Duration) {
        cluster.controlPlane.after(delay) { [weak self] in self?.add(key) }
    }

    private func work() {
        let batch = keys
        clear()
        for key in batch { act(key) }
    }

    func clear() {
        keys = []
        known = []
    }
}
