import SimulatedCluster
import SimulationKernel
import Torture
import XCTest

/// The API's semantics: versions, conflicts, watches, finalizers, deletion.
final class APITests: XCTestCase {
    private func onCluster(_ script: @escaping (ClusterRig) async throws -> Void) throws {
        let rig = ClusterRig(seed: 1)
        _ = try rig.run { try await script(rig) }
    }

    private func assertThrows<Value>(
        _ code: Int, _ body: @autoclosure () throws -> Value, file: StaticString = #filePath, line: UInt = #line
    ) {
        XCTAssertThrowsError(try body(), file: file, line: line) { error in
            XCTAssertEqual((error as? APIError)?.code, code, "\(error)", file: file, line: line)
        }
    }

    func testAChangeOfWhatSomebodyElseHasChangedIsAConflict() throws {
        try onCluster { rig in
            try rig.cluster.create(ConfigMap("map", namespace: "default", data: ["key": "old"]))
            let read = try rig.cluster.get(ConfigMap.self, "map")
            try rig.cluster.patch(ConfigMap.self, "map") { $0.data["key"] = "theirs" }
            var mine = read
            mine.data["key"] = "mine"
            self.assertThrows(409, try rig.cluster.replace(mine))
            var again = try rig.cluster.get(ConfigMap.self, "map")
            XCTAssertEqual(again.data["key"], "theirs")
            again.data["key"] = "mine"
            let written = try rig.cluster.replace(again)
            XCTAssertGreaterThan(written.metadata.resourceVersion, again.metadata.resourceVersion)
        }
    }

    // Two that want one lease: who read the older version does not get it.
    func testALeaseIsGivenToOneOfTwo() throws {
        try onCluster { rig in
            try rig.cluster.create(
                Lease("leader", namespace: "default", holder: nil, duration: .seconds(15), renewed: rig.cluster.now))
            var (first, second) = (
                try rig.cluster.get(Lease.self, "leader"), try rig.cluster.get(Lease.self, "leader")
            )
            first.holder = "a"
            second.holder = "b"
            try rig.cluster.replace(first)
            self.assertThrows(409, try rig.cluster.replace(second))
            XCTAssertEqual(try rig.cluster.get(Lease.self, "leader").holder, "a")
        }
    }

    // Latencies differ from change to change; the order must not.
    func testAWatchTellsAllChangesInTheirOrder() throws {
        try onCluster { rig in
            var seen: [(ChangeType, UInt64)] = []
            let version = rig.cluster.resourceVersion
            let stop = try rig.cluster.watch(ConfigMap.self, after: version) {
                seen.append(($0.type, $0.resourceVersion))
            }
            try rig.cluster.create(ConfigMap("map", namespace: "default", data: [:]))
            for number in 0..<50 { try rig.cluster.patch(ConfigMap.self, "map") { $0.data["n"] = "\(number)" } }
            try rig.cluster.delete(ConfigMap.self, "map")
            XCTAssertEqual(seen.count, 0, "nobody is told within the call")
            try await rig.wait(.seconds(1))
            XCTAssertEqual(seen.map(\.0), [.added] + Array(repeating: .modified, count: 50) + [.deleted])
            XCTAssertEqual(seen.map(\.1), seen.map(\.1).sorted())
            stop()
            try rig.cluster.create(ConfigMap("map", namespace: "default", data: [:]))
            try await rig.wait(.seconds(1))
            XCTAssertEqual(seen.count, 52)
        }
    }

    func testAWatchFromAnOldVersionTellsWhatHappenedSince() throws {
        try onCluster { rig in
            try rig.cluster.create(ConfigMap("a", namespace: "default", data: [:]))
            let version = rig.cluster.resourceVersion
            try rig.cluster.create(ConfigMap("b", namespace: "default", data: [:]))
            try rig.cluster.create(ConfigMap("c", namespace: "kube-system", data: [:]))
            var seen: [String] = []
            _ = try rig.cluster.watch(ConfigMap.self, namespace: "default", after: version) {
                seen.append($0.object.name)
            }
            try await rig.wait(.seconds(1))
            XCTAssertEqual(seen, ["b"])
        }
    }

    func testAWatchFromATooOldVersionIsGone() throws {
        var settings = ClusterSettings()
        settings.watchHistory = 10
        let rig = ClusterRig(seed: 1, settings: settings)
        _ = try rig.run {
            for number in 0..<20 { try rig.cluster.create(ConfigMap("\(number)", namespace: "default", data: [:])) }
            let version = rig.cluster.resourceVersion
            self.assertThrows(410, try rig.cluster.watch(ConfigMap.self, after: version - 11) { _ in })
            _ = try rig.cluster.watch(ConfigMap.self, after: version - 10) { _ in }
        }
    }

    func testAnObjectWithAFinalizerGoesWhenTheFinalizerHasGone() throws {
        try onCluster { rig in
            var map = ConfigMap("map", namespace: "default", data: [:])
            map.metadata.finalizers = ["example.org/hold"]
            try rig.cluster.create(map)
            try rig.cluster.delete(ConfigMap.self, "map")
            XCTAssertTrue(try rig.cluster.get(ConfigMap.self, "map").metadata.isTerminating)
            try rig.cluster.patch(ConfigMap.self, "map") { $0.metadata.finalizers = [] }
            self.assertThrows(404, try rig.cluster.get(ConfigMap.self, "map"))
        }
    }

