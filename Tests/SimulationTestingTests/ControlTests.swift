import Dispatch
import SimulationTesting
import Synchronization
import XCTest

/// The self-check: it must fail for each way in which the kernel does not control the code under test.
final class ControlTests: FolderTestCase {
    private func problems(_ body: @escaping (Simulation) async throws -> Void) throws -> [String] {
        try ControlCheck().problems(body)
    }

    func testNothingIsWrongWithThisProcessAndOrdinaryCode() throws {
        XCTAssertEqual(ControlCheck().problemsOfProcess(), [])
        XCTAssertEqual(
            try problems { _ in
                try await Task.sleep(for: .seconds(Int.random(in: 1...10)))
            }, [])
        // Code that draws and does not wait is controlled, too.
        XCTAssertEqual(try problems { _ in _ = UUID() }, [])
    }

    func testCodeThatLeavesTheSimulationIsNamed() throws {
        let found = try problems { _ in
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async { continuation.resume() }
            }
        }
        XCTAssertEqual(found.count, 1)
        XCTAssertTrue(found[0].contains("leaves the simulation: work was handed to Dispatch"), found[0])
    }

    func testCodeOfWhichNothingHappensInTheSimulationIsNamed() throws {
        let found = try problems { _ in _ = (0..<1000).reduce(0, +) }
        XCTAssertEqual(found.count, 1)
        XCTAssertTrue(found[0].contains("nothing of the code under test happened in the simulation"), found[0])
    }

    func testCodeThatAStaticVariableDecidesIsNamedWithItsFirstDecision() throws {
        let runs = Atomic<Int>(0)
        let found = try problems { _ in
            try await Task.sleep(for: .seconds(1))
            try await Task.sleep(for: .seconds(1 + runs.add(1, ordering: .relaxed).newValue))
        }
        XCTAssertEqual(found.count, 1)
        XCTAssertTrue(found[0].contains("two runs of one seed differ"), found[0])
        XCTAssertTrue(found[0].contains("3000000000"), "the times that differ are shown: \(found[0])")
        XCTAssertTrue(found[0].contains("a static variable"), found[0])
    }

    func testCodeThatFailsOrNeverEndsIsNamed() throws {
        XCTAssertTrue(try problems { _ in throw CancellationError() }[0].contains("failed: CancellationError()"))
        let found = try problems { _ in
            await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        }
        XCTAssertTrue(found[0].contains("does not end: deadlock"), found[0])
    }
}
