import Foundation
import SimulationKernel
import Torture
import XCTest

final class IsolationTests: XCTestCase {
    /// Runs closures on threads of their own and waits for all.
    private func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let group = DispatchGroup()
        for number in 0..<count {
            group.enter()
            Thread.detachNewThread {
                body(number)
                group.leave()
            }
        }
        group.wait()
    }

    // One run after the other in a process: nothing of the first may be seen in the second.
    func testRunsOneAfterTheOtherDoNotInfluenceEachOther() throws {
        let torture = Torture(hosts: 10, duration: .seconds(10))
        let first = try torture.run(seed: 1).digest
        let other = try torture.run(seed: 2).digest
        XCTAssertEqual(try torture.run(seed: 1).digest, first)
        XCTAssertEqual(try torture.run(seed: 2).digest, other)
        XCTAssertNotEqual(first, other)
    }

    // Without the main actor, which all simulations of a process share, threads must not influence each other.
    func testRunsOnParallelThreadsDoNotInfluenceEachOther() throws {
        let digests = Collected<TraceDigest>()
        inParallel(4) { number in
            for _ in 0..<5 {
                let simulation = Simulation(seed: 7)
                for host in 0..<5 {
                    _ = try? simulation.addHost("host-\(host)") {
                        while true {
                            try await Task.sleep(for: .milliseconds(Int.random(in: 1...50)))
                            let value = await Task { UInt64.random(in: 0...9) }.value
                            Simulation.note("\(Date().timeIntervalSince1970)", value)
                        }
                    }
                }
                if let outcome = try? simulation.run(for: .seconds(20)) { digests.add(outcome.digest) }
            }
        }
        XCTAssertEqual(digests.values.count, 20)
        XCTAssertEqual(Set(digests.values).count, 1)
    }

    func testTheMainActorIsRefusedWhileAnotherSimulationRuns() throws {
        let reasons = Collected<StopReason>()
        let barrier = Barrier(2)
        inParallel(2) { number in
            if number == 0 {
                // Runs for as long as the other one.
                _ = try? Simulation(seed: 1).run {
                    barrier.arrive()
                    barrier.arrive()
                }
            } else {
                let outcome = try? Simulation(seed: 1).run {
                    barrier.arrive()
                    await MainActor.run {}
                }
                barrier.arrive()
                reasons.add(outcome?.stopReason ?? .finished)
            }
        }
        guard case .guardViolation(let violation)? = reasons.values.first else { return XCTFail("\(reasons.values)") }
        XCTAssertEqual(violation.kind, .sharedMainActor)
        XCTAssertTrue(violation.place.description.contains("IsolationTests"), "\(violation)")
    }

    // A task that was left behind must not come alive in a later run, nor in the real world.
    func testATaskOfAnEndedRunNeverRunsAgain() throws {
        final class Left: @unchecked Sendable {
            var continuation: UnsafeContinuation<Void, Never>?
            var wentOn = false
        }
        let left = Left()
        let first = try Simulation(seed: 1).run {
            _ = Task {
                await withUnsafeContinuation { left.continuation = $0 }
                left.wentOn = true
            }
            await Task.yield()
        }
        XCTAssertEqual(first.abandonedTasks, 1)
        let second = try Simulation(seed: 1).run {
            left.continuation?.resume()
            try await Task.sleep(for: .seconds(1))
        }
        XCTAssertEqual(second.stopReason, .finished)
        XCTAssertFalse(left.wentOn)
    }
}

/// Results of several threads.
private final class Collected<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var collected: [Value] = []

    var values: [Value] { lock.withLock { collected } }

    func add(_ value: Value) {
        lock.withLock { collected.append(value) }
    }
}

/// Holds threads until all have come.
private final class Barrier: @unchecked Sendable {
    private let condition = NSCondition()
    private let size: Int
    private var count: Int = 0

    init(_ size: Int) {
        self.size = size
    }

    func arrive() {
        condition.lock()
        count += 1
        let target = (count + size - 1) / size * size
        condition.broadcast()
        while count < target { condition.wait() }
        condition.unlock()
    }
}
