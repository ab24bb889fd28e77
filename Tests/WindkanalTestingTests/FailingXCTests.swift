import WindkanalXCTest
import XCTest

final class FailingXCTests: XCTestCase {
    override func setUpWithError() throws {
        try XCTSkipIf(Fixture.folder == nil, "these fail on purpose")
    }

    func testAssertionFailsForSomeSeeds() throws {
        let trial = CodeTrial("rolls") { _ in try await Fixture.rolls { XCTAssertNotEqual($0, 0) } }
        try assertHolds(trial, seeds: .count(20), options: Fixture.options)
    }

    func testDeadlocks() throws {
        try withVirtualTime { await Fixture.waitsForNobody() }
    }

    func testIsNotReadyInTime() throws {
        try withVirtualTime(seed: 5) {
            await eventually("it is ready", within: .seconds(5)) { false }
        }
    }

    func testTrialFails() throws {
        try assertHolds(Fixture.FailsForTwo(), seeds: .count(3), options: Fixture.options)
    }

    func testCancellationDoesHarm() throws {
        try withCancellationSweep { task in
            var isLocked = false
            await task {
                isLocked = true
                try await Task.sleep(for: .seconds(1))
                isLocked = false
            }
            XCTAssertFalse(isLocked)
        }
    }

    func testIsNotControlled() throws {
        try assertControlled { _ = (0..<10).reduce(0, +) }
    }
}
