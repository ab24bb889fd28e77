import Foundation
import TraceFiles
import XCTest

final class TraceFileTests: XCTestCase {
    private let lines = [
        #"{"n":0,"t":0,"host":"poller","kind":"host","a":0,"b":1,"text":"poller start"}"#,
        #"{"n":1,"t":1500000000,"host":"poller","kind":"wake","a":1,"b":0}"#,
        #"{"n":2,"t":1500000000,"host":"poller","kind":"note","a":7,"b":0,"text":"fetched"}"#,
    ]

    private func file(_ name: String, _ lines: [String]) -> TraceFile {
        TraceFile(name: name, data: Data(lines.map { $0 + "\n" }.joined().utf8))
    }

    func testEqualFilesDoNotDiverge() throws {
        XCTAssertNil(try file("a", lines).firstDivergence(from: file("b", lines)))
        XCTAssertNil(try file("a", []).firstDivergence(from: file("b", [])))
    }

    func testTheFirstDivergenceShowsTimeHostKindAndBothSides() throws {
        var others = lines
        others[2] = #"{"n":2,"t":1500000001,"host":"server","kind":"draw","a":9,"b":8}"#
        let divergence = try XCTUnwrap(try file("a.jsonl", lines).firstDivergence(from: file("b.jsonl", others)))
        XCTAssertEqual(divergence.index, 2)
        XCTAssertEqual(
            divergence.description,
            """
            the runs differ from entry 2 on, after 2 equal lines:
              both:  1.500000000 s, host 'poller': wake 1
              left:  1.500000000 s, host 'poller': note 'fetched' 7  (a.jsonl)
              right: 1.500000001 s, host 'server': draw 9 8  (b.jsonl)
            """)
    }

    func testARunThatEndsEarlierDiverges() throws {
        let divergence = try XCTUnwrap(
            try file("a", lines).firstDivergence(from: file("b", Array(lines.dropLast()))))
        XCTAssertNil(divergence.right)
        XCTAssertTrue(divergence.description.contains("right: the run had ended  (b)"))
    }

    func testBadFilesAreNamedWithTheLine() throws {
        XCTAssertThrowsError(try TraceFile(path: "/no/such/file.jsonl")) { error in
            XCTAssertTrue("\(error)".hasPrefix("/no/such/file.jsonl: cannot be read"), "\(error)")
        }
        XCTAssertThrowsError(try file("a", ["not json"]).firstDivergence(from: file("b", ["not json"]))) { error in
            XCTAssertEqual("\(error)", "a:1: not a line of a trace: it is no JSON object of a trace")
        }
        let partial = lines.dropLast() + [#"{"n":2,"t":1}"#]
        XCTAssertThrowsError(try file("a", lines).firstDivergence(from: file("b", Array(partial)))) { error in
            XCTAssertEqual("\(error)", "b:3: not a line of a trace: it has no 'host'")
        }
    }
}
