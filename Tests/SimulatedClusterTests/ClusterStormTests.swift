import SimulatedCluster
import SimulationKernel
import Torture
import XCTest

/// Whatever happens to a cluster, it stays sound, and recovers when everything is healed.
final class ClusterStormTests: XCTestCase {
    func testClustersSurviveTheirStormsAndRecover() throws {
        for seed in 1...40 {
            let result = try ClusterStorm().run(seed: Seed(UInt64(seed)))
            XCTAssertEqual(
                result.problems, [], "seed \(seed); replay: lab cluster --storms 1 --first \(seed) --verbose")
        }
    }

    func testAStormRepeatsToTheDigest() throws {
        let (first, again) = (try ClusterStorm().run(seed: 7), try ClusterStorm().run(seed: 7))
        XCTAssertEqual(first.digest, again.digest)
        XCTAssertEqual(first.faults, again.faults)
        XCTAssertNotEqual(first.digest, try ClusterStorm().run(seed: 8).digest)
    }

    /// The first of some seeds whose storm finds what `words` tell of.
    private func seed(of mistake: ClusterMistake, finding words: String) throws -> Int? {
        var storm = ClusterStorm()
        storm.mistakes = [mistake]
        return try (1...40).first { seed in
            try storm.run(seed: Seed(UInt64(seed))).problems.contains { $0.contains(words) }
        }
    }

    // An invariant that nothing violates proves nothing.
    func testPlantedMistakesOfControllersAreFound() throws {
        XCTAssertNotNil(try seed(of: .endpointNeverRemoved, finding: "leads to pod"))
        XCTAssertNotNil(try seed(of: .budgetIgnored, finding: "of budget"))
        XCTAssertNotNil(try seed(of: .twoPodsOfOneIdentity, finding: "runs on"))
    }

    // A deployment whose two pods mount one network volume: one of them must wait, however long.
    func testAVolumeIsForOneNodeAndAttachingItTwiceIsFound() throws {
        for (mistakes, ready) in [(Set<ClusterMistake>(), 1), ([.volumeOnTwoNodes], 2)] {
            var settings = ClusterSettings()
            settings.mistakes = mistakes
            let rig = ClusterRig(seed: 1, settings: settings)
            _ = try rig.run {
                try rig.cluster.create(PersistentVolumeClaim("shared", namespace: "default", storage: .network))
                let template = ClusterRig.template("web") { $0.volumes = [.claim(name: "data", claim: "shared")] }
                try rig.deploy("web", replicas: 2, template: template)
                try await rig.wait(.seconds(300))
                XCTAssertEqual(rig.readyPods("web").count, ready)
            }
            XCTAssertEqual(rig.cluster.events.contains { $0.message.hasPrefix("Multi-Attach error") }, mistakes.isEmpty)
            XCTAssertEqual(
                rig.cluster.violations().contains { $0.contains("is mounted on") }, !mistakes.isEmpty)
        }
    }

    func testASchedulerThatDoesNotCountIsFound() throws {
        var settings = ClusterSettings()
        settings.mistakes = [.nodeOvercommitted]
        let rig = ClusterRig(seed: 1, settings: settings)
        _ = try rig.run {
            try rig.deploy("big", replicas: 20, template: ClusterRig.template("big", cpu: 1000))
            try await rig.wait(.seconds(60))
        }
        XCTAssertTrue(rig.cluster.violations().contains { $0.contains("was given") })
    }
}
