import Durations
import SimulationKernel

/// Asks a container again and again, and counts the answers.
///
/// Where the runtime tells when an answer would change, it stops asking as soon as asking on would tell nothing new; it is woken
/// at the next time at which it would have asked.
final class ProbeWorker {
    let kind: ProbeKind
    private unowned let worker: ContainerWorker
    private let probe: Probe
    private var first: VirtualInstant = .start
    private var hasBegun: Bool = false
    private var isEnded: Bool = false
    private var isAsking: Bool = false
    private var isPlanned: Bool = false
    /// Whether the runtime has told of a change since the last question.
    private var mustAsk: Bool = false
    private var lastAnswer: Bool?
    private var inARow: Int = 0
    /// What the answers came to: at first not ready, and alive.
    private var isWell: Bool

    init?(_ kind: ProbeKind, of worker: ContainerWorker) {
        let probe =
            switch kind {
            case .readiness: worker.spec.readiness
            case .liveness: worker.spec.liveness
            case .startup: worker.spec.startup
            }
        guard let probe else { return nil }
        self.kind = kind
        self.worker = worker
        self.probe = probe
        isWell = kind == .liveness
    }

    private var cluster: Cluster { worker.pod.cluster }

    /// Begins to ask, unless the container has not started up yet.
    func begin() {
        guard !hasBegun, !isEnded, kind == .startup || worker.isStarted else { return }
        hasBegun = true
        first = cluster.now.advanced(by: probe.initialDelay)
        plan(first)
    }

    func end() { isEnded = true }

    /// The runtime tells that the answer would change.
    func wake() {
        mustAsk = true
        guard hasBegun, !isEnded, !isPlanned, !isAsking else { return }
        plan(cluster.now.ceiling(period: probe.period, phase: first.nanoseconds % phaseLength))
    }

    private var phaseLength: UInt64 { max(1, probe.period.unsignedNanoseconds) }

    private func plan(_ time: VirtualInstant) {
        isPlanned = true
        cluster.at(max(time, first)) { [weak self] in self?.ask() }
    }

    private func ask() {
        isPlanned = false
        guard !isEnded, let container = worker.container else { return }
        // Nobody asks while the kubelet is dead.
        guard worker.pod.node.isKubeletUp else { return planNext() }
        isAsking = true
        mustAsk = false
        var isAnswered = false
        let timeout = probe.timeout
        cluster.runtime.probe(container, kind) { [weak self] answer in
            guard let self, !isAnswered else { return }
            isAnswered = true
            guard answer == .silence else { return heard(answer == .success) }
            cluster.after(timeout) { [weak self] in self?.heard(false) }
        }
        // A runtime that answers later may do so after the probe's patience is over.
        guard !isAnswered else { return }
        cluster.after(timeout) { [weak self] in
            guard !isAnswered else { return }
            isAnswered = true
            self?.heard(false)
        }
    }

    private func heard(_ isSuccess: Bool) {
        guard isAsking else { return }
        isAsking = false
        guard !isEnded else { return }
        inARow = lastAnswer == isSuccess ? inARow + 1 : 1
        lastAnswer = isSuccess
        if inARow >= (isSuccess ? probe.successThreshold : probe.failureThreshold) {
            isWell = isSuccess
            worker.probed(kind, isWell: isSuccess)
            // A startup probe has done its work.
            if kind == .startup, isSuccess { isEnded = true }
        }
        if !isEnded { planNext() }
    }

    private func planNext() {
        let isSettled =
            cluster.runtime.reportsHealth && !mustAsk && lastAnswer == isWell
            && inARow >= (isWell ? probe.successThreshold : probe.failureThreshold)
        guard !isSettled, !isPlanned else { return }
        let next = VirtualInstant(nanoseconds: cluster.now.nanoseconds + 1)
        plan(next.ceiling(period: probe.period, phase: first.nanoseconds % phaseLength))
    }
}
