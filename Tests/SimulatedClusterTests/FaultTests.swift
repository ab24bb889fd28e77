import SimulatedCluster
import SimulationKernel
import Torture
import XCTest

/// What happens to a cluster, and what becomes of its pods.
final class FaultTests: XCTestCase {
    private func onCluster(
        nodes: Int = 3, seed: Seed = 1, containers: ModelRuntime = ModelRuntime(),
        _ script: @escaping (ClusterRig) async throws -> Void
    ) throws {
        let rig = ClusterRig(seed: seed, nodes: nodes, containers: containers)
        _ = try rig.run { try await script(rig) }
    }

    private func isRunning(_ pod: Pod, in rig: ClusterRig) -> Bool {
        guard let node = pod.nodeName.flatMap(rig.cluster.node(named:)), let ip = pod.ip else { return false }
        let endpoint = rig.cluster.endpoint(of: pod, ip: ip)
        return rig.cluster.reach(endpoint, from: node) == .answered
    }

    // MARK: Control plane

    // The lecture's dead cluster: what runs goes on, what ends stays ended.
    func testWithoutAControlPlanePodsGoOnAndNothingIsHealed() throws {
        try onCluster { rig in
            try rig.deploy("web", replicas: 3)
            try await rig.untilReady("web", 3)
            let pods = rig.pods("web")
            rig.cluster.setControlPlane(isDown: true)
            try await rig.wait(.seconds(30))
            // A kubelet restarts what crashes by itself; a machine that fails is replaced by nobody.
            rig.containers.crash(pod: pods[0].key)
            let lost = try rig.machine(of: pods[1])
            rig.cluster.powerOff(lost)
            try await rig.wait(.seconds(1800))
            XCTAssertTrue(self.isRunning(pods[0], in: rig))
            XCTAssertTrue(pods.filter { $0.nodeName != lost.name }.allSatisfy { self.isRunning($0, in: rig) })
            // It is still dialled.
            XCTAssertTrue(rig.isDialled(pods[1], by: "web"))
            rig.cluster.setControlPlane(isDown: false)
            try await rig.wait(.seconds(40))
            XCTAssertEqual(rig.pod(pods[0].name)?.restartCount, 1, "the kubelet has told what happened")
            // A controller that starts gives each node its whole grace.
            XCTAssertEqual(rig.node(lost.name)?.ready, .true)
            try await rig.wait(.seconds(60))
            XCTAssertEqual(rig.node(lost.name)?.ready, .unknown)
            try await rig.untilReady("web", 3, within: .seconds(400))
        }
    }

    func testAControlPlaneNeedsMoreThanHalfOfItsNodes() throws {
        try onCluster { rig in
            rig.cluster.placeControlPlane(on: ["vm-1", "vm-2", "vm-3"])
            try rig.deploy("web", replicas: 3)
            try await rig.untilReady("web", 3)
            rig.cluster.powerOff(rig.cluster.nodes[0])
            XCTAssertTrue(rig.cluster.isAnswering)
            rig.cluster.cutOff(rig.cluster.nodes[1])
            XCTAssertFalse(rig.cluster.isAnswering)
            rig.cluster.reconnect(rig.cluster.nodes[1])
            try await rig.wait(.seconds(60))
            XCTAssertTrue(rig.cluster.isAnswering)
            XCTAssertTrue(rig.cluster.areControllersRunning)
        }
    }

    // The control plane comes back first; until then kubelets have nobody to tell them what they ran.
    func testAfterARestartOfAllVMsPodsStartAgainInPlace() throws {
        try onCluster { rig in
            rig.cluster.placeControlPlane(on: ["vm-1", "vm-2", "vm-3"])
            try rig.deploy("web", replicas: 3)
            try rig.deployStateful("db", replicas: 3)
            try await rig.untilReady("web", 3)
            try await rig.untilReady("db", 3)
            let before = (rig.pods("web") + rig.pods("db")).map(\.uid)
            rig.cluster.restartAll()
            XCTAssertFalse(rig.cluster.isAnswering)
            _ = try await rig.until("restarted", within: .seconds(120)) {
                let pods = rig.pods("web") + rig.pods("db")
                return pods.map(\.uid) == before && pods.allSatisfy { $0.isReady && $0.restartCount == 1 }
            }
        }
    }

