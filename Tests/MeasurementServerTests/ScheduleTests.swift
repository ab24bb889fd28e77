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
            "\"reset\"", "\"empty\"", "\"malformed\"", "\"truncated\"", "\"hang\"", "\"stale\"", "\"duplicate\"",
            "\"out-of-order\"", "{\"type\":\"dribble\",\"bytes\":5,\"every\":0.5}",
            "{\"type\":\"status\",\"status\":503,\"retry-after\":30}", "{\"type\":\"skew\",\"ahead\":60}",
        ]
        for fault in faults { XCTAssertNotNil(try schedule("{\"fault\":\(fault)}").windows[0].fault, fault) }
    }

    func testWhatIsNoScheduleIsNamedWithItsPlace() throws {
        let cases = [
            ("[]", "the schedule: it is an object, not a list"),
            ("{\"latencies\":1}", "latencies: there is no such part"),
            ("{\"from\":-1}", "from: a number of seconds from 0 on"),
            ("{\"from\":5,\"to\":5}", "to: it is not after 'from'"),
            ("{\"windows\":[{},{\"probability\":2}]}", "windows/1/probability: a number from 0 to 1"),
            ("{\"latency\":{\"type\":\"uniform\",\"min\":2,\"max\":1}}", "latency: the maximum"),
            ("{\"latency\":{\"type\":\"nope\"}}", "latency: a number of seconds, or of a type"),
            ("{\"fault\":\"explode\"}", "fault: one of reset"),
            ("{\"fault\":{\"type\":\"status\",\"status\":7}}", "fault/status: a status from 100 to 599"),
            ("{\"failures\":0}", "failures: a whole number from 1 on"),
        ]
        for (text, message) in cases {
            XCTAssertThrowsError(try schedule(text), text) { XCTAssertTrue("\($0)".hasPrefix(message), "\($0)") }
        }
    }

    private func decide(_ active: inout ActiveSchedule, second: UInt64, request: Int = 0) -> ActiveSchedule.Effect {
        var random = RandomStream(seed: 1).fork("request \(request)")
        return active.decide(now: 5_000_000_000 + second * 1_000_000_000, request: request, random: &random)
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
