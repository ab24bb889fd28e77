import Documents
import XCTest

@testable import Measurements

/// Times as servers write them, beside the plain ones of ContractTests.
final class MeasurementTimeTests: XCTestCase {
    private func read(_ text: String, zone: String = "+00:00", now: Int64 = 0) throws -> Int64? {
        MeasurementTime.read(
            .string(text), [.iso8601], zone: try XCTUnwrap(MeasurementZone(zone), zone), now: now)
    }

    func testAnIntervalsEndIsItsTime() throws {
        let end: Int64 = 1_795_688_100_000  // 2026-11-26T10:15:00Z
        for text in [
            "2026-11-26T10:00:00Z/2026-11-26T10:15:00Z", "2026-11-26T10:00:00Z/PT15M", "PT15M/2026-11-26T10:15:00Z",
            "2026-11-25T10:15:00Z/P1D", "2026-11-26T11:00:00+01:00/2026-11-26T11:15:00+01:00",
        ] { XCTAssertEqual(try read(text), end, text) }
        for text in [
            "2026-11-26T10:15:00Z/2026-11-26T10:00:00Z", "2026-11-26T10:00:00Z/", "/2026-11-26T10:00:00Z",
            "2026-11-26T10:00:00Z/P1M", "2026-11-26T10:00:00Z/PT", "PT15M/PT15M",
            "2026-11-26T10:00:00Z/2026-11-26T10:15:00Z/2026-11-26T10:30:00Z",
        ] { XCTAssertNil(try read(text), text) }
    }

    func testADayMayEndAt24() throws {
        XCTAssertEqual(try read("2026-12-31T24:00:00Z"), try read("2027-01-01T00:00:00Z"))
        XCTAssertEqual(try read("2026-02-28T24:00"), try read("2026-03-01T00:00"))
        for text in ["2026-12-31T24:00:01Z", "2026-12-31T24:01Z", "2026-12-31T24:00:00.5Z", "2026-12-31T25:00Z"] {
            XCTAssertNil(try read(text), text)
        }
    }

    // Summer time of Berlin, by the file's list and, years from now, by its rule.
    func testAPlacesRulesDecideWhereNoZoneIsSaid() throws {
        for (local, utc) in [
            ("2026-01-15T12:00:00", "2026-01-15T11:00:00Z"), ("2026-07-15T12:00:00", "2026-07-15T10:00:00Z"),
            ("2026-03-29T01:59:59", "2026-03-29T00:59:59Z"), ("2026-03-29T03:00:00", "2026-03-29T01:00:00Z"),
            ("2060-07-15T12:00:00", "2060-07-15T10:00:00Z"), ("2060-12-15T12:00:00", "2060-12-15T11:00:00Z"),
            // What no clock shows is what the clock before would have shown.
            ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
        ] { XCTAssertEqual(try read(local, zone: "Europe/Berlin"), try read(utc), local) }
        // In the south, summer goes over the turn of the year.
        XCTAssertEqual(
            try read("2060-01-15T12:00:00", zone: "Australia/Sydney"), try read("2060-01-15T01:00:00Z"))
        XCTAssertEqual(try read("2060-07-15T12:00:00", zone: "Australia/Sydney"), try read("2060-07-15T02:00:00Z"))
        // A time that says its own zone needs none.
        XCTAssertEqual(try read("2026-07-15T12:00:00Z", zone: "Europe/Berlin"), try read("2026-07-15T12:00:00Z"))
        for name in ["Europe/Nowhere", "../etc/passwd", "/etc/passwd", "", "Europe/", "CET+"] {
            XCTAssertNil(MeasurementZone(name), name)
        }
    }

