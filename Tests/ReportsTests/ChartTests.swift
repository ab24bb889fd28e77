import Foundation
import XCTest

@testable import Reports

final class ChartTests: XCTestCase {
    private func sample() throws -> RunRecord {
        guard case .run(let run) = try SampleRun.recorder().report() else { throw ReportError.nothing }
        return run
    }

    func testScalesHaveRoundTicks() {
        XCTAssertEqual(Scale(0, 600).ticks(about: 6), [0, 100, 200, 300, 400, 500, 600])
        XCTAssertEqual(Scale(0, 1).ticks(about: 2), [0, 0.5, 1])
        XCTAssertEqual(Scale(0, 250).height(125, in: 100), 50)
        XCTAssertEqual(Scale.roundUp(21), 25)
        XCTAssertEqual(Scale.roundUp(0), 1)
    }

    func testLongRunsHaveLongerUnits() {
        XCTAssertEqual(TimeAxis(to: 600).unit, "s")
        XCTAssertEqual(TimeAxis(to: 3600).unit, "min")
        XCTAssertEqual(TimeAxis(to: 86_400).unit, "h")
        XCTAssertEqual(TimeAxis(to: 604_800).ticks.map { $0 / 86_400 }, [0, 2, 4, 6])
    }

    // The line crosses 10 at 2 and at 4 s, so the area begins and ends there.
    func testWhatIsBeyondTheBoundIsAnAreaFromCrossingToCrossing() {
        let line = LineData([(0, 0), (4, 20), (4, 20), (8, 0)])
        let axis = TimeAxis(to: 10)
        let path = line.excess(above: 10, axis) { 100 - $0 }
        XCTAssertEqual(path, "M200 90L400 80L400 80L600 90Z")
        XCTAssertEqual(LineData([(0, 1), (9, 2)]).excess(above: 10, axis) { $0 }, "")
    }

    func testTooManyPointsAreThinnedToTheirLargest() {
        let points = (0..<4000).map { (time: Double($0), value: $0 == 1234 ? 99 : 1.0 as Double?) }
        let thinned = LineData(points).points
        XCTAssertLessThanOrEqual(thinned.count, 480)
        XCTAssertEqual(thinned.compactMap(\.value).max(), 99)
    }

    func testTheLogarithmIsOne() {
        XCTAssertEqual(RequestCharts.log10(1000), 3, accuracy: 1e-6)
        XCTAssertEqual(RequestCharts.log10(5000), 3.69897, accuracy: 1e-5)
        XCTAssertEqual(RequestCharts.log10(0.1), -1, accuracy: 1e-6)
    }

    func testTheAgesShowBoundFaultsAndViolation() throws {
        let chart = try XCTUnwrap(AgeChart.chart(of: sample()))
        XCTAssertTrue(chart.plot.contains("bound 10 s"))
        // The first fault acts from 20 s to 40 s of 60 s.
        XCTAssertTrue(chart.plot.contains("<rect class=\"fault\" x=\"33.33%\" width=\"33.33%\""), chart.plot)
        XCTAssertTrue(chart.plot.contains("<rect class=\"fault missed\" x=\"75%\" width=\"25%\""), chart.plot)
        XCTAssertTrue(chart.plot.contains("<line class=\"violation\" x1=\"51.67%\""), chart.plot)
        XCTAssertTrue(chart.legend.contains { $0.style == "excess" })
    }

    func testAFlatHasABoxForEachTimeInOneState() throws {
        let chart = try XCTUnwrap(FlatChart.chart(of: sample()))
        XCTAssertEqual(chart.plot.components(separatedBy: "<rect class=\"beyond\"").count, 2)
        XCTAssertTrue(chart.plot.contains("SD1, 20–30 s: last request failed"), chart.plot)
        XCTAssertTrue(chart.plot.contains("SD1, 30–40 s: not fetched within the bound"), chart.plot)
        XCTAssertTrue(chart.gutter.contains(">SD2<"))
    }

    func testManyFlatsAreCounted() throws {
        var run = try sample()
        run.landscape = RunRecord.Landscape(
            flats: 1000, names: [], profile: "x", interval: 10, keepsReadings: false, warmUp: 0, services: [],
            secondsPerSample: 1)
        run.samples = [
            RunRecord.Sample(
                time: 1, ages: [], flats: [], counts: [500, 0, 0, 500], succeeded: 0, failed: 0, latency: nil, open: 0,
                outbox: nil, lag: nil)
        ]
        let chart = try XCTUnwrap(FlatChart.chart(of: run))
        // Half of them are in the worst state: the upper half of 160 pixels.
        XCTAssertTrue(
            chart.plot.contains("class=\"beyond\" x=\"0%\" width=\"1.67%\" y=\"0\" height=\"80\""), chart.plot)
        XCTAssertEqual(chart.title, "States of 1\u{2009}000 flats")
    }

    func testAServiceIsUpDownAndUp() throws {
        let chart = try XCTUnwrap(ServiceCharts.lives(of: sample()))
        XCTAssertTrue(chart.plot.contains("broker is killed at 25 s"))
        XCTAssertTrue(chart.plot.contains("<rect class=\"down\" x=\"41.67%\" width=\"16.67%\""), chart.plot)
        XCTAssertNotNil(ServiceCharts.queues(of: try sample()))
        XCTAssertNil(ServiceCharts.breakers(of: try sample()))
    }

    func testMessagesHaveArrowsAndLostOnesACross() throws {
        let messages = try XCTUnwrap(sample().messages)
        let chart = MessageChart.chart(of: messages, order: ["server", "poller"])
        XCTAssertTrue(chart.plot.contains("class=\"arrow request\" x1=\"75%\""), chart.plot)
        XCTAssertTrue(chart.plot.contains("class=\"arrow gone\" x1=\"25%\""), chart.plot)
        XCTAssertTrue(chart.plot.contains("✕"))
        XCTAssertEqual(chart.title, "Messages of SD1 around the first violation")
    }

    func testEveryReadingOfTheLedgerIsInOneRow() throws {
        let ledger = try XCTUnwrap(sample().ledger)
        XCTAssertEqual(LedgerChart.rows(of: ledger).reduce(0) { $0 + $1.count }, ledger.count("read"))
    }

    func testTheWorstSeedIsToBeClickedOn() throws {
        guard case .sweep(let sweep) = try SampleRun.sweep().report() else { return XCTFail("no sweep") }
        let chart = try XCTUnwrap(SweepChart.ages(of: sweep))
        XCTAssertTrue(chart.plot.contains("<a href=\"#worst\">"))
        XCTAssertTrue(chart.plot.contains("seed 3"))
        XCTAssertEqual(try XCTUnwrap(SweepChart.strip(of: sweep)).plot.components(separatedBy: "<rect").count, 3)
    }

    func testEveryChartHasTitleUnitsAndLegend() throws {
        let run = try sample()
        let charts = [
            AgeChart.chart(of: run), RequestCharts.latency(of: run), RequestCharts.counts(of: run),
            FlatChart.chart(of: run),
            ServiceCharts.lives(of: run), ServiceCharts.queues(of: run), run.ledger.flatMap(LedgerChart.chart),
            run.messages.map { MessageChart.chart(of: $0, order: []) },
        ]
        for chart in charts {
            let chart = try XCTUnwrap(chart)
            XCTAssertFalse(chart.title.isEmpty)
            XCTAssertFalse(chart.unit.isEmpty, chart.title)
            XCTAssertFalse(chart.legend.isEmpty, chart.title)
            XCTAssertFalse(chart.plot.contains("nan"), chart.title)
        }
    }
}
