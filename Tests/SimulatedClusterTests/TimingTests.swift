import Foundation
import SimulatedCluster
import SimulationKernel
import Torture
import XCTest

/// The cluster takes the times that Kubernetes' sources and documents state.
final class TimingTests: XCTestCase {
    // A hundred seeds differ in the moment at which something happens, in the phases of all periods and in every latency.
    func testEveryTimeIsWithinItsStatedRangeOverAHundredSeeds() throws {
        for script in ClusterTimingScript.all {
            for seed in 1...100 {
                let times = try script.run(Seed(UInt64(seed)))
                XCTAssertEqual(times.count, script.timings.count)
                for (time, timing) in zip(times, script.timings) {
                    XCTAssertTrue(
                        timing.range.contains(time), "seed \(seed): \(script.name): \(timing.name) is \(time) s")
                }
            }
        }
    }

    // The ranges would prove little if they were never used: the phases must spread detection over most of its range.
    func testDetectionUsesItsWholeRange() throws {
        let times = try (1...100).map { try ClusterTimingScript.all[0].run(Seed(UInt64($0)))[0] }
        XCTAssertLessThan(times.min() ?? 60, 44)
        XCTAssertGreaterThan(times.max() ?? 40, 56)
    }

    func testEveryTimingIsDocumentedAsItIsStated() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let page = try String(contentsOf: folder.appending(path: "../../docs/cluster.md").standardized, encoding: .utf8)
        for timing in ClusterTimingScript.all.flatMap(\.timings) {
            let row = "| \(timing.name) | \(timing.stated) |"
            XCTAssertTrue(page.contains(row), "docs/cluster.md has no '\(row)'; its table is what 'lab cluster' prints")
        }
    }

    func testSettingsThatCannotBeAreNamed() {
        var settings = ClusterSettings()
        XCTAssertNil(settings.validationError)
        settings.nodeMonitorGracePeriod = .seconds(5)
        XCTAssertEqual(settings.validationError?.hasPrefix("nodeMonitorGracePeriod is 5.0 seconds"), true)
        settings = ClusterSettings()
        settings.relistPeriod = .zero
        XCTAssertEqual(settings.validationError, "relistPeriod is 0.0 seconds; it must be above 0")
        settings = ClusterSettings()
        settings.bootTime = .uniform(min: .seconds(2), max: .seconds(1))
        XCTAssertEqual(settings.validationError?.hasPrefix("bootTime: "), true)
    }

    // A setting is a setting: with the grace of Kubernetes before 1.32 it is 10 s less.
    func testAShorterGraceIsNoticedEarlier() throws {
        var settings = ClusterSettings()
        settings.nodeMonitorGracePeriod = .seconds(40)
        for seed in 1...20 {
            let rig = ClusterRig(seed: Seed(UInt64(seed)), settings: settings)
            let time = try rig.run {
                try await rig.wait(.seconds(90))
                rig.cluster.powerOff(rig.cluster.nodes[0])
                return try await rig.until("Unknown", within: .seconds(90)) { rig.node("vm-1")?.ready == .unknown }
            }.value
            XCTAssertTrue((30...50).contains(time), "\(time)")
        }
    }
}
