import Documents
import Foundation
import XCTest

@testable import Reports

#if canImport(FoundationXML)
import FoundationXML
#endif

final class ReportTextTests: XCTestCase {
    private func parsed(_ xml: String) -> (isWellFormed: Bool, elements: [String]) {
        final class Listener: NSObject, XMLParserDelegate {
            var elements: [String] = []
            func parser(
                _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
                attributes: [String: String]
            ) { elements.append(name) }
        }
        let (parser, listener) = (XMLParser(data: Data(xml.utf8)), Listener())
        parser.delegate = listener
        return (parser.parse(), listener.elements)
    }

    func testJUnitIsWellFormedAndHasACaseForEachClaim() throws {
        let xml = JUnitReport.text(try SampleRun.recorder().report())
        let (isWellFormed, elements) = parsed(xml)
        XCTAssertTrue(isWellFormed, xml)
        XCTAssertEqual(elements.count { $0 == "testcase" }, 3)
        XCTAssertEqual(elements.count { $0 == "failure" }, 2)
        XCTAssertTrue(xml.contains("failures=\"2\""))
        XCTAssertTrue(xml.contains("Fresh &amp; &lt;calm&gt;"))
        XCTAssertFalse(parsed(xml.replacing("&amp;", with: "&")).isWellFormed)
    }

    func testJUnitOfASweepHasACaseForEachSeed() throws {
        let (isWellFormed, elements) = parsed(JUnitReport.text(try SampleRun.sweep().report()))
        XCTAssertTrue(isWellFormed)
        XCTAssertEqual(elements.count { $0 == "testcase" }, 3)
        XCTAssertEqual(elements.count { $0 == "failure" }, 2)
    }

    func testAComparisonFailsNoCase() throws {
        let (isWellFormed, elements) = parsed(JUnitReport.text(try SampleRun.comparison().report()))
        XCTAssertTrue(isWellFormed)
        XCTAssertEqual(elements.count { $0 == "testcase" }, 2)
        XCTAssertEqual(elements.count { $0 == "failure" }, 0)
    }

    func testSeriesHaveACellForEachColumn() throws {
        let lines = SeriesTable.text(try SampleRun.recorder().report()).split(separator: "\r\n")
        XCTAssertEqual(lines.count, 61)
        XCTAssertEqual(lines[0].split(separator: ",").map(String.init), SeriesTable.columns)
        XCTAssertEqual(lines[31], "31,1.5,11,41,3,1,2,5,5000,2,0,0,1,0,40,0")
        XCTAssertTrue(
            lines.allSatisfy {
                $0.split(separator: ",", omittingEmptySubsequences: false).count == SeriesTable.columns.count
            })
    }

    func testSeriesOfASweepAreItsSeeds() throws {
        let lines = SeriesTable.text(try SampleRun.sweep().report()).split(separator: "\r\n")
        XCTAssertEqual(lines[0], "seed,verdict,success,worst_age_s,violations,first_violation_s,first_problem")
        XCTAssertEqual(lines[2], "2,refuted,false,12,2,31,\"the age: is, too large\"")
    }

    func testSeriesOfAComparisonNameTheirProfile() throws {
        let lines = SeriesTable.text(try SampleRun.comparison().report()).split(separator: "\r\n")
        XCTAssertEqual(lines.count, 121)
        XCTAssertTrue(lines[61].hasPrefix("fresh,pipelined,1,"))
    }

    func testMarkdownTellsVerdictFaultsAndReplay() throws {
        let text = MarkdownReport.text(try SampleRun.recorder().report())
        XCTAssertTrue(
            text.hasPrefix("## ❌ Fresh & \\<calm\\>\n\n**refuted**: “the age stays below 10 s” was violated at 31 s"),
            text)
        XCTAssertTrue(text.contains("| disk.slow service=storage seconds=2 | 45–end s | ⚠️ hit nothing |"), text)
        XCTAssertTrue(text.contains("windkanal run 'a file.json' --seed 7"))
        XCTAssertTrue(text.contains("25.000 s: broker is killed"))
        let sweep = MarkdownReport.text(try SampleRun.sweep().report())
        XCTAssertTrue(sweep.contains("| ❌ refuted | 2 |"), sweep)
        let comparison = MarkdownReport.text(try SampleRun.comparison().report())
        XCTAssertTrue(comparison.contains("| fresh | pipelined | ❌ refuted |"), comparison)
    }

    func testTheStoryHasTenLinesAtMost() throws {
        let story = Story.lines(try SampleRun.recorder().report())
        XCTAssertLessThanOrEqual(story.count, Story.linesMax)
        XCTAssertEqual(story[0], "“Fresh & <calm>”: refuted.")
        XCTAssertEqual(story[1], "At 31 s this was no longer true: the age stays below 10 s.")
        XCTAssertTrue(story.contains("  20.000 s: begins device-schedule target=SD1"), "\(story)")
        XCTAssertEqual(story.last, "Replay: windkanal run 'a file.json' --seed 7")
        XCTAssertEqual(Story.lines(try SampleRun.sweep().report()).first, "2 seeds of 3 failed. The worst:")
    }

    func testTheStoryOfAJournalNamesTheProbe() throws {
        let journal: Value = [
            "experiment": ["title": "Fresh"], "status": "completed", "deviated": true,
            "steady_states": [
                "before": ["steady_state_met": true, "probes": []],
                "after": [
                    "steady_state_met": false,
                    "probes": [
                        ["activity": ["name": "is-fresh", "tolerance": 200], "output": 503, "tolerance_met": false]
                    ],
                ],
                "during": [],
            ], "run": [], "rollbacks": [],
        ]
        XCTAssertEqual(
            Story.lines(journal: journal),
            [
                "“Fresh”: completed, and the system deviated.", "The hypothesis was not met after the method.",
                "  “is-fresh” saw 503; its tolerance is 200", "No rollback was played.",
            ])
        XCTAssertNil(Story.lines(journal: ["title": "an experiment"]))
    }
}
