import Documents
import HTTP
import HTTPTypes
import NIOCore
import Ports
import XCTest

@testable import Measurements
@testable import Pipeline

final class PollerTests: XCTestCase {
    private var every5s: PollerProfile {
        var profile = PollerProfile.bulkhead
        profile.interval = .seconds(5)
        return profile
    }

    // MARK: Readings

    func testNothingIsPublishedTwiceHoweverOftenItIsRead() throws {
        try TestLandscape.run(every5s) { landscape in
            try await landscape.sleep(300)
            let ids = landscape.sink.readings.map(\.id)
            XCTAssertEqual(landscape.sink.duplicates, 0)
            // Five or six measurements of 2 flats, 2 rooms and 2 channels.
            XCTAssertTrue((40...48).contains(ids.count), "\(ids.count)")
        }
    }

    func testWhatTheSinkDoesNotTakeIsPublishedWhenItTakesAgain() throws {
        try TestLandscape.run(every5s) { landscape in
            landscape.sink.isFailing = true
            try await landscape.sleep(20)
            XCTAssertEqual(landscape.sink.readings, [])
            let counters = await landscape.poller.counters
            XCTAssertGreaterThan(counters.unpublished, 0)
            XCTAssertGreaterThan(landscape.events.count { if case .unpublished = $0 { true } else { false } }, 0)
            landscape.sink.isFailing = false
            try await landscape.sleep(10)
            XCTAssertEqual(Set(landscape.sink.readings.map(\.id.flat)), ["SD0", "SD1"])
            XCTAssertEqual(landscape.sink.duplicates, 0)
        }
    }

    // A sink that answers late or never does not keep the places of requests.
    func testASlowSinkHoldsUpNoPoll() throws {
        var profile = every5s
        profile.bulkhead = Bulkhead.Options(total: 2, slow: 1)
        profile.overlap = 4
        try TestLandscape.run(profile, configure: { $0.publishMax = .seconds(15) }) { landscape in
            landscape.sink.delay = .seconds(1000)
            try await landscape.sleep(60)
            let ages = await landscape.poller.ages
            for flat in ages.flats { XCTAssertLessThan(flat.lastSuccess, 6, flat.flat) }
            let counters = await landscape.poller.counters
            XCTAssertGreaterThan(counters.unpublished, 0)
        }
    }

    func testAClockAheadIsToldOnceAndPoisonsNothing() throws {
        try TestLandscape.run(every5s, flats: ["SD0"]) { landscape in
            try await landscape.sleep(70)
            try await landscape.schedule("SD0", "{\"fault\": {\"type\": \"skew\", \"ahead\": 86400}}")
            try await landscape.sleep(180)
            let told = landscape.events.entries.compactMap { event -> Int64? in
                if case .clockAhead(_, let milliseconds) = event { milliseconds } else { nil }
            }
            XCTAssertEqual(told.count, 1)
            XCTAssertTrue((86_330_000...86_400_000).contains(told[0]), "\(told)")
            let during = await landscape.poller.ages.flats[0].data ?? 0
            XCTAssertGreaterThan(during, 100, "the age of data goes on growing")
            try await landscape.heal()
            try await landscape.sleep(70)
            let after = await landscape.poller.ages.flats[0].data ?? .infinity
            XCTAssertTrue((0...66).contains(after), "\(after)")
            let latest = await landscape.poller.latest(of: "SD0") ?? []
            XCTAssertEqual(latest.count, 4)
            XCTAssertTrue(latest.allSatisfy { $0.id.milliseconds <= WallClock.milliseconds })
            let counters = await landscape.poller.counters
            // Three or four measurements of four channels.
            XCTAssertTrue([12, 16].contains(counters.ahead), "\(counters.ahead)")
        }
    }

    func testDuplicateStaleAndUnorderedAnswersBringEachReadingOnce() throws {
        for fault in ["duplicate", "stale", "out-of-order"] {
            try TestLandscape.run(every5s, flats: ["SD0"]) { landscape in
                try await landscape.schedule("SD0", "{\"fault\": \"\(fault)\"}")
                try await landscape.sleep(300)
                try await landscape.heal()
                try await landscape.sleep(70)
                XCTAssertEqual(landscape.sink.duplicates, 0, fault)
                let counters = await landscape.poller.counters
                let times = Set(landscape.sink.readings.map(\.id.milliseconds)).count
                switch fault {
                case "duplicate":
                    XCTAssertEqual(counters.readings + counters.duplicates, counters.requests * 8 - 4 * 14, fault)
                    XCTAssertTrue((6...7).contains(times), "\(times)")
                case "stale": XCTAssertTrue((2...3).contains(times), "\(times)")
                default: XCTAssertGreaterThan(times, 6, fault)
                }
            }
        }
    }

