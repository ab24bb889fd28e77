import SimulationKernel
import XCTest

final class StopReasonTests: XCTestCase {
    // Nothing is left to happen and three tasks wait: each must be named with the place where it waits and where it was made.
    func testADeadlockNamesWhoWaitsAndWhoseChildItIs() throws {
        let simulation = Simulation(seed: 1)
        try simulation.addHost("poller") { await startsAWaiter() }
        let outcome = try simulation.run {
            try await Task.sleep(for: .seconds(5))
            await waitsForever()
        }
        guard case .deadlock(let tasks, let count) = outcome.stopReason else { return XCTFail("\(outcome)") }
        XCTAssertEqual(outcome.virtualTime, .seconds(5))
        XCTAssertEqual(tasks.map(\.host), ["world", "poller"])
        XCTAssertEqual(count, 2)
        for task in tasks {
            XCTAssertTrue(task.waitsIn.description.contains("waitsForever"), task.description)
        }
        XCTAssertTrue(tasks[1].createdAt.description.contains("startsAWaiter"), tasks[1].description)
        XCTAssertThrowsError(try outcome.get()) { error in
            XCTAssertTrue("\(error)".contains("seed 1"), "\(error)")
            XCTAssertTrue("\(error)".contains("waitsForever"), "\(error)")
        }
    }

    func testADeadlockBehindAnAsyncLetNamesTheChild() throws {
        let outcome = try Simulation(seed: 1).run {
            async let child: Void = waitsForever()
            await child
        }
        guard case .deadlock(let tasks, let count) = outcome.stopReason else { return XCTFail("\(outcome)") }
        XCTAssertEqual(count, 2)
        XCTAssertTrue(tasks.contains { $0.waitsIn.description.contains("waitsForever") }, "\(tasks)")
    }

    // Tasks that begin on an actor go into the actor's own queue, past the kernel's; they must be seen all the same.
    func testADeadlockNamesATaskThatBeganOnAnActor() throws {
        actor Desk {
            var letter: UnsafeContinuation<Void, Never>?
            func open() {
                Task { await self.waitForALetter() }
            }
            func waitForALetter() async {
                await withUnsafeContinuation { letter = $0 }
            }
        }
        let outcome = try Simulation(seed: 1).run {
            let desk = Desk()
            await desk.open()
            await waitsForever()
        }
        guard case .deadlock(let tasks, _) = outcome.stopReason else { return XCTFail("\(outcome)") }
        XCTAssertTrue(tasks.contains { $0.waitsIn.description.contains("waitForALetter") }, "\(tasks)")
    }

    func testADeadlockOfThousandsOfTasksIsSaidInTime() throws {
        var guards = Guards.strict
        guards.blockLimit = .milliseconds(500)
        let outcome = try Simulation(seed: 1, options: .init(guards: guards)).run {
            for _ in 0..<5000 { _ = Task { await waitsForever() } }
            await waitsForever()
        }
        guard case .deadlock(let tasks, let count) = outcome.stopReason else { return XCTFail("\(outcome.stopReason)") }
        XCTAssertEqual(count, 5001)
        XCTAssertEqual(tasks.count, StopReason.waitingTasksMax)
    }

    func testEachBudgetHasItsOwnReason() throws {
        let virtual = Simulation(seed: 1, options: .init(budget: .init(virtualTime: .seconds(10))))
        let late = try virtual.run { try await Task.sleep(for: .seconds(11)) }
        XCTAssertEqual(late.stopReason, .virtualTimeBudgetSpent(.seconds(10)))
        XCTAssertEqual(late.virtualTime, .seconds(10))
        XCTAssertNil(late.result)

        let events = Simulation(seed: 1, options: .init(budget: .init(events: 1000)))
        let busy = try events.run { while true { await Task.yield() } }
        XCTAssertEqual(busy.stopReason, .eventBudgetSpent(1000))
        XCTAssertEqual(busy.events + busy.jobs, 1000)

        let wall = Simulation(seed: 1, options: .init(budget: .init(wallTime: .milliseconds(20))))
        let slow = try wall.run { while !Task.isCancelled { await Task.yield() } }
        XCTAssertEqual(slow.stopReason, .wallTimeBudgetSpent(.milliseconds(20)))
    }

    // A task that ignores cancellation must not hang the end of a run.
    func testATaskThatIgnoresCancellationIsAbandoned() throws {
        let simulation = Simulation(seed: 1, options: .init(budget: .init(events: 1000)))
        let outcome = try simulation.run { while true { await Task.yield() } }
        XCTAssertEqual(outcome.abandonedTasks, 1)
        XCTAssertTrue(String(describing: outcome).contains("1 task(s) did not end when cancelled"))
    }

    func testStoppingIsAReason() throws {
        let simulation = Simulation(seed: 1)
        simulation.schedule(after: .seconds(3)) { _ in simulation.stop("enough") }
        let outcome = try simulation.run { try await Task.sleep(for: .seconds(100)) }
        XCTAssertEqual(outcome.stopReason, .stopped("enough"))
        XCTAssertEqual(outcome.virtualTime, .seconds(3))
    }

    func testAFailureOfTheRootCodeIsItsResult() throws {
        struct Broken: Error {}
        let outcome = try Simulation(seed: 1).run { throw Broken() }
        XCTAssertEqual(outcome.stopReason, .finished)
        XCTAssertThrowsError(try outcome.get()) { XCTAssertTrue($0 is Broken) }
    }
}

@inline(never)
private func waitsForever() async {
    await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
}

@inline(never)
private func startsAWaiter() async {
    _ = Task { await waitsForever() }
}
