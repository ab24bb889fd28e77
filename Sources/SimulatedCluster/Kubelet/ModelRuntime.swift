package import SimulationKernel

/// How a modelled container behaves.
package struct ContainerModel: Hashable, Sendable {
    /// From its start until it is ready.
    package var startup: DurationDistribution = .uniform(min: .seconds(1), max: .seconds(3))
    /// From SIGTERM to its end; nil if it does not heed it.
    package var shutdown: DurationDistribution? = .uniform(min: .milliseconds(200), max: .seconds(2))
    /// How long it runs until it ends by itself; nil for ever.
    package var lifetime: DurationDistribution?
    /// What it ends with.
    package var exitCode: Int = 1

    package init() {}
}

/// Containers that are nothing but their times, by their images.
package final class ModelRuntime: PodRuntime {
    /// What a container is like.
    package enum Health: Hashable, Sendable {
        case well
        /// It answers probes badly.
        case failing
        /// It answers nothing.
        case hung
    }

    private struct Running {
        let container: Container
        var isReady: Bool = false
        var health: Health = .well
        var event: ScheduledEvent?
    }

    private var models: [String: ContainerModel]
    private let standard: ContainerModel
    private var world: World?
    private var random: RandomStream?
    /// What runs, by the containers' numbers.
    private var running: [Int: Running] = [:]

    package let reportsHealth: Bool = true

    /// Makes a runtime.
    ///
    /// - Parameters:
    ///   - models: How containers of an image behave.
    ///   - standard: How all others do.
    package init(_ models: [String: ContainerModel] = [:], standard: ContainerModel = ContainerModel()) {
        self.models = models
        self.standard = standard
    }

    package func attach(to world: World) {
        self.world = world
        random = world.stream("cluster/containers")
    }

    /// Changes how containers of an image behave that are started from now on.
    package func setModel(_ model: ContainerModel, of image: String) { models[image] = model }

    private func model(of container: Container) -> ContainerModel { models[container.spec.image] ?? standard }

    private func after(_ time: DurationDistribution, _ action: @escaping () -> Void) -> ScheduledEvent? {
        guard let world else { return nil }
        let delay = random?.nanoseconds(time) ?? 0
        return world.schedule(at: world.nanoseconds + delay) { _ in action() }
    }

    package func start(_ container: Container) {
        let model = model(of: container)
        let id = container.number
        running[id] = Running(container: container)
        let ready = after(model.startup) { [weak self, weak container] in
            self?.running[id]?.isReady = true
            container?.healthChanged()
        }
        running[id]?.event = ready
        guard let lifetime = model.lifetime else { return }
        _ = after(lifetime) { [weak self, weak container] in
            guard let container, self?.running[id]?.container === container else { return }
            self?.forget(container)
            container.exit(code: model.exitCode)
        }
    }

    package func stop(_ container: Container) {
        guard let shutdown = model(of: container).shutdown else { return }
        _ = after(shutdown) { [weak self, weak container] in
            guard let container, self?.running[container.number]?.container === container else { return }
            self?.forget(container)
            container.exit(code: 0)
        }
    }

    package func kill(_ container: Container) { forget(container) }

    private func forget(_ container: Container) {
        guard let old = running.removeValue(forKey: container.number) else { return }
        if let event = old.event { world?.cancel(event) }
    }

    package func probe(_ container: Container, _ kind: ProbeKind, answer: @escaping (ProbeAnswer) -> Void) {
        guard let running = running[container.number] else { return answer(.failure) }
        switch running.health {
        case .well: answer(running.isReady || kind == .liveness ? .success : .failure)
        case .failing: answer(.failure)
        case .hung: answer(.silence)
        }
    }

    // MARK: What happens to containers

    /// Changes how the containers of a pod are.
    package func setHealth(_ health: Health, ofPod key: ObjectKey) {
        for container in containers(ofPod: key) {
            running[container.number]?.health = health
            container.healthChanged()
        }
    }

    /// Lets the containers of a pod end by themselves.
    package func crash(pod key: ObjectKey, exitCode: Int = 1) {
        for container in containers(ofPod: key) {
            forget(container)
            container.exit(code: exitCode)
        }
    }

    /// All containers are well again.
    package func setAllWell() {
        for container in inOrder(running.values.filter { $0.health != .well }.map(\.container)) {
            running[container.number]?.health = .well
            container.healthChanged()
        }
    }

    /// The containers of a pod that run.
    private func containers(ofPod key: ObjectKey) -> [Container] {
        inOrder(running.values.map(\.container).filter { $0.pod.key == key })
    }

    private func inOrder(_ containers: [Container]) -> [Container] {
        containers.sorted {
            ($0.pod.uid, $0.spec.name, $0.restartCount) < ($1.pod.uid, $1.spec.name, $1.restartCount)
        }
    }
}
