import SimulatedCluster
package import SimulationKernel

/// A time of a cluster as the simulation has it, and as Kubernetes' sources and documents have it.
package struct ClusterTiming: Sendable {
    /// What is measured, from when on.
    package let name: String
    /// What it must be, in seconds, and what says so.
    package let range: ClosedRange<Double>
    package let reason: String

    init(_ name: String, _ range: ClosedRange<Double>, _ reason: String) {
        self.name = name
        self.range = range
        self.reason = reason
    }

    /// What is stated, as the table in docs/cluster.md has it.
    package var stated: String {
        "\(Self.text(range.lowerBound))–\(Self.text(range.upperBound)): \(reason)"
    }

    /// Seconds to a tenth.
    package static func text(_ seconds: Double) -> String {
        let tenths = (seconds * 10).rounded() / 10
        return tenths == tenths.rounded() ? String(Int(tenths)) : String(tenths)
    }
}

/// Something that happens to a cluster, and the times that are taken of it.
package struct ClusterTimingScript: Sendable {
    package let name: String
    package let timings: [ClusterTiming]
    /// Gives a time for each timing.
    package let run: @Sendable (Seed) throws -> [Double]

    package static let all: [ClusterTimingScript] = [
        failure, failureWithForce, outOfService, returnInTime, twoFailures, wholeZoneAndAll, nodeDeleted, drain,
        drainWithBudget, crashBackoff, imageBackoff, probes, scheduling,
    ]

    /// Makes a cluster that rests, at a time that differs from seed to seed, and lets something happen to it.
    static func measure(
        _ seed: Seed, nodes: Int = 3, models: [String: ContainerModel] = [:],
        settings: ClusterSettings = ClusterSettings(), _ script: @escaping (ClusterRig) async throws -> [Double]
    ) throws -> [Double] {
        let rig = ClusterRig(seed: seed, nodes: nodes, settings: settings, containers: ModelRuntime(models))
        return try rig.run {
            try await rig.wait(.seconds(60))
            try await rig.waitByLot(upTo: .seconds(60))
            return try await script(rig)
        }.value
    }
}

extension ClusterTimingScript {
    // MARK: A VM fails

    static let failure = ClusterTimingScript(
        name: "a VM fails",
        timings: [
            ClusterTiming("power off to Ready=Unknown", 40...60, "grace 50 s, looks each 5 s, leases each 10 s"),
            ClusterTiming("Unknown to endpoint not ready", 0...0.15, "same look"),
            ClusterTiming("Unknown to no node dialling it", 0...1.3, "proxies apply within 1 s"),
            ClusterTiming("Unknown to taint NoSchedule", 0...0.1, "at once"),
            ClusterTiming("Unknown to taint NoExecute", 0...0.3, "first of its zone: at once"),
            ClusterTiming("NoExecute to deletion", 299.9...300.2, "tolerationSeconds 300"),
            ClusterTiming("power off to replacement made", 340...361, "the sum of these"),
            ClusterTiming("power off to replacement ready", 340...380, "and a pull, a start, a probe"),
            ClusterTiming("pods of a stateful set replaced within 900 s", 0...0, "until its kubelet confirms, none"),
        ]
    ) { seed in
        try measure(seed) { rig in
            try rig.deploy("web", replicas: 3, budget: .minAvailable(.count(3)))
            try rig.deployStateful("db", replicas: 3)
            try await rig.untilReady("web", 3)
            try await rig.untilReady("db", 3)
            let victim = rig.readyPods("web")[0]
            let node = try rig.machine(of: victim)
            let stateful = rig.pods("db").filter { $0.nodeName == node.name }
            let before = Set(rig.pods("web").map(\.uid))
            let start = rig.seconds
            rig.cluster.powerOff(node)
            let unknown = try await rig.until("Unknown", within: .seconds(90)) {
                rig.node(node.name)?.ready == .unknown
            }
            let noSchedule = try await rig.until("NoSchedule", within: .seconds(5)) {
                rig.has(node.name, taint: Taint.unreachable, .noSchedule)
            }
            let found = start + unknown
            let endpoint = try await rig.until("endpoint", within: .seconds(5)) { !rig.isRouted(victim, by: "web") }
            let noExecute = try await rig.until("NoExecute", within: .seconds(5)) {
                rig.has(node.name, taint: Taint.unreachable, .noExecute)
            }
            let tainted = rig.seconds
            _ = try await rig.until("proxies", within: .seconds(5), every: .milliseconds(50)) {
                !rig.isDialled(victim, by: "web")
            }
            let undialled = rig.seconds - found
            _ = try await rig.until("deletion", within: .seconds(320)) {
                rig.pod(victim.name)?.metadata.isTerminating ?? true
            }
            let deleted = rig.seconds - tainted
            _ = try await rig.until("replacement", within: .seconds(5)) {
                rig.pods("web").contains { !before.contains($0.uid) }
            }
            let replaced = rig.seconds - start
            try await rig.untilReady("web", 3)
            let ready = rig.seconds - start
            try await rig.wait(.seconds(900 - Int(ready)))
            let moved = stateful.filter { rig.pod($0.name)?.uid != $0.uid }
            return [
                unknown, endpoint, undialled, noSchedule, noExecute, deleted, replaced, ready,
                Double(moved.count),
            ]
        }
    }

