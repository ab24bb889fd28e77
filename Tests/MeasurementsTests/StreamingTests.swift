import Documents
import XCTest

@testable import Measurements

/// What is read and written without a tree of values must be what the tree says.
final class StreamingTests: XCTestCase {
    private static let now: Int64 = 1_600_000_000_000

    private static func scanned(_ text: String, _ contract: MeasurementContract = .ieeFlat) -> [Reading]? {
        contract.scanner?.read(Array(text.utf8).span, of: "SD0", contract: contract, now: now)
    }

    private static func contract(_ change: (inout Value) -> Void) throws -> MeasurementContract {
        var document: Value = [
            "name": "mine", "path": "/{flat}", "records": "/rooms", "room": "/nr", "zone": "+01:00",
            "channels": [
                ["name": "t", "unit": "C", "kind": "gauge", "value": "/t", "time": "/at"],
                ["name": "m", "unit": "kWh", "kind": "counter", "value": "/meter/value", "time": "/meter/at"],
            ],
            "times": ["iso8601", "epoch-seconds"],
        ]
        change(&document)
        return try MeasurementContract(document)
    }

    private static let room: String = """
        {"roomNr":1,"temperature":{"timestamp":"2020-09-04T10:15:00Z","value":21.79},\
        "meterValue":{"timestamp":"2020-09-04T10:15:00Z","value":5347.6}}
        """

    // If the scanner did not take the usual payload, everything here would hold and nothing would be fast.
    func testUsualPayloadsAreScanned() throws {
        for rooms in [0, 1, 2, 300] {
            let text = "{\"rooms\":[\(Array(repeating: Self.room, count: rooms).joined(separator: ","))]}"
            XCTAssertEqual(Self.scanned(text)?.count, 2 * rooms)
        }
        let spaced = "\n{ \"more\" : [ ]" + " }"
        XCTAssertNil(Self.scanned(spaced), "lists that are not looked at are left to the reader of values")
        let mine = try Self.contract { _ in }
        let text = " {\"x\": null,\"rooms\" : [ {\"nr\":\"attic\" , \"t\": -3, \"at\": 1599214500, \"y\": true} ] }\n"
        XCTAssertEqual(
            Self.scanned(text, mine),
            [Reading(.init(flat: "SD0", room: "attic", channel: "t", milliseconds: 1_599_214_500_000), value: -3)])
    }

    // Whatever stands in a payload, the scanner says the same as the tree, or nothing.
    func testWhatIsScannedIsWhatTheTreeSays() throws {
        let room = Self.room
        var texts = ["", "{}", "[]", "{\"rooms\":{}}", "{\"rooms\":[1]}", "{\"rooms\":[{}]}", "\u{feff}{\"rooms\":[]}"]
        let pieces: [(String, [String])] = [
            (
                "21.79",
                [
                    "21", "-0", "-0.0", "0.1", "1e3", "NaN", "01", "1.", "\"21\"", "null", "true", "[]",
                    "9007199254740993",
                    "123456789012345678901234567890", "0.30000000000000004", "123456.789012345678", "-",
                    "5347.600000000001",
                ]
            ),
            (
                "\"roomNr\":1",
                [
                    "\"roomNr\":-1", "\"roomNr\":1.0", "\"roomNr\":\"\"", "\"roomNr\":\"é\"", "\"roomNr\":\"a\\u0062\"",
                    "\"roomNr\":\"\(String(repeating: "x", count: 65))\"", "\"roomNr\":null", "\"other\":1",
                    "\"roomNr\":1,\"roomNr\":2",
                    "\"roomNr\":12345678901234567890", "\"ro\\u006fmNr\":1",
                ]
            ),
            (
                "\"2020-09-04T10:15:00Z\"",
                ["\"2020-09-04 10:15\"", "\"1815-01-01T00:00:00Z\"", "\"never\"", "1599214500", "null"]
            ),
            ("\"temperature\"", ["\"other\"", "\"meterValue\"", "\"temperature\":1,\"temperature\""]),
            ("{\"timestamp\"", ["{\"value\":1,\"timestamp\"", "{\"more\":\"x\",\"timestamp\"", "[\"timestamp\""]),
            (",", ["", ",,", " , "]), ("}", ["", "} ", "}}"]), (":", ["", "::"]),
        ]
        for (old, replacements) in pieces {
            for new in replacements {
                for record in [room.replacing(old, with: new), room.replacing(old, with: new, maxReplacements: 1)] {
                    texts.append("{\"rooms\":[\(room),\(record)]}")
                    texts.append("{\"rooms\":[\(record)],\"rooms\":[]}")
                }
            }
        }
        let whole = "{\"rooms\":[\(room)]}"
        for length in 0..<whole.count { texts.append(String(whole.prefix(length))) }
        var scanned = 0
        for text in texts {
            guard let readings = Self.scanned(text) else { continue }
            scanned += 1
            let tree = try MeasurementContract.ieeFlat.readValues(Array(text.utf8), of: "SD0", now: Self.now)
            XCTAssertEqual(readings, tree.readings, text)
            XCTAssertEqual(tree.problems, [], text)
        }
        XCTAssertGreaterThan(scanned, 20)
    }

