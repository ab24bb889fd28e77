import SimulationTesting
import XCTest

/// Permits of which two exist; what is taken must come back whatever happens to the taker.
private actor Permits {
    private(set) var left = 2
    private var waiters: [CheckedContinuation<Void, Never>] = []

    func acquire() async {
        if left == 0 { await withCheckedContinuation { waiters.append($0) } }
        left -= 1
    }

    func release() {
        left += 1
        if !waiters.isEmpty { waiters.removeFirst().resume() }
    }
}

final class CancellationTests: FolderTestCase {
    private let test = TestIdentity(name: "testCancels()", filePath: "/nowhere/Tests/Cancels.swift")

    private func sweep(
        options: CancellationSweep.Options = CancellationSweep.Options(),
        _ body: @escaping (TaskUnderTest) async throws -> Void
    ) throws -> (suspensions: Int, findings: [SweepFinding]) {
        var findings: [SweepFinding] = []
        let count = try CancellationSweep(in: test, seed: 1, options: options, body).run { findings.append($0) }
        return (count, findings)
    }

    func testATaskIsCancelledBeforeItBeginsAndAtEachOfItsSuspensions() throws {
        var reached: [Int] = []
        let (count, findings) = try sweep { task in
            var steps = 0
            await task {
                for _ in 0..<3 {
                    try await Task.sleep(for: .seconds(1))
                    steps += 1
                }
            }
            reached.append(steps)
        }
        XCTAssertEqual(findings.map(\.message), [])
        XCTAssertEqual(count, 3)
        // First nobody cancels; then before the beginning, at the first sleep, at the second, at the third.
        XCTAssertEqual(reached, [3, 0, 0, 1, 2])
    }

    // The executor never sees who is resumed inside an actor; the suspensions there must be found all the same.
    func testSuspensionsInsideAnActorAreFound() throws {
        actor Worker {
            var steps = 0
            func work() async {
                for _ in 0..<3 {
                    // Who is resumed here goes on in the actor's own queue.
                    await withCheckedContinuation { continuation in
                        Task {
                            try await Task.sleep(for: .seconds(1))
                            continuation.resume()
                        }
                    }
                    if Task.isCancelled { return }
                    steps += 1
                }
            }
        }
        var reached: Set<Int> = []
        let (count, findings) = try sweep { task in
            let worker = Worker()
            await task { await worker.work() }
            reached.insert(await worker.steps)
        }
        XCTAssertEqual(findings.map(\.message), [])
        XCTAssertGreaterThanOrEqual(count, 3)
        XCTAssertEqual(reached, [0, 1, 2, 3])
    }

    func testAPermitThatACancelledTaskKeepsIsFoundWithTheSuspension() throws {
        func test(_ isSound: Bool) throws -> [SweepFinding] {
            try sweep { task in
                let permits = Permits()
                await task {
                    await permits.acquire()
                    if isSound {
                        do { try await Task.sleep(for: .seconds(1)) } catch {
                            await permits.release()
                            throw error
                        }
                    } else {
                        try await Task.sleep(for: .seconds(1))
                    }
                    await permits.release()
                }
                let left = await permits.left
                if left != 2 { TestedRun.current?.fail(TrialFailure("\(left) of 2 permits are left")) }
            }.findings
        }
        XCTAssertEqual(try test(true).map(\.message), [])
        let found = try test(false)
        XCTAssertFalse(found.isEmpty)
        let text = try XCTUnwrap(found.last).message
        XCTAssertTrue(text.contains("1 of 2 permits are left"), text)
        XCTAssertTrue(text.contains("cancelled at its suspension 1"), text)
        XCTAssertTrue(text.contains("repeat it alone: suspension: 1, seed: 1"), text)
        XCTAssertTrue(text.contains("testAPermit"), "the place where it waited is named: \(text)")
    }

    func testATaskThatDoesNotHeedItsCancellationIsFound() throws {
        let (_, findings) = try sweep { task in
            await task {
                // A heartbeat of somebody else keeps time going.
                let heartbeat = Task { while !Task.isCancelled { try await Task.sleep(for: .seconds(1)) } }
                await withCheckedContinuation { continuation in
                    Task {
                        try? await Task.sleep(for: .seconds(3600))
                        continuation.resume()
                    }
                }
                heartbeat.cancel()
            }
        }
        let text = try XCTUnwrap(findings.first).message
        XCTAssertTrue(text.contains("60.0 seconds after it was cancelled it has not ended"), text)
        XCTAssertTrue(text.contains("'task under test'"), text)
    }

    func testATaskThatIsLeftBehindIsFoundByName() throws {
        let (_, findings) = try sweep { task in
            await task {
                let child = Task(name: "left behind") { try await Task.sleep(for: .seconds(100)) }
                try await Task.sleep(for: .seconds(1))
                child.cancel()
            }
        }
        // It is cancelled with its parent at no time but when the parent gets to its end.
        XCTAssertFalse(findings.isEmpty)
        for finding in findings { XCTAssertTrue(finding.message.contains("'left behind'"), finding.message) }
    }

    func testOneSuspensionIsRepeatedAlone() throws {
        var options = CancellationSweep.Options()
        options.suspension = 2
        var runs = 0
        let (_, findings) = try sweep(options: options) { task in
            runs += 1
            let result = await task { for _ in 0..<5 { try await Task.sleep(for: .seconds(1)) } }
            XCTAssertTrue(task.isCancelled)
            guard case .failure = result else { return XCTFail("\(result)") }
        }
        XCTAssertEqual(findings.map(\.message), [])
        XCTAssertEqual(runs, 1)
    }

    func testABodyWithoutATaskShowsNothingAndIsRefused() throws {
        let (_, findings) = try sweep { _ in try await Task.sleep(for: .seconds(1)) }
        XCTAssertEqual(findings.count, 1)
        XCTAssertTrue(findings[0].message.contains("the body ran no task under test"), findings[0].message)
    }
}
