import SimulationKernel

/// A container under the eyes of its kubelet: image, start, probes, crashes, end.
final class ContainerWorker {
    /// What it does, by the kubelet's own knowledge.
    enum State {
        case waiting(reason: String)
        case running(Container, since: VirtualInstant)
        case terminated(code: Int, reason: String, finished: VirtualInstant)
    }

    unowned let pod: PodWorker
    let index: Int
    private(set) var state: State = .waiting(reason: "ContainerCreating")
    private(set) var restartCount: Int
    /// Whether it counts as ready.
    private(set) var isReady: Bool = false
    /// Whether its startup probe has succeeded.
    private(set) var isStarted: Bool = false
    private var restarts: Backoff
    private var pulls: Backoff
    private var probes: [ProbeWorker] = []
    /// What was planned and does not matter any more when this has gone on.
    private var plan: Int = 0
    /// Whether it would have been started while the runtime was dead.
    private var isBlocked: Bool = false
    /// It was started before, so that the next start counts as a restart.
    private var hasRun: Bool

    init(_ index: Int, of pod: PodWorker, restartCount: Int, hasRun: Bool) {
        self.index = index
        self.pod = pod
        self.restartCount = restartCount
        self.hasRun = hasRun
        let settings = pod.cluster.settings
        restarts = Backoff(initial: settings.restartBackoffInitial, max: settings.restartBackoffMax)
        pulls = Backoff(initial: settings.imageBackoffInitial, max: settings.imageBackoffMax)
    }

    var spec: ContainerSpec { pod.spec.containers[index] }
    private var cluster: Cluster { pod.cluster }
    private var node: ClusterNode { pod.node }
    private var now: VirtualInstant { cluster.now }

    var isRunning: Bool { if case .running = state { true } else { false } }
    var container: Container? { if case .running(let container, _) = state { container } else { nil } }

    /// As the API is told.
    var status: ContainerStatus {
        var status = ContainerStatus()
        status.restartCount = restartCount
        status.isReady = isReady
        switch state {
        case .waiting(let reason): status.state = .waiting(reason: reason)
        case .running(_, let since): status.state = .running(since: since)
        case .terminated(let code, let reason, let finished):
            status.state = .terminated(exitCode: code, reason: reason, finished: finished)
        }
        return status
    }

    /// Does something later, unless it was given up until then.
    private func later(_ time: VirtualInstant, _ action: @escaping () -> Void) {
        let plan = plan
        cluster.at(time) { [weak self] in
            guard let self, self.plan == plan, pod.isAlive else { return }
            action()
        }
    }

    /// The first time at or after `time` at which the pod is looked at again, when it was looked at now.
    private func nextSync(notBefore time: VirtualInstant) -> VirtualInstant {
        var next = now
        repeat { next = next.advanced(by: node.random.duration(cluster.settings.podSyncBackoff)) } while next < time
        return next
    }

    // MARK: Image

    /// Begins: its image first.
    func begin() {
        guard node.isRuntimeUp else {
            isBlocked = true
            return
        }
        let isPresent = node.images.contains(spec.image)
        switch spec.pullPolicy {
        case .ifNotPresent where isPresent, .never where isPresent: start()
        case .never:
            wait("ErrImageNeverPull")
        case .always, .ifNotPresent: pull()
        }
    }

    private func pull() {
        let plan = plan
        cluster.recordEvent(.normal, "Pulling", pod.record, "Pulling image \"\(spec.image)\"")
        node.kubelet.puller.pull(spec.image) { [weak self] problem in
            guard let self, self.plan == plan, pod.isAlive else { return }
            guard let problem else { return start() }
            cluster.recordEvent(.warning, "Failed", pod.record, "Failed to pull image \"\(spec.image)\": \(problem)")
            wait("ErrImagePull")
            let failed = now
            pulls.advance(now: failed, finished: failed)
            // The next look at the pod finds that it must wait.
            later(failed.advanced(by: cluster.settings.relistPeriod)) { [unowned self] in wait("ImagePullBackOff") }
            later(nextSync(notBefore: pulls.earliest(after: failed))) { [unowned self] in pull() }
        }
    }

    private func wait(_ reason: String) {
        state = .waiting(reason: reason)
        pod.statusChanged()
    }

    // MARK: Life

