package import SimulationKernel

/// What a kubelet asks a container.
package enum ProbeKind: String, Hashable, Sendable, CaseIterable {
    case readiness
    case liveness
    case startup
}

/// What came of a probe.
package enum ProbeAnswer: Hashable, Sendable {
    case success
    /// It answered, badly, or refused.
    case failure
    /// It does not answer: known when the probe's timeout is over.
    case silence
}

/// What containers run: a model, or processes of a test-bed.
///
/// All calls come from events of the world. Once a container was killed or has exited, nothing is asked of it any more, and
/// what it tells is not heard.
package protocol PodRuntime: AnyObject {
    /// Called once, before anything else.
    func attach(to world: World)

    /// Starts a container; from now on it may tell ``Container/exit(code:)``.
    func start(_ container: Container)

    /// SIGTERM: it is to end by itself.
    func stop(_ container: Container)

    /// SIGKILL, or its machine has lost power: it has ended.
    func kill(_ container: Container)

    /// Asks it; `answer` is called at once or later.
    func probe(_ container: Container, _ kind: ProbeKind, answer: @escaping (ProbeAnswer) -> Void)

    /// Whether it tells ``Container/healthChanged()`` whenever a probe's answer would change.
    ///
    /// Then probes are sent only until their results are settled, and rest costs nothing. Otherwise each period has a probe.
    var reportsHealth: Bool { get }
}

/// A container that runs: what its runtime knows of it.
package final class Container {
    /// Its number among all containers of the cluster, in the order in which they start.
    package let number: Int
    private let record: Record<Pod>
    /// Its pod.
    package var pod: Pod { record.value }
    /// The machine.
    package unowned let node: ClusterNode
    package let spec: ContainerSpec
    /// The address of its pod.
    package let ip: PodIP
    /// How often it was started before on this machine and others, in this pod.
    package let restartCount: Int
    /// The volumes of its pod's claims, by the names of the pod's volumes, in their order.
    package let volumes: [(name: String, volume: String)]
    private weak var worker: ContainerWorker?

    init(
        number: Int, record: Record<Pod>, node: ClusterNode, spec: ContainerSpec, ip: PodIP, restartCount: Int,
        volumes: [(name: String, volume: String)], worker: ContainerWorker
    ) {
        self.number = number
        self.record = record
        self.node = node
        self.spec = spec
        self.ip = ip
        self.restartCount = restartCount
        self.volumes = volumes
        self.worker = worker
    }

    /// Tells that it has ended by itself.
    package func exit(code: Int) {
        worker?.exited(self, code: code)
    }

    /// Tells that a probe would now have another answer.
    package func healthChanged() {
        worker?.healthChanged(self)
    }
}
