import Documents
import Experiments
import XCTest

@testable import PipelineTestbed

/// Activities of our own whose arguments cannot be used: they are refused, and where they are not, no hypothesis is held.
final class OwnActivityTests: XCTestCase {
    private func experiment(
        _ function: String, _ arguments: Value, more: Value.Object = [:], persistence: Value? = [:]
    ) -> Experiment {
        let names = function.split(separator: ".")
        var landscape: Value.Object = ["flats": 2, "rooms": 2]
        landscape["persistence"] = persistence
        let object: Value.Object = [
            "title": "t", "description": "d",
            "method": [
                [
                    "type": "action", "name": "a",
                    "provider": [
                        "type": "python", "module": .string("windkanal.\(names[0])"), "func": .string(String(names[1])),
                        "arguments": arguments,
                    ],
                ]
            ],
            "extensions": [["name": "windkanal", "warm-up": 20, "duration": 40, "landscape": .object(landscape)]],
        ]
        return Experiment(Document(value: .object(object.merging(more))), origin: "")
    }

    private func errors(_ experiment: Experiment, _ variables: Variables = Variables()) async -> [String] {
        await ScenarioRun.findings(experiment, environment: [:], variables: variables)
            .filter { $0.severity == .error }.map(\.message)
    }

    func testArgumentsThatCannotBeUsedAreRefused() async {
        let cases: [(String, Value, String)] = [
            ("service.crash", ["service": "database"], "names the service 'database', which is not there"),
            ("service.crash", ["service": 7], "is a string, not 7"),
            ("service.crash", ["service": "experimenter"], "names the service 'experimenter'"),
            ("service.crash", ["service": "broker", "down": -1], "is a number of seconds from 0 to 86400, not -1"),
            ("service.crash", ["service": "broker", "down": "5"], "is a number of seconds"),
            ("network.cut", ["service": "storage", "other": "databse"], "names the machine 'databse'"),
            ("network.cut", ["service": "storage", "other": "storage"], "are the same machine"),
            ("network.slow", ["service": "storage", "seconds": 1e9], "is a number of seconds"),
            ("disk.fill", ["service": "poller", "free": 0.5], "is a whole number from 0 to 2^50, not 0.5"),
            (
                "disk.fail", ["service": "poller", "writes": 2],
                "is 0, a number from 0.000001 to 1 or a string such as 1/20, not 2"
            ),
            ("disk.fail", ["service": "poller"], "nothing would fail"),
            ("disk.slow", ["service": "poller", "seconds": .real(.infinity)], "is a number of seconds"),
        ]
        for (function, arguments, problem) in cases {
            let found = await errors(experiment(function, arguments))
            XCTAssertEqual(found.count, 1, "\(function) \(found)")
            XCTAssertTrue(found.first?.contains(problem) ?? false, "\(function): \(found)")
        }
        let fine = await errors(experiment("service.crash", ["service": "broker", "down": .null]))
        XCTAssertEqual(fine, [])
    }

    // The value counts, wherever it stands.
    func testArgumentsFromTheConfigurationAreLookedAtToo() async {
        let call = experiment(
            "service.crash", ["service": "${which}"], more: ["configuration": ["which": "database"]])
        let refused = await errors(call)
        XCTAssertEqual(refused.count, 1)
        let accepted = await errors(call, Variables(configuration: ["which": "broker"]))
        XCTAssertEqual(accepted, [])
        let dynamic = await errors(
            experiment(
                "service.crash", ["service": "${which}"],
                more: [
                    "configuration": [
                        "which": ["type": "probe", "provider": ["type": "http", "url": "http://poller:8080/health"]]
                    ]
                ]))
        XCTAssertEqual(dynamic, [], "what a probe finds is known only then")
    }

    func testALandscapeThatKeepsNothingHasNothingToLose() async {
        let found = await errors(experiment("ledger.lost", [:], persistence: nil))
        XCTAssertEqual(found.count, 1)
        XCTAssertTrue(found[0].contains("needs a landscape with 'persistence'"), found[0])
    }

    func testAddressesThatLeadNowhereAreRefused() async {
        func http(_ url: String, method: String = "GET", _ arguments: Value? = nil) -> Experiment {
            var provider: Value.Object = ["type": "http", "url": .string(url), "method": .string(method)]
            provider["arguments"] = arguments
            return experiment(
                "ledger.lost", [:],
                more: ["method": [["type": "action", "name": "a", "provider": .object(provider)]]])
        }
        let devices = "http://measurement-server:8080/_windkanal/devices"
        for (experiment, problem) in [
            (http("http://gatewy:8080/ready"), "nothing that answers at 'gatewy'"),
            (http("http://gateway/ready"), "nothing listens at port 80"),
            (http("https://gateway:8443/ready"), "nothing listens at port 8443"),
            (http("\(devices)/SD9/schedule", method: "PUT", ["latency": 1]), "there is no flat 'SD9'"),
            (http("\(devices)/SD1:3/schedule", method: "PUT", ["latency": 1]), "there is no room '3'"),
            (http("\(devices)/SD1/schedule", method: "PUT", ["latancy": 1]), "the schedule is refused"),
        ] {
            let found = await errors(experiment)
            XCTAssertEqual(found.count, 1, "\(problem): \(found)")
            XCTAssertTrue(found.first?.contains(problem) ?? false, "\(found)")
        }
        for fine in [
            http("http://gateway:8080/ready"), http("\(devices)/SD1:2/schedule", method: "PUT", ["latency": 1]),
        ] {
            let found = await errors(fine)
            XCTAssertEqual(found, [])
        }
    }

