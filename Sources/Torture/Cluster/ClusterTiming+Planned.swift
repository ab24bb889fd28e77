import SimulatedCluster
import SimulationKernel

extension ClusterTimingScript {
    // MARK: Drains

    static let drain = ClusterTimingScript(
        name: "a node is drained",
        timings: [
            ClusterTiming("drain to no node dialling its pod", 0...1.3, "endpoint at once, proxies within 1 s"),
            ClusterTiming("drain to drained", 30...33, "a container that ignores SIGTERM gets 30 s"),
            ClusterTiming("drain to the stateful pod ready elsewhere", 1...30, "its kubelet confirms"),
        ]
    ) { seed in
        var deaf = ContainerModel()
        deaf.shutdown = nil
        return try measure(seed, models: ["registry/deaf:1": deaf]) { rig in
            try rig.deployStateful("db", replicas: 1)
            try await rig.untilReady("db", 1)
            let stateful = rig.pods("db")[0]
            let node = try rig.machine(of: stateful)
            try rig.deploy("deaf", replicas: 6)
            try await rig.untilReady("deaf", 6)
            guard let deaf = rig.readyPods("deaf").first(where: { $0.nodeName == node.name }) else {
                throw ClusterRig.Late(what: "six pods lie on three nodes", limit: .zero)
            }
            let start = rig.seconds
            var drained = 0.0
            rig.cluster.drain(node.name) { result in
                if case .drained = result { drained = rig.seconds - start }
            }
            let undialled = try await rig.until("proxies", within: .seconds(5), every: .milliseconds(50)) {
                !rig.isDialled(deaf, by: "deaf")
            }
            _ = try await rig.until("moved", within: .seconds(60)) {
                rig.pod(stateful.name).map { $0.uid != stateful.uid && $0.isReady } ?? false
            }
            let moved = rig.seconds - start
            _ = try await rig.until("drained", within: .seconds(60)) { drained > 0 }
            return [undialled, drained, moved]
        }
    }

    static let drainWithBudget = ClusterTimingScript(
        name: "a node is drained whose pods have a budget",
        timings: [
            ClusterTiming("refusals of a budget that allows nothing, in 60 s", 12...12, "asked again each 5 s"),
            ClusterTiming("pods that it lost meanwhile", 0...0, "none"),
            ClusterTiming("fewest ready pods of four while one may be missing", 3...3, "the budget"),
        ]
    ) { seed in
        try measure(seed) { rig in
            try rig.deploy("strict", replicas: 3, budget: .maxUnavailable(.count(0)))
            try await rig.untilReady("strict", 3)
            let node = try rig.machine(of: rig.pods("strict")[0])
            let strict = rig.pods("strict").filter { $0.nodeName == node.name }
            var options = DrainOptions()
            options.timeout = .seconds(60)
            let drain = rig.cluster.drain(node.name, options: options)
            _ = try await rig.until("end", within: .seconds(70)) { drain.result != nil }
            let left = rig.pods("strict").filter { pod in strict.contains { $0.uid == pod.uid } }
            let refusals = Double(drain.refusals) / Double(max(1, strict.count))
            try rig.cluster.uncordon(node.name)
            try rig.deploy("web", replicas: 4, budget: .minAvailable(.count(3)))
            try await rig.untilReady("web", 4)
            try await rig.wait(.seconds(1))
            // Two of one budget on one node.
            let crowded = rig.cluster.nodes.first { machine in
                rig.pods("web").count { $0.nodeName == machine.name } >= 2
            }
            var fewest = 4
            if let crowded {
                var next = DrainOptions()
                next.timeout = .seconds(200)
                let second = rig.cluster.drain(crowded.name, options: next)
                _ = try await rig.until("second", within: .seconds(210)) {
                    fewest = min(fewest, rig.readyPods("web").count)
                    let gone = !rig.pods("web").contains { $0.nodeName == crowded.name }
                    return second.result != nil || gone
                }
            }
            return [refusals, Double(strict.count - left.count), Double(fewest)]
        }
    }

    // MARK: Backoffs

    private static let waits: [Double] = [0, 10, 20, 40, 80, 160, 300, 300]

