import CSystemSeam
import XCTest

@testable import SimulationKernel

/// When a toolchain changes what the kernel relies on, these say what.
final class RuntimeSeamTests: XCTestCase {
    func testEveryInterposedFunctionIsTheOneTheProcessCalls() {
        XCTAssertNil(seam_missing().map { String(cString: $0) })
    }

    func testTheRuntimesTasksHaveTheLayoutThatTheKernelReads() throws {
        XCTAssertNoThrow(try RuntimeSeam.verify())
    }

    // Outside a simulation the process must not notice that executors were installed.
    func testOutsideASimulationTasksRunOnThePlatformsExecutors() async throws {
        let start = ContinuousClock.now
        async let slept: Void = Task.sleep(for: .milliseconds(20))
        let sum = await withTaskGroup(of: Int.self) { group in
            for number in 0..<100 {
                group.addTask {
                    await Task.yield(); return number
                }
            }
            return await group.reduce(0, +)
        }
        let main = await MainActor.run {
            MainActor.assertIsolated(); return true
        }
        try await slept
        XCTAssertEqual(sum, 4950)
        XCTAssertTrue(main)
        XCTAssertGreaterThanOrEqual(start.duration(to: .now), .milliseconds(20))
    }
}