    // Nothing that failed is a proof, whatever the journal's own fields say.
    func testAFailedActivityMakesAScenarioInconclusive() throws {
        let hypothesis: Value = [
            "title": "h",
            "probes": [
                [
                    "type": "probe", "name": "lost", "tolerance": 0,
                    "provider": ["type": "python", "module": "windkanal.ledger", "func": "lost"],
                ]
            ],
        ]
        let answered: Value = [
            [
                "type": "action", "name": "a",
                "provider": [
                    "type": "http", "url": "http://measurement-server:8080/_windkanal/nothing", "method": "DELETE",
                ],
            ]
        ]
        for more in [
            ["steady-state-hypothesis": hypothesis], ["steady-state-hypothesis": hypothesis, "method": answered],
        ]
            as [Value.Object]
        {
            let experiment = experiment("service.crash", ["service": "database"], more: more)
            let scenario = try XCTUnwrap(try Scenario(of: experiment))
            let result = try ScenarioRun(experiment, in: scenario, options: RunOptions()).run()
            XCTAssertEqual(result.journal?.status, .completed)
            XCTAssertEqual(result.journal?.deviated, false)
            XCTAssertTrue(result.line(strict: false).hasPrefix("verdict inconclusive status completed deviated false"))
            XCTAssertFalse(result.isSuccess(strict: false))
        }
    }

    func testAScenarioThatIsNotSteadyAtItsBeginningIsNoSuccess() throws {
        let hypothesis: Value = [
            "title": "h",
            "probes": [
                [
                    "type": "probe", "name": "lost", "tolerance": 5,
                    "provider": ["type": "python", "module": "windkanal.ledger", "func": "lost"],
                ]
            ],
        ]
        let experiment = experiment(
            "service.crash", ["service": "broker"], more: ["steady-state-hypothesis": hypothesis])
        let scenario = try XCTUnwrap(try Scenario(of: experiment))
        let result = try ScenarioRun(experiment, in: scenario, options: RunOptions()).run()
        XCTAssertEqual(result.verdict(strict: false), "unsteady")
        XCTAssertFalse(result.isSuccess(strict: false))
    }

    func testARunThatSomebodyEndsHasAJournalAndItsVerdict() throws {
        let interruption = ScenarioInterruption()
        interruption.request(.termination)
        let experiment = experiment(
            "service.crash", ["service": "broker"], more: [:])
        let scenario = try XCTUnwrap(try Scenario(of: experiment))
        let before = try ScenarioRun(experiment, in: scenario, options: RunOptions(), interruption: interruption).run()
        XCTAssertTrue(before.isInterrupted)
        XCTAssertNil(before.journal)
        XCTAssertEqual(before.verdict(strict: false), "interrupted")
        XCTAssertLessThan(before.virtualTime, .seconds(20))

        let during = ScenarioInterruption()
        let run = ScenarioRun(experiment, in: scenario, options: RunOptions(), interruption: during) { event in
            if case .phaseBegan(let beginning) = event, beginning.phase == .method { during.request(.interrupt) }
        }
        let result = try run.run()
        XCTAssertEqual(result.verdict(strict: false), "interrupted")
        XCTAssertFalse(result.isSuccess(strict: false))
    }

    func testASeriesThatBeginsWhenTheRunIsOverIsWarnedOf() async throws {
        let document: Value = [
            "title": "t", "description": "d", "method": [],
            "extensions": [
                [
                    "name": "windkanal", "duration": 60,
                    "landscape": ["series": [["file": "s.csv", "columns": ["t": "temperature"]]]],
                ]
            ],
        ]
        let experiment = Experiment(Document(value: document), origin: "e.json")
        let scenario = try Scenario(of: experiment) { _ in Array("offset_s,t\n7200,20\n7260,21\n".utf8) }
        let found = await ScenarioRun.findings(experiment, in: scenario, environment: [:], variables: Variables())
        XCTAssertEqual(found.map(\.severity), [.warning])
        XCTAssertTrue(found[0].message.contains("begins 7200 s after"), found[0].message)
    }
}
