import Measurements
import XCTest

@testable import Pipeline

final class MechanismTests: XCTestCase {
    func testABreakerOpensAfterFailuresInARowAndLooksAgain() {
        var breaker = CircuitBreaker(.init(failures: 3, open: .seconds(15), probeTimeout: .seconds(35)))
        for second in 0..<2 { breaker.failed(at: .seconds(second)) }
        breaker.succeeded()
        for second in 3..<6 {
            XCTAssertEqual(breaker.admit(at: .seconds(second)), .allow)
            breaker.failed(at: .seconds(second))
        }
        XCTAssertEqual(breaker.state, .open(until: .seconds(20)))
        XCTAssertEqual(breaker.admit(at: .seconds(19)), .reject)
        XCTAssertEqual(breaker.admit(at: .seconds(20)), .probe(timeout: .seconds(35)))
        // One looks; others stay away until it has seen.
        XCTAssertEqual(breaker.admit(at: .seconds(21)), .reject)
        breaker.failed(at: .seconds(22))
        XCTAssertEqual(breaker.state, .open(until: .seconds(37)))
        XCTAssertEqual(breaker.admit(at: .seconds(40)), .probe(timeout: .seconds(35)))
        breaker.succeeded()
        XCTAssertEqual(breaker.admit(at: .seconds(41)), .allow)
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

    func testSlowTargetsDoNotTakeThePermitsOfFastOnes() {
        var bulkhead = Bulkhead(.init(total: 4, slow: 1))
        let slow = (0..<3).map { _ in bulkhead.take(.slow) }
        let fast = (0..<4).map { _ in bulkhead.take(.fast) }
        XCTAssertEqual(slow.map(\.isPermit), [true, false, false])
        XCTAssertEqual(fast.map(\.isPermit), [true, true, true, false])
        XCTAssertTrue(bulkhead.cancel(slow[1].ticket))
        XCTAssertFalse(bulkhead.cancel(slow[1].ticket), "it waits no more")
        XCTAssertFalse(bulkhead.cancel(slow[0].ticket), "a permit does not wait")
        // The one that waits longest gets what is given back, and keeps it from who comes later.
        XCTAssertEqual(bulkhead.release(slow[0].ticket), slow[2].ticket)
        XCTAssertEqual(bulkhead.release(fast[0].ticket), fast[3].ticket)
        XCTAssertFalse(bulkhead.take(.fast).isPermit)
        XCTAssertNil(bulkhead.release(slow[2].ticket))
        XCTAssertTrue(bulkhead.take(.slow).isPermit)
    }

    func testReadingsAreNewOnceHoweverTheyComeAgain() {
        var readings = FlatReadings(flat: "SD0")
        func reading(_ time: Int64) -> Reading {
            Reading(Reading.Identity(flat: "SD0", room: "1", channel: "t", milliseconds: time), value: Double(time))
        }
        XCTAssertEqual(
            [10, 20, 10, 15, 20, 30].map { readings.note(reading($0)) }, [.new, .new, .known, .new, .known, .new])
        XCTAssertEqual(readings.newest, 30)
        XCTAssertEqual(readings.latest.map(\.value), [30])
        for time in 31...60 { _ = readings.note(reading(Int64(time))) }
        // So late that nobody remembers: not told apart from known ones.
        XCTAssertEqual(readings.note(reading(11)), .known)
        // A time that has not come moves nothing, and what nobody took is new again.
        XCTAssertEqual(readings.note(reading(9_999), isAhead: true), .new)
        XCTAssertEqual([readings.newest, readings.latest.first?.id.milliseconds], [60, 60])
        readings.forget([reading(60), reading(9_999)])
        XCTAssertEqual(readings.note(reading(60)), .new)
        XCTAssertEqual(readings.note(reading(9_999), isAhead: true), .new)
    }

    // Rooms come in any order, and come and go; each channel has its own times.
    func testChannelsAreKnownInWhateverOrderAnAnswerHasThem() {
        var readings = FlatReadings(flat: "SD0")
        let rooms = (0..<50).map { "\($0 * 37 % 50)" }
        func reading(_ room: String, _ channel: String, _ time: Int64) -> Reading {
            let id = Reading.Identity(flat: "SD0", room: room, channel: channel, milliseconds: time)
            return Reading(id, value: Double(time))
        }
        for (time, order) in [(1, rooms), (2, rooms.reversed()), (3, rooms.sorted()), (4, rooms)] as [(Int64, [String])]
        {
            for room in order {
                for channel in ["t", "m"] {
                    XCTAssertEqual(readings.note(reading(room, channel, time)), .new)
                    XCTAssertEqual(readings.note(reading(room, channel, time)), .known)
                }
            }
        }
        XCTAssertEqual(readings.latest, rooms.sorted().flatMap { [reading($0, "m", 4), reading($0, "t", 4)] })
        // What one forgets, the others keep, though they were measured together.
        readings.forget([reading("7", "t", 4)])
        XCTAssertEqual(readings.note(reading("8", "t", 4)), .known)
        XCTAssertEqual(readings.note(reading("7", "t", 4)), .new)
        for number in 100..<1000 { XCTAssertEqual(readings.note(reading("x\(number)", "t", 1)), .new) }
        XCTAssertEqual(readings.note(reading("one more", "t", 1)), .tooMany)
    }

    func testAFallBelongsToTheLatestValueAlone() {
        var readings = FlatReadings(flat: "SD0")
        func reading(_ time: Int64, _ value: Double) -> Reading {
            Reading(Reading.Identity(flat: "SD0", room: "1", channel: "m", milliseconds: time), value: value)
        }
        for value in [reading(1, 5), reading(2, 3)] { _ = readings.note(value) }
        XCTAssertEqual(readings.fall(at: reading(2, 3)), .init(from: 5, kind: .reset))
        XCTAssertNil(readings.fall(at: reading(1, 5)))
        _ = readings.note(reading(3, 4))
        XCTAssertNil(readings.fall(at: reading(3, 4)))
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
