import SimulatedCluster
import SimulationKernel
import Torture
import XCTest

/// What controllers make of what they are asked for.
final class ControllerTests: XCTestCase {
    private func onCluster(
        nodes: Int = 3, zones: Int = 1, seed: Seed = 1, containers: ModelRuntime = ModelRuntime(),
        _ script: @escaping (ClusterRig) async throws -> Void
    ) throws {
        let rig = ClusterRig(seed: seed, nodes: nodes, zones: zones, containers: containers)
        _ = try rig.run { try await script(rig) }
        XCTAssertEqual(rig.cluster.violations(), [])
    }

    // MARK: Deployments

    // 25 % of 4: one too many, one too few.
    func testARolloutStaysWithinItsSurgeAndItsLack() throws {
        try onCluster { rig in
            try rig.deploy("web", replicas: 4)
            try await rig.untilReady("web", 4)
            try await rig.wait(.seconds(5))
            let before = Set(rig.pods("web").map(\.uid))
            try rig.cluster.restart(deployment: "web")
            var (most, fewest) = (0, 4)
            _ = try await rig.until("rolled out", within: .seconds(300)) {
                let active = rig.pods("web").filter(\.isActive)
                most = max(most, active.count)
                fewest = min(fewest, active.count(where: \.isReady))
                return active.count == 4 && active.allSatisfy { !before.contains($0.uid) && $0.isReady }
            }
            XCTAssertEqual(most, 5)
            XCTAssertEqual(fewest, 3)
        }
    }

    // The broken version never becomes ready: at most what may lack is lost, and after ten minutes somebody says so.
    func testARolloutOfABrokenImageStopsAndIsTold() throws {
        var broken = ContainerModel()
        broken.lifetime = .fixed(.seconds(1))
        try onCluster(containers: ModelRuntime(["registry/web:2": broken])) { rig in
            try rig.deploy("web", replicas: 4)
            try await rig.untilReady("web", 4)
            try rig.cluster.patch(Deployment.self, "web") { $0.template.spec.containers[0].image = "registry/web:2" }
            try await rig.wait(.seconds(590))
            XCTAssertEqual(rig.readyPods("web").count, 3)
            XCTAssertFalse(try rig.cluster.get(Deployment.self, "web").hasExceededDeadline)
            try await rig.wait(.seconds(60))
            XCTAssertTrue(try rig.cluster.get(Deployment.self, "web").hasExceededDeadline)
            // Back to what worked: its replica set is still there.
            let sets = try rig.cluster.list(ReplicaSet.self).count
            try rig.cluster.patch(Deployment.self, "web") { $0.template.spec.containers[0].image = "registry/web:1" }
            try await rig.untilReady("web", 4)
            try await rig.wait(.seconds(120))
            XCTAssertTrue(try rig.cluster.get(Deployment.self, "web").isComplete)
            XCTAssertEqual(try rig.cluster.list(ReplicaSet.self).count, sets)
        }
    }

    func testARecreatingDeploymentNeverRunsBothVersions() throws {
        try onCluster { rig in
            try rig.deploy("web", replicas: 3)
            try await rig.untilReady("web", 3)
            let before = Set(rig.pods("web").map(\.uid))
            try rig.cluster.patch(Deployment.self, "web") {
                $0.strategy = .recreate
                $0.template.spec.containers[0].image = "registry/web:2"
            }
            _ = try await rig.until("recreated", within: .seconds(300)) {
                let pods = rig.pods("web")
                let (old, new) = (pods.count { before.contains($0.uid) }, pods.count { !before.contains($0.uid) })
                XCTAssertTrue(old == 0 || new == 0, "\(old) old and \(new) new pods")
                return new == 3 && pods.allSatisfy(\.isReady)
            }
        }
    }

    func testADeletedDeploymentTakesItsPodsAlongAndAnOrphaningDeletionDoesNot() throws {
        try onCluster { rig in
            try rig.deploy("gone", replicas: 2)
            try rig.deploy("kept", replicas: 2)
            try await rig.untilReady("gone", 2)
            try await rig.untilReady("kept", 2)
            try rig.cluster.delete(Deployment.self, "gone")
            try rig.cluster.delete(Deployment.self, "kept", propagation: .orphan)
            try await rig.wait(.seconds(60))
            XCTAssertEqual(rig.pods("gone").count, 0)
            XCTAssertEqual(rig.readyPods("kept").count, 2)
            XCTAssertEqual(try rig.cluster.list(ReplicaSet.self).count, 1)
        }
    }