    // The kubelet has ended it; only the finalizer keeps the object.
    func testAPodWithAFinalizerEndsAndItsObjectWaits() throws {
        try onCluster { rig in
            try rig.cluster.create(
                Pod(Metadata("pod", namespace: "default"), spec: PodSpec([ContainerSpec("c", image: "r/c:1")])))
            try rig.cluster.patch(Pod.self, "pod") { $0.metadata.finalizers = ["example.org/hold"] }
            try await rig.wait(.seconds(30))
            try rig.cluster.delete(Pod.self, "pod")
            try await rig.wait(.seconds(60))
            XCTAssertFalse(try rig.cluster.get(Pod.self, "pod").isReady)
            try rig.cluster.patch(Pod.self, "pod") { $0.metadata.finalizers = [] }
            self.assertThrows(404, try rig.cluster.get(Pod.self, "pod"))
        }
    }

    // The container does not heed SIGTERM: only the grace ends it.
    func testASecondDeletionShortensTheGraceAndNeverProlongsIt() throws {
        var deaf = ContainerModel()
        deaf.shutdown = nil
        let rig = ClusterRig(seed: 1, containers: ModelRuntime([:], standard: deaf))
        _ = try rig.run {
            let spec = PodSpec([ContainerSpec("c", image: "r/c:1")])
            for name in ["long", "short"] {
                try rig.cluster.create(Pod(Metadata(name, namespace: "default"), spec: spec))
            }
            try await rig.wait(.seconds(30))
            for name in ["long", "short"] { try rig.cluster.delete(Pod.self, name) }
            try await rig.wait(.seconds(2))
            try rig.cluster.delete(Pod.self, "long", grace: .seconds(600))
            try rig.cluster.delete(Pod.self, "short", grace: .seconds(5))
            try await rig.wait(.seconds(7))
            XCTAssertNil(rig.pod("short"))
            XCTAssertNotNil(rig.pod("long"))
            try await rig.wait(.seconds(23))
            XCTAssertNil(rig.pod("long"))
        }
    }

    func testADeletionThatMeansAnotherObjectOfTheNameIsAConflict() throws {
        try onCluster { rig in
            try rig.cluster.create(ConfigMap("map", namespace: "default", data: [:]))
            let uid = try rig.cluster.get(ConfigMap.self, "map").uid
            try rig.cluster.delete(ConfigMap.self, "map", uid: uid)
            try rig.cluster.create(ConfigMap("map", namespace: "default", data: [:]))
            self.assertThrows(409, try rig.cluster.delete(ConfigMap.self, "map", uid: uid))
        }
    }

    func testWhatContradictsItselfIsRefusedWithAReason() throws {
        try onCluster { rig in
            let template = ClusterRig.template("web")
            self.assertThrows(422, try rig.cluster.create(Pod(Metadata("p", namespace: "default"), spec: PodSpec([]))))
            self.assertThrows(
                422,
                try rig.cluster.create(Deployment("web", namespace: "default", replicas: -1, template: template)))
            var deployment = Deployment("web", namespace: "default", replicas: 1, template: template)
            deployment.selector = ["app": "other"]
            self.assertThrows(422, try rig.cluster.create(deployment))
            self.assertThrows(404, try rig.cluster.create(ConfigMap("map", namespace: "nowhere", data: [:])))
            try rig.deploy("web", replicas: 1)
            self.assertThrows(
                409, try rig.cluster.create(Deployment("web", namespace: "default", replicas: 1, template: template)))
            self.assertThrows(422, try rig.cluster.scale(deployment: "web", to: -1))
        }
    }

    func testANamespaceIsGoneWhenAllThatLayInItIs() throws {
        try onCluster { rig in
            try rig.cluster.create(Namespace("shop"))
            try rig.cluster.create(
                Deployment("web", namespace: "shop", replicas: 3, template: ClusterRig.template("web")))
            try await rig.wait(.seconds(60))
            XCTAssertEqual(try rig.cluster.list(Pod.self, namespace: "shop").count, 3)
            try rig.cluster.delete(Namespace.self, "shop")
            try await rig.wait(.milliseconds(500))
            self.assertThrows(403, try rig.cluster.create(ConfigMap("map", namespace: "shop", data: [:])))
            try await rig.wait(.seconds(60))
            self.assertThrows(404, try rig.cluster.get(Namespace.self, "shop"))
            XCTAssertEqual(try rig.cluster.list(Pod.self, namespace: "shop").count, 0)
        }
    }

    func testWhileTheControlPlaneIsDownEveryCallFails() throws {
        try onCluster { rig in
            rig.cluster.setControlPlane(isDown: true)
            self.assertThrows(0, try rig.cluster.list(Pod.self))
            self.assertThrows(0, try rig.cluster.create(ConfigMap("map", namespace: "default", data: [:])))
            self.assertThrows(0, try rig.cluster.evict("web"))
            self.assertThrows(0, try rig.cluster.cordon("vm-1"))
        }
    }

    // The message is what people see of `kubectl drain`.
    func testARefusedEvictionNamesItsBudget() throws {
        try onCluster { rig in
            try rig.deploy("web", replicas: 2, budget: .minAvailable(.count(2)))
            try await rig.untilReady("web", 2)
            try await rig.wait(.seconds(1))
            XCTAssertThrowsError(try rig.cluster.evict(rig.pods("web")[0].name)) { error in
                XCTAssertEqual(
                    "\(error)",
                    "Cannot evict pod as it would violate the pod's disruption budget. The disruption budget web needs "
                        + "2 healthy pods and has 2 currently")
            }
            try rig.cluster.create(
                PodDisruptionBudget(
                    "second", namespace: "default", selector: ["app": "web"], demand: .maxUnavailable(.count(1))))
            self.assertThrows(500, try rig.cluster.evict(rig.pods("web")[0].name))
        }
    }
}