    static let failureWithForce = ClusterTimingScript(
        name: "a VM fails, and a stateful pod with a network volume is deleted by force",
        timings: [
            ClusterTiming("force to a new pod of the identity", 0...0.2, "the object is gone at once"),
            ClusterTiming("force to the new pod ready", 360...395, "detached by force after 6 min"),
        ]
    ) { seed in
        try measure(seed) { rig in
            try rig.deployStateful("db", replicas: 1, storage: .network)
            try await rig.untilReady("db", 1)
            let old = rig.pods("db")[0]
            rig.cluster.powerOff(try rig.machine(of: old))
            try await rig.wait(.seconds(400))
            try rig.cluster.delete(Pod.self, old.name, grace: .zero)
            let start = rig.seconds
            let made = try await rig.until("new pod", within: .seconds(5)) {
                rig.pod(old.name).map { $0.uid != old.uid } ?? false
            }
            try await rig.untilReady("db", 1, within: .seconds(600))
            return [made, rig.seconds - start]
        }
    }

    static let outOfService = ClusterTimingScript(
        name: "a failed VM is said to be out of service",
        timings: [
            ClusterTiming("taint to the stateful pod's object gone", 0...20.2, "pods are collected each 20 s"),
            ClusterTiming("taint to the new pod ready", 4...50, "its network volume is detached at once"),
        ]
    ) { seed in
        try measure(seed) { rig in
            try rig.deployStateful("db", replicas: 1, storage: .network)
            try await rig.untilReady("db", 1)
            let old = rig.pods("db")[0]
            let node = try rig.machine(of: old)
            rig.cluster.powerOff(node)
            try await rig.wait(.seconds(100))
            try rig.cluster.taint(node.name, Taint(Taint.outOfService, .noExecute))
            let start = rig.seconds
            let gone = try await rig.until("gone", within: .seconds(40)) { rig.pod(old.name)?.uid != old.uid }
            try await rig.untilReady("db", 1)
            return [gone, rig.seconds - start]
        }
    }

    static let returnInTime = ClusterTimingScript(
        name: "a failed VM is back before its pods are evicted",
        timings: [
            ClusterTiming(
                "power on to its pod ready again", 15...50, "boot 15 to 25 s, the API tried again within 7 s"),
            ClusterTiming("pods replaced", 0...0, "timers are cancelled"),
            ClusterTiming("restarts of each of its pods", 1...1, "in place"),
            ClusterTiming("power on to taints gone", 15...38, "and the next look"),
        ]
    ) { seed in
        try measure(seed) { rig in
            try rig.deploy("web", replicas: 3)
            try await rig.untilReady("web", 3)
            let before = Set(rig.pods("web").map(\.uid))
            let victim = rig.readyPods("web")[0]
            let node = try rig.machine(of: victim)
            rig.cluster.powerOff(node)
            try await rig.wait(.seconds(200))
            rig.cluster.powerOn(node)
            let start = rig.seconds
            let untainted = try await rig.until("no taint", within: .seconds(60)) {
                rig.node(node.name)?.taints.isEmpty ?? false
            }
            try await rig.untilReady("web", 3)
            let ready = rig.seconds - start
            try await rig.wait(.seconds(400))
            let moved = rig.pods("web").filter { !before.contains($0.uid) }
            return [ready, Double(moved.count), Double(rig.pod(victim.name)?.restartCount ?? 0), untainted]
        }
    }

    static let twoFailures = ClusterTimingScript(
        name: "two of five VMs fail at once",
        timings: [
            ClusterTiming("first to second taint NoExecute", 9.9...20.2, "0.1 nodes a second in a zone, burst 1")
        ]
    ) { seed in
        try measure(seed, nodes: 5) { rig in
            let names = ["vm-1", "vm-2"]
            for node in rig.cluster.nodes where names.contains(node.name) { rig.cluster.powerOff(node) }
            func tainted() -> Int { names.count { rig.has($0, taint: Taint.unreachable, .noExecute) } }
            _ = try await rig.until("first", within: .seconds(90)) { tainted() == 1 }
            return [try await rig.until("second", within: .seconds(30)) { tainted() == 2 }]
        }
    }

    static let wholeZoneAndAll = ClusterTimingScript(
        name: "all VMs fail, and the control plane runs elsewhere",
        timings: [
            ClusterTiming("pods evicted within 900 s", 0...0, "all not ready: evictions stop"),
            ClusterTiming("power on to all pods ready", 15...60, "in place"),
        ]
    ) { seed in
        try measure(seed) { rig in
            try rig.deploy("web", replicas: 4)
            try await rig.untilReady("web", 4)
            let before = Set(rig.pods("web").map(\.uid))
            for node in rig.cluster.nodes { rig.cluster.powerOff(node) }
            try await rig.wait(.seconds(900))
            let evicted = rig.pods("web").filter { $0.metadata.isTerminating || !before.contains($0.uid) }
            for node in rig.cluster.nodes { rig.cluster.powerOn(node) }
            let start = rig.seconds
            // They were never seen as ready in between: what counts is that they are, and restarted.
            _ = try await rig.until("ready", within: .seconds(120)) {
                rig.readyPods("web").count { $0.restartCount == 1 } == 4
            }
            return [Double(evicted.count), rig.seconds - start]
        }
    }

    static let nodeDeleted = ClusterTimingScript(
        name: "the object of a failed VM is deleted",
        timings: [ClusterTiming("deletion to its pods' objects gone", 40...60.1, "quarantine 40 s, and up to 20 s")]
    ) { seed in
        try measure(seed) { rig in
            try rig.deployStateful("db", replicas: 1)
            try await rig.untilReady("db", 1)
            let old = rig.pods("db")[0]
            let node = try rig.machine(of: old)
            rig.cluster.powerOff(node)
            try await rig.wait(.seconds(100))
            try rig.cluster.delete(Node.self, node.name)
            return [
                try await rig.until("gone", within: .seconds(120)) { rig.pod(old.name)?.uid != old.uid }
            ]
        }
    }
}