    func testScalingDownTakesPodsThatAreNotReadyFirst() throws {
        try onCluster { rig in
            try rig.deploy("web", replicas: 4)
            try await rig.untilReady("web", 4)
            let sick = rig.pods("web")[2]
            rig.containers.setHealth(.failing, ofPod: sick.key)
            try await rig.wait(.seconds(60))
            try rig.cluster.scale(deployment: "web", to: 3)
            try await rig.wait(.seconds(30))
            XCTAssertNil(rig.pod(sick.name))
            XCTAssertEqual(rig.readyPods("web").count, 3)
        }
    }

    // MARK: Stateful sets

    func testPodsOfAStatefulSetComeOneAfterTheOtherAndGoInReverse() throws {
        try onCluster { rig in
            try rig.deployStateful("db", replicas: 3, storage: .network)
            var most = 0
            _ = try await rig.until("three", within: .seconds(300)) {
                let pods = rig.pods("db")
                if pods.count > most {
                    XCTAssertTrue(pods.dropLast().allSatisfy(\.isReady), "each waits for the one before it")
                    most = pods.count
                }
                return rig.readyPods("db").count == 3
            }
            XCTAssertEqual(rig.pods("db").map(\.name), ["db-0", "db-1", "db-2"])
            try rig.cluster.patch(StatefulSet.self, "db") { $0.replicas = 1 }
            _ = try await rig.until("one", within: .seconds(300)) {
                XCTAssertLessThanOrEqual(rig.pods("db").count { $0.metadata.isTerminating }, 1)
                return rig.pods("db").count == 1
            }
            XCTAssertEqual(rig.pods("db").map(\.name), ["db-0"])
            XCTAssertEqual(try rig.cluster.list(PersistentVolumeClaim.self).count, 3, "claims stay")
        }
    }

    func testAnUpdateOfAStatefulSetReplacesTheHighestFirstAndKeepsVolumes() throws {
        try onCluster { rig in
            try rig.deployStateful("db", replicas: 3, storage: .network)
            try await rig.untilReady("db", 3)
            let volumes = try rig.cluster.list(PersistentVolumeClaim.self).map(\.volume)
            try rig.cluster.patch(StatefulSet.self, "db") { $0.template.spec.containers[0].image = "registry/db:2" }
            var order: [String] = []
            _ = try await rig.until("updated", within: .seconds(600)) {
                for pod in rig.pods("db") where pod.metadata.isTerminating && !order.contains(pod.name) {
                    order.append(pod.name)
                }
                return rig.readyPods("db").count { $0.spec.containers[0].image == "registry/db:2" } == 3
            }
            XCTAssertEqual(order, ["db-2", "db-1", "db-0"])
            XCTAssertEqual(try rig.cluster.list(PersistentVolumeClaim.self).map(\.volume), volumes)
        }
    }

    // Its ordinal comes first: as long as it is stuck, nothing happens to those above.
    func testAStuckPodBlocksAllHigherOnes() throws {
        try onCluster { rig in
            try rig.deployStateful("db", replicas: 3)
            try await rig.untilReady("db", 3)
            guard let first = rig.pod("db-0") else { return XCTFail("there is no db-0") }
            rig.cluster.powerOff(try rig.machine(of: first))
            try await rig.wait(.seconds(400))
            try rig.cluster.delete(Pod.self, "db-2", grace: .zero)
            try await rig.wait(.seconds(600))
            XCTAssertTrue(rig.pod("db-0")?.metadata.isTerminating ?? false)
            XCTAssertNil(rig.pod("db-2"))
        }
    }

    func testAPodWithALocalVolumeCannotMove() throws {
        try onCluster { rig in
            try rig.deployStateful("db", replicas: 1, storage: .local)
            try await rig.untilReady("db", 1)
            let node = try rig.machine(of: rig.pods("db")[0])
            rig.cluster.drain(node.name)
            try await rig.wait(.seconds(120))
            XCTAssertEqual(rig.pod("db-0")?.statusText, "Pending")
            let why = rig.cluster.events.last { $0.reason == "FailedScheduling" }?.message ?? ""
            XCTAssertTrue(why.contains("volume node affinity conflict"), why)
            try rig.cluster.uncordon(node.name)
            try await rig.untilReady("db", 1)
            XCTAssertEqual(rig.pod("db-0")?.nodeName, node.name)
        }
    }