    private func start() {
        let delay = node.random.duration(cluster.settings.containerStart)
        later(now.advanced(by: delay)) { [unowned self] in
            guard node.isRuntimeUp else {
                isBlocked = true
                return
            }
            guard let ip = pod.ip else { return }
            if hasRun { restartCount += 1 }
            hasRun = true
            cluster.containersStarted += 1
            let container = Container(
                number: cluster.containersStarted, record: pod.record, node: node, spec: spec, ip: ip,
                restartCount: restartCount,
                volumes: pod.volumes, worker: self)
            state = .running(container, since: now)
            isStarted = spec.startup == nil
            isReady = isStarted && spec.readiness == nil
            cluster.world.record(.clusterContainer, pod.uid.number, UInt64(restartCount), text: "start")
            probes = ProbeKind.allCases.compactMap { kind in ProbeWorker(kind, of: self) }
            cluster.runtime.start(container)
            // Seen when the kubelet asks its runtime the next time.
            later(node.kubelet.nextRelist) { [unowned self] in
                pod.statusChanged()
                for probe in probes { probe.begin() }
            }
        }
    }

    /// The container has told that it ended.
    func exited(_ container: Container, code: Int) {
        guard case .running(let present, _) = state, present === container else { return }
        let finished = now
        cluster.world.record(.clusterContainer, pod.uid.number, UInt64(restartCount), text: "exit \(code)")
        end(code: code, reason: code == 0 ? "Completed" : "Error", at: finished)
        node.kubelet.whenUp(node.kubelet.nextRelist) { [weak self] in self?.sawEnd(finished) }
    }

    private func end(code: Int, reason: String, at finished: VirtualInstant) {
        plan += 1
        for probe in probes { probe.end() }
        probes = []
        isReady = false
        isStarted = false
        state = .terminated(code: code, reason: reason, finished: finished)
    }

    /// The kubelet has seen that it ended.
    private func sawEnd(_ finished: VirtualInstant) {
        guard pod.isAlive, case .terminated(let code, _, let end) = state, end == finished else { return }
        if pod.isEnding { return pod.containerEnded() }
        let restarts: Bool
        switch pod.spec.restartPolicy {
        case .always: restarts = true
        case .onFailure: restarts = code != 0
        case .never: restarts = false
        }
        guard restarts else {
            pod.statusChanged()
            return pod.containerEnded()
        }
        restart(after: finished)
    }

    private func restart(after finished: VirtualInstant) {
        let earliest = restarts.earliest(after: finished)
        guard earliest > now else {
            restarts.advance(now: now, finished: finished)
            pod.statusChanged()
            return begin()
        }
        cluster.recordEvent(.warning, "BackOff", pod.record, "Back-off restarting failed container \(spec.name)")
        wait("CrashLoopBackOff")
        later(nextSync(notBefore: earliest)) { [unowned self] in
            restarts.advance(now: now, finished: finished)
            begin()
        }
    }

    /// SIGTERM, or nothing if it does not run.
    func stop() {
        plan += 1
        for probe in probes { probe.end() }
        probes = []
        guard let container else {
            if case .waiting = state { state = .terminated(code: 0, reason: "Completed", finished: now) }
            return
        }
        guard node.isRuntimeUp else { return }
        cluster.runtime.stop(container)
    }

    /// SIGKILL.
    func kill() {
        guard let container, node.isRuntimeUp else { return }
        cluster.runtime.kill(container)
        end(code: 137, reason: "Error", at: now)
    }

    /// Its machine lost power: it has ended, and nobody was told.
    func losePower() {
        guard let container else { return }
        cluster.runtime.kill(container)
        end(code: 137, reason: "Error", at: now)
    }

    /// The runtime is back: what it could not do is done.
    func runtimeReturned() {
        guard isBlocked, !pod.isEnding else { return }
        isBlocked = false
        begin()
    }

    // MARK: Probes

    func healthChanged(_ container: Container) {
        guard self.container === container else { return }
        for probe in probes { probe.wake() }
    }

    func probed(_ kind: ProbeKind, isWell: Bool) {
        switch kind {
        case .readiness:
            guard isReady != isWell, isStarted else { return }
            isReady = isWell
            if !isWell { cluster.recordEvent(.warning, "Unhealthy", pod.record, "Readiness probe failed") }
            pod.statusChanged()
        case .startup where isWell:
            guard !isStarted else { return }
            isStarted = true
            if spec.readiness == nil { isReady = true }
            pod.statusChanged()
            for probe in probes where probe.kind != .startup { probe.begin() }
        case .liveness, .startup:
            guard !isWell, let container, node.isRuntimeUp else { return }
            let name = kind == .liveness ? "Liveness" : "Startup"
            cluster.recordEvent(
                .warning, "Killing", pod.record, "\(name) probe failed: container \(spec.name) is restarted")
            for probe in probes { probe.end() }
            probes = []
            cluster.runtime.stop(container)
            later(now.advanced(by: pod.grace)) { [unowned self] in
                guard let still = self.container, still === container else { return }
                cluster.runtime.kill(container)
                let finished = now
                end(code: 137, reason: "Error", at: finished)
                sawEnd(finished)
            }
        }
    }
}
