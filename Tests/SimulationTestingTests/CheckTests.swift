import SimulationTesting
import XCTest

/// What tests of simulated code ask for, and what it says when it is not so.
final class CheckTests: FolderTestCase {
    // Work that is due at this instant is done, zero delays included, and no time passes.
    func testQuiescenceWaitsForEverythingThatNeedsNoTime() throws {
        let order = Shared<[String]>([])
        let failures = try failures { simulation in
            Task {
                for number in 1...3 {
                    await Task.yield()
                    order.value.append("task \(number)")
                }
            }
            simulation.schedule(after: .zero) { _ in
                order.value.append("event")
                simulation.schedule(after: .zero) { _ in order.value.append("event of an event") }
            }
            Task {
                try await Task.sleep(for: .milliseconds(1))
                order.value.append("later")
            }
            await quiescence()
            order.value.append("quiet at \(simulation.now)")
            await quiescence()
            order.value.append("still quiet")
        }
        XCTAssertEqual(failures.map(\.message), [])
        XCTAssertEqual(order.value.suffix(2), ["quiet at 0.000000000 s", "still quiet"])
        XCTAssertEqual(
            Set(order.value.dropLast(2)), ["task 1", "task 2", "task 3", "event", "event of an event"])
    }

    // Its entry stays in the queue, and must not be taken for something that is still to happen.
    func testAnEventThatWasCancelledDoesNotHideTheMoment() throws {
        var now: VirtualInstant?
        let failures = try failures { simulation in
            simulation.schedule(after: .seconds(1)) { _ in }
            simulation.cancel(simulation.schedule(after: .zero) { _ in })
            await quiescence()
            now = simulation.now
        }
        XCTAssertTrue(failures.isEmpty)
        XCTAssertEqual(now, .start)
    }

    func testTwoTasksMayWaitForQuiescenceAndHearOfItAtOneTime() throws {
        let heard = Shared(0)
        let failures = try failures { _ in
            for _ in 0..<3 {
                Task {
                    await quiescence()
                    heard.value += 1
                }
            }
            try await Task.sleep(for: .seconds(1))
        }
        XCTAssertTrue(failures.isEmpty)
        XCTAssertEqual(heard.value, 3)
    }

    func testLeaksNamesWhatWaitsAndWhereAndWhoMadeIt() throws {
        var found: [WaitingTask] = []
        var foundLater: [WaitingTask] = []
        let failures = try failures { _ in
            let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
            Task(name: "reader of numbers") { await readsNumbers(stream) }
            let sleeper = Task(name: "heartbeat") { try await beats() }
            Task {}
            found = await leaks()
            continuation.finish()
            sleeper.cancel()
            foundLater = await leaks()
        }
        XCTAssertTrue(failures.isEmpty)
        XCTAssertEqual(found.map(\.name), ["reader of numbers", "heartbeat"])
        XCTAssertEqual(found.map(\.sleeps), [false, true])
        let text = found.map(\.description).joined(separator: "\n")
        for part in ["'reader of numbers'", "readsNumbers", "waits", "sleeps", "beats", "testLeaksNames"] {
            XCTAssertTrue(text.contains(part), "\(part) is missing in \(text)")
        }
        XCTAssertEqual(foundLater, [], "what has ended is no leak")
    }

    // The condition is asked when something happened, not by a clock: it is met at the very moment.
    func testEventuallySeesTheMomentAtWhichSomethingBecomesTrue() throws {
        var metAt: VirtualInstant?
        let failures = try failures { simulation in
            let isReady = Shared(false)
            Task {
                try await Task.sleep(for: .milliseconds(12_345))
                isReady.value = true
                try await Task.sleep(for: .seconds(100))
            }
            await eventually("it is ready", within: .seconds(60)) { isReady.value }
            metAt = simulation.now
        }
        XCTAssertTrue(failures.isEmpty)
        XCTAssertEqual(metAt, VirtualInstant(nanoseconds: 12_345_000_000))
    }

    func testEventuallyFailsAtItsLineWhenTimeIsUp() throws {
        let line = #line + 4
        let failures = try failures { simulation in
            // Nothing else happens: the limit alone ends the wait.
            let before = simulation.now
            let isMet = await eventually("it is ready", within: .seconds(60)) { false }
            XCTAssertFalse(isMet)
            XCTAssertEqual(before.duration(to: simulation.now), .seconds(60))
        }
        XCTAssertEqual(failures.count, 1)
        XCTAssertEqual(failures.first?.location?.line, line)
        XCTAssertEqual(
            failures.first?.message, "eventually: it is ready still is false at 60.000000000 s, after 60.0 seconds")
    }