    // MARK: Daemon sets and jobs

    func testADaemonSetHasAPodOnEachNodeAndNewOnes() throws {
        try onCluster { rig in
            try rig.cluster.create(
                DaemonSet("agent", namespace: "default", template: ClusterRig.template("agent")))
            try await rig.untilReady("agent", 3)
            try rig.cluster.cordon("vm-1")
            rig.cluster.addNode("vm-4")
            try await rig.untilReady("agent", 4)
            XCTAssertEqual(Set(rig.pods("agent").map(\.nodeName)).count, 4)
            try rig.cluster.patch(DaemonSet.self, "agent") { $0.template.spec.containers[0].image = "registry/agent:2" }
            let old = Set(rig.pods("agent").map(\.uid))
            var fewest = 4
            _ = try await rig.until("updated", within: .seconds(300)) {
                fewest = min(fewest, rig.readyPods("agent").count)
                return rig.readyPods("agent").count { !old.contains($0.uid) } == 4
            }
            XCTAssertEqual(fewest, 3, "one at a time")
        }
    }

    func testPodsOfADaemonSetAreNeverEvictedFromANodeThatFailed() throws {
        try onCluster { rig in
            try rig.cluster.create(
                DaemonSet("agent", namespace: "default", template: ClusterRig.template("agent")))
            try await rig.untilReady("agent", 3)
            rig.cluster.powerOff(rig.cluster.nodes[0])
            try await rig.wait(.seconds(900))
            XCTAssertEqual(rig.pods("agent").count { $0.metadata.isTerminating }, 0)
        }
    }

    func testAJobRunsUntilEnoughPodsHaveEndedWell() throws {
        var task = ContainerModel()
        task.lifetime = .fixed(.seconds(5))
        task.exitCode = 0
        try onCluster(containers: ModelRuntime(["registry/task:1": task])) { rig in
            try rig.cluster.create(
                Job(
                    "task", namespace: "default", completions: 5, parallelism: 2,
                    template: ClusterRig.template("task")))
            var most = 0
            _ = try await rig.until("complete", within: .seconds(300)) {
                most = max(most, rig.pods("task").count(where: \.isActive))
                return (try? rig.cluster.get(Job.self, "task"))?.isComplete ?? false
            }
            XCTAssertEqual(most, 2)
            XCTAssertEqual(rig.pods("task").count { $0.phase == .succeeded }, 5)
        }
    }

    func testAJobThatFailsWaitsLongerEachTimeAndGivesUp() throws {
        var task = ContainerModel()
        task.lifetime = .fixed(.seconds(1))
        try onCluster(containers: ModelRuntime(["registry/task:1": task])) { rig in
            var job = Job("task", namespace: "default", template: ClusterRig.template("task"))
            job.backoffLimit = 3
            try rig.cluster.create(job)
            let time = try await rig.until("given up", within: .seconds(600)) {
                (try? rig.cluster.get(Job.self, "task"))?.hasFailed ?? false
            }
            // 10, 20 and 40 s between four pods.
            XCTAssertTrue((70...95).contains(time), "\(time)")
            XCTAssertEqual(rig.pods("task").count, 4)
        }
    }

    // MARK: Scheduling

    func testPodsSpreadOverNodesAndFillThem() throws {
        try onCluster { rig in
            try rig.deploy("web", replicas: 6)
            try await rig.untilReady("web", 6)
            for node in rig.cluster.nodes { XCTAssertEqual(rig.pods("web").count { $0.nodeName == node.name }, 2) }
            // 4,000 thousandths on each of three nodes: 15 pods of 700 fit beside 6 of 100.
            try rig.deploy("big", replicas: 20, template: ClusterRig.template("big", cpu: 700))
            try await rig.wait(.seconds(200))
            XCTAssertEqual(rig.readyPods("big").count, 15)
            let why = rig.cluster.events.last { $0.reason == "FailedScheduling" }?.message
            XCTAssertEqual(why, "0/3 nodes are available: 3 Insufficient cpu")
            // Room is made: those that wait get it.
            try rig.cluster.scale(deployment: "web", to: 0)
            rig.cluster.addNode("vm-4")
            try await rig.untilReady("big", 20, within: .seconds(60))
        }
    }

