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

    init(_ rig: ClusterRig, random: RandomStream) {
        self.rig = rig
        self.random = random
    }

    private var cluster: Cluster { rig.cluster }

    func play(for duration: Duration, recovery: Duration) async throws {
        if random.chance(Ratio(1, outOf: 2)) { cluster.placeControlPlane(on: ["vm-1", "vm-2", "vm-3"]) }
        try rig.deploy("web", replicas: 4, budget: .minAvailable(.count(3)))
        try rig.deploy("api", replicas: 3, budget: .maxUnavailable(.count(1)))
        try rig.deployStateful("db", replicas: 3, storage: .network)
        try rig.deployStateful("log", replicas: 2, storage: .local)
        try cluster.create(
            DaemonSet("agent", namespace: "default", template: ClusterRig.template("agent", cpu: 50)))
        try await rig.wait(.seconds(120))
        check()
        let end = cluster.now.advanced(by: duration)
        while cluster.now < end {
            try await rig.wait(random.duration(.uniform(min: .seconds(1), max: .seconds(60))))
            inject()
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

    private func inject() {
        let node = cluster.nodes[random.index(below: cluster.nodes.count)]
        let app = ["web", "api", "db", "log"][random.index(below: 4)]
        let pods = rig.pods(app)
        let pod = pods.isEmpty ? nil : pods[random.index(below: pods.count)]
        let kind = random.index(below: 22)
        faults.append("\(cluster.now): \(kind) on \(node.name), \(app)")
        switch kind {
        case 0: cluster.powerOff(node)
        case 1, 2: cluster.powerOn(node)
        case 3: cluster.stopKubelet(of: node)
        case 4: cluster.startKubelet(of: node)
        case 5: cluster.stopRuntime(of: node)
        case 6: cluster.startRuntime(of: node)
        case 7: cluster.cutOff(node)
        case 8: cluster.reconnect(node)
        case 9:
            var options = DrainOptions()
            options.timeout = .seconds(120)
            cluster.drain(node.name, options: options)
        case 10: try? cluster.uncordon(node.name)
        case 11: if let pod { try? cluster.delete(Pod.self, pod.name) }
        case 12: if let pod { rig.containers.crash(pod: pod.key) }
        case 13: if let pod { rig.containers.setHealth(.hung, ofPod: pod.key) }
        case 14: cluster.setControlPlane(isDown: random.chance(Ratio(1, outOf: 3)))
        case 15: cluster.setRegistry(isDown: random.chance(Ratio(1, outOf: 2)))
        case 16: try? cluster.restart(deployment: random.chance(Ratio(1, outOf: 2)) ? "web" : "api")
        case 17: if let pod { try? cluster.evict(pod.name) }
        case 18: cluster.skewClock(of: node, by: .seconds(Int(random.next(below: 7200)) - 3600))
        case 19:
            // With the disks of a control plane everything would be forgotten, and nothing would recover.
            if random.chance(Ratio(1, outOf: 4)) { cluster.loseDisk(of: cluster.nodes[3 + random.index(below: 2)]) }
        case 20: if random.chance(Ratio(1, outOf: 4)) { cluster.restartAll() }
        default:
            // Said of a machine that is off: of another one it would be a lie, and two pods could have one identity.
            if !node.isPowered { try? cluster.taint(node.name, Taint(Taint.outOfService, .noExecute)) }
        }
    }

    private func heal() {
        faults.append("\(cluster.now): everything is healed")
        cluster.setControlPlane(isDown: false)
        cluster.setRegistry(isDown: false)
        for node in cluster.nodes {
            cluster.reconnect(node)
            cluster.powerOn(node)
            cluster.startKubelet(of: node)
            cluster.startRuntime(of: node)
            cluster.unskewClock(of: node)
        }
        rig.containers.setAllWell()
    }

    /// What is not as it was asked for.
    private func unrecovered() -> [String] {
        guard cluster.areControllersRunning else { return ["the control plane"] }
        for node in cluster.nodes {
            try? cluster.uncordon(node.name)
            if rig.has(node.name, taint: Taint.outOfService, .noExecute) {
                try? cluster.untaint(node.name, Taint.outOfService)
            }
        }
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
