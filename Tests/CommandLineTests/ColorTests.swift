import XCTest

@testable import Sessions

/// What the terminal is given, and when.
final class ColorTests: XCTestCase {
    func testColoursFollowTheConventionsOfTerminals() {
        for (environment, isTerminal, isColored) in [
            ([:], true, true), ([:], false, false), (["NO_COLOR": "1"], true, false), (["NO_COLOR": ""], true, true),
            (["CLICOLOR_FORCE": "1"], false, true), (["CLICOLOR_FORCE": "0"], false, false),
            (["CLICOLOR_FORCE": "1", "NO_COLOR": "1"], true, false), (["CLICOLOR": "0"], true, false),
            (["TERM": "dumb"], true, false), (["TERM": "dumb", "CLICOLOR_FORCE": "1"], true, true),
        ] as [([String: String], Bool, Bool)] {
            let choice = ColorChoice(environment: environment, isTerminal: isTerminal)
            XCTAssertEqual(choice.isColored, isColored, "\(environment) \(isTerminal): \(choice.reason)")
        }
    }

    func testProgressTellsTheRateAndTheTimeThatIsLeft() {
        func text(_ done: Int, _ elapsed: Duration) -> String {
            ProgressMeter.text(done: done, total: 1000, unit: "seeds", elapsed: elapsed)
        }
        XCTAssertEqual(text(0, .seconds(3)), "0 of 1000 seeds, 3 s so far")
        XCTAssertEqual(text(250, .seconds(5)), "250 of 1000 seeds, 50 a second, 15 s left")
        XCTAssertEqual(text(1, .seconds(4)), "1 of 1000 seeds, 0.3 a second, 66 min left")
        XCTAssertEqual(text(1, .seconds(40)), "1 of 1000 seeds, 0.0 a second, 11 h 6 min left")
        XCTAssertEqual(text(1000, .milliseconds(1500)), "1000 of 1000 seeds, 667 a second, 0 s left")
    }

    // On a terminal from a second on; elsewhere after ten seconds, and ever more rarely.
    func testProgressComesAtLongIntervalsWhereItCannotBeRewritten() {
        XCTAssertFalse(ProgressMeter.isDue(.milliseconds(900), last: .zero, isTerminal: true))
        XCTAssertTrue(ProgressMeter.isDue(.seconds(1), last: .zero, isTerminal: true))
        var told: [Int] = []
        var last = Duration.zero
        for second in 1...1000 where ProgressMeter.isDue(.seconds(second), last: last, isTerminal: false) {
            told.append(second)
            last = .seconds(second)
        }
        XCTAssertEqual(told, [10, 20, 40, 80, 160, 320, 620, 920])
    }
}
