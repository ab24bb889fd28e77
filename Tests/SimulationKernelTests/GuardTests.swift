import Dispatch
import Foundation
import FoundationNetworking
import SimulationKernel
import XCTest

final class GuardTests: XCTestCase {
    /// Runs `body` on host 'poller' after 1 s and returns what ended the run.
    private func violation(
        guards: Guards = .strict, _ body: @escaping @Sendable () async throws -> Void
    ) throws -> GuardViolation? {
        let simulation = Simulation(seed: 1, options: .init(guards: guards))
        try simulation.addHost("poller") {
            try await Task.sleep(for: .seconds(1))
            try await Task(name: "the culprit") { try await body() }.value
            try await Task.sleep(for: .seconds(1))
        }
        let outcome = try simulation.run(for: .seconds(100))
        guard case .guardViolation(let violation) = outcome.stopReason else { return nil }
        XCTAssertEqual(outcome.violations.first, violation)
        return violation
    }

    private func assertCaught(
        _ kind: GuardViolation.Kind, _ violation: GuardViolation?, line: UInt = #line
    ) {
        XCTAssertEqual(violation?.kind, kind, line: line)
        XCTAssertEqual(violation?.host, "poller", line: line)
        XCTAssertEqual(violation?.task, "the culprit", line: line)
        XCTAssertEqual(violation?.time.nanoseconds, 1_000_000_000, line: line)
        let place = violation.map { String(describing: $0) } ?? ""
        XCTAssertTrue(place.contains("culprit"), place, line: line)
        XCTAssertTrue(place.contains("GuardTests"), "the place is named: \(place)", line: line)
    }

    func testARealSleepIsCaught() throws {
        assertCaught(.realSleep, try violation { culpritSleeps() })
        assertCaught(.realSleep, try violation { culpritSleepsByFoundation() })
        assertCaught(.realSleep, try violation { poll(nil, 0, 10) })
        assertCaught(.realSleep, try violation { culpritWaits() })
        assertCaught(.realSleep, try violation { culpritWaitsForDispatch() })
    }

    func testAReadOfCPUTimeIsCaught() throws {
        assertCaught(.realClockRead, try violation { _ = clock() })
    }

    func testWorkOnDispatchIsCaught() throws {
        assertCaught(.dispatchedWork, try violation { DispatchQueue.global().async {} })
        assertCaught(
            .dispatchedWork, try violation { DispatchQueue.global().asyncAfter(deadline: .now() + 1) {} })
        assertCaught(.dispatchedWork, try violation { DispatchQueue.concurrentPerform(iterations: 2) { _ in } })
        assertCaught(
            .dispatchedWork,
            try violation {
                let timer = DispatchSource.makeTimerSource()
                timer.schedule(deadline: .now() + 100)
                timer.resume()
                timer.cancel()
            })
    }

    func testANewThreadIsCaught() throws {
        assertCaught(.threadCreated, try violation { Thread.detachNewThread {} })
    }