    // Nobody knows any more what was to run: kubelets end it.
    func testWithTheStoresVolumeEverythingIsLost() throws {
        try onCluster { rig in
            rig.cluster.placeControlPlane(on: ["vm-1"])
            try rig.deploy("web", replicas: 3)
            try await rig.untilReady("web", 3)
            let pods = rig.pods("web")
            rig.cluster.loseStoreVolume(of: "vm-1")
            try await rig.wait(.seconds(120))
            XCTAssertTrue(rig.cluster.areControllersRunning)
            XCTAssertEqual(try rig.cluster.list(Deployment.self).count, 0)
            XCTAssertEqual(try rig.cluster.list(Node.self).count, 0)
            XCTAssertFalse(pods.contains { self.isRunning($0, in: rig) })
            // Kubelets that are started anew register their nodes; people deploy again.
            for node in rig.cluster.nodes {
                rig.cluster.stopKubelet(of: node)
                rig.cluster.startKubelet(of: node)
            }
            try await rig.wait(.seconds(10))
            XCTAssertEqual(try rig.cluster.list(Node.self).count, 3)
            try rig.deploy("web", replicas: 3)
            try await rig.untilReady("web", 3)
        }
    }

    func testAMinorityOfTheStoresVolumesMayBeLost() throws {
        try onCluster { rig in
            rig.cluster.placeControlPlane(on: ["vm-1", "vm-2", "vm-3"])
            try rig.deploy("web", replicas: 3)
            try await rig.untilReady("web", 3)
            rig.cluster.loseStoreVolume(of: "vm-1")
            try await rig.wait(.seconds(60))
            XCTAssertEqual(rig.readyPods("web").count, 3)
            // A new disk has no copy either.
            rig.cluster.loseDisk(of: rig.cluster.nodes[1])
            rig.cluster.powerOn(rig.cluster.nodes[1])
            try await rig.wait(.seconds(60))
            XCTAssertEqual(try rig.cluster.list(Deployment.self).count, 0)
        }
    }

    // MARK: Faults as data

    // Whatever was begun and ended leaves a cluster as it was: all pods ready, all nodes open, nothing lasting.
    func testEveryFaultThatLastsIsTakenBackByItsEnd() throws {
        let faults: [ClusterFault] = [
            .powerLoss(node: "vm-1"), .diskLoss(node: "vm-1"), .deadKubelet(node: "vm-1"), .deadRuntime(node: "vm-1"),
            .isolation(node: "vm-1"), .wrongClock(node: "vm-1", offset: .seconds(60), drift: 1000),
            .drain(node: "vm-1", timeout: .seconds(60)), .cordon(node: "vm-1"), .outOfService(node: "vm-1"),
            .registryDown, .controlPlaneDown,
        ]
        for fault in faults {
            XCTAssertTrue(fault.lasts, "\(fault)")
            try onCluster { rig in
                try rig.deploy("web", replicas: 3)
                try await rig.untilReady("web", 3)
                let before = rig.cluster.nodes[0]
                try rig.cluster.begin(fault)
                try await rig.wait(.seconds(120))
                try rig.cluster.end(fault)
                try await rig.wait(.seconds(500))
                XCTAssertEqual(rig.readyPods("web").count, 3, "\(fault)")
                XCTAssertEqual(rig.node("vm-1")?.taints, [], "\(fault)")
                XCTAssertEqual(rig.node("vm-1")?.isUnschedulable, false, "\(fault)")
                XCTAssertEqual(rig.node("vm-1")?.ready, .true, "\(fault)")
                XCTAssertTrue(before.isPowered && before.isKubeletUp && before.isRuntimeUp, "\(fault)")
                XCTAssertTrue(!before.isCutOff && before.clockError == .zero, "\(fault)")
                XCTAssertTrue(rig.cluster.areControllersRunning && !rig.cluster.registry.isDown, "\(fault)")
                XCTAssertEqual(rig.cluster.violations(), [], "\(fault)")
            }
        }
    }

    func testAFaultOfWhatIsNotThereIsNamed() throws {
        try onCluster { rig in
            for fault: ClusterFault in [
                .powerLoss(node: "vm-9"), .drain(node: "vm-9", timeout: nil), .storeLoss(node: "vm-9"),
                .eviction(pod: ObjectKey("default", "nobody")),
            ] {
                XCTAssertThrowsError(try rig.cluster.begin(fault), "\(fault)") { error in
                    XCTAssertEqual((error as? APIError)?.code, 404, "\(error)")
                }
            }
        }
    }

    // MARK: Registry

    private func registryCluster(volume: Bool, _ script: @escaping (ClusterRig) async throws -> Void) throws {
        try onCluster { rig in
            let cluster = rig.cluster
            for node in cluster.nodes { cluster.load("registry/registry:1", on: node) }
            if volume {
                try rig.deployStateful("registry", replicas: 1, storage: .network)
            } else {
                try rig.deploy("registry", replicas: 1)
            }
            cluster.registry.placement = .service(ObjectKey("default", "registry"))
            try await rig.untilReady("registry", 1)
            try await rig.wait(.seconds(2))
            XCTAssertTrue(cluster.registry.push("registry/web:1", in: cluster))
            try rig.deploy("web", replicas: 1)
            try await rig.untilReady("web", 1)
            try await script(rig)
        }
    }

