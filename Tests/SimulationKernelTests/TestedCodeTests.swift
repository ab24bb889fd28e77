import CSystemSeam
import Foundation
import SimulationKernel
import XCTest

/// Where a piece of code ran: on the thread of the simulation that the test started, or elsewhere.
private func isOnKernelsThread() -> Bool { seam_current() != nil }

final class TestedCodeTests: XCTestCase {
    /// Runs `body` as tested code of a host and expects it to return true.
    private func expect(_ body: @escaping () async throws -> Bool, line: UInt = #line) throws {
        for policy in [SchedulingPolicy.firstInFirstOut, .random, .pct(depth: 3, steps: 100)] {
            let simulation = Simulation(seed: 1, options: .init(policy: policy))
            let outcome = try simulation.run(body)
            XCTAssertTrue(try outcome.get(), "\(policy)", line: line)
            XCTAssertEqual(outcome.abandonedTasks, 0, line: line)
            XCTAssertEqual(outcome.violationCount, 0, line: line)
        }
    }

    func testTasksOfEveryKindRunOnTheKernelsThread() throws {
        try expect {
            let plain = Task { isOnKernelsThread() }
            let detached = Task.detached { isOnKernelsThread() }
            let main = Task { @MainActor in isOnKernelsThread() }
            let slept = Task { () -> Bool in
                try await Task.sleep(for: .seconds(1))
                return isOnKernelsThread()
            }
            async let child = {
                await Task.yield(); return isOnKernelsThread()
            }()
            let grouped = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        await Task.yield(); return isOnKernelsThread()
                    }
                }
                return await group.allSatisfy { $0 }
            }
            let all = await [plain.value, detached.value, main.value, try slept.value, child, grouped]
            return all.allSatisfy { $0 }
        }
    }

    func testActorsKeepTheirIsolation() throws {
        actor Account {
            var balance: Int = 0
            func deposit(_ amount: Int) -> Bool {
                assertIsolated()
                balance += amount
                return isOnKernelsThread()
            }
            func depositSlowly(_ amount: Int) async -> Bool {
                await Task.yield()
                return deposit(amount)
            }
        }
        try expect {
            let account = Account()
            let onThread = await withTaskGroup(of: Bool.self) { group in
                for amount in 1...10 {
                    group.addTask { await account.depositSlowly(amount) }
                    group.addTask { await account.deposit(amount) }
                }
                return await group.allSatisfy { $0 }
            }
            let balance = await account.balance
            return onThread && balance == 110
        }
    }

    func testMainActorCodeIsIsolatedAndOtherCodeIsNot() throws {
        @MainActor func onMain() async -> Bool {
            MainActor.assertIsolated()
            await Task.yield()
            try? await Task.sleep(for: .seconds(1))
            return assumesMain()
        }
        try expect {
            let value = await onMain()
            let run = await MainActor.run { isOnKernelsThread() }
            return value && run
        }
    }

    func testStreamsContinuationsAndTaskLocals() throws {
        try expect {
            let (stream, source) = AsyncStream.makeStream(of: Int.self)
            let producer = Task {
                for value in 1...3 {
                    source.yield(value)
                    try await Task.sleep(for: .seconds(1))
                }
                source.finish()
            }
            var sum = 0
            for await value in stream { sum += value }
            try await producer.value
            let checked = try await withCheckedThrowingContinuation { continuation in
                _ = Task { continuation.resume(returning: isOnKernelsThread()) }
            }
            let locals = await Locals.$name.withValue("flat 7") {
                let inherited = await Task { Locals.name }.value
                let detached = await Task.detached { Locals.name }.value
                async let child = Locals.name
                return await [inherited, detached, child] == ["flat 7", "none", "flat 7"]
            }
            return sum == 6 && checked && locals
        }
    }

    func testCancellationReachesChildrenAndHandlers() throws {
        try expect {
            let log = Flags()
            let task = Task {
                await withTaskCancellationHandler {
                    await withTaskGroup(of: Void.self) { group in
                        group.addTask { log.child = (try? await Task.sleep(for: .seconds(100))) == nil }
                        group.addTask {
                            async let deep: Void = Task.sleep(for: .seconds(100)); log.deep = (try? await deep) == nil
                        }
                    }
                } onCancel: {
                    log.handler = true
                }
                return Task.isCancelled
            }
            try await Task.sleep(for: .seconds(1))
            task.cancel()
            let cancelled = await task.value
            return cancelled && log.child && log.deep && log.handler
        }
    }

    // Tasks that an async let makes live in their parent's memory, again and again in the same place.
    func testManyAsyncLetsOnActorsAreHandled() throws {
        actor Box {
            var count: Int = 0
            func add() -> Int { count += 1; return count }
            func both() async -> Int {
                async let first = add()
                async let second = add()
                return await first + second
            }
        }
        try expect {
            let box = Box()
            var last = 0
            for _ in 0..<3000 { last = await box.both() }
            return last == 11999
        }
    }

    func testNestedAsyncLetsLeaveNothingBehind() throws {
        @Sendable func inner() async -> Int {
            async let value = 1
            return await value
        }
        let simulation = Simulation(seed: 1)
        let outcome = try simulation.run {
            var sum = 0
            for _ in 0..<1000 {
                async let value = inner()
                sum += await value
            }
            return (sum, simulation.liveTasks)
        }
        let (sum, live) = try outcome.get()
        XCTAssertEqual(sum, 1000)
        XCTAssertLessThan(live, 20)
        XCTAssertEqual(outcome.abandonedTasks, 0)
    }

    // The table of tasks must not grow with the tasks that ever were.
    func testEndedTasksAreForgotten() throws {
        let simulation = Simulation(seed: 1)
        let live = try simulation.run {
            actor Sink { func take() {} }
            let sink = Sink()
            for _ in 0..<20_000 {
                await Task { await sink.take() }.value
                async let child: Void = sink.take()
                await child
            }
            return simulation.liveTasks
        }.get()
        XCTAssertLessThan(live, 2100)
    }

    // The caller's task-local values hold inside, so that a test runner knows whose expectations they are; and outside afterwards.
    func testARunInsideATaskOfTheRealWorldKeepsItsTaskLocalValuesAndLeavesItIntact() async throws {
        let result = await Locals.$name.withValue("outside") { () -> String in
            let inside = try? Simulation(seed: 1).run { () -> String in
                try await Task.sleep(for: .seconds(10))
                return await Task { Locals.name }.value
            }.get()
            await Task.yield()
            return "\(Locals.name) \(inside ?? "nothing")"
        }
        XCTAssertEqual(result, "outside outside")
    }
}

private func assumesMain() -> Bool {
    MainActor.assumeIsolated { isOnKernelsThread() }
}

private enum Locals {
    @TaskLocal static var name: String = "none"
}

private final class Flags: @unchecked Sendable {
    var child: Bool = false
    var deep: Bool = false
    var handler: Bool = false
}
