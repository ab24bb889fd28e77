package import SimulatedCluster
package import SimulationKernel

/// Lets faults happen to a cluster that a seed draws, looks whether it stays sound, heals it, and demands that it recovers.
package struct ClusterStorm: Sendable {
    /// What came of a storm.
    package struct Result: Sendable {
        package let seed: Seed
        /// What was found to be wrong, each with its time, and what had not recovered.
        package let problems: [String]
        /// What happened to the cluster, in its order.
        package let faults: [String]
        package let digest: TraceDigest
    }

    /// For how long faults happen.
    package var duration: Duration = .seconds(1200)
    /// How long the cluster may take to recover: a volume may have to be detached by force, and a pull may be backing off.
    package var recovery: Duration = .seconds(1500)
    /// Mistakes that its controllers are given.
    package var mistakes: Set<ClusterMistake> = []

    package init() {}

    /// Runs the storm of a seed.
    package func run(seed: Seed) throws -> Result {
        var settings = ClusterSettings()
        settings.mistakes = mistakes
        let rig = ClusterRig(seed: seed, nodes: 5, zones: 2, settings: settings)
        let player = Player(rig, random: try rig.simulation.stream("cluster storm"))
        let (_, digest) = try rig.run { try await player.play(for: duration, recovery: recovery) }
        return Result(seed: seed, problems: player.problems, faults: player.faults, digest: digest)
    }
}

/// One storm as it goes on.
private final class Player {
    private let rig: ClusterRig
    private var random: RandomStream
    private(set) var problems: [String] = []
    private(set) var faults: [String] = []
    private var seen: Set<String> = []
    /// Faults that go on, in the order in which they began.
    private var lasting: [ClusterFault] = []
    /// The kinds of faults that this storm has, by their numbers, and about how many of them act at once: some storms have many kinds
    /// at once, others one that lasts long.
    private let kinds: [Int]
    private let crowd: Int

    init(_ rig: ClusterRig, random: RandomStream) {
        self.rig = rig
        var random = random
        let all = Array(0..<18)
        let some = all.filter { _ in random.chance(Ratio(1, outOf: 3)) }
        kinds = some.isEmpty ? all : some
        crowd = 2 + random.index(below: 6)
        self.random = random
    }

    private var cluster: Cluster { rig.cluster }

    func play(for duration: Duration, recovery: Duration) async throws {
        if random.chance(Ratio(1, outOf: 2)) { cluster.placeControlPlane(on: ["vm-1", "vm-2", "vm-3"]) }
        try rig.deploy("web", replicas: 4, budget: .minAvailable(.count(3)))
        try rig.deploy("api", replicas: 3, budget: .maxUnavailable(.count(1)))
        try rig.deployStateful("db", replicas: 3, storage: .network)
        try rig.deployStateful("log", replicas: 2, storage: .local)
        // Without a volume nothing but its controller keeps a second pod of one identity away.
        try rig.deployStateful("queue", replicas: 2)
        try cluster.create(
            DaemonSet("agent", namespace: "default", template: ClusterRig.template("agent", cpu: 50)))
        try await rig.wait(.seconds(120))
        check()
        let end = cluster.now.advanced(by: duration)
        while cluster.now < end {
            try await rig.wait(random.duration(.uniform(min: .seconds(1), max: .seconds(60))))
            inject()
            rollOut()
            for _ in 0..<4 {
                try await rig.wait(.seconds(2))
                check()
            }
        }
        heal()
        let healed = cluster.now
        var missing = unrecovered()
        while !missing.isEmpty, healed.duration(to: cluster.now) < recovery {
            try await rig.wait(.seconds(5))
            check()
            missing = unrecovered()
        }
        for line in missing { note("not recovered: \(line)") }
    }

    private func note(_ problem: String) {
        guard seen.insert(problem).inserted, problems.count < 20 else { return }
        problems.append("\(cluster.now): \(problem)")
    }

    private func check() {
        for violation in cluster.violations() { note(violation) }
    }

    // MARK: Faults

    /// Begins a fault, or ends one that lasts.
    private func inject() {
        if random.chance(Ratio(UInt64(min(lasting.count, 2 * crowd)), outOf: UInt64(2 * crowd))) {
            let fault = lasting[random.index(below: lasting.count)]
            return end(fault)
        }
        guard let fault = drawn(), !lasting.contains(fault) else { return }
        do {
            try cluster.begin(fault)
            note(fault: "begins \(fault)")
            if fault.lasts { lasting.append(fault) }
        } catch {
            note(fault: "cannot begin \(fault): \(error)")
        }
    }

