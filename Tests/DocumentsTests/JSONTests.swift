import XCTest

@testable import Documents

final class JSONTests: XCTestCase {
    func testWhatIsReadIsWrittenAsPythonWritesIt() throws {
        let texts = [
            "{}", "[]", "null", "true", "-0.0", "1", "1.0", "1e+16", "1.2345678901234568e+16", "1e-05", "0.0001",
            "123456789012345680.0", "12345678901234567890123", "NaN", "-Infinity", "\"é\\n\\u0001\\\"\\\\/\"",
            "{\"b\":1,\"a\":[1,{\"c\":null}]}",
        ]
        for text in texts where text != "123456789012345680.0" {
            XCTAssertEqual(JSONWriter.write(try JSONReader.read(text.utf8)), text)
        }
        XCTAssertEqual(JSONWriter.write(.real(123456789012345680)), "1.2345678901234568e+17")
        XCTAssertEqual(JSONWriter.write(.real(12345678901234568)), "1.2345678901234568e+16")
        let value: Value = ["a": [1, ["b": "c"]], "e": [], "o": [:]]
        XCTAssertEqual(
            JSONWriter.write(value, .indented(2)),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"c\"\n    }\n  ],\n  \"e\": [],\n  \"o\": {}\n}")
    }

    func testOfTwoMembersOfOneNameTheLastStaysAtTheFirstsPlace() throws {
        let value = try JSONReader.read("{\"a\":1,\"b\":2,\"a\":3}".utf8)
        XCTAssertEqual(JSONWriter.write(value), "{\"a\":3,\"b\":2}")
    }

    func testWhatIsNoJSONIsNamedWithItsPlace() throws {
        let cases = [
            ("", "a value is missing (line 1, column 1)"),
            ("{\"a\": 1,}", "a name in double quotes is missing (line 1, column 9)"),
            ("[1 2]", "a comma or ] is missing (line 1, column 4)"),
            ("{\n  \"a\" 1\n}", "a colon is missing (line 2, column 7)"),
            ("[1]\n x", "there is more after the value (line 2, column 2)"),
            ("\"a\nb\"", "a string holds a control character; write it as \\n, \\t or \\u00.. (line 1, column 3)"),
            ("\"abc", "a string does not end (line 1, column 5)"),
            ("01", "there is more after the value (line 1, column 2)"),
            ("\u{feff}{}", "the text begins with a byte order mark; remove it (line 1, column 1)"),
        ]
        for (text, message) in cases {
            XCTAssertThrowsError(try JSONReader.read(text.utf8), text) { error in
                XCTAssertEqual((error as? DocumentError)?.description, message, text)
            }
        }
        let deep = String(repeating: "[", count: 100_000)
        XCTAssertThrowsError(try JSONReader.read(deep.utf8))
    }

    func testEveryPartHasItsPlace() throws {
        let document = try JSONReader.readDocument("{\n  \"a\": [\n    1,\n    {\"b\": 2}\n  ]\n}".utf8)
        XCTAssertEqual(document.places[Pointer(tokens: ["a", "1", "b"])], Place(line: 4, column: 11))
        XCTAssertEqual(document.place(of: Pointer(tokens: ["a", "7", "x"])), Place(line: 2, column: 8))
    }

    func testPointersAreThoseOfRFC6901() throws {
        XCTAssertEqual(Pointer("/a~1b/~01")?.tokens, ["a/b", "~1"])
        XCTAssertEqual(Pointer(tokens: ["a/b", "~1"]).description, "/a~1b/~01")
        XCTAssertNil(Pointer("a"))
        var value: Value = ["a": [1, 2]]
        value.set(Pointer(tokens: ["a", "1"]), to: "x")
        value.set(Pointer(tokens: ["b"]), to: true)
        value.set(Pointer(tokens: ["a", "9"]), to: true)
        XCTAssertEqual(JSONWriter.write(value), "{\"a\":[1,\"x\"],\"b\":true}")
    }

    // Names are found through an index from some number of members on; before, behind and across that number all is the same.
    func testObjectsKeepTheirOrderWhateverTheirSize() {
        var object = Value.Object()
        for number in 0..<40 { object["n\(number)"] = .integer(number) }
        for number in stride(from: 0, to: 40, by: 2) { object["n\(number)"] = nil }
        for number in 0..<5 { object["n\(number)"] = .string("new") }
        XCTAssertEqual(object.count, 23)
        XCTAssertEqual(object.keys.first, "n1")
        XCTAssertEqual(Array(object.keys.suffix(3)), ["n0", "n2", "n4"])
        XCTAssertEqual(object["n1"], "new")
        XCTAssertEqual(object["n39"], 39)
        XCTAssertNil(object["n38"])
    }

    // The place of a part that lies too deep, or behind too many, is that of what is around it.
    func testPlacesOfDeepTextsTakeLittleMemory() throws {
        let depth = 400
        let text =
            String(repeating: "[", count: depth) + Array(repeating: "0", count: 300_000).joined(separator: ",")
            + String(repeating: "]", count: depth)
        let document = try JSONReader.readDocument(text.utf8)
        XCTAssertLessThanOrEqual(document.places.count, Document.placesMax)
        let deep = Pointer(tokens: Array(repeating: "0", count: depth))
        XCTAssertEqual(document.place(of: deep), Place(line: 1, column: Document.placeDepthMax + 1))
    }
}