    func testADemandedSpreadKeepsAPodWaiting() throws {
        try onCluster(nodes: 4, zones: 2) { rig in
            let template = ClusterRig.template("web") {
                $0.spread = [SpreadConstraint(.zone, isRequired: true, selector: ["app": "web"])]
            }
            for node in rig.cluster.nodes where node.name == "vm-1" || node.name == "vm-3" {
                try rig.cluster.cordon(node.name)
            }
            try rig.deploy("web", replicas: 4, template: template)
            try await rig.wait(.seconds(60))
            // Zone 1 is closed: beyond one pod ahead, zone 2 takes none.
            XCTAssertEqual(rig.readyPods("web").count, 1)
            try rig.cluster.uncordon("vm-1")
            try await rig.untilReady("web", 4, within: .seconds(60))
        }
    }

    func testPodsThatDoNotWantEachOtherLieOnDifferentNodes() throws {
        try onCluster { rig in
            let template = ClusterRig.template("web") { $0.antiAffinity = ["app": "web"] }
            try rig.deploy("web", replicas: 4, template: template)
            try await rig.wait(.seconds(60))
            XCTAssertEqual(rig.readyPods("web").count, 3)
            XCTAssertEqual(Set(rig.readyPods("web").map(\.nodeName)).count, 3)
        }
    }

    func testNothingMovesBackToANodeThatIsUncordoned() throws {
        try onCluster { rig in
            try rig.deploy("web", replicas: 6)
            try await rig.untilReady("web", 6)
            let drain = rig.cluster.drain("vm-1")
            _ = try await rig.until("drained", within: .seconds(60)) { drain.result != nil }
            try rig.cluster.uncordon("vm-1")
            try await rig.untilReady("web", 6)
            try await rig.wait(.seconds(600))
            XCTAssertEqual(rig.pods("web").count { $0.nodeName == "vm-1" }, 0)
        }
    }

    func testAPodWaitsForItsConfigMap() throws {
        try onCluster { rig in
            let template = ClusterRig.template("web") {
                $0.volumes = [.configMap(name: "settings", configMap: "settings")]
            }
            try rig.deploy("web", replicas: 1, template: template)
            try await rig.wait(.seconds(60))
            XCTAssertEqual(rig.pods("web").map(\.statusText), ["ContainerCreating"])
            try rig.cluster.create(ConfigMap("settings", namespace: "default", data: [:]))
            try await rig.untilReady("web", 1, within: .seconds(30))
        }
    }

    // MARK: Drain's own rules

    // Nobody there can say that its pods have ended.
    func testADrainOfAFailedNodeWaitsForPodsThatAreNeverGone() throws {
        try onCluster { rig in
            try rig.deployStateful("db", replicas: 3)
            try await rig.untilReady("db", 3)
            let node = try rig.machine(of: rig.pods("db")[0])
            rig.cluster.powerOff(node)
            try await rig.wait(.seconds(500))
            let hanging = rig.cluster.drain(node.name)
            try await rig.wait(.seconds(600))
            XCTAssertNil(hanging.result)
            hanging.cancel()
            var options = DrainOptions()
            options.skipsDeletedAfter = .seconds(60)
            let skipping = rig.cluster.drain(node.name, options: options)
            XCTAssertEqual(skipping.result, .drained(after: .zero))
        }
    }

    func testADrainThatPodsStandInTheWayOfCordonsAndEvictsNobody() throws {
        try onCluster { rig in
            try rig.cluster.create(
                Pod(Metadata("bare", namespace: "default"), spec: PodSpec([ContainerSpec("c", image: "r/c:1")])))
            try await rig.wait(.seconds(30))
            guard let node = rig.pod("bare")?.nodeName else { return XCTFail("it has no node") }
            let drain = rig.cluster.drain(node)
            XCTAssertEqual(
                drain.result,
                .refused(["cannot delete Pods that declare no controller (use --force): default/bare"]))
            XCTAssertEqual(rig.node(node)?.isUnschedulable, true)
            try await rig.wait(.seconds(60))
            XCTAssertEqual(rig.pod("bare")?.isReady, true)
        }
    }
}