    // The lecture's lesson: everything is up again, and the containers are not found.
    func testARegistryWithoutAVolumeForgetsItsImagesWithItsPod() throws {
        try registryCluster(volume: false) { rig in
            try rig.cluster.delete(Pod.self, rig.pods("registry")[0].name)
            try await rig.untilReady("registry", 1)
            let node = try rig.machine(of: rig.pods("web")[0])
            rig.cluster.drain(node.name)
            try await rig.wait(.seconds(120))
            XCTAssertEqual(rig.readyPods("web").count, 0)
            XCTAssertTrue(["ErrImagePull", "ImagePullBackOff"].contains(rig.pods("web").last?.statusText ?? ""))
            XCTAssertTrue(rig.cluster.events.contains { $0.message.contains("manifest unknown") })
            // Where the image lies on the disk already, nobody misses it.
            try rig.cluster.uncordon(node.name)
            try rig.cluster.delete(Pod.self, rig.pods("web")[0].name)
            for other in rig.cluster.nodes where other !== node { try rig.cluster.cordon(other.name) }
            try await rig.wait(.seconds(60))
            XCTAssertEqual(rig.readyPods("web").count, 1)
        }
    }

    func testARegistryWithAVolumeKeepsItsImages() throws {
        try registryCluster(volume: true) { rig in
            try rig.cluster.delete(Pod.self, "registry-0")
            try await rig.wait(.seconds(60))
            let node = try rig.machine(of: rig.pods("web")[0])
            rig.cluster.drain(node.name)
            try await rig.wait(.seconds(120))
            XCTAssertEqual(rig.readyPods("web").count, 1)
        }
    }

    // MARK: Machines

    // Its containers go on; the API believes that they do not, and replaces them after five minutes.
    func testADeadKubeletsContainersGoOn() throws {
        try onCluster { rig in
            try rig.deploy("web", replicas: 3)
            try await rig.untilReady("web", 3)
            let pod = rig.pods("web")[0]
            let node = try rig.machine(of: pod)
            rig.cluster.stopKubelet(of: node)
            try await rig.wait(.seconds(400))
            XCTAssertEqual(rig.readyPods("web").count, 3)
            XCTAssertEqual(rig.pod(pod.name)?.metadata.isTerminating, true)
            XCTAssertTrue(self.isRunning(pod, in: rig))
            rig.cluster.startKubelet(of: node)
            try await rig.wait(.seconds(30))
            XCTAssertNil(rig.pod(pod.name))
            XCTAssertFalse(self.isRunning(pod, in: rig))
        }
    }

    func testADeadRuntimeMakesItsNodeNotReadyAndItsContainersGoOn() throws {
        try onCluster { rig in
            try rig.deploy("web", replicas: 3)
            try await rig.untilReady("web", 3)
            let pod = rig.pods("web")[0]
            let node = try rig.machine(of: pod)
            rig.cluster.stopRuntime(of: node)
            let time = try await rig.until("not ready", within: .seconds(60)) { rig.node(node.name)?.ready == .false }
            XCTAssertTrue((30...40.1).contains(time), "\(time)")
            XCTAssertTrue(self.isRunning(pod, in: rig))
            try await rig.wait(.seconds(10))
            XCTAssertTrue(rig.has(node.name, taint: Taint.notReady, .noExecute))
            rig.cluster.startRuntime(of: node)
            try await rig.wait(.seconds(20))
            XCTAssertEqual(rig.node(node.name)?.ready, .true)
            XCTAssertEqual(rig.node(node.name)?.taints, [])
            XCTAssertEqual(rig.pod(pod.name)?.restartCount, 0)
            XCTAssertEqual(rig.readyPods("web").count, 3)
        }
    }

    // Each time that it is back it renews its lease: the grace counts from there.
    func testANodeThatFallsSilentAgainAndAgainIsNotNoticedEarly() throws {
        for seed in 1...20 {
            try onCluster(seed: Seed(UInt64(seed))) { rig in
                let node = rig.cluster.nodes[0]
                for _ in 0..<5 {
                    rig.cluster.cutOff(node)
                    try await rig.wait(.seconds(30))
                    rig.cluster.reconnect(node)
                    try await rig.wait(.seconds(8))
                    XCTAssertEqual(rig.node(node.name)?.ready, .true)
                }
                rig.cluster.cutOff(node)
                let time = try await rig.until("Unknown", within: .seconds(90)) {
                    rig.node(node.name)?.ready == .unknown
                }
                XCTAssertTrue((40...60).contains(time), "\(time)")
            }
        }
    }

