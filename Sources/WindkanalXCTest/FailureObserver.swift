import SimulationTesting
import XCTest

/// Hears of assertions that fail in a simulated run, so that the seed is known to have failed.
final class FailureObserver: NSObject, XCTestObservation {
    /// Runs something while failures are heard.
    static func observing<Value>(_ body: () throws -> Value) rethrows -> Value {
        let observer = FailureObserver()
        XCTestObservationCenter.shared.addTestObserver(observer)
        defer { XCTestObservationCenter.shared.removeTestObserver(observer) }
        // An assertion that fails cannot be kept from being told: nothing is repeated.
        let scope = RunScope(repeatsFailedRuns: false, isReported: { _ in false }) { _, code in try await code() }
        return try scope.run(body)
    }

    func testCase(
        _ testCase: XCTestCase, didFailWithDescription description: String, inFile filePath: String?,
        atLine lineNumber: Int
    ) {
        // Called where the assertion fails, on the simulation's thread.
        TestedRun.current?.fail(TrialFailure(description, isReported: true))
    }
}
