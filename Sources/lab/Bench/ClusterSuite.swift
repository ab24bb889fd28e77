import CSystemSeam
import SimulatedCluster
import SimulationKernel
import Torture

extension Suite {
    /// A cluster of a thousand nodes and a hundred thousand pods, and a small one that loses a VM.
    static let cluster = Suite(
        name: "cluster",
        benchmarks: [
            Benchmark(
                [
                    ("cluster.drain.100k", "s"), ("cluster.memory.100k", "MB"), ("cluster.rest.100k", "events"),
                    ("cluster.start.100k", "s"),
                ], ownProcess: true
            ) { try largeCluster() },
            Benchmark("cluster.vm-failure", "ms") { try failure() },
        ])

    /// A thousand services of a hundred pods each, with a budget; then ten minutes of rest, and a drain.
    private static func largeCluster() throws -> [Double] {
        let before = residentMegabytes()
        let start = seam_thread_cpu()
        var settings = ClusterSettings()
        settings.watchHistory = 0
        settings.eventLimit = 0
        let options = Simulation.Options(
            budget: Budget(virtualTime: .seconds(86_400), events: 1_000_000_000, wallTime: .seconds(3600)))
        let simulation = Simulation(seed: 1, options: options)
        let cluster = Cluster(simulation, settings: settings)
        for number in 0..<1000 {
            cluster.addNode(
                "node-\(number)", zone: "zone-\(number % 3)", capacity: Resources(cpu: 32_000, memory: 131_072))
        }
        let outcome = try simulation.run {
            for number in 0..<1000 {
                let app = "app-\(number)"
                try cluster.create(
                    Deployment(app, namespace: "default", replicas: 100, template: ClusterRig.template(app)))
                try cluster.create(Service(app, namespace: "default", selector: ["app": app]))
                try cluster.create(
                    PodDisruptionBudget(
                        app, namespace: "default", selector: ["app": app], demand: .maxUnavailable(.percent(10))))
            }
            var waited = 0
            while try cluster.list(Deployment.self).contains(where: { !$0.isComplete }) {
                try await simulation.clock.sleep(for: .seconds(30))
                waited += 1
                precondition(waited < 200, "the pods do not become ready")
            }
            // What was planned while everything started is over.
            try await simulation.clock.sleep(for: .seconds(900))
            let started = Double(seam_thread_cpu() - start) / 1e9
            let memory = residentMegabytes() - before
            let pending = simulation.pendingEvents
            let drainStart = seam_thread_cpu()
            let drain = cluster.drain("node-500")
            while drain.result == nil { try await simulation.clock.sleep(for: .seconds(1)) }
            guard case .drained = drain.result else { preconditionFailure("the drain came to \(drain.result as Any)") }
            return [Double(seam_thread_cpu() - drainStart) / 1e9, memory, Double(pending), started]
        }
        return try outcome.get()
    }

    /// Three nodes with a landscape of fourteen pods; one fails after a minute, of ten.
    private static func failure() throws -> Double {
        let start = seam_thread_cpu()
        let rig = ClusterRig(seed: 1)
        _ = try rig.run {
            try rig.deploy("gateway", replicas: 2, budget: .minAvailable(.count(1)))
            try rig.deploy("poller", replicas: 2)
            try rig.deploy("ingester", replicas: 2)
            try rig.deployStateful("broker", replicas: 3, storage: .network)
            try rig.deployStateful("storage", replicas: 2, storage: .local)
            try rig.cluster.create(
                DaemonSet("agent", namespace: "default", template: ClusterRig.template("agent")))
            try await rig.wait(.seconds(60))
            rig.cluster.powerOff(rig.cluster.nodes[0])
            try await rig.wait(.seconds(540))
        }
        return Double(seam_thread_cpu() - start) / 1e6
    }
}