    // Its kubelet asks until it is answered.
    func testANodeThatIsAddedWithoutAControlPlaneRegistersLater() throws {
        try onCluster { rig in
            rig.cluster.setControlPlane(isDown: true)
            rig.cluster.addNode("vm-4")
            try await rig.wait(.seconds(60))
            rig.cluster.setControlPlane(isDown: false)
            try await rig.wait(.seconds(60))
            XCTAssertEqual(rig.node("vm-4")?.ready, .true)
            try rig.deploy("web", replicas: 4)
            try await rig.untilReady("web", 4)
            XCTAssertTrue(rig.pods("web").contains { $0.nodeName == "vm-4" })
        }
    }

    // It still dials the pod that the others know to be gone.
    func testANodeThatIsCutOffLearnsNothingNew() throws {
        try onCluster { rig in
            try rig.deploy("web", replicas: 3)
            try await rig.untilReady("web", 3)
            try await rig.wait(.seconds(5))
            let pods = rig.pods("web")
            let away = try rig.machine(of: pods[0])
            rig.cluster.cutOff(away)
            let gone = pods.first { $0.nodeName != away.name } ?? pods[1]
            try rig.cluster.delete(Pod.self, gone.name)
            try await rig.wait(.seconds(30))
            let key = ObjectKey("default", "web")
            XCTAssertTrue(rig.cluster.endpoints(of: key, from: away).contains { $0.podUID == gone.uid })
            let other = rig.cluster.nodes.first { $0 !== away } ?? away
            XCTAssertFalse(rig.cluster.endpoints(of: key, from: other).contains { $0.podUID == gone.uid })
            rig.cluster.reconnect(away)
            try await rig.wait(.seconds(2))
            XCTAssertFalse(rig.cluster.endpoints(of: key, from: away).contains { $0.podUID == gone.uid })
        }
    }

    // The controller measures by its own clock when it last saw a change.
    func testANodeWhoseClockIsWrongIsNotTakenForDead() throws {
        try onCluster { rig in
            try rig.deploy("web", replicas: 3)
            try await rig.untilReady("web", 3)
            let node = rig.cluster.nodes[0]
            rig.cluster.skewClock(of: node, by: .seconds(-3600), driftNanosecondsPerSecond: 1_000_000)
            try await rig.wait(.seconds(1000))
            XCTAssertEqual(rig.node(node.name)?.ready, .true)
            XCTAssertEqual(node.clockError, .seconds(-3599))
            XCTAssertEqual(rig.readyPods("web").count, 3)
            rig.cluster.unskewClock(of: node)
            XCTAssertEqual(node.clockError, .zero)
        }
    }

    func testANewDiskHasNoImages() throws {
        try onCluster(nodes: 1) { rig in
            try rig.deploy("web", replicas: 1)
            try await rig.untilReady("web", 1)
            rig.cluster.loseDisk(of: rig.cluster.nodes[0])
            rig.cluster.setRegistry(isDown: true)
            rig.cluster.powerOn(rig.cluster.nodes[0])
            try await rig.wait(.seconds(120))
            let status = rig.pods("web").first?.statusText ?? ""
            XCTAssertTrue(["ErrImagePull", "ImagePullBackOff"].contains(status), status)
            rig.cluster.setRegistry(isDown: false)
            try await rig.untilReady("web", 1, within: .seconds(400))
        }
    }

    // At rest nothing happens: no heartbeat, no probe, no look at anything is an event.
    func testAtRestThereIsNoEvent() throws {
        try onCluster { rig in
            try rig.deploy("web", replicas: 10, budget: .minAvailable(.count(9)))
            try rig.deployStateful("db", replicas: 3, storage: .network)
            try await rig.untilReady("web", 10)
            try await rig.untilReady("db", 3)
            // Until the last watch over a rollout's progress is over.
            try await rig.wait(.seconds(700))
            XCTAssertEqual(rig.simulation.pendingEvents, 0)
        }
    }

    func testARunThatFailsTellsHowThingsStandInTheCluster() throws {
        let rig = ClusterRig(seed: 1)
        let outcome = try rig.simulation.run {
            try rig.deploy("web", replicas: 1)
            rig.cluster.powerOff(rig.cluster.nodes[0])
            try await rig.wait(.seconds(1))
            rig.simulation.stop("seen enough")
            try await rig.wait(.seconds(1))
        }
        XCTAssertTrue(outcome.worldReport.contains("node vm-1: has no power, ready True"), "\(outcome.worldReport)")
    }
}
