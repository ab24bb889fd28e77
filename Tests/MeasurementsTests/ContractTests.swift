import Documents
import XCTest

@testable import Measurements

final class ContractTests: XCTestCase {
    private func read(_ text: String, _ contract: MeasurementContract = .ieeFlat) throws -> ParsedPayload {
        try contract.read(text.utf8, of: "SD0")
    }

    // One mapping drives both directions: what the mock writes, the poller reads, for every preset.
    func testEveryPresetReadsWhatItWrites() throws {
        for (name, contract) in MeasurementContract.presets {
            let readings = ["1", "2"].flatMap { room in
                contract.channels.enumerated().map { index, channel in
                    Reading(
                        Reading.Identity(
                            flat: "SD0", room: room, channel: channel.name, milliseconds: 1_599_214_500_000),
                        value: 20.25 + Double(index))
                }
            }
            let document = contract.write(readings)
            let measurements = try contract.read(JSONWriter.writeBytes(document), of: "SD0")
            XCTAssertEqual(measurements.problems, [], name)
            XCTAssertEqual(measurements.readings, readings, name)
            XCTAssertEqual(contract.unmapped(in: document), [], name)
        }
    }

    func testTheLecturesPayloadIsRead() throws {
        let text = """
            {"rooms":[{"roomNr":1,
              "temperature":{"timestamp":"2020-09-04T10:15:00Z","value":21.79},
              "meterValue":{"timestamp":"2020-09-04 12:15+02:00","value":5347.6}, "extra": {"a": [1]}}]}
            """
        let measurements = try read(text)
        XCTAssertEqual(measurements.readings.map(\.value), [21.79, 5347.6])
        XCTAssertEqual(Set(measurements.readings.map(\.id.milliseconds)), [1_599_214_500_000])
        XCTAssertEqual(MeasurementContract.ieeFlat.unmapped(in: try JSONReader.read(text.utf8)), ["/rooms/*/extra/a/*"])
    }