    // A server that invents names cannot fill the memory.
    func testRoomsWithoutEndAreRefusedAndCounted() throws {
        let responder = HTTPResponder.immediate { _, _ in
            let time = MeasurementTime.write(WallClock.milliseconds, .iso8601).string ?? ""
            let rooms = (0..<600).map { room in
                let value = "{\"timestamp\":\"\(time)\",\"value\":1}"
                return "{\"roomNr\":\"\(time) \(room)\",\"temperature\":\(value),\"meterValue\":\(value)}"
            }
            return HTTPReply(.ok, text: "{\"rooms\":[\(rooms.joined(separator: ","))]}")
        }
        try TestLandscape.run(every5s, flats: ["SD0"], responder: responder) { landscape in
            try await landscape.sleep(60)
            let latest = await landscape.poller.latest(of: "SD0") ?? []
            XCTAssertEqual(latest.count, FlatReadings.channelsMax)
            let counters = await landscape.poller.counters
            XCTAssertGreaterThan(counters.refused, 1000)
            XCTAssertGreaterThan(
                landscape.events.count { if case .partial(_, .tooManyChannels) = $0 { true } else { false } }, 3)
        }
    }

    func testMalformedAnswersOfEveryKindLeaveThePollerAlive() throws {
        let bodies = [
            "", "{", "[]", "null", "{\"rooms\":{}}", "{\"rooms\":[1]}", "{\"rooms\":[{\"roomNr\":{}}]}", "\u{0}",
            String(repeating: "[", count: 5000), "{\"rooms\":[{\"roomNr\":1,\"temperature\":null}]}",
        ]
        let counter = Counter()
        let responder = HTTPResponder.immediate { _, _ in
            counter.count += 1
            return HTTPReply(.ok, text: bodies[counter.count % bodies.count])
        }
        try TestLandscape.run(every5s, flats: ["SD0"], responder: responder) { landscape in
            try await landscape.sleep(200)
            let counters = await landscape.poller.counters
            XCTAssertTrue((39...41).contains(counters.requests), "\(counters.requests)")
            XCTAssertGreaterThan(counters.failures, 20)
            XCTAssertGreaterThan(counters.partial, 2)
            XCTAssertEqual(landscape.sink.readings, [])
        }
    }

    // MARK: Failures

    func testAFailureAndItsEndAreToldOnce() throws {
        try TestLandscape.run(every5s, flats: ["SD0"]) { landscape in
            try await landscape.sleep(10)
            try await landscape.schedule("SD0", "{\"fault\": {\"type\": \"status\", \"status\": 500}}")
            try await landscape.sleep(60)
            try await landscape.heal()
            try await landscape.sleep(20)
            XCTAssertEqual(landscape.events.count { if case .failing = $0 { true } else { false } }, 1)
            XCTAssertEqual(landscape.events.count { if case .failed = $0 { true } else { false } }, 12)
            let recoveries = landscape.events.entries.compactMap { event -> Duration? in
                if case .recovered(_, let after) = event { after } else { nil }
            }
            XCTAssertEqual(recoveries.count, 1)
            XCTAssertTrue((.seconds(59) ... .seconds(61)).contains(recoveries[0]), "\(recoveries)")
        }
    }

    func testABreakerLeavesAFailingFlatAloneAndLooksAgain() throws {
        var profile = every5s
        profile.breaker = CircuitBreaker.Options(failures: 3, open: .seconds(60), probeTimeout: .seconds(35))
        try TestLandscape.run(profile, flats: ["SD0"]) { landscape in
            try await landscape.schedule("SD0", "{\"fault\": \"hang\", \"to\": 60}")
            try await landscape.sleep(70)
            let during = await landscape.poller.counters
            XCTAssertEqual([during.requests, during.opened], [3, 1])
            XCTAssertGreaterThan(during.skips, 8)
            try await landscape.sleep(60)
            let after = await landscape.poller.counters
            XCTAssertGreaterThan(after.successes, 0)
            XCTAssertEqual(landscape.events.count { if case .recovered = $0 { true } else { false } }, 1)
        }
    }

