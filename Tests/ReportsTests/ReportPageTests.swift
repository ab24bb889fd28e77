import Foundation
import XCTest

@testable import ReportPages
@testable import Reports

final class ReportPageTests: XCTestCase {
    /// What issue trackers and mail take without a word.
    private static let bytesMax: Int = 500_000

    func testEqualEventsMakeEqualPages() throws {
        let pages = try (0..<3).map { _ in try ReportPage.text(SampleRun.recorder().report()) }
        XCTAssertEqual(Set(pages).count, 1)
        XCTAssertNotEqual(pages[0], try ReportPage.text(SampleRun.recorder(seed: 8).report()))
    }

    func testAPageNeedsNothingElse() throws {
        for recorder in [SampleRun.recorder(), SampleRun.sweep(), SampleRun.comparison()] {
            let page = try ReportPage.text(recorder.report())
            XCTAssertTrue(page.hasPrefix("<!doctype html>"))
            for word in ["<script", "http:", "https:", "url(", "@import", "src="] {
                XCTAssertFalse(page.contains(word), "the page has \(word)")
            }
            XCTAssertFalse(page.contains("{{"), "a template is not filled")
            XCTAssertLessThan(page.utf8.count, Self.bytesMax)
        }
    }

    func testTextsAreEscaped() throws {
        let page = try ReportPage.text(SampleRun.recorder(title: "<b>&\"").report())
        XCTAssertTrue(page.contains("<h1>&lt;b&gt;&amp;&quot;</h1>"))
        XCTAssertFalse(page.contains("<b>"))
    }

    func testARunsPageHasEverythingThatIsKnown() throws {
        let page = try ReportPage.text(SampleRun.recorder().report())
        for text in [
            "id=\"verdict\">refuted<", "Ages against the bound", "hit nothing", "Latency of requests",
            "State of each flat",
            "What every service was doing", "Readings on their way", "What became of the readings",
            "SD1/0/temperature@1000: sent at 22 s", "Messages of SD1 around the first violation",
            "windkanal run &#39;a file.json&#39; --seed 7", "25.000 s: broker is killed",
        ] {
            XCTAssertTrue(page.contains(text), "the page lacks \(text)")
        }
    }

    func testASweepsPageLeadsToItsWorstSeed() throws {
        let page = try ReportPage.text(SampleRun.sweep().report())
        XCTAssertTrue(page.contains("<a href=\"#worst\">"))
        XCTAssertTrue(page.contains("id=\"worst\""))
        XCTAssertEqual(page.components(separatedBy: "Ages against the bound").count, 3, "title and label of one chart")
    }

    // A day of a thousand flats, a sample for each of 1,200 pieces of time, and forty faults.
    func testALargeRunStaysSmall() throws {
        guard case .run(var run) = try SampleRun.recorder().report() else { return XCTFail("no run") }
        run.end = 86_400
        run.landscape = RunRecord.Landscape(
            flats: 50, names: (0..<50).map { "SD\($0)" }, profile: "x", interval: 10, keepsReadings: true, warmUp: 0,
            services: [], secondsPerSample: 72)
        run.samples = (1...1200).map { number in
            let states = (0..<50).map { RunRecord.FlatState(rawValue: (number / 3 + $0) % 7 == 0 ? 3 : 0) ?? .fetched }
            return RunRecord.Sample(
                time: Double(number * 72), ages: [Double(number % 13), Double(number % 17), Double(number % 23)],
                flats: states, counts: [40, 0, 0, 10], succeeded: number % 9, failed: number % 2,
                latency: [Double(number % 7 + 1), Double(number % 90 + 9), Double(number * 37 % 5000 + 99)], open: 0,
                outbox: number % 40, lag: number % 30)
        }
        run.faults = (0..<40).map { number in
            let from = Double(number * 2000)
            return RunRecord.Fault(
                line: "network.cut service=storage", since: from, until: from + 500,
                windows: [RunRecord.Span(from: from, to: from + 500)], impact: "hit", hits: 3, targets: [])
        }
        let page = try ReportPage.text(.run(run))
        XCTAssertLessThan(page.utf8.count, Self.bytesMax)
    }

    // WCAG 2.1, AA.
    func testTextsHaveContrastOnEveryGround() {
        XCTAssertEqual(Palette.contrast("000000", "ffffff"), 21, accuracy: 0.01)
        XCTAssertEqual(Palette.contrast("777777", "ffffff"), 4.48, accuracy: 0.01)
        for text in Palette.texts {
            for ground in Palette.grounds {
                for (one, other) in [(text.light, ground.light), (text.dark, ground.dark)] {
                    XCTAssertGreaterThanOrEqual(Palette.contrast(one, other), 4.5, "\(text.name) on \(ground.name)")
                }
            }
        }
    }
}