    static let crashBackoff = ClusterTimingScript(
        name: "a container ends again and again",
        timings: waits.enumerated().map { index, wait in
            ClusterTiming(
                "end \(index + 1) to start", max(0, wait - 1)...(wait == 0 ? 2 : wait + 17),
                wait == 0 ? "at once" : "\(Int(wait)) s, up to 15 s until the pod is looked at; both seen within 1 s")
        }
    ) { seed in
        var crashing = ContainerModel()
        crashing.lifetime = .uniform(min: .seconds(1), max: .seconds(5))
        return try measure(seed, models: ["registry/crashing:1": crashing]) { rig in
            try rig.cluster.create(Pod(Metadata("crashing", namespace: "default"), spec: rig.crashingSpec))
            var times: [Double] = []
            for restart in 1...waits.count {
                _ = try await rig.until("end", within: .seconds(30)) {
                    if case .running = rig.pod("crashing")?.containers.first?.state { return false }
                    return rig.pod("crashing")?.restartCount == restart - 1 && rig.pod("crashing")?.phase == .running
                }
                times.append(
                    try await rig.until("start", within: .seconds(400)) { rig.pod("crashing")?.restartCount == restart }
                )
            }
            return times
        }
    }

    static let imageBackoff = ClusterTimingScript(
        name: "an image cannot be pulled",
        timings: waits.dropFirst().enumerated().map { index, wait in
            ClusterTiming(
                "pull \(index + 1) to pull \(index + 2)", wait...(wait + 17), "\(Int(wait)) s, and up to 15 s")
        }
    ) { seed in
        try measure(seed) { rig in
            rig.cluster.registry.standardSize = nil
            var pulls: [Double] = []
            rig.cluster.onEvent = { event in
                if event.reason == "Pulling" { pulls.append(rig.seconds) }
            }
            try rig.cluster.create(Pod(Metadata("missing", namespace: "default"), spec: rig.crashingSpec))
            try await rig.wait(.seconds(1200))
            rig.cluster.onEvent = { _ in }
            guard pulls.count >= waits.count else { throw ClusterRig.Late(what: "eight pulls", limit: .seconds(1200)) }
            return (1..<waits.count).map { pulls[$0] - pulls[$0 - 1] }
        }
    }

    // MARK: Probes, scheduling

    static let probes = ClusterTimingScript(
        name: "a process hangs",
        timings: [
            ClusterTiming("hanging to not ready", 20...31.2, "3 failures, 10 s apart, 1 s each"),
            ClusterTiming("well again to ready", 0...10.1, "the next probe"),
        ]
    ) { seed in
        try measure(seed) { rig in
            try rig.deploy("web", replicas: 1)
            try await rig.untilReady("web", 1)
            try await rig.waitByLot(upTo: .seconds(10))
            let pod = rig.pods("web")[0]
            rig.containers.setHealth(.hung, ofPod: pod.key)
            let unready = try await rig.until("not ready", within: .seconds(60)) { rig.readyPods("web").isEmpty }
            try await rig.waitByLot(upTo: .seconds(30))
            rig.containers.setHealth(.well, ofPod: pod.key)
            let start = rig.seconds
            try await rig.untilReady("web", 1)
            return [unready, rig.seconds - start]
        }
    }

    static let scheduling = ClusterTimingScript(
        name: "pods find no node, and then one",
        timings: [
            ClusterTiming("uncordon to scheduled, after one try", 0...1.2, "backoff 1 s from the try on"),
            ClusterTiming("uncordon to scheduled, after many tries", 0...10.2, "backoff at most 10 s"),
        ]
    ) { seed in
        try measure(seed) { rig in
            for node in rig.cluster.nodes { try rig.cluster.cordon(node.name) }
            let spec = rig.crashingSpec
            try rig.cluster.create(Pod(Metadata("once", namespace: "default"), spec: spec))
            try await rig.wait(.milliseconds(50))
            try await rig.waitByLot(upTo: .seconds(1))
            try rig.cluster.uncordon("vm-1")
            let once = try await rig.until("once", within: .seconds(5)) { rig.pod("once")?.nodeName != nil }
            try rig.cluster.cordon("vm-1")
            try rig.cluster.create(Pod(Metadata("often", namespace: "default"), spec: spec))
            // What does not help makes it try, too.
            for _ in 0..<20 {
                try rig.cluster.taint("vm-2", Taint("try", .noSchedule))
                try await rig.wait(.seconds(12))
                try rig.cluster.untaint("vm-2", "try")
            }
            try await rig.wait(.milliseconds(50))
            try await rig.waitByLot(upTo: .seconds(10))
            try rig.cluster.uncordon("vm-1")
            return [once, try await rig.until("often", within: .seconds(15)) { rig.pod("often")?.nodeName != nil }]
        }
    }
}

extension ClusterRig {
    /// A pod of one container without probes, by the image that a script has a model for.
    fileprivate var crashingSpec: PodSpec {
        PodSpec([ContainerSpec("main", image: "registry/crashing:1")])
    }
}
