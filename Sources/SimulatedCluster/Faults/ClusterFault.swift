/// Something that goes wrong in a cluster, as data; it knows names only.
package enum ClusterFault: Hashable, Sendable, CustomStringConvertible {
    /// A machine has no power.
    case powerLoss(node: String)
    /// All machines lose power at once, and get it again after a pause.
    case restartOfAll(pause: Duration)
    /// A machine's disk is replaced by an empty one; meanwhile it has no power.
    case diskLoss(node: String)
    /// A kubelet's process has ended.
    case deadKubelet(node: String)
    /// A container runtime does not answer.
    case deadRuntime(node: String)
    /// A machine reaches nobody, and nobody reaches it.
    case isolation(node: String)
    /// A machine's clock is ahead, or behind, and gains nanoseconds each second.
    case wrongClock(node: String, offset: Duration, drift: Int)
    /// A node is drained as `kubectl drain` does, and uncordoned afterwards.
    case drain(node: String, timeout: Duration?)
    /// A node takes no new pods.
    case cordon(node: String)
    /// People say of a machine that it is off, so that what it had is given to others.
    case outOfService(node: String)
    /// A pod is deleted; no budget is asked.
    case deletion(pod: ObjectKey, grace: Duration?)
    /// A pod is evicted, if its budget allows it.
    case eviction(pod: ObjectKey)
    /// A registry outside of the cluster does not answer.
    case registryDown
    /// The control plane is down.
    case controlPlaneDown
    /// The store's volume on a node is lost; nil means all of them.
    case storeLoss(node: String?)

    /// What kind of fault it is, in a word for schedules and tables.
    package var kind: String {
        switch self {
        case .powerLoss: "power-loss"
        case .restartOfAll: "restart-of-all"
        case .diskLoss: "disk-loss"
        case .deadKubelet: "dead-kubelet"
        case .deadRuntime: "dead-runtime"
        case .isolation: "isolation"
        case .wrongClock: "wrong-clock"
        case .drain: "drain"
        case .cordon: "cordon"
        case .outOfService: "out-of-service"
        case .deletion: "deletion"
        case .eviction: "eviction"
        case .registryDown: "registry-down"
        case .controlPlaneDown: "control-plane-down"
        case .storeLoss: "store-loss"
        }
    }

    /// Whom it hits; empty for the whole cluster.
    package var target: String {
        switch self {
        case .powerLoss(let node), .diskLoss(let node), .deadKubelet(let node), .deadRuntime(let node),
            .isolation(let node), .wrongClock(let node, _, _), .drain(let node, _), .cordon(let node),
            .outOfService(let node):
            node
        case .deletion(let pod, _), .eviction(let pod): pod.description
        case .storeLoss(let node): node ?? ""
        case .restartOfAll, .registryDown, .controlPlaneDown: ""
        }
    }

    /// Whether it goes on until it is taken back; what happens once has no end.
    package var lasts: Bool {
        switch self {
        case .powerLoss, .diskLoss, .deadKubelet, .deadRuntime, .isolation, .wrongClock, .drain, .cordon,
            .outOfService, .registryDown, .controlPlaneDown:
            true
        case .restartOfAll, .deletion, .eviction, .storeLoss: false
        }
    }

    /// The kind and whom it hits.
    package var description: String { target.isEmpty ? kind : "\(kind) of \(target)" }
}

extension Cluster {
    private func machine(_ name: String) throws(APIError) -> ClusterNode {
        guard let node = node(named: name) else { throw .notFound(.node, ObjectKey("", name)) }
        return node
    }

    /// Lets a fault begin.
    ///
    /// - Throws: `APIError.notFound` when the cluster has not what it hits; for faults that are requests, what the API answers.
    package func begin(_ fault: ClusterFault) throws(APIError) {
        switch fault {
        case .powerLoss(let name): powerOff(try machine(name))
        case .restartOfAll(let pause): restartAll(after: pause)
        case .diskLoss(let name): loseDisk(of: try machine(name))
        case .deadKubelet(let name): stopKubelet(of: try machine(name))
        case .deadRuntime(let name): stopRuntime(of: try machine(name))
        case .isolation(let name): cutOff(try machine(name))
        case .wrongClock(let name, let offset, let drift):
            skewClock(of: try machine(name), by: offset, driftNanosecondsPerSecond: drift)
        case .drain(let name, let timeout):
            // What a drain asks for first tells whether it can be done at all.
            try cordon(name)
            var options = DrainOptions()
            options.timeout = timeout
            drain(name, options: options)
        case .cordon(let name): try cordon(name)
        case .outOfService(let name): try taint(name, Taint(Taint.outOfService, .noExecute))
        case .deletion(let pod, let grace): try delete(Pod.self, pod.name, namespace: pod.namespace, grace: grace)
        case .eviction(let pod): try evict(pod.name, namespace: pod.namespace)
        case .registryDown: setRegistry(isDown: true)
        case .controlPlaneDown: setControlPlane(isDown: true)
        case .storeLoss(let name):
            if let name { _ = try machine(name) }
            loseStoreVolume(of: name)
        }
    }

    /// Takes a fault back; what happens once has nothing to take back.
    ///
    /// - Throws: What ``begin(_:)`` throws.
    package func end(_ fault: ClusterFault) throws(APIError) {
        switch fault {
        case .powerLoss(let name), .diskLoss(let name): powerOn(try machine(name))
        case .deadKubelet(let name): startKubelet(of: try machine(name))
        case .deadRuntime(let name): startRuntime(of: try machine(name))
        case .isolation(let name): reconnect(try machine(name))
        case .wrongClock(let name, _, _): unskewClock(of: try machine(name))
        case .drain(let name, _):
            for drain in drains where drain.name == name { drain.cancel() }
            try uncordon(name)
        case .cordon(let name): try uncordon(name)
        case .outOfService(let name): try untaint(name, Taint.outOfService)
        case .registryDown: setRegistry(isDown: false)
        case .controlPlaneDown: setControlPlane(isDown: false)
        case .restartOfAll, .deletion, .eviction, .storeLoss: break
        }
    }
}
