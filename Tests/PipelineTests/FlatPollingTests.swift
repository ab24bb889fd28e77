import HTTP
import XCTest

@testable import Pipeline

/// What the poller decides about a flat, without clock, task or socket.
final class FlatPollingTests: XCTestCase {
    private var profile: PollerProfile {
        var profile = PollerProfile(name: "test", order: .independent, timeout: .seconds(5))
        profile.overlap = 2
        profile.breaker = CircuitBreaker.Options(failures: 3, open: .seconds(15), probeTimeout: .seconds(35))
        profile.retryAfterMax = .seconds(60)
        return profile
    }

    private let unwell: PollFailure = .status(500, retryAfter: nil)

    /// A poll of one request that fails.
    private func fail(_ polling: inout FlatPolling, at now: Duration) {
        XCTAssertEqual(polling.tick(at: now), .poll(timeout: .seconds(5)))
        _ = polling.failed(unwell, sentAt: now, at: now)
        polling.pollEnded()
    }

    func testTicksBeginPollsUpToTheOverlap() {
        var polling = FlatPolling(profile, at: .zero)
        XCTAssertEqual(polling.state(at: .zero), .idle)
        XCTAssertEqual(polling.tick(at: .zero), .poll(timeout: .seconds(5)))
        XCTAssertEqual(polling.state(at: .zero), .inFlight(1))
        XCTAssertEqual(polling.tick(at: .seconds(1)), .poll(timeout: .seconds(5)))
        XCTAssertEqual(polling.tick(at: .seconds(2)), .skip(.overlap))
        XCTAssertEqual(polling.state(at: .seconds(2)), .inFlight(2))
        XCTAssertEqual(polling.succeeded(sentAt: .seconds(1), at: .seconds(3)), [])
        polling.pollEnded()
        XCTAssertEqual(polling.state(at: .seconds(3)), .inFlight(1))
        XCTAssertEqual(polling.tick(at: .seconds(3)), .poll(timeout: .seconds(5)))
    }

    func testADisabledFlatIsNotPolledAndIsYoungWhenItIsEnabledAgain() {
        var polling = FlatPolling(profile, at: .zero)
        _ = polling.tick(at: .zero)
        _ = polling.succeeded(sentAt: .zero, at: .seconds(1))
        polling.pollEnded()
        polling.setEnabled(false, at: .seconds(2))
        XCTAssertEqual(polling.state(at: .seconds(3)), .disabled)
        XCTAssertEqual(polling.tick(at: .seconds(3)), .nothing)
        // Told twice is told once.
        polling.setEnabled(true, at: .seconds(50))
        polling.setEnabled(true, at: .seconds(60))
        XCTAssertEqual(polling.since, .seconds(50))
        XCTAssertNil(polling.lastSuccess)
        XCTAssertEqual(polling.state(at: .seconds(60)), .idle)
    }

    func testFailuresInARowOpenTheBreakerAndAProbeDecides() {
        for isBack in [true, false] {
            var polling = FlatPolling(profile, at: .zero)
            for second in 0..<2 { fail(&polling, at: .seconds(second)) }
            XCTAssertEqual(polling.state(at: .seconds(1)), .idle)
            _ = polling.tick(at: .seconds(2))
            XCTAssertEqual(
                polling.failed(unwell, sentAt: .seconds(2), at: .seconds(2)), [.failed, .breakerOpened])
            polling.pollEnded()
            XCTAssertEqual(polling.state(at: .seconds(3)), .open(until: .seconds(17)))
            XCTAssertEqual(polling.tick(at: .seconds(16)), .skip(.breaker))
            XCTAssertEqual(polling.tick(at: .seconds(17)), .poll(timeout: .seconds(35)))
            XCTAssertEqual(polling.state(at: .seconds(18)), .probing)
            XCTAssertEqual(polling.tick(at: .seconds(18)), .skip(.breaker))
            if isBack {
                XCTAssertEqual(
                    polling.succeeded(sentAt: .seconds(17), at: .seconds(40)), [.recovered(after: .seconds(40))])
                polling.pollEnded()
                XCTAssertEqual(polling.state(at: .seconds(40)), .idle)
            } else {
                XCTAssertEqual(
                    polling.failed(unwell, sentAt: .seconds(17), at: .seconds(40)), [.failed, .breakerOpened])
                polling.pollEnded()
                XCTAssertEqual(polling.state(at: .seconds(40)), .open(until: .seconds(55)))
            }
        }
    }

    // A poll that began before the breaker opened goes on, and its failure opens nothing again.
    func testAPollFromBeforeTheBreakerOpenedMovesNothing() {
        var polling = FlatPolling(profile, at: .zero)
        _ = polling.tick(at: .zero)
        for second in 1..<4 { fail(&polling, at: .seconds(second)) }
        XCTAssertEqual(polling.state(at: .seconds(4)), .open(until: .seconds(18)))
        XCTAssertEqual(polling.failed(unwell, sentAt: .zero, at: .seconds(5)), [.failed])
        XCTAssertEqual(polling.state(at: .seconds(5)), .open(until: .seconds(18)))
        XCTAssertEqual(polling.inFlight, 1)
    }