    // On 2026-10-25 the hour from 2 to 3 comes twice: each time it is read soon after it was measured.
    func testTheHourThatComesTwiceKeepsItsReadingsApart() throws {
        let first = try XCTUnwrap(try read("2026-10-25T00:30:00Z"))
        let second = try XCTUnwrap(try read("2026-10-25T01:30:00Z"))
        for (now, expected) in [(first, first), (first + 5000, first), (second, second), (second + 5000, second)] {
            XCTAssertEqual(try read("2026-10-25T02:30:00", zone: "Europe/Berlin", now: now), expected)
        }
        let contract = try MeasurementContract(
            try JSONReader.read(
                """
                {"name": "b", "path": "/{flat}", "records": "/rooms", "room": "/nr", "zone": "Europe/Berlin", "times": ["iso8601"],
                 "channels": [{"name": "t", "unit": "C", "kind": "gauge", "value": "/v", "time": "/t"}]}
                """.utf8))
        let payload = Array(#"{"rooms": [{"nr": 1, "v": 21.5, "t": "2026-10-25T02:30:00"}]}"#.utf8)
        let ids = try [first, second].map { now in
            try XCTUnwrap(try contract.read(payload, of: "SD0", now: now + 1000).readings.first).id
        }
        XCTAssertEqual(ids.map(\.milliseconds), [first, second])
    }

    func testPayloadsMayBeginWithAByteOrderMark() throws {
        let text = #"{"rooms":[{"roomNr":1,"temperature":{"timestamp":"2026-01-01T00:00:00Z","value":21.5}}]}"#
        let read = try MeasurementContract.ieeFlat.read([0xef, 0xbb, 0xbf] + Array(text.utf8), of: "SD0")
        XCTAssertEqual(read.readings.map(\.value), [21.5])
    }

    func testNumbersAreTextsWhereTheContractSaysSo() throws {
        func things(_ result: String) throws -> ParsedPayload {
            try MeasurementContract.sensorThings.read(
                Array(
                    """
                    {"value": [{"name": "kitchen/temperature", "unitOfMeasurement": {"symbol": "°C"},
                      "Observations": [{"result": \(result), "phenomenonTime": "2026-11-26T10:15:00Z"}]}]}
                    """.utf8), of: "SD0")
        }
        XCTAssertEqual(try things("\"21.5\"").readings.map(\.value), [21.5])
        for text in ["\"warm\"", "\"21,5\"", "\"NaN\"", "\"0x10\"", "\"\"", "true"] {
            XCTAssertEqual(try things(text).readings, [], text)
        }
        let rooms = #"{"rooms":[{"roomNr":1,"temperature":{"timestamp":"2026-01-01T00:00:00Z","value":"21.5"}}]}"#
        let refused = try MeasurementContract.ieeFlat.read(Array(rooms.utf8), of: "SD0").problems
        XCTAssertEqual(refused.map(\.description), [#"/rooms/0/temperature/value is not a number: "21.5""#])
    }

    func testWhatIsRefusedIsShown() throws {
        let text = #"{"rooms":[{"roomNr":1,"temperature":{"timestamp":"26.11.2026 10:15","value":1}}]}"#
        let problems = try MeasurementContract.ieeFlat.read(Array(text.utf8), of: "SD0").problems
        XCTAssertEqual(
            problems.map(\.description),
            [#"/rooms/0/temperature/timestamp is not a time of a known format: "26.11.2026 10:15""#])
        let long = PayloadProblem.unknownName(Pointer(tokens: ["n"]), String(repeating: "x", count: 1000))
        XCTAssertLessThan(long.description.count, 150)
    }

    func testARegisterThatFallsWasResetOrRolledOver() {
        for (before, after, expected) in [
            (5347.6, 5348.1, nil), (5347.6, 5347.6, nil), (5347.6, 0.1, .reset), (5347.6, 5347.5, .reset),
            (99_999.9, 0.1, .rollover), (9_990.5, 12.0, .rollover), (9_990.5, 5_000, .reset), (3.2, 0, .reset),
        ] as [(Double, Double, CounterFall?)] {
            XCTAssertEqual(CounterFall.between(before, after), expected, "\(before) \(after)")
        }
    }

    // Numbers that add up to more than a clock can show are no times, in payloads and in files of zones.
    func testLengthsAndRulesWithoutEndAreNoTimes() {
        let interval = "2026-01-01T00:00:00Z/P" + String(repeating: "999999W", count: 40_000)
        XCTAssertNil(MeasurementTime.read(.string(interval), [.iso8601], zone: .fixed(0), now: 0))
        for rule in [
            "CET-9223372036854775807", "CET-1CEST-9999999999999999,M3.5.0,M10.5.0/3",
            "CET-1CEST,M3.5.0/9999999999999999,M10.5.0",
        ] {
            XCTAssertNil(YearlyRule(rule), rule)
        }
        XCTAssertNotNil(YearlyRule("CET-1CEST,M3.5.0,M10.5.0/3"))
    }
}