    // Each part that is wrong is named, and hides nothing of the rest.
    func testWhatIsNotUnderstoodIsNamed() throws {
        func payload(_ room: String) -> String {
            "{\"rooms\":[\(room),{\"roomNr\":2,\"temperature\":{\"timestamp\":\"2026-01-01T00:00:00Z\",\"value\":1}}]}"
        }
        let cases: [(String, PayloadProblem)] = [
            ("{\"temperature\":{}}", .missing(Pointer(tokens: ["rooms", "0", "roomNr"]))),
            (
                "{\"roomNr\":1,\"temperature\":{\"timestamp\":\"2026-01-01T00:00:00Z\",\"value\":\"warm\"}}",
                .wrongType(Pointer(tokens: ["rooms", "0", "temperature", "value"]), "warm", expected: "a number")
            ),
            (
                "{\"roomNr\":1,\"temperature\":{\"timestamp\":\"2026-01-01T00:00:00Z\",\"value\":NaN}}",
                .notFinite(Pointer(tokens: ["rooms", "0", "temperature", "value"]))
            ),
            (
                "{\"roomNr\":1,\"temperature\":{\"timestamp\":\"2026-01-01T00:00:00Z\",\"value\":1e999}}",
                .notFinite(Pointer(tokens: ["rooms", "0", "temperature", "value"]))
            ),
            (
                "{\"roomNr\":1,\"temperature\":{\"timestamp\":\"yesterday\",\"value\":1}}",
                .badTime(Pointer(tokens: ["rooms", "0", "temperature", "timestamp"]), "yesterday")
            ),
            (
                "{\"roomNr\":1,\"temperature\":{\"timestamp\":\"9999-12-31T23:59:59Z\",\"value\":1}}",
                .implausibleTime(Pointer(tokens: ["rooms", "0", "temperature", "timestamp"]), "9999-12-31T23:59:59Z")
            ),
            (
                "{\"roomNr\":1,\"temperature\":{\"value\":1}}",
                .missing(Pointer(tokens: ["rooms", "0", "temperature", "timestamp"]))
            ),
        ]
        for (room, problem) in cases {
            let measurements = try read(payload(room))
            XCTAssertEqual(measurements.problems, [problem], room)
            XCTAssertEqual(measurements.readings.count, 1, room)
        }
        XCTAssertThrowsError(try read("{\"rooms\":7}")) { XCTAssertEqual("\($0)", "/rooms is not a list: 7") }
        XCTAssertThrowsError(try read("{}")) { XCTAssertEqual("\($0)", "/rooms is missing") }
        XCTAssertThrowsError(try read("<html>")) {
            XCTAssertTrue("\($0)".hasPrefix("the payload is not JSON"), "\($0)")
        }
        let many = "{\"rooms\":[\(Array(repeating: "{\"roomNr\":1}", count: 10_001).joined(separator: ","))]}"
        XCTAssertEqual(try read(many).problems, [.tooManyRecords(limit: 10_000)])
    }

    func testABaseOfSenMLHoldsForTheRecordsBehindIt() throws {
        let text = """
            [{"bn":"urn:flat:SD0:","bt":1599214500,"n":"1:temperature","v":21.5},{"n":"2:humidity","v":40,"t":-60},
             {"n":"2:unknown","v":1}]
            """
        let measurements = try read(text, .senML)
        XCTAssertEqual(
            measurements.readings.map(\.id.description),
            ["SD0/1/temperature@1599214500000", "SD0/2/humidity@1599214440000"])
        XCTAssertEqual(measurements.problems, [.unknownName(Pointer(tokens: ["2", "n"]), "urn:flat:SD0:2:unknown")])
    }

    // RFC 8428: base values and units, and times below 2^28 that are relative to now.
    func testSenMLsBasesAndRelativeTimesAreUnderstood() throws {
        let text = """
            [{"bn":"SD0:","bu":"Cel","bv":20,"n":"1:temperature","v":1.5},{"n":"2:temperature","t":-10},
             {"n":"3:temperature","u":"F","v":1}]
            """
        let measurements = try MeasurementContract.senML.read(text.utf8, of: "SD0", now: 1_599_214_500_000)
        XCTAssertEqual(measurements.readings.map(\.value), [21.5, 20])
        XCTAssertEqual(measurements.readings.map(\.id.milliseconds), [1_599_214_500_000, 1_599_214_490_000])
        XCTAssertEqual(measurements.problems, [.wrongUnit(Pointer(tokens: ["2", "u"]), "F", expected: "Cel")])
    }

    func testRoomsAreNamedByWholeNumbersAndShortTexts() throws {
        let value = "{\"timestamp\":\"2026-01-01T00:00:00Z\",\"value\":1}"
        let long = String(repeating: "x", count: 65)
        let text =
            "{\"rooms\":[{\"roomNr\":1.0,\"temperature\":\(value)},{\"roomNr\":1.5,\"temperature\":\(value)},"
            + "{\"roomNr\":\"\(long)\",\"temperature\":\(value)}]}"
        let measurements = try read(text)
        XCTAssertEqual(measurements.readings.map(\.id.room), ["1"])
        XCTAssertEqual(
            measurements.problems,
            [
                .missing(Pointer(tokens: ["rooms", "1", "roomNr"])),
                .nameTooLong(Pointer(tokens: ["rooms", "2", "roomNr"]), limit: 64),
            ])
    }

    func testPatternsReadWhatTheyWrite() throws {
        let channels = MeasurementContract.senML.channels
        for text in ["{room}:{channel}", "room-{room}/{channel}.value", "{room}-{channel}!"] {
            let pattern = try XCTUnwrap(MeasurementContract.NamePattern(text))
            let parts = try XCTUnwrap(pattern.parts(of: "urn:x:" + pattern.name(room: "7", channel: "heat"), channels))
            XCTAssertEqual([parts.room, parts.channel.name], ["7", "heat"], text)
        }
        for text in ["{room}{channel}", "{channel}:{room}", "{room}"] {
            XCTAssertNil(MeasurementContract.NamePattern(text), text)
        }
    }

    func testDatesOfHTTPAreReadAndWritten() {
        XCTAssertEqual(HTTPDate.text(1_795_564_318_999), "Tue, 24 Nov 2026 23:51:58 GMT")
        XCTAssertEqual(HTTPDate.milliseconds("Tue, 24 Nov 2026 23:51:58 GMT"), 1_795_564_318_000)
        for text in ["", "soon", "Tue, 31 Feb 2026 23:51:58 GMT", "Tue, 24 Nov 2026 24:51:58 GMT"] {
            XCTAssertNil(HTTPDate.milliseconds(text), text)
        }
    }

    func testAContractThatCannotWorkIsNamed() {
        let cases: [(String, String)] = [
            ("{}", "name is a string"),
            ("{\"name\":\"x\",\"path\":\"/a\"}", "path begins with a slash and holds {flat}"),
            ("{\"name\":\"x\",\"path\":\"/{flat}\",\"records\":\"a\"}", "records is a JSON Pointer, such as /rooms"),
            ("{\"name\":\"x\",\"path\":\"/{flat}\",\"records\":\"\"}", "channels names at least one channel"),
            (
                "{\"name\":\"x\",\"path\":\"/{flat}\",\"records\":\"\",\"room\":\"/r\",\"channels\":[{\"kind\":\"x\"}]}",
                "channels/0/kind is gauge or counter"
            ),
        ]
        for (text, problem) in cases {
            XCTAssertThrowsError(try MeasurementContract(try JSONReader.read(text.utf8)), text) { error in
                XCTAssertEqual("\(error)", "the contract's \(problem)")
            }
        }
    }

    func testTimesAreReadInEveryFormat() {
        let cases: [(Value, Int64?)] = [
            ("2020-09-04T10:15:00Z", 1_599_214_500_000), ("2020-09-04 10:15", 1_599_214_500_000 - 3_600_000),
            ("2020-09-04T10:15:00.1234+00:00", 1_599_214_500_123), ("2020-09-04T10:15:00,5Z", 1_599_214_500_500),
            ("2020-02-30T10:15:00Z", nil), ("2020-09-04", nil), ("2020-09-04T25:00Z", nil), ("", nil),
            (1_599_214_500, 1_599_214_500_000), (1_599_214_500.25, 1_599_214_500_250), (.bool(true), nil),
        ]
        for (value, expected) in cases {
            XCTAssertEqual(
                MeasurementTime.read(value, [.iso8601, .epochSeconds], zone: .fixed(3600), now: 0), expected,
                JSONWriter.write(value))
        }
        XCTAssertEqual(
            MeasurementTime.read(1_599_214_500_123, [.epochMilliseconds], zone: .fixed(0), now: 0), 1_599_214_500_123)
        for time: Int64 in [0, 951_782_399_999, 1_599_214_500_123, 4_102_444_799_000] {
            for format in MeasurementContract.TimeFormat.allCases {
                XCTAssertEqual(
                    MeasurementTime.read(MeasurementTime.write(time, format), [format], zone: .fixed(0), now: 0), time)
            }
        }
    }
}
