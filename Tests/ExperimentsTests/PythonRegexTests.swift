import Documents
import Foundation
import XCTest

@testable import Experiments

final class PythonRegexTests: XCTestCase {
    // fixtures/python/regex.json holds what Python 3.11's own `re` said of generated patterns.
    func testEveryPatternFindsWhatPythonFinds() throws {
        for vector in try Fixtures.vectors("python/regex").cases {
            let pattern = try XCTUnwrap(vector["pattern"]?.string)
            guard vector["valid"]?.bool == true else {
                XCTAssertThrowsError(
                    try PythonRegex(pattern), "\(pattern) (Python: \(vector["message"]?.string ?? ""))")
                continue
            }
            do {
                let regex = try PythonRegex(pattern)
                for (key, isFound) in [("found", true), ("missed", false)] {
                    for text in vector[key]?.array ?? [] {
                        let text = text.string ?? ""
                        XCTAssertEqual(
                            try regex.matches(in: text), isFound,
                            "\(pattern.debugDescription) in \(text.debugDescription)")
                    }
                }
            } catch {
                XCTFail("\(pattern.debugDescription): \(error)")
            }
        }
    }

    func testASearchThatWouldNotEndIsGivenUpByName() throws {
        let regex = try PythonRegex("(a|aa)+$")
        let text = String(repeating: "a", count: 60) + "b"
        XCTAssertThrowsError(try regex.matches(in: text)) { error in
            XCTAssertEqual(error as? RegexError, .tooManySteps(limit: PythonRegex.stepsMax))
        }
        XCTAssertThrowsError(try PythonRegex("((a{1000}){1000}){1000}")) { error in
            XCTAssertEqual(error as? RegexError, .tooLarge(limit: RegexCompiler.instructionsMax))
        }
        XCTAssertThrowsError(try PythonRegex(String(repeating: "(", count: 100_000)))
        // Nothing, four thousand million times four thousand million times.
        XCTAssertTrue(try PythonRegex("(?:(?:){4294967294}){4294967294}x").matches(in: "ax"))
    }

    // Loops keep their choices on a stack of their own: a long text must not overflow the thread's.
    func testLongTextsAreSearched() throws {
        let text = String(repeating: "ab", count: 100_000) + "c"
        XCTAssertTrue(try PythonRegex("^(ab)*c$").matches(in: text))
        XCTAssertTrue(try PythonRegex("^.*c$").matches(in: text))
        XCTAssertFalse(try PythonRegex("^[ab]*$").matches(in: text))
    }
}