    // The thread exists before the run, so that what is caught is the job that comes from it.
    func testAJobFromAForeignThreadIsCaught() throws {
        let helper = HelperThread()
        defer { helper.end() }
        let caught = try violation {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                Task { waitFor(helper) { continuation.resume() } }
            }
        }
        XCTAssertEqual(caught?.kind, .foreignThreadJob)
        XCTAssertEqual(caught?.host, "poller")
    }

    func testACancellationFromAForeignThreadIsCaught() throws {
        let helper = HelperThread()
        defer { helper.end() }
        let caught = try violation {
            let task = Task { try await Task.sleep(for: .seconds(50), clock: .virtual) }
            await Task.yield()
            waitFor(helper) { task.cancel() }
            _ = await task.result
        }
        XCTAssertEqual(caught?.kind, .foreignThreadJob)
    }

    func testABlockedThreadIsCaughtWithItsPlace() throws {
        var guards = Guards.strict
        guards.blockLimit = .milliseconds(50)
        let caught = try violation(guards: guards) { culpritBlocks() }
        guard case .threadBlocked(let duration)? = caught?.kind else { return XCTFail("\(String(describing: caught))") }
        XCTAssertGreaterThanOrEqual(duration, .milliseconds(50))
        XCTAssertEqual(caught?.host, "poller")
        // ThreadSanitizer delivers the watchdog's signal when the thread waits, which this one never does.
        try XCTSkipIf(dlsym(nil, "__tsan_init") != nil, "ThreadSanitizer keeps signals back")
        XCTAssertTrue(
            caught?.place.description.contains("culpritBlocks") ?? false, "\(caught?.place.description ?? "")")
    }

    // However deep in Dispatch or Foundation it happens: the function that asked for it is named.
    func testEveryMessageNamesAPlace() throws {
        let culprits: [(String, @Sendable () -> Void)] = [
            ("culpritWaitsForDispatch", { culpritWaitsForDispatch() }),
            ("culpritWaitsForAGroup", { culpritWaitsForAGroup() }),
            ("culpritLoads", { culpritLoads() }),
            ("culpritWaits", { culpritWaits() }),
        ]
        for (name, culprit) in culprits {
            let caught = try violation { culprit() }
            XCTAssertTrue(caught?.place.description.contains(name) ?? false, "\(String(describing: caught))")
        }
    }

    // Without strictness the run goes on, the job comes back to the kernel's thread, and all is counted.
    func testWhereGuardsCountForeignWorkIsWaitedFor() throws {
        let helper = HelperThread()
        defer { helper.end() }
        let simulation = Simulation(seed: 1, options: .init(guards: .counting))
        let outcome = try simulation.run {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                DispatchQueue.global().async { continuation.resume() }
            }
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                // This task runs when the other has suspended: resumed before that, it would go on without a job.
                Task { helper.perform { continuation.resume() } }
            }
            usleep(1000)
            return "done"
        }
        XCTAssertEqual(try outcome.get(), "done")
        let kinds = Set(outcome.violations.map(\.kind))
        XCTAssertTrue(kinds.isSuperset(of: [.dispatchedWork, .foreignThreadJob, .realSleep]), "\(kinds)")
        XCTAssertEqual(outcome.violationCount, outcome.violations.count)
    }

    func testOnlyTheFirstViolationsAreKeptButAllAreCounted() throws {
        let simulation = Simulation(seed: 1, options: .init(guards: .counting))
        let outcome = try simulation.run { for _ in 0..<250 { _ = clock() } }
        XCTAssertEqual(outcome.violations.count, 100)
        XCTAssertEqual(outcome.violationCount, 250)
        XCTAssertTrue(String(describing: outcome).contains("150 more violations"))
    }
}

private func waitFor(_ helper: HelperThread, _ work: @escaping @Sendable () -> Void) { helper.performAndWait(work) }
@inline(never) private func culpritSleeps() { usleep(10) }
@inline(never) private func culpritWaits() { _ = NSCondition().wait(until: Date(timeIntervalSinceNow: 1)) }
@inline(never) private func culpritWaitsForDispatch() {
    _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(20))
}
@inline(never) private func culpritWaitsForAGroup() {
    let group = DispatchGroup()
    group.enter()
    _ = group.wait(timeout: .now() + .milliseconds(20))
}
@inline(never) private func culpritLoads() {
    guard let url = URL(string: "http://127.0.0.1:9/") else { return }
    URLSession.shared.dataTask(with: url).resume()
}
@inline(never) private func culpritSleepsByFoundation() { Thread.sleep(forTimeInterval: 0.001) }
@inline(never) private func culpritBlocks() {
    // Some hundred milliseconds of system calls that nobody interposes.
    for _ in 0..<2_000_000 { _ = getppid() }
}

/// A thread that exists before a run and does what it is told.
final class HelperThread: @unchecked Sendable {
    private let condition = NSCondition()
    private var work: (@Sendable () -> Void)?
    private var isOver = false
    private var doneCount = 0

    init() {
        let thread = Thread { [self] in
            while let work = next() {
                work()
                condition.withLock {
                    doneCount += 1
                    condition.broadcast()
                }
            }
        }
        thread.start()
    }

    private func next() -> (@Sendable () -> Void)? {
        condition.withLock {
            while work == nil, !isOver { condition.wait() }
            defer { work = nil }
            return work
        }
    }

    func perform(_ work: @escaping @Sendable () -> Void) {
        condition.withLock {
            self.work = work
            condition.broadcast()
        }
    }

    /// Waits, in reality, until the work is done: virtual time would run away from it.
    func performAndWait(_ work: @escaping @Sendable () -> Void) {
        let before = condition.withLock { doneCount }
        perform(work)
        condition.withLock { while doneCount == before { condition.wait() } }
    }

    func end() {
        condition.withLock {
            isOver = true
            condition.broadcast()
        }
    }
}
