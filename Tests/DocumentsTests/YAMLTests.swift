import Documents
import XCTest

final class YAMLTests: XCTestCase {
    private func json(_ yaml: String) throws -> String {
        JSONWriter.write(try YAMLReader.readDocument(yaml).value)
    }

    func testStructureAnchorsAndMergesAreRead() throws {
        XCTAssertEqual(
            try json("a: [1, 'x']\nb:\n- {c: yes}\n- |\n  t\n  u\n"),
            "{\"a\":[1,\"x\"],\"b\":[{\"c\":true},\"t\\nu\\n\"]}")
        XCTAssertEqual(
            try json("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\n"), "{\"x\":{\"a\":1,\"b\":2},\"y\":{\"a\":1,\"b\":3}}")
        XCTAssertEqual(
            try json("- &a {k: 1}\n- &b {k: 2, l: 2}\n- <<: [*a, *b]\n"),
            "[{\"k\":1},{\"k\":2,\"l\":2},{\"k\":1,\"l\":2}]")
        XCTAssertEqual(try json("a: 1\na: 2\n"), "{\"a\":2}")
        XCTAssertEqual(try json(""), "null")
        XCTAssertEqual(
            try json("1: a\ntrue: b\n~: c\n1.5: d\n"), "{\"1\":\"a\",\"true\":\"b\",\"null\":\"c\",\"1.5\":\"d\"}")
        XCTAssertEqual(try json("a: !!str 5\nb: !!int '7'\nc: !!float 3\n"), "{\"a\":\"5\",\"b\":7,\"c\":3.0}")
        XCTAssertEqual(try json("d: 2001-12-14t21:59:43.10-05:00\n"), "{\"d\":\"2001-12-14T21:59:43.100000-05:00\"}")
    }

    func testWhatIsNoPlainDataIsNamedWithItsPlace() {
        let cases: [(String, String, Int)] = [
            ("a: [1\nb: 2", "flow sequence", 2), ("a: !!python/object:x.y {}", "is not plain data", 1),
            ("a: 1\n---\nb: 2\n", "a second document", 2), ("a: *b\n", "has no anchor", 1),
            ("? [1]\n: 2\n", "a key must be a scalar", 1), ("a: 2020-13-01\n", "is not a date", 1),
        ]
        for (text, problem, line) in cases {
            XCTAssertThrowsError(try YAMLReader.readDocument(text), text) { error in
                let error = error as? DocumentError
                XCTAssertTrue(error?.problem.contains(problem) ?? false, "\(text): \(String(describing: error))")
                XCTAssertEqual(error?.place?.line, line, text)
            }
        }
    }

    // Nine levels of nine aliases each are 387 million values; a text of a few lines must not take the machine down.
    func testAnchorsThatExpandWithoutBoundAreRefused() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let alias = "*a\(level - 1)"
            text += "a\(level): &a\(level) [\(Array(repeating: alias, count: 9).joined(separator: ", "))]\n"
        }
        XCTAssertThrowsError(try YAMLReader.readDocument(text)) { error in
            XCTAssertTrue("\(error)".contains("anchors expand"), "\(error)")
        }
        // The same by merges: a thousand times a thousand times a thousand pairs.
        let merges = ["a", "b", "c"].enumerated().map { index, name in
            let before = index == 0 ? "{k: 1}" : "*\(["a", "b"][index - 1])"
            let list = Array(repeating: before, count: 1000).joined(separator: ", ")
            return "\(name): &\(name) {<<: [\(list)]}\n"
        }
        XCTAssertThrowsError(try YAMLReader.readDocument(merges.joined())) { error in
            XCTAssertTrue("\(error)".contains("anchors expand"), "\(error)")
        }
        XCTAssertThrowsError(try YAMLReader.readDocument("a: 0x" + String(repeating: "f", count: 1_000_000))) {
            XCTAssertTrue("\($0)".contains("4300 digits"), "\($0)")
        }
        let deep = String(repeating: "[", count: 2_000)
        XCTAssertThrowsError(try YAMLReader.readDocument(deep))
    }
}
