import Documents
import XCTest

@testable import Experiments

final class ConversionTests: XCTestCase {
    // fixtures/chaostoolkit/vectors/vars.json holds what the reference makes of --var.
    func testEveryAssignmentGivesTheReferencesValue() throws {
        for vector in try Fixtures.vectors("chaostoolkit/vectors/vars").cases {
            let text = try XCTUnwrap(vector["var"]?.string)
            var variables = Variables()
            if vector["error"] != nil {
                XCTAssertThrowsError(try variables.set(text), text)
            } else {
                try variables.set(text)
                XCTAssertEqual(
                    JSONWriter.write(.object(variables.configuration)), JSONWriter.write(vector["result"] ?? .null),
                    text)
            }
        }
    }

    func testWhatIsSetLaterWins() throws {
        var variables = Variables()
        try variables.set("a=line")
        try variables.read(file: "configuration: {a: file, b: yes}\nsecrets: {t: {s: 1}}\n", name: "v.yaml")
        try variables.read(file: "# a comment\nX = 1\nnothing\n", name: "v.env")
        XCTAssertEqual(variables.configuration, ["a": "file", "b": true])
        XCTAssertEqual(variables.secrets, ["t": ["s": 1]])
        try variables.read(file: "{\"secrets\": {\"t\": {\"other\": 2}}}", name: "v.json")
        XCTAssertEqual(variables.secrets, ["t": ["other": 2]])
        try variables.set("b=line")
        XCTAssertEqual(variables.configuration, ["a": "file", "b": "line"])
        XCTAssertEqual(variables.environment, ["X": "1"])
        XCTAssertThrowsError(try variables.read(file: "{", name: "v.json"))
    }

    func testExactDecimalsCompareAsPythonsDecimals() throws {
        func decimal(_ text: String) throws -> ExactDecimal { try XCTUnwrap(ExactDecimal(text), text) }
        func real(_ value: Double) throws -> ExactDecimal { try XCTUnwrap(ExactDecimal(value)) }
        // 0.1 as a binary fraction is a little more than a tenth.
        XCTAssertLessThan(try decimal("0.1"), try real(0.1))
        XCTAssertEqual(try decimal("0.5"), try real(0.5))
        XCTAssertEqual(try decimal("1e3"), try real(1000))
        XCTAssertLessThan(try decimal("-2"), try decimal("-1.5"))
        XCTAssertLessThan(try decimal("1e-400"), try real(.leastNonzeroMagnitude))
        XCTAssertLessThan(try real(1.7976931348623157e308), try decimal("1e309"))
        XCTAssertEqual(try decimal("-0"), try decimal("0.000"))
        XCTAssertNil(ExactDecimal("x"))
        XCTAssertNil(ExactDecimal("1e99999999999999999999"))
    }

    func testValuesAreSpeltAsPythonSpellsThem() {
        let cases: [(Value, String)] = [
            (.null, "None"), (true, "True"), (1, "1"), (1.0, "1.0"), (1e16, "1e+16"),
            (12345678901234567.0, "1.2345678901234568e+16"),
            (1e-5, "1e-05"), (.real(.nan), "nan"), (.real(-.infinity), "-inf"), ("a'b", "a'b"),
            (["a'b", "a\"b'", "\n\u{7}é"], "[\"a'b\", 'a\"b\\'', '\\n\\x07é']"),
            (["k": [1, .null]], "{'k': [1, None]}"),
            (.date("2020-01-02T03:04:05"), "2020-01-02 03:04:05"),
        ]
        for (value, text) in cases { XCTAssertEqual(value.pythonText, text) }
    }
}
