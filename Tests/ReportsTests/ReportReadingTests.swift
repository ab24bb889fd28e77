import Documents
import XCTest

@testable import Reports

final class ReportReadingTests: XCTestCase {
    private func sample() throws -> RunRecord {
        guard case .run(let run) = try SampleRun.recorder().report() else { throw ReportError.nothing }
        return run
    }

    func testARunIsReadFromItsEvents() throws {
        let run = try sample()
        XCTAssertEqual(run.title, "Fresh & <calm>")
        XCTAssertEqual(run.verdict, "refuted")
        XCTAssertEqual(run.seed, "7")
        XCTAssertEqual(run.end, 60)
        XCTAssertEqual(run.samples.count, 60)
        XCTAssertEqual(run.samples[30].ages, [1.5, 11, 41])
        XCTAssertEqual(run.samples[30].flats, [.fetched, .beyond, .fetched])
        XCTAssertEqual(run.samples[30].counts, [2, 0, 0, 1])
        XCTAssertEqual(run.bound?.exceeded?.seconds, 10)
        XCTAssertEqual(run.ledger?.count("lost"), 1)
        XCTAssertEqual(run.messages?.messages.map(\.arrival), [30.001, nil])
        XCTAssertEqual(run.violations.map(\.time), [31])
    }

    // A window of a device schedule ends when the schedule is taken back.
    func testWindowsOfAFaultEndWithIt() throws {
        let faults = try sample().faults
        XCTAssertEqual(faults[0].windows, [RunRecord.Span(from: 20, to: 40)])
        XCTAssertEqual(faults[1].windows, [RunRecord.Span(from: 45, to: nil)])
        XCTAssertEqual(faults[0].line, "device-schedule target=SD1")
        XCTAssertEqual(try sample().missed.map(\.line), ["disk.slow service=storage seconds=2"])
    }

    func testProcessesHaveTheirLives() throws {
        let processes = try sample().processes
        XCTAssertEqual(processes.map(\.name), ["poller", "broker"])
        XCTAssertEqual(processes[1].changes.map(\.state), [.up, .down, .up])
        XCTAssertEqual(processes[1].changes.map(\.time), [0, 25, 35])
    }

    func testASweepHasItsSeedsAndItsWorst() throws {
        guard case .sweep(let sweep) = try SampleRun.sweep().report() else { return XCTFail("no sweep") }
        XCTAssertEqual(sweep.seeds.map(\.number), ["1", "2", "3"])
        XCTAssertEqual(sweep.seeds.map(\.age), [5, 12, 20])
        XCTAssertEqual(sweep.verdicts.map(\.verdict), ["refuted", "held"])
        XCTAssertEqual(sweep.worst?.seed, "3")
        XCTAssertEqual(sweep.worst?.samples.count, 60)
        XCTAssertEqual(sweep.seeds[1].problem, "the age: is, too large")
    }

    func testAComparisonHasARowForEachProfile() throws {
        guard case .comparison(let comparison) = try SampleRun.comparison().report() else {
            return XCTFail("no comparison")
        }
        XCTAssertEqual(comparison.rows.map(\.profile), ["naive", "pipelined"])
        XCTAssertEqual(comparison.scenarios, ["fresh"])
        XCTAssertEqual(comparison.rows[1].run.samples.count, 60)
    }

    func testWhatIsNoEventIsNamedWithItsLine() {
        XCTAssertThrowsError(try Report(lines: Array("{\"event\":\"x\"}\nnonsense\n".utf8))) { error in
            XCTAssertTrue("\(error)".hasPrefix("line 2 is no event: "), "\(error)")
        }
        XCTAssertThrowsError(try Report(lines: Array("{\"a\":1}\n".utf8))) { error in
            XCTAssertTrue("\(error)".hasPrefix("line 1 is no event: it has no member 'event'"), "\(error)")
        }
        XCTAssertThrowsError(try Report(lines: [])) { XCTAssertEqual($0 as? ReportError, .nothing) }
    }

    func testMomentsAreRead() {
        XCTAssertEqual(Moment.seconds("1970-01-02T00:00:01+00:00"), 86_401)
        XCTAssertEqual(Moment.seconds("2026-01-01T00:00:30.250000+00:00") ?? 0, 1_767_225_630.25, accuracy: 1e-6)
        XCTAssertEqual(Moment.seconds("2024-03-01T00:00:00+00:00"), 1_709_251_200)
        XCTAssertNil(Moment.seconds("yesterday at the station"))
    }

    func testNumbersAreWrittenAsPeopleReadThem() {
        XCTAssertEqual(PageText.fixed(-0.04), "0.0")
        XCTAssertEqual(PageText.fixed(2.449, 2), "2.45")
        XCTAssertEqual(PageText.short(30.0), "30")
        XCTAssertEqual(PageText.fixed(.nan), "–")
        XCTAssertEqual(PageText.length(600), "10 min")
        XCTAssertEqual(PageText.length(172_800), "2 days")
        XCTAssertEqual(PageText.count(1_234_567), "1\u{2009}234\u{2009}567")
        XCTAssertEqual(PageText.command(["a", "b c", "it's"]), "a 'b c' 'it'\\''s'")
        XCTAssertEqual(PageText.escaped("<a & \"b\">\u{1}"), "&lt;a &amp; &quot;b&quot;&gt;\u{FFFD}")
    }
}