    func testExpectAfterLooksAtTheRightMoment() throws {
        let failures = try failures { _ in
            let began = ContinuousClock.now
            func elapsed() -> Duration { began.duration(to: .now) }
            await expect(after: .seconds(30), "half a minute") { elapsed() == .seconds(30) }
            await expect(after: .seconds(30), "a minute") { elapsed() == .seconds(59) }
            await expect(after: .seconds(30), "an answer") { throw CancellationError() }
        }
        XCTAssertEqual(
            failures.map(\.message),
            [
                "a minute is false at 60.000000000 s, 30.0 seconds later",
                "an answer threw CancellationError() at 90.000000000 s, 30.0 seconds later",
            ])
    }

    // What holds again before anybody looks is found all the same: each moment is looked at.
    func testAlwaysFindsAViolationOfAnInstant() throws {
        let failures = try failures { _ in
            var length = 0
            always("the queue is short") { length < 3 }
            for _ in 0..<2 {
                try await Task.sleep(for: .seconds(5))
                length = 7
                try await Task.sleep(for: .nanoseconds(1))
                length = 0
            }
        }
        XCTAssertEqual(failures.map(\.message), ["always: 'the queue is short' is false at 5.000000000 s"])
    }

    func testAlwaysIsAskedAtTheEndToo() throws {
        let failures = try failures { _ in
            var length = 0
            always("the queue is short") { length < 3 }
            length = 7
        }
        XCTAssertEqual(failures.count, 1)
    }

    // A host that has crashed unwinds; what its code claims then is nobody's.
    func testChecksOfACrashedHostSayNothing() throws {
        let trial = CodeTrial("crash") { simulation in
            let host = try simulation.addHost("a") {
                defer {
                    sometimes("it unwinds")
                    TestedRun.current?.fail(TrialFailure("it unwinds"))
                }
                try await Task.sleep(for: .seconds(3600))
            }
            try await Task.sleep(for: .seconds(1))
            host.crash()
            try await Task.sleep(for: .seconds(1))
        }
        let outcome = try trial.run(seed: 1)
        XCTAssertTrue(outcome.holds, "\(outcome)")
        XCTAssertEqual(outcome.marks, [:])
    }

    func testADeadlockAViolationAndAnErrorAreFailuresByName() throws {
        func outcome(_ body: @escaping (Simulation) async throws -> Void) throws -> TrialOutcome {
            try CodeTrial("code", body).run(seed: 3)
        }
        let deadlock = try outcome { _ in await waitsForNobody() }
        XCTAssertEqual(deadlock.verdict, "stopped")
        XCTAssertTrue(deadlock.failures[0].message.contains("waitsForNobody"), deadlock.failures[0].message)
        let thread = try outcome { _ in
            Thread.detachNewThread {}
            try await Task.sleep(for: .seconds(1))
        }
        XCTAssertTrue(thread.failures[0].message.contains("a thread was created"), thread.failures[0].message)
        let error = try outcome { _ in throw CancellationError() }
        XCTAssertEqual(error.failures.map(\.message), ["threw: CancellationError()"])
        XCTAssertEqual([thread.holds, error.holds, deadlock.holds], [false, false, false])
    }

    // The last decisions before the end are what one looks at first.
    func testAFailedRunOfCodeIsKeptWithItsLastDecisions() throws {
        let trial = CodeTrial("code") { _ in
            for number in 0..<300 {
                Simulation.note("step \(number)")
                try await Task.sleep(for: .seconds(1))
            }
            throw CancellationError()
        }
        let evidence = try trial.evidence(of: trial.run(seed: 1))
        XCTAssertEqual(evidence.map(\.name), ["trace.jsonl"])
        XCTAssertTrue(evidence[0].contents.contains("step 299"))
        XCTAssertFalse(evidence[0].contents.contains("step 100"))
    }
}

@inline(never)
private func readsNumbers(_ stream: AsyncStream<Int>) async {
    for await _ in stream {}
}

@inline(never)
private func beats() async throws {
    while true { try await Task.sleep(for: .seconds(1)) }
}

@inline(never)
private func waitsForNobody() async {
    await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
}
