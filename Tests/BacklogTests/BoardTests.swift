import XCTest

@testable import Backlog

/// What people see of the backlog.
final class BoardTests: XCTestCase {
    private func hypothesis(_ name: String, _ rest: String) throws -> Hypothesis {
        try Hypothesis.read(
            """
            title: Title <of> \(name)
            statement: A statement that goes on for long enough to be wrapped on a narrow terminal, and then some.
            original: {language: German, text: Ein Satz, translation: true}
            binds: [{metric: m, bound: below 3, share: all}]
            rollback: [undo]
            \(rest)
            """, path: "hypotheses/\(name).yaml"
        ) { _ in true }
    }

    private func all() throws -> [Hypothesis] {
        [
            try hypothesis("idea", ""), try hypothesis("plan", "experiments: [{file: x.json, waits-for: a cluster}]"),
            try hypothesis("ready", "experiments: [{file: x.json, profile: naive, seeds: 1...3, expect: held}]"),
            try hypothesis(
                "done",
                """
                experiments: [{file: x.json, expect: held}, {file: y.json, expect: refuted}]
                evaluations:
                  - {date: "2026-01-02T03:04:05Z", experiment: x.json, verdict: refuted, seed: 4}
                  - {date: "2026-01-03T03:04:05Z", experiment: y.json, verdict: refuted, seed: 5, learning: l}
                """),
        ]
    }

    func testEachHypothesisStandsUnderItsStationWithWhatIsNext() throws {
        let board = Board(try all()).overview
        let expected = """
            HYPOTHESIS  believed; no experiment is planned

              idea
                Title <of> idea
                next: plan an experiment in hypotheses/idea.yaml: windkanal new scenario idea

            PLANNING  planned; something is missing before it can be run

              plan
                Title <of> plan
                  x  waits for a cluster
                next: see to what is missing: a cluster

            EXPERIMENT  ready; an experiment has not been run yet

              ready
                Title <of> ready
                  x naive 1...3  not run yet, held expected
                next: run it: windkanal run hypotheses/x.json --profile naive --seeds 1...3 --record

            EVALUATION  run; what was learned is what counts

              done
                Title <of> done
                  x  refuted, but held was expected  2026-01-02, seed 4
                  y  refuted, as expected  2026-01-03, seed 5
                next: say in hypotheses/done.yaml what was learned: 1 evaluation has none
            """
        XCTAssertEqual(board, expected)
    }

    // Commands and evaluations stay on one line, to be copied.
    func testSentencesFitTheTerminal() throws {
        let text = Board([], columns: 50).details(of: try all()[0])
        XCTAssertGreaterThan(text.split(separator: "\n").count, 10)
        for line in text.split(separator: "\n").dropFirst() { XCTAssertLessThanOrEqual(line.count, 50, String(line)) }
    }

    func testOneHypothesisIsShownInFull() throws {
        let text = Board([]).details(of: try all()[3])
        for words in [
            "evaluation: run; what was learned", "Ein Satz (German, translated)", "m: below 3, of all", "- undo",
            "windkanal run hypotheses/x.json --record", "2026-01-02T03:04:05Z, x.json, refuted, seed 4",
            "nothing was learned yet",
        ] { XCTAssertTrue(text.contains(words), "\(words)\n\(text)") }
    }

    // Static, whole, and safe with whatever people write.
    func testThePageIsStaticAndEscapesWhatPeopleWrote() throws {
        let html = BoardPage(try all()).html
        XCTAssertFalse(html.contains("<script"))
        XCTAssertFalse(html.contains("http"))
        XCTAssertFalse(html.contains("<of>"))
        XCTAssertTrue(html.contains("Title &lt;of&gt; done"))
        XCTAssertTrue(html.contains("prefers-color-scheme:dark"))
        for name in ["idea", "plan", "ready", "done"] { XCTAssertTrue(html.contains("<article id=\"\(name)\">"), name) }
        for tag in ["section", "article", "ul", "li", "p", "table", "a", "i"] {
            let opened = html.matches(of: try Regex("<\(tag)[ >]")).count
            XCTAssertEqual(opened, html.matches(of: try Regex("</\(tag)>")).count, tag)
        }
    }
}
