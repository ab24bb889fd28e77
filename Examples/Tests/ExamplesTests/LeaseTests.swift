import SimulatedTestbed
import TestbedTesting
import WindkanalXCTest
import XCTest

@testable import Leases

final class LeaseTests: XCTestCase {
    /// Seeds within which each mistake must be found.
    private let seeds: ClosedRange<UInt64> = 1...60

    private func firstViolation(of system: LeaseSystem) throws -> Seed? {
        try seeds.lazy.map { Seed($0) }.first { try !system.run(seed: $0).violations.isEmpty }
    }

    func testEachMistakeIsFoundAndTheSoundSystemSurvivesTheSameSeeds() throws {
        for mistake in Mistake.allCases {
            let seed = try XCTUnwrap(try firstViolation(of: LeaseSystem(mistake)), mistake.rawValue)
            let violation = try XCTUnwrap(try LeaseSystem(mistake).run(seed: seed).violations.first)
            XCTAssertEqual(violation.invariant, "one worker at a time has the lock")
            XCTAssertFalse(violation.history.isEmpty)
        }
        for seed in seeds {
            let result = try LeaseSystem().run(seed: Seed(seed))
            XCTAssertTrue(result.holds, "seed \(seed): \(result.violations) \(result.problems) \(result.stopReason)")
            XCTAssertFalse(result.faults.isEmpty)
        }
    }

    // The same sweep in the test library's words: what fails would be kept, and played first next time.
    func testTheSoundSystemHoldsAsATrial() throws {
        let system = LeaseSystem()
        let trial: DeploymentTrial = .deployment("leases", system.deployment) { seed in
            system.schedule(seed: seed)
        } invariants: { _ in
            [OneAtATime()]
        }
        let summary = try assertHolds(trial, seeds: .range(seeds))
        XCTAssertEqual(summary.runs.count, 60)
    }

    func testASeedGivesOneDigestAndSoDoesItsScheduleReadBackFromItsLines() throws {
        let system = LeaseSystem(.judgesByTheWallClock)
        for seed in [1, 2, 3] as [Seed] {
            let first = try system.run(seed: seed)
            XCTAssertEqual(try system.run(seed: seed).digest, first.digest)
            let read = try FaultSchedule(lines: system.schedule(seed: seed).description)
            let played = try system.run(seed: seed, schedule: read)
            XCTAssertEqual(played.digest, first.digest)
            XCTAssertEqual(played.faults, first.faults)
        }
        XCTAssertNotEqual(try system.run(seed: 1).digest, try system.run(seed: 2).digest)
    }
}