    // Services write a reading's JSON and read it without a tree; both say what the tree says.
    func testAReadingsTextIsThatOfTheTree() throws {
        for (flat, room, channel, value) in [
            ("SD0", "1", "temperature", 21.79), ("x", "a \"room\" \\", "m", -0.0), ("x", "Küche\n", "°C", 1e300),
        ] {
            let id = Reading.Identity(flat: flat, room: room, channel: channel, milliseconds: Self.now)
            let reading = Reading(id, value: value)
            XCTAssertEqual(reading.jsonText, JSONWriter.write(reading.json))
            XCTAssertEqual(try Reading(jsonText: reading.jsonText), reading)
        }
        let usual = #"{"flat":"SD0","room":"1","channel":"t","time":1600000000000,"value":1.5}"#
        var texts = (0..<usual.count).map { String(usual.prefix($0)) }
        for (old, replacements) in [
            ("SD0", ["", "a b", "é"]), ("\"1\"", ["1", "\"\"", "\"\(String(repeating: "x", count: 65))\"", "null"]),
            ("1600000000000", ["1600000000000.0", "1600000000000.5", "1", "\"1600000000000\"", "16e11"]),
            ("1.5", ["1", "-0", "NaN", "\"1\"", "1e400"]), ("}", [",\"more\":1}", ",\"value\":2}", "} x", "}"]),
            ("\"flat\"", ["\"flats\"", "\"\\u0066lat\""]),
        ] {
            texts += replacements.map { usual.replacing(old, with: $0) }
        }
        for text in texts {
            let tree = (try? JSONReader.read(text.utf8)).flatMap { try? Reading(json: $0) }
            XCTAssertEqual(try? Reading(jsonText: text), tree, text)
        }
    }

    func testNumbersAreWrittenWithTheirShortestDigits() {
        var state: UInt64 = 1
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
        var numbers: [Double] = [
            0, -0.0, 0.001, -0.001, 0.1, 1, 21.79, 100, -5.5, 1e15, 1e16, 123_456_789_012.345, 0.0001,
        ]
        for _ in 0..<2_000 {
            numbers.append(Double(Int64(truncatingIfNeeded: next()) >> 30) / 1000)
            numbers.append(Double(bitPattern: next()))
        }
        for number in numbers where number.isFinite {
            var bytes: [UInt8] = []
            NumberText.append(number, to: &bytes)
            XCTAssertEqual(String(decoding: bytes, as: UTF8.self), NumberText.json(number))
        }
    }

    func testAWrittenPayloadIsThatOfTheTree() throws {
        let nested = try Self.contract { $0.set(Pointer(tokens: ["records"]), to: "/a/b") }
        for contract in [.ieeFlat, try Self.contract { _ in }, nested] as [MeasurementContract] {
            let writer = try XCTUnwrap(PayloadWriter(contract))
            for rooms in [1, 2, 12] {
                let values = { (room: Int, channel: Int) in Double(room * 1000 + channel) / 8 }
                var bytes: [UInt8] = []
                writer.write(rooms: rooms, milliseconds: Self.now, into: &bytes, value: values)
                let readings = (1...rooms).flatMap { room in
                    contract.channels.enumerated().map { index, channel in
                        Reading(
                            .init(flat: "SD0", room: "\(room)", channel: channel.name, milliseconds: Self.now),
                            value: values(room, index))
                    }
                }
                XCTAssertEqual(
                    String(decoding: bytes, as: UTF8.self), JSONWriter.write(contract.write(readings)), contract.name)
            }
        }
        XCTAssertNil(PayloadWriter(.senML))
    }
}
