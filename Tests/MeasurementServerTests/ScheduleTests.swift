import Documents
import Randomness
import XCTest

@testable import MeasurementServer

final class ScheduleTests: XCTestCase {
    private func schedule(_ text: String) throws -> DeviceSchedule {
        try DeviceSchedule(try JSONReader.read(text.utf8))
    }

    func testEveryFormOfLatencyAndFaultIsRead() throws {
        let latencies = [
            "30", "{\"type\":\"fixed\",\"value\":30}", "{\"type\":\"uniform\",\"min\":1,\"max\":2}",
            "{\"type\":\"normal\",\"mean\":2,\"deviation\":1}", "{\"type\":\"lognormal\",\"median\":2,\"spread\":0.5}",
            "{\"type\":\"spike\",\"spike\":30,\"probability\":\"1/20\"}", "{\"type\":\"trace\",\"values\":[1,2]}",
        ]
        for latency in latencies {
            XCTAssertNotNil(try schedule("{\"latency\":\(latency)}").windows[0].latency, latency)
        }
        let faults = [
            "\"reset\"", "\"empty\"", "\"malformed\"", "\"garbled\"", "\"truncated\"", "\"hang\"", "\"stale\"",
            "\"duplicate\"",
            "\"out-of-order\"", "{\"type\":\"dribble\",\"bytes\":5,\"every\":0.5}",
            "{\"type\":\"status\",\"status\":503,\"retry-after\":30}", "{\"type\":\"skew\",\"ahead\":60}",
        ]
        for fault in faults { XCTAssertNotNil(try schedule("{\"fault\":\(fault)}").windows[0].fault, fault) }
    }

    func testWhatIsNoScheduleIsNamedWithItsPlace() throws {
        let cases = [
            ("[]", "the schedule: it is an object, not a list"),
            ("{\"latencies\":1}", "latencies: there is no such part"),
            ("{\"from\":-1}", "from: a number of seconds from 0 to 100000000"),
            ("{\"from\":5,\"to\":5}", "to: it is not after 'from'"),
            ("{\"windows\":[{},{\"probability\":2}]}", "windows/1/probability: a number from 0 to 1"),
            ("{\"latency\":{\"type\":\"uniform\",\"min\":2,\"max\":1}}", "latency: the maximum"),
            ("{\"latency\":{\"type\":\"nope\"}}", "latency: a number of seconds, or of a type"),
            ("{\"fault\":\"explode\"}", "fault: one of dribble"),
            ("{\"fault\":{\"type\":\"status\",\"status\":101}}", "fault/status: a status from 200 to 599"),
            (
                "{\"fault\":{\"type\":\"status\",\"status\":503,\"retry-after\":\"soon\"}}",
                "fault/retry-after: a whole number of seconds from 0 on"
            ),
            (
                "{\"fault\":{\"type\":\"skew\",\"ahaed\":1}}",
                "fault/ahaed: there is no such part; there are type, ahead"
            ),
            (
                "{\"latency\":{\"type\":\"fixed\",\"vaule\":1}}",
                "latency/vaule: there is no such part; there are type, value"
            ),
            ("{\"latency\":86401}", "latency: a number of seconds from 0 to 86400"),
            ("{\"windows\":[],\"from\":1}", "from: beside 'windows' there is nothing else"),
            ("{\"fault\":{\"type\":\"dribble\",\"bytes\":\"x\"}}", "fault/bytes: a whole number from 1"),
            ("{\"failures\":0}", "failures: a whole number from 1 on"),
        ]
        for (text, message) in cases {
            XCTAssertThrowsError(try schedule(text), text) { XCTAssertTrue("\($0)".hasPrefix(message), "\($0)") }
        }
    }

    private func decide(
        _ active: inout ActiveSchedule, second: UInt64, flat: Int = 0, request: Int = 0
    ) -> ActiveSchedule.Effect {
        let random = RandomStream(seed: 1).fork("request \(request)")
        return active.decide(now: 5_000_000_000 + second * 1_000_000_000, flat: flat, random: random)
    }