    func testRetriesStayInTheirBudgetAndOnlyRepeatWhatMayPass() throws {
        var profile = every5s
        profile.interval = .seconds(30)
        profile.retry = PollerProfile.Retry(
            base: .milliseconds(100), cap: .milliseconds(200), budgetPercent: 50, attemptsMax: 3)
        for (fault, isTriedAgain) in [
            ("{\"type\":\"status\",\"status\":503}", true), ("\"empty\"", true), ("\"reset\"", true),
            ("{\"type\":\"status\",\"status\":404}", false), ("\"malformed\"", false),
            ("{\"type\":\"status\",\"status\":503,\"retry-after\":1}", false),
        ] {
            try TestLandscape.run(profile, flats: ["SD0"]) { landscape in
                try await landscape.schedule("SD0", "{\"fault\": \(fault)}")
                try await landscape.sleep(590)
                let counters = await landscape.poller.counters
                // Twenty polls; each two requests earn one retry, and retries are requests.
                XCTAssertEqual(counters.retries > 0, isTriedAgain, fault)
                XCTAssertTrue((isTriedAgain ? 35...41 : 19...20).contains(counters.requests), "\(fault) \(counters)")
            }
        }
    }

    func testRetryAfterIsObeyedAsSecondsAndAsDate() throws {
        var profile = every5s
        profile.retryAfterMax = .seconds(60)
        for isDate in [false, true] {
            let counter = Counter()
            let responder = HTTPResponder.immediate { _, _ in
                counter.count += 1
                var reply = HTTPReply(.serviceUnavailable)
                reply.response.headerFields[.retryAfter] =
                    isDate ? HTTPDate.text(WallClock.milliseconds + 42_000) : "42"
                return reply
            }
            try TestLandscape.run(profile, flats: ["SD0"], responder: responder) { landscape in
                try await landscape.sleep(130)
                // At the beginning, and 45 and 90 s later.
                XCTAssertEqual(counter.count, 3, "date: \(isDate)")
            }
        }
    }

    func testAServersWrongClockIsToldOnceInEitherDirection() throws {
        for offset: Int64 in [-3_600_000, 3_600_000, 3_000] {
            let responder = HTTPResponder.immediate { _, _ in
                var reply = HTTPReply(.ok, text: "{\"rooms\":[]}")
                reply.response.headerFields[.date] = HTTPDate.text(WallClock.milliseconds + offset)
                return reply
            }
            try TestLandscape.run(every5s, responder: responder) { landscape in
                try await landscape.sleep(60)
                let told = landscape.events.entries.compactMap { event -> Int64? in
                    if case .serverClockOff(let milliseconds) = event { milliseconds } else { nil }
                }
                XCTAssertEqual(told.count, abs(offset) > 6_000 ? 1 : 0)
                if let first = told.first { XCTAssertTrue(abs(first - offset) <= 1_100, "\(first)") }
            }
        }
    }

    // MARK: Flats

    func testFlatsComeAndGoByEvents() throws {
        try TestLandscape.run(every5s, flats: []) { landscape in
            let empty = try await landscape.get("/ready")
            XCTAssertEqual(empty.status, 200)
            func event(_ action: String, _ more: String = "", flat: String = "SD2") -> String {
                "{\"id\":\"1\",\"type\":\"event\",\"action\":\"\(action)\",\"data\":{\"flatId\":\"\(flat)\"\(more)}}"
            }
            let created = try await landscape.send(.post, "/events", event("CreateDevice"))
            XCTAssertEqual([created.status], [202])
            try await landscape.sleep(7)
            let measurements = try await landscape.get("/flats/SD2/measurements")
            XCTAssertEqual(measurements.body["readings"]?.array?.count, 4)
            // Not pulled: no request, and its age spoils nothing; pulled again: young from then on.
            _ = try await landscape.send(.post, "/events", event("PullStateChangeDevice", ",\"pull\":false"))
            let before = await landscape.poller.counters.requests
            try await landscape.sleep(60)
            let after = await landscape.poller.counters.requests
            XCTAssertEqual(before, after)
            let freshness = try await landscape.get("/freshness")
            XCTAssertEqual(freshness.body["flats"], 0)
            _ = try await landscape.send(.post, "/events", event("PullStateChangeDevice", ",\"pull\":true"))
            let age = try await landscape.get("/freshness/SD2").body["last_success_age"]?.number ?? .infinity
            XCTAssertLessThan(age, 1)
            // Removed and added again while a request is under way: the old answer is nobody's.
            try await landscape.schedule("SD2", "{\"latency\": 3}")
            try await landscape.sleep(6)
            _ = try await landscape.send(.post, "/events", event("DeleteDevice"))
            let gone = try await landscape.get("/flats/SD2/measurements")
            XCTAssertEqual(gone.status, 404)
            _ = try await landscape.send(.post, "/events", event("CreateDevice"))
            try await landscape.sleep(30)
            let inFlight = await landscape.poller.inFlight("SD2")
            XCTAssertTrue((0...1).contains(inFlight), "\(inFlight)")
            let health = try await landscape.get("/health")
            XCTAssertEqual(health.status, 200)
        }
    }

