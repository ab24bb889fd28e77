import Durations
import SimulationKernel

/// Runs the pods of a machine, tells the API of them, and goes on when it cannot.
///
/// What it knows by itself (``PodWorker``) and what the API knows are two things: they part when either is not reached, and
/// are brought together when it is again.
final class Kubelet {
    private unowned let node: ClusterNode
    private unowned let cluster: Cluster
    private(set) var workers: KeyedList<UID, PodWorker> = KeyedList()
    private(set) lazy var puller: ImagePuller = ImagePuller(node, in: cluster)
    /// What it will see when its process runs again.
    private var unseen: [() -> Void] = []

    init(_ node: ClusterNode, in cluster: Cluster) {
        self.node = node
        self.cluster = cluster
    }

    /// When it asks its runtime the next time what has become of containers.
    var nextRelist: VirtualInstant {
        cluster.now.ceiling(period: cluster.settings.relistPeriod, phase: node.relistPhase)
    }

    /// Does something at a time, or, if it does not run then, when it runs again.
    func whenUp(_ time: VirtualInstant, _ action: @escaping () -> Void) {
        cluster.at(time) { [weak self] in
            guard let self, node.isPowered else { return }
            guard node.isKubeletUp else { return unseen.append(action) }
            action()
        }
    }

    // MARK: The API's wishes

    /// A pod that is bound here has changed.
    func podChanged(_ record: Record<Pod>) {
        guard node.isConnected else { return }
        cluster.after(cluster.apiLatency()) { [weak self] in
            guard let self, node.isConnected else { return }
            sync(record)
        }
    }

    private func sync(_ record: Record<Pod>) {
        let worker = workers[record.uid]
        guard record.isStored else {
            worker?.terminate(grace: worker?.grace ?? .zero)
            return
        }
        let pod = record.value
        if pod.metadata.isTerminating {
            guard let worker else { return cluster.confirmEnd(of: record) }
            worker.terminate(grace: pod.metadata.deletionGrace)
        } else if worker == nil, !pod.isFinished {
            let worker = PodWorker(record, on: node, in: cluster)
            workers.set(worker, for: record.uid)
            worker.prepare()
        }
    }

    /// It reaches the API again: both learn what the other did meanwhile.
    func resync() {
        for worker in workers.elements {
            worker.push()
            worker.confirm()
        }
        for worker in workers.elements { sync(worker.record) }
        for record in node.pods.elements { sync(record) }
    }

    /// It tells the API of all its pods, where they differ from what the API has.
    func pushAll() {
        for worker in workers.elements { worker.statusChanged() }
    }

    func remove(_ worker: PodWorker) { workers.remove(worker.uid) }

    /// Whether a pod here may have a volume mounted.
    func uses(_ volume: String) -> Bool { workers.elements.contains { $0.uses(volume) } }

    // MARK: Its machine

    /// The power is gone: everything in memory is, too.
    func losePower() {
        for worker in workers.elements { worker.losePower() }
        workers.removeAll()
        unseen = []
        puller.reset()
    }

    /// Its process runs again, and sees what has become of its containers.
    func returned() {
        let actions = unseen
        unseen = []
        for action in actions { action() }
    }

    func runtimeReturned() {
        for worker in workers.elements { worker.runtimeReturned() }
    }
}