    func testWindowsOpenCloseRampAndAddUp() throws {
        var active = ActiveSchedule(
            try schedule(
                "{\"windows\":[{\"from\":10,\"to\":20,\"latency\":4},{\"from\":15,\"latency\":20,\"ramp\":10,\"fault\":\"reset\"}]}"
            ),
            since: 5_000_000_000)
        XCTAssertEqual(decide(&active, second: 9).delay, .zero)
        XCTAssertEqual(decide(&active, second: 10).delay, .seconds(4))
        XCTAssertNil(decide(&active, second: 14).fault)
        XCTAssertEqual(decide(&active, second: 17).delay, .seconds(8))
        XCTAssertEqual(decide(&active, second: 17).fault, .reset)
        XCTAssertEqual(decide(&active, second: 30).delay, .seconds(20))
    }

    func testSomeFailAndThenSucceed() throws {
        var active = ActiveSchedule(try schedule("{\"fault\":\"empty\",\"failures\":3}"), since: 5_000_000_000)
        XCTAssertEqual(
            (0..<5).map { decide(&active, second: 1, request: $0).fault != nil }, [true, true, true, false, false])
        // Each flat for itself, although the schedule is one for all.
        XCTAssertNotNil(decide(&active, second: 1, flat: 1).fault)
    }

    // A trace begins with its window, for each flat.
    func testATraceBeginsWithItsWindow() throws {
        var active = ActiveSchedule(
            try schedule("{\"from\":10,\"latency\":{\"type\":\"trace\",\"values\":[1,2,3]}}"), since: 5_000_000_000)
        for request in 0..<7 { XCTAssertEqual(decide(&active, second: 5, request: request).delay, .zero) }
        XCTAssertEqual(
            (7..<11).map { decide(&active, second: 11, request: $0).delay },
            [.seconds(1), .seconds(2), .seconds(3), .seconds(1)])
        XCTAssertEqual(decide(&active, second: 11, flat: 3, request: 11).delay, .seconds(1))
    }

    // A window that is added before, open or not, leaves the others' draws as they are.
    func testWindowsDrawForThemselves() throws {
        let random = "{\"latency\":{\"type\":\"uniform\",\"min\":1,\"max\":30},\"probability\":0.5}"
        var closed = ActiveSchedule(try schedule("{\"windows\":[{\"from\":50},\(random)]}"), since: 5_000_000_000)
        var open = ActiveSchedule(
            try schedule("{\"windows\":[{\"probability\":0.5},\(random)]}"), since: 5_000_000_000)
        for request in 0..<50 {
            XCTAssertEqual(
                decide(&closed, second: 1, request: request).delay, decide(&open, second: 1, request: request).delay)
        }
    }

    func testNoAnswerIsLaterThanADay() throws {
        let window = "{\"latency\":86400}"
        var active = ActiveSchedule(
            try schedule("{\"windows\":[\(Array(repeating: window, count: 100).joined(separator: ","))]}"),
            since: 5_000_000_000)
        XCTAssertEqual(decide(&active, second: 1).delay, .seconds(86_400))
    }

    // Which request of which flat it is decides, not when it comes or who else asks.
    func testDrawsBelongToTheRequest() throws {
        let text = "{\"latency\":{\"type\":\"uniform\",\"min\":1,\"max\":30},\"probability\":0.5}"
        var one = ActiveSchedule(try schedule(text), since: 5_000_000_000)
        var other = ActiveSchedule(try schedule(text), since: 5_000_000_000)
        let forwards = (0..<50).map { decide(&one, second: 1, request: $0).delay }
        let backwards = (0..<50).reversed().map { decide(&other, second: 99, request: $0).delay }
        XCTAssertEqual(forwards, backwards.reversed())
        let hits = forwards.count { $0 > .zero }
        XCTAssertTrue((12...38).contains(hits), "\(hits)")
    }
}
