import Documents
import XCTest

@testable import Experiments

/// What recorders are told of a run, and what people read of it.
final class RunEventTests: XCTestCase {
    private static let experiment: Value = [
        "title": "kettles", "description": "d",
        "steady-state-hypothesis": [
            "title": "water is hot",
            "probes": [
                [
                    "type": "probe", "name": "look", "tolerance": 0,
                    "provider": ["type": "process", "path": "look"],
                ]
            ],
        ],
        "method": [
            [
                "type": "action", "name": "unplug", "pauses": ["after": 0.001],
                "provider": ["type": "process", "path": "unplug"],
            ],
            ["type": "action", "name": "spill", "provider": ["type": "process", "path": "spill"]],
        ],
        "rollbacks": [
            [
                "type": "action", "name": "plug", "background": true,
                "provider": ["type": "process", "path": "plug"],
            ]
        ],
    ]

    private func run(
        _ experiment: Value = experiment, _ options: RunOptions = RunOptions(), look: Value = ["status": 0]
    ) async throws -> [RunEvent] {
        let recorded = Recorded()
        let providers = FakeProviders { call throws(ActivityError) in
            guard case .process(let call) = call else { throw .unexpected("not a process") }
            switch call.path {
            case "look": return look
            case "spill": throw .failed("it is full")
            default: return ["status": 3]
            }
        }
        _ = try await ExperimentRun(
            Experiment(Document(value: experiment), origin: "test"), options: options,
            environment: RunEnvironment(
                clock: ContinuousClock(), wallTime: { .zero }, providers: providers, platform: "p", node: "n",
                recorder: { recorded.add($0) })
        ).run()
        return recorded.all
    }

    func testEveryPartOfARunIsAnEvent() async throws {
        let names = try await run().compactMap { $0.json?["event"]?.string }
        XCTAssertEqual(
            names,
            [
                "plan", "run-begins",
                "phase-begins", "hypothesis-begins", "activity-begins", "activity-ended", "tolerance-checked",
                "hypothesis-ended", "phase-ended",
                "phase-begins", "activity-begins", "warning", "activity-ended", "pause-begins", "pause-ended",
                "activity-begins", "activity-ended", "phase-ended",
                "phase-begins", "hypothesis-begins", "activity-begins", "activity-ended", "tolerance-checked",
                "hypothesis-ended", "phase-ended",
                "rollbacks-decided", "phase-begins", "rollback", "activity-begins", "warning", "activity-ended",
                "phase-ended", "run-ended",
            ])
    }

    func testEventsCarryTheStepsOfThePlan() async throws {
        let events = try await run().compactMap(\.json)
        XCTAssertEqual(events.first?["count"], 5)
        let begun = events.filter { $0["event"] == "activity-begins" }
        XCTAssertEqual(begun.map { $0["step"] }, [1, 2, 3, 4, 5])
        XCTAssertEqual(begun.map { $0["phase"] }, ["before", "method", "method", "after", "rollbacks"])
        XCTAssertEqual(begun.map { $0["background"] }, [false, false, false, false, true])
        let spilt = try XCTUnwrap(events.first { $0["event"] == "activity-ended" && $0["name"] == "spill" })
        XCTAssertEqual(spilt["status"], "failed")
        XCTAssertEqual(spilt["failure"], "it is full")
        XCTAssertEqual(spilt["pointer"], "/method/1")
        let tested = try XCTUnwrap(events.first { $0["event"] == "hypothesis-ended" })
        XCTAssertEqual(tested["probes"]?.array?.first?["tolerance_met"], true)
    }

    // What people read is made of events alone, and is what it was before there were any.
    func testPeopleReadTheWholeStory() async throws {
        var narrator = RunNarrator()
        let lines = try await run().flatMap { narrator.lines(for: $0) }.map { "\($0.level.rawValue) \($0.text)" }
        XCTAssertEqual(
            lines,
            [
                "INFO Running experiment: kettles", "INFO Steady-state strategy: default",
                "INFO Rollbacks strategy: default", "INFO Steady state hypothesis: water is hot", "INFO Probe: look",
                "INFO Steady state hypothesis is met!", "INFO Playing your experiment's method now...",
                "INFO Action: unplug",
                "WARNING The process of 'unplug' returned 3, which may indicate an error",
                "INFO Pausing after activity for 0.001s...", "INFO Action: spill", "ERROR   => failed: it is full",
                "INFO Steady state hypothesis: water is hot", "INFO Probe: look",
                "INFO Steady state hypothesis is met!", "INFO Let's rollback...", "INFO Rollback: plug",
                "INFO Action: plug [in background]",
                "WARNING The process of 'plug' returned 3, which may indicate an error",
                "INFO Experiment ended with status: completed",
            ])
    }

    func testPeopleReadWhyRollbacksAreLeftOutAndWhatDeviated() async throws {
        var options = RunOptions()
        options.hypothesisStrategy = .afterMethodOnly
        options.rollbackStrategy = .never
        var narrator = RunNarrator()
        let lines = try await run(Self.experiment, options, look: ["status": 1]).flatMap { narrator.lines(for: $0) }
            .map { "\($0.level.rawValue) \($0.text)" }
        XCTAssertEqual(
            lines.suffix(4),
            [
                "CRITICAL Steady state probe 'look' is not in the given tolerance so failing this experiment",
                "WARNING Rollbacks are not played: the strategy is never",
                "INFO Experiment ended with status: deviated",
                "WARNING The steady-state has deviated, a weakness may have been discovered",
            ])
    }

    func testATestbedsEventIsReadAtItsLevelAndKeepsItsMembersApart() {
        var narrator = RunNarrator()
        let event = RunEvent.testbed("fault-applied", ["text": "storage is cut off", "level": "warning", "name": "x"])
        XCTAssertEqual(narrator.lines(for: event).map(\.text), ["storage is cut off"])
        XCTAssertEqual(narrator.lines(for: event).map(\.level), [.warning])
        XCTAssertEqual(event.json?["name"], "fault-applied")
        XCTAssertEqual(event.json?["details"]?["name"], "x")
        XCTAssertTrue(narrator.lines(for: .testbed("silent", [:])).isEmpty)
    }
}

private final class Recorded: @unchecked Sendable {
    private(set) var all: [RunEvent] = []

    func add(_ event: RunEvent) { all.append(event) }
}