    func testRetryAfterIsObeyedUpToItsLimitAndTakenBackByLaterSuccesses() {
        var polling = FlatPolling(profile, at: .zero)
        _ = polling.tick(at: .seconds(1))
        _ = polling.tick(at: .seconds(1))
        _ = polling.failed(.status(429, retryAfter: 3_600), sentAt: .seconds(1), at: .seconds(2))
        polling.pollEnded()
        XCTAssertEqual(polling.state(at: .seconds(3)), .backingOff(until: .seconds(62)))
        XCTAssertEqual(polling.tick(at: .seconds(3)), .skip(.retryAfter))
        // In flight already when the server asked.
        _ = polling.succeeded(sentAt: .seconds(1), at: .seconds(4))
        XCTAssertEqual(polling.state(at: .seconds(4)), .backingOff(until: .seconds(62)))
        // Sent by a sweep that heeds nothing.
        polling.sweepBegan()
        _ = polling.succeeded(sentAt: .seconds(5), at: .seconds(6))
        polling.pollEnded()
        XCTAssertEqual(polling.state(at: .seconds(6)), .inFlight(1))
        polling.pollEnded()
        XCTAssertEqual(polling.state(at: .seconds(6)), .idle)
    }

    func testBackingOffEndsByTime() {
        var polling = FlatPolling(profile, at: .zero)
        _ = polling.tick(at: .zero)
        _ = polling.failed(.status(503, retryAfter: 10), sentAt: .zero, at: .zero)
        polling.pollEnded()
        XCTAssertEqual(polling.tick(at: .milliseconds(9_999)), .skip(.retryAfter))
        XCTAssertEqual(polling.state(at: .seconds(10)), .idle)
        XCTAssertEqual(polling.tick(at: .seconds(10)), .poll(timeout: .seconds(5)))
    }

    func testAFailureAndARecoveryAreReportedOnceEach() {
        var polling = FlatPolling(profile, at: .zero)
        _ = polling.tick(at: .zero)
        XCTAssertEqual(polling.failed(unwell, sentAt: .zero, at: .seconds(1)), [.failed, .failing])
        XCTAssertEqual(polling.failed(unwell, sentAt: .seconds(1), at: .seconds(2)), [.failed])
        // A request that nobody waited for is no failure.
        XCTAssertEqual(polling.failed(.http(.cancelled(.waiting)), sentAt: .seconds(2), at: .seconds(3)), [])
        XCTAssertEqual(
            polling.succeeded(sentAt: .seconds(3), at: .seconds(4)), [.recovered(after: .seconds(3))])
        XCTAssertEqual(polling.succeeded(sentAt: .seconds(4), at: .seconds(5)), [])
        XCTAssertEqual(polling.lastSuccess, .seconds(5))
        XCTAssertNil(polling.failingSince)
    }

    func testAnAnswerOfMoreThanHalfTheTimeoutMakesAFlatSlow() {
        var polling = FlatPolling(profile, at: .zero)
        XCTAssertEqual(polling.lane, .fast)
        _ = polling.tick(at: .zero)
        _ = polling.failed(unwell, sentAt: .zero, at: .milliseconds(2_501))
        XCTAssertEqual(polling.lane, .slow)
        _ = polling.succeeded(sentAt: .zero, at: .milliseconds(2_500))
        XCTAssertEqual(polling.lane, .fast)
    }

    func testARetryNeedsAReasonAnAttemptTimeAndABudget() {
        var profile = profile
        profile.retry = .init(base: .seconds(1), cap: .seconds(8), budgetPercent: 0, attemptsMax: 2)
        struct Longest: RandomNumberGenerator {
            var draws: Int = 0
            mutating func next() -> UInt64 {
                draws += 1
                return .max
            }
        }
        var random = Longest()
        func command(
            _ failure: PollFailure, attempt: Int = 0, end: Duration = .seconds(10), failures: Int = 1,
            budget: Int = 1
        ) -> FlatPolling.FailureCommand {
            var polling = FlatPolling(profile, at: .zero)
            _ = polling.tick(at: .zero)
            for _ in 0..<failures { _ = polling.failed(failure, sentAt: .zero, at: .zero) }
            var retries = RetryBudget(percent: 0)
            if budget == 0 { XCTAssertTrue(retries.take()) }
            return polling.afterFailure(
                failure, attempt: attempt, until: end, at: .zero, budget: &retries, using: &random)
        }
        XCTAssertEqual(command(unwell), .retry(after: .milliseconds(999)))
        XCTAssertEqual(command(.http(.reset(.waiting)), attempt: 1), .retry(after: .milliseconds(1_999)))
        XCTAssertEqual(command(unwell, end: .milliseconds(999)), .endPoll)
        XCTAssertEqual(command(unwell, budget: 0), .endPoll)
        let draws = random.draws
        XCTAssertEqual(command(unwell, attempt: 2), .endPoll)
        XCTAssertEqual(command(.status(404, retryAfter: nil)), .endPoll)
        XCTAssertEqual(command(.status(503, retryAfter: 1)), .endPoll)
        XCTAssertEqual(command(unwell, failures: 3), .endPoll, "the breaker is open")
        XCTAssertEqual(random.draws, draws, "what is not tried again draws nothing")
    }
}
