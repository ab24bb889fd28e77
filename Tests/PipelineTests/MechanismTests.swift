import Measurements
import XCTest

@testable import Pipeline

final class MechanismTests: XCTestCase {
    func testABreakerOpensAfterFailuresInARowAndLooksAgain() {
        var breaker = CircuitBreaker(.init(failures: 3, open: .seconds(15), probeDeadline: .seconds(35)))
        for second in 0..<2 { breaker.failed(now: .seconds(second)) }
        breaker.succeeded()
        for second in 3..<6 {
            XCTAssertEqual(breaker.ask(now: .seconds(second)), .pass)
            breaker.failed(now: .seconds(second))
        }
        XCTAssertEqual(breaker.state, .open(until: .seconds(20)))
        XCTAssertEqual(breaker.ask(now: .seconds(19)), .refuse)
        XCTAssertEqual(breaker.ask(now: .seconds(20)), .probe(deadline: .seconds(35)))
        // One looks; others stay away until it has seen.
        XCTAssertEqual(breaker.ask(now: .seconds(21)), .refuse)
        breaker.failed(now: .seconds(22))
        XCTAssertEqual(breaker.state, .open(until: .seconds(37)))
        XCTAssertEqual(breaker.ask(now: .seconds(40)), .probe(deadline: .seconds(35)))
        breaker.succeeded()
        XCTAssertEqual(breaker.ask(now: .seconds(41)), .pass)
    }

    func testWaitsGrowUpToTheCapAndAreJitteredInFull() {
        let backoff = Backoff(
            rule: .init(base: .milliseconds(500), cap: .seconds(8), budgetPercent: 20, attemptsMax: 9))
        for (retry, longest) in [(0, 500), (1, 1000), (3, 4000), (4, 8000), (5, 8000), (60, 8000)] {
            XCTAssertEqual(backoff.wait(retry, random: 0), .zero)
            XCTAssertEqual(backoff.wait(retry, random: .max), .milliseconds(longest - 1))
            XCTAssertEqual(backoff.wait(retry, random: 1 << 63), .milliseconds(longest / 2))
        }
    }

    // A fifth of a hundred requests, and no more than ten saved up.
    func testTheBudgetBoundsRetries() {
        var budget = RetryBudget(percent: 20)
        XCTAssertTrue(budget.take())
        XCTAssertFalse(budget.take())
        for _ in 0..<25 { budget.noteRequest() }
        XCTAssertEqual((0..<10).count { _ in budget.take() }, 5)
        for _ in 0..<1000 { budget.noteRequest() }
        XCTAssertEqual((0..<20).count { _ in budget.take() }, 10)
    }

    func testSlowTargetsDoNotTakeThePlacesOfFastOnes() {
        var bulkhead = Bulkhead(.init(total: 4, slow: 1))
        var given: [String] = []
        bulkhead.take(.slow, id: 1) { given.append("slow 1 \($0)") }
        bulkhead.take(.slow, id: 2) { given.append("slow 2 \($0)") }
        bulkhead.take(.slow, id: 3) { given.append("slow 3 \($0)") }
        for id in 4...7 { bulkhead.take(.fast, id: UInt64(id)) { given.append("fast \(id) \($0)") } }
        XCTAssertEqual(given, ["slow 1 true", "fast 4 true", "fast 5 true", "fast 6 true"])
        bulkhead.cancel(.slow, id: 2)
        bulkhead.release(.slow)
        bulkhead.release(.fast)
        XCTAssertEqual(given.suffix(3), ["slow 2 false", "slow 3 true", "fast 7 true"])
    }

    func testReadingsAreNewOnceHoweverTheyComeAgain() {
        let state = FlatState(flat: "SD0", path: "/", since: .now, breaker: nil)
        func reading(_ time: Int64) -> Reading {
            Reading(Reading.Identity(flat: "SD0", room: "1", channel: "t", milliseconds: time), value: Double(time))
        }
        XCTAssertEqual(
            [10, 20, 10, 15, 20, 30].map { state.note(reading($0)) }, [.new, .new, .known, .new, .known, .new])
        XCTAssertEqual(state.newest, 30)
        XCTAssertEqual(state.latest.map(\.value), [30])
        for time in 31...60 { _ = state.note(reading(Int64(time))) }
        // So late that nobody remembers: not told apart from known ones.
        XCTAssertEqual(state.note(reading(11)), .known)
        // A time that has not come moves nothing, and what nobody took is new again.
        XCTAssertEqual(state.note(reading(9_999), isAhead: true), .new)
        XCTAssertEqual([state.newest, state.latest.first?.id.milliseconds], [60, 60])
        state.forget([reading(60), reading(9_999)])
        XCTAssertEqual(state.note(reading(60)), .new)
        XCTAssertEqual(state.note(reading(9_999), isAhead: true), .new)
    }

    // The same phase in every process, and flats spread over the whole interval.
    func testPhasesAreFixedAndSpread() {
        let phases = (0..<100).map { Poller.phase(of: "SD\($0)", in: .seconds(10)) }
        XCTAssertEqual(phases, (0..<100).map { Poller.phase(of: "SD\($0)", in: .seconds(10)) })
        for tenth in 0..<10 {
            let inside = phases.count { $0 >= .seconds(tenth) && $0 < .seconds(tenth + 1) }
            XCTAssertTrue((2...25).contains(inside), "\(inside) in second \(tenth)")
        }
    }
}