    func testEventsThatCannotBeAreRefusedWithTheirReason() throws {
        try TestLandscape.run(every5s, flats: []) { landscape in
            let long = String(repeating: "x", count: 70_000)
            for (body, status, reason) in [
                ("", 400, "not JSON"), ("{}", 400, "/data/flatId"),
                ("{\"data\":{\"flatId\":\"\"}}", 400, "/data/flatId"),
                ("{\"action\":\"CreateDevice\",\"data\":{\"flatId\":\"../../etc\"}}", 400, "letters and digits"),
                ("{\"action\":\"CreateDevice\",\"data\":{\"flatId\":\"a\\\"b\"}}", 400, "letters and digits"),
                ("{\"action\":\"Explode\",\"data\":{\"flatId\":\"SD0\"}}", 400, "/action"),
                ("{\"action\":\"PullStateChangeDevice\",\"data\":{\"flatId\":\"SD0\"}}", 400, "/data/pull"),
                ("\"\(long)\"", 413, ""),
            ] {
                let answer = try await landscape.send(.post, "/events", body)
                XCTAssertEqual(answer.status, status, body.prefix(100).description)
                XCTAssertTrue(reason.isEmpty || answer.text.contains(reason), answer.text)
            }
        }
        do {
            try FlatName.check("a b")
            XCTFail("a blank was taken")
        } catch {
            XCTAssertTrue("\(error)".hasPrefix("'a b' is not a flat"), "\(error)")
        }
    }

    // MARK: Services

    func testMetricsTellWhatWasDone() throws {
        try TestLandscape.run(every5s) { landscape in
            try await landscape.sleep(30)
            let text = try await landscape.get("/metrics").text
            for line in [
                "poller_requests_total 12", "poller_failures_total 0", "poller_partial_total 0", "poller_ahead_total 0",
                "poller_breaker_opened_total 0", "# TYPE poller_flat_data_age_seconds gauge",
                "poller_flat_last_success_age_seconds{flat=\"SD1\"} ",
            ] {
                XCTAssertTrue(text.contains(line), "\(line) is not in:\n\(text)")
            }
        }
    }

    func testTheGatewayRoutesDelaysAndSaysWhenNobodyAnswers() throws {
        try TestLandscape.run(every5s) { landscape in
            let early = try await landscape.get("/ready", to: TestLandscape.gateway)
            XCTAssertEqual(early.status, 503)
            try await landscape.sleep(10)
            for path in ["/health", "/ready", "/freshness", "/freshness/SD0", "/flats/SD0/measurements"] {
                let answer = try await landscape.get(path, to: TestLandscape.gateway)
                XCTAssertEqual(answer.status, 200, path)
            }
            let unknown = try await landscape.get("/flats/XX/measurements", to: TestLandscape.gateway)
            XCTAssertEqual(unknown.status, 404)
            let began = ContinuousClock.now
            _ = try await landscape.get("/health", to: TestLandscape.gateway, fields: [("x-delay", "2500")])
            XCTAssertTrue((.seconds(2.5) ... .seconds(2.6)).contains(began.duration(to: .now)))
        }
    }

    func testAGatewayWithoutItsServiceSaysSo() throws {
        for (delivery, status) in [(HTTPReply.Delivery.never, 504), (.reset, 502), (.closed, 502)] {
            let responder = HTTPResponder.immediate { _, _ in
                var reply = HTTPReply(.ok)
                reply.delivery = delivery
                return reply
            }
            try GatewayFixture.run(upstream: responder) { get in
                let answer = try await get("/freshness")
                XCTAssertEqual(answer, status, "\(delivery)")
                let health = try await get("/health")
                XCTAssertEqual(health, 200)
            }
        }
    }
}

final class Counter: @unchecked Sendable {
    var count: Int = 0
}

extension Poller {
    /// Polls of a flat that are in flight; -1 if it is not polled.
    fileprivate func inFlight(_ flat: String) -> Int { flats[flat]?.polling.inFlight ?? -1 }
}