    private func end(_ fault: ClusterFault) {
        do {
            try cluster.end(fault)
            lasting.removeAll { $0 == fault }
            note(fault: "ends \(fault)")
        } catch {
            // A request to a control plane that is down: it must be asked again.
            note(fault: "cannot end \(fault): \(error)")
        }
    }

    private func note(fault: String) { faults.append("\(cluster.now): \(fault)") }

    /// Draws a fault; nil if what was drawn happens to containers, and has happened.
    private func drawn() -> ClusterFault? {
        let node = cluster.nodes[random.index(below: cluster.nodes.count)].name
        let app = ["web", "api", "db", "log", "queue"][random.index(below: 5)]
        let pods = rig.pods(app)
        let pod = pods.isEmpty ? ObjectKey("default", app) : pods[random.index(below: pods.count)].key
        switch kinds[random.index(below: kinds.count)] {
        case 0, 1: return .powerLoss(node: node)
        case 2: return .deadKubelet(node: node)
        case 3: return .deadRuntime(node: node)
        case 4: return .isolation(node: node)
        case 5, 6: return .drain(node: node, timeout: .seconds(120))
        case 7: return .cordon(node: node)
        case 8: return .deletion(pod: pod, grace: nil)
        case 9: return .eviction(pod: pod)
        case 10: return .registryDown
        case 11: return .controlPlaneDown
        case 12: return .wrongClock(node: node, offset: .seconds(Int(random.next(below: 7200)) - 3600), drift: 0)
        case 13: return .restartOfAll(pause: .seconds(5))
        // With the disks of a control plane everything would be forgotten, and nothing would recover.
        case 14: return .diskLoss(node: ["vm-4", "vm-5"][random.index(below: 2)])
        case 15:
            // Said of a machine that is off: of another one it would be a lie, and two pods could have one identity.
            return cluster.node(named: node)?.isPowered == false ? .outOfService(node: node) : .powerLoss(node: node)
        case 16:
            rig.containers.crash(pod: pod)
            note(fault: "the containers of \(pod) end")
            return nil
        default:
            rig.containers.setHealth(.hung, ofPod: pod)
            note(fault: "the containers of \(pod) hang")
            return nil
        }
    }

    /// Now and then a deployment is rolled out anew, whatever goes on.
    private func rollOut() {
        guard random.chance(Ratio(1, outOf: 8)) else { return }
        let app = random.chance(Ratio(1, outOf: 2)) ? "web" : "api"
        guard (try? cluster.restart(deployment: app)) != nil else { return }
        note(fault: "\(app) is rolled out anew")
    }

    /// Takes back what lasts; what is a request waits until the API answers.
    private func heal() {
        note(fault: "everything is healed")
        rig.containers.setAllWell()
        for fault in lasting { end(fault) }
    }

    /// What is not as it was asked for.
    private func unrecovered() -> [String] {
        guard cluster.areControllersRunning else { return ["the control plane"] }
        for fault in lasting { end(fault) }
        let deployments = (try? cluster.list(Deployment.self)) ?? []
        let sets = (try? cluster.list(StatefulSet.self)) ?? []
        let daemons = (try? cluster.list(DaemonSet.self)) ?? []
        return deployments.filter { !$0.isComplete }.map {
            "deployment \($0.name): \($0.readyReplicas)/\($0.replicas)\(reasons($0.name))"
        }
            + sets.filter { $0.readyReplicas != $0.replicas }.map {
                "stateful set \($0.name): \($0.readyReplicas)/\($0.replicas)\(reasons($0.name))"
            }
            + daemons.filter { $0.readyReplicas != cluster.nodes.count }.map {
                "daemon set \($0.name): \($0.readyReplicas)/\(cluster.nodes.count)\(reasons($0.name))"
            }
    }

    /// Which pods of an app are not ready, and what was told of them last.
    private func reasons(_ app: String) -> String {
        rig.pods(app).filter { !$0.isReady || $0.metadata.isTerminating }.map { pod in
            let event = cluster.events.last { $0.object == pod.key }
            return "; \(pod.name) is \(pod.statusText) on \(pod.nodeName ?? "no node")\(event.map { ", \($0)" } ?? "")"
        }
        .joined()
    }
}
