import SimulationKernel
import Torture
import XCTest

/// A short torture; `tools/determinism` runs the long one, over processes.
final class TortureTests: XCTestCase {
    func testTheTortureRepeatsUnderEveryPolicy() throws {
        for policy in [SchedulingPolicy.firstInFirstOut, .random, .pct(depth: 3, steps: 5000)] {
            let torture = Torture(hosts: 20, duration: .seconds(10), policy: policy)
            let first = try torture.run(seed: 5)
            XCTAssertEqual(first.stopReason, .finished)
            XCTAssertGreaterThan(first.events, 300)
            XCTAssertEqual(try torture.run(seed: 5).digest, first.digest, "\(policy)")
            XCTAssertNotEqual(try torture.run(seed: 6).digest, first.digest, "\(policy)")
        }
    }

    // `lab chaos --seeds 1000` runs the long one.
    func testANetworkInChaosCarriesEveryByteAndHeals() throws {
        let chaos = NetworkChaos(clients: 2, duration: .seconds(30))
        for seed in 1...4 {
            let (outcome, result) = try chaos.run(seed: Seed(UInt64(seed)))
            XCTAssertNil(chaos.problem(outcome, result), "seed \(seed)")
            XCTAssertGreaterThan(result.bytes, 300_000)
            XCTAssertEqual(try chaos.run(seed: Seed(UInt64(seed))).0.digest, outcome.digest, "seed \(seed)")
        }
    }

    // The instrument complains: of bytes that a toxic swallows in the middle, and of a network that nobody heals.
    func testChaosNoticesWhatIsWrong() throws {
        for sabotage in NetworkChaos.Sabotage.allCases {
            let chaos = NetworkChaos(clients: 2, duration: .seconds(30), sabotage: sabotage)
            let problems = try (1...4).compactMap { seed -> String? in
                let (outcome, result) = try chaos.run(seed: Seed(UInt64(seed)))
                return chaos.problem(outcome, result)
            }
            XCTAssertFalse(problems.isEmpty, "\(sabotage)")
        }
    }

    func testAPlantedLeakIsCaughtByName() throws {
        let expected: [(Leak, GuardViolation.Kind)] = [
            (.wallClock, .realClockRead), (.cpuTime, .realClockRead), (.realThread, .threadCreated),
            (.dispatch, .dispatchedWork), (.realSleep, .realSleep),
        ]
        for (leak, kind) in expected {
            let outcome = try Torture(hosts: 2, duration: .seconds(10), leak: leak).run(seed: 1)
            guard case .guardViolation(let violation) = outcome.stopReason else {
                XCTFail("\(leak): \(outcome.stopReason)")
                continue
            }
            XCTAssertEqual(violation.kind, kind)
            XCTAssertEqual(violation.host, "host-0")
            XCTAssertTrue(violation.place.description.contains("Leak.commit"), violation.description)
        }
    }
}
