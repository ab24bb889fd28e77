import Documents
import Experiments
import Foundation
import Measurements
import Pipeline
import SimulationKernel
import Synchronization
import Testbed
import XCTest

@testable import PipelineTestbed

/// Every file of scenarios/, in the simulation.
final class ScenarioTests: XCTestCase {
    private static var root: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }

    private static func experiment(_ name: String) throws -> Experiment {
        let data = try Data(contentsOf: root.appending(path: "scenarios/\(name).json"))
        return Experiment(try JSONReader.readDocument(data), origin: name)
    }

    private static func run(
        _ name: String, profile: PollerProfile? = nil, seed: Seed? = nil
    ) throws -> ScenarioRun.Result {
        let experiment = try experiment(name)
        var scenario = try XCTUnwrap(try Scenario(of: experiment))
        if let profile { try scenario.use(profile) }
        if let seed { scenario.seed = seed }
        return try ScenarioRun(experiment, in: scenario, options: RunOptions()).run()
    }

    /// What each scenario says with its own profile; a file without a row, or a row without a file, fails.
    private static let verdicts: [String: Verdict] = [
        "smoke/device-latency": .held, "smoke/several-devices": .held, "smoke/latency-forms": .held,
        "smoke/aborted-connections": .held, "smoke/third-party-errors": .held, "learnings/mind-timeouts": .held,
        "learnings/parallel-access": .refuted, "learnings/expect-errors-of-third-parties": .refuted,
        "smoke/database-unreachable": .held,
        "learnings/broker-restarts-fails": .refuted, "learnings/broker-restarts-holds": .held,
        "learnings/broker-volume-missing-fails": .refuted, "learnings/broker-volume-missing-holds": .held,
        "learnings/disk-full-fails": .refuted, "learnings/disk-full-holds": .held,
        "learnings/poller-killed-fails": .refuted, "learnings/poller-killed-holds": .held,
        "learnings/retention-too-short-fails": .refuted, "learnings/retention-too-short-holds": .held,
        "learnings/storage-power-cut-fails": .refuted, "learnings/storage-power-cut-holds": .held,
    ]

    /// Runs scenarios on all cores; each on a thread of its own, as simulations are.
    private static func results(_ runs: [(name: String, seed: Seed?)]) throws -> [ScenarioRun.Result] {
        let results = Mutex<[Int: Result<ScenarioRun.Result, any Error>]>([:])
        DispatchQueue.concurrentPerform(iterations: runs.count) { index in
            let result = Result { try run(runs[index].name, seed: runs[index].seed) }
            results.withLock { $0[index] = result }
        }
        return try results.withLock { results in try runs.indices.map { try XCTUnwrap(results[$0]).get() } }
    }

    func testEveryScenarioIsValidAndGivesItsVerdict() async throws {
        var found: Set<String> = []
        for folder in try FileManager.default.contentsOfDirectory(atPath: Self.root.appending(path: "scenarios").path) {
            let path = Self.root.appending(path: "scenarios/\(folder)").path
            for file in try FileManager.default.contentsOfDirectory(atPath: path) {
                found.insert("\(folder)/\(file.replacingOccurrences(of: ".json", with: ""))")
            }
        }
        XCTAssertEqual(found, Set(Self.verdicts.keys))
        let names = Self.verdicts.keys.sorted()
        for name in names {
            let findings = await ScenarioRun.findings(
                try Self.experiment(name), environment: [:], variables: Variables())
            XCTAssertEqual(findings, [], name)
        }
        // All are run in several processes by the determinism check; one with all services is run twice here.
        let again = "smoke/database-unreachable"
        let results = try Self.results((names + [again]).map { ($0, nil) })
        for (name, result) in zip(names, results) {
            XCTAssertEqual(result.verdict(strict: false), Self.verdicts[name]?.rawValue, name)
            XCTAssertEqual(result.stopReason, .finished, name)
            if name == again { XCTAssertEqual(results.last?.digest, result.digest, name) }
        }
    }

    // A scenario that is to fail shows nothing if it needs a lucky seed; 'lab scenarios' looks at more of them.
    func testScenariosThatAreToFailFailForOtherSeedsToo() throws {
        let names = Self.verdicts.keys.filter { $0.hasSuffix("-fails") }.sorted()
        let runs = names.map { (name: $0, seed: Seed(2)) }
        for (run, result) in zip(runs, try Self.results(runs)) {
            XCTAssertEqual(result.verdict(strict: false), "refuted", "\(run.name), seed \(run.seed)")
        }
    }

    // The command says the same of a file as the run does: what can be called in a landscape decides.
    func testTheCommandValidatesEveryScenario() throws {
        let command = Bundle.main.bundleURL.appending(path: "windkanal")
        func validate(_ path: String) throws -> (status: Int32, output: String) {
            let process = Process()
            process.executableURL = command
            process.arguments = ["validate", path]
            let output = Pipe()
            process.standardError = output
            process.standardOutput = output
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return (process.terminationStatus, text)
        }
        for name in Self.verdicts.keys.sorted() {
            let (status, output) = try validate(Self.root.appending(path: "scenarios/\(name).json").path)
            XCTAssertEqual(status, 0, "\(name): \(output)")
        }
        let wrong = FileManager.default.temporaryDirectory.appending(path: "windkanal-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: wrong) }
        let text = """
            {"title": "t", "description": "d", "method": [{"type": "action", "name": "a", "provider":
              {"type": "python", "module": "windkanal.network", "func": "cat", "arguments": {}}}],
             "extensions": [{"name": "windkanal", "landscape": {"persistence": {"acks": 2}}}]}
            """
        try Data(text.utf8).write(to: wrong)
        let (status, output) = try validate(wrong.path)
        XCTAssertEqual(status, 1)
        for part in ["there is no windkanal.network.cat", "landscape/persistence/acks is one of 0, 1, all"] {
            XCTAssertTrue(output.contains(part), output)
        }
    }

    // Hypothesis 3: what was acknowledged while the storage was away is stored when it is back, each reading once.
    func testNothingIsLostWhileTheDatabaseIsUnreachable() throws {
        let audit = try XCTUnwrap(try Self.run("smoke/database-unreachable").audit)
        XCTAssertTrue(audit.holds)
        XCTAssertEqual(audit.stored, audit.acknowledged)
        XCTAssertGreaterThan(audit.stored, 500)
        let broken = try XCTUnwrap(try Self.run("learnings/retention-too-short-fails").audit)
        XCTAssertGreaterThan(broken.lost.count, 50)
        XCTAssertEqual(broken.told.count, 20)
        XCTAssertTrue(broken.told[0].contains("acknowledged at"), broken.told[0])
    }

    func testWhatAnExperimentLeavesInPlaceIsTakenBackAndTold() throws {
        func action(_ module: String, _ function: String, _ arguments: Value) -> Value {
            [
                "type": "action", "name": .string(function),
                "provider": [
                    "type": "python", "module": .string(module), "func": .string(function), "arguments": arguments,
                ],
            ]
        }
        let document: Value = [
            "title": "t", "description": "d",
            "method": [
                action("windkanal.network", "cut", ["service": "storage", "other": "ingester"]),
                action("windkanal.service", "crash", ["service": "broker", "down": .null]),
                action("windkanal.disk", "slow", ["service": "poller", "seconds": 1]),
            ],
            "extensions": [
                ["name": "windkanal", "duration": 200, "landscape": ["flats": 2, "persistence": [:]]]
            ],
        ]
        let experiment = Experiment(Document(value: document), origin: "")
        let scenario = try XCTUnwrap(try Scenario(of: experiment))
        let result = try ScenarioRun(experiment, in: scenario, options: RunOptions()).run()
        XCTAssertEqual(
            result.healed.map { "\($0.fault)" },
            [
                "network.cut service=storage other=ingester", "service.crash service=broker down=null",
                "disk.slow service=poller seconds=1",
            ])
        let audit = try XCTUnwrap(result.audit)
        XCTAssertTrue(audit.holds)
        XCTAssertLessThan(audit.pending, 33)
        XCTAssertGreaterThan(audit.stored, 32)
    }

    func testActivitiesOfOurOwnAreCheckedBeforeTheyRun() async throws {
        func findings(_ provider: Value) async -> [String] {
            let method: Value = [["type": "action", "name": "a", "provider": provider]]
            let document: Value = [
                "title": "t", "description": "d", "method": method,
                "extensions": [["name": "windkanal", "landscape": ["persistence": [:]]]],
            ]
            let experiment = Experiment(Document(value: document), origin: "")
            return await ScenarioRun.findings(experiment, environment: [:], variables: Variables()).map(\.message)
        }
        func provider(_ module: String, _ function: String, _ arguments: Value) -> Value {
            ["type": "python", "module": .string(module), "func": .string(function), "arguments": arguments]
        }
        let right = await findings(provider("windkanal.network", "cut", ["service": "storage"]))
        XCTAssertEqual(right, [])
        for (given, part) in [
            (provider("windkanal.network", "cat", ["service": "storage"]), "there is no windkanal.network.cat"),
            (provider("windkanal.network", "cut", ["servce": "storage"]), "has no argument 'servce'"),
            (provider("windkanal.network", "slow", ["service": "storage"]), "needs the argument 'seconds'"),
            (provider("os", "getcwd", [:]), "does not run in the simulation"),
        ] {
            let messages = await findings(given)
            XCTAssertTrue(messages.contains { $0.contains(part) }, "\(part): \(messages)")
        }
    }

    // Hypothesis 1: the naive poller is refuted; only overlapping requests keep a flat of 30 s latency young. The step itself
    // nobody survives: for its first 30 s there is no answer, so the largest age is above 20 s, and the 95th percentile tells the rest.
    func testWhoKeepsASlowFlatFresh() throws {
        for (profile, verdict) in [
            (PollerProfile.naive, "refuted"), (.bulkhead, "refuted"), (.adaptive, "refuted"), (.pipelined, "held"),
        ] {
            let result = try Self.run("smoke/device-latency", profile: profile)
            XCTAssertEqual(result.verdict(strict: false), verdict, profile.name)
            let age = try XCTUnwrap(result.ages[.perFlatLastSuccess])
            XCTAssertEqual(age.p95 < 20, profile == .pipelined, profile.name)
        }
    }

    // With a timeout above the lateness, passes overlap: the global age is small while the slow flat's data is as late as its device.
    func testAGlobalAgeHidesASlowFlat() throws {
        let slow = try Self.run("learnings/mind-timeouts")
        XCTAssertEqual(slow.verdict(strict: false), "held")
        let experiment = try Self.experiment("learnings/mind-timeouts")
        var calm = experiment
        calm.document.value.set(Pointer(tokens: ["method"]), to: [])
        let usual = try ScenarioRun(
            calm, in: try XCTUnwrap(try Scenario(of: experiment)), options: RunOptions()
        ).run()
        func p95(_ result: ScenarioRun.Result, _ kind: Scenario.AgeKind) throws -> Double {
            try XCTUnwrap(result.ages[kind]).p95
        }
        XCTAssertLessThan(try p95(slow, .globalLastSuccess), 20)
        XCTAssertEqual(try p95(slow, .globalLastSuccess), try p95(usual, .globalLastSuccess), accuracy: 10)
        XCTAssertGreaterThan(try p95(slow, .perFlatData), try p95(usual, .perFlatData) + 15)
    }

    // What a scenario changes of its profile stays when another is asked for, and null leaves a mechanism out.
    func testSettingsOfAPollerHoldForEveryProfile() throws {
        let poller: Value = [
            "profile": "adaptive", "timeout": 7, "breaker": .null, "bulkhead": ["total": 9, "slow": 2],
        ]
        let document: Value = ["extensions": [["name": "windkanal", "landscape": ["poller": poller]]]]
        var scenario = try XCTUnwrap(try Scenario(of: Experiment(Document(value: document), origin: "")))
        XCTAssertNil(scenario.profile.breaker)
        XCTAssertNotNil(scenario.profile.retry)
        try scenario.use(.pipelined)
        XCTAssertEqual(scenario.profile.name, "pipelined")
        XCTAssertEqual(scenario.profile.timeout, .seconds(7))
        XCTAssertEqual(scenario.profile.bulkhead, Bulkhead.Options(total: 9, slow: 2))
    }

    // Credentials of the scenario are asked for and given, and a measured series takes the place of the model.
    func testALandscapeHasCredentialsAndMeasuredSeries() throws {
        let landscape: Value = [
            "flats": 2, "rooms": 1, "credentials": ["user": "u", "password": "p"],
            "series": [["file": "s.csv", "columns": ["t": "temperature"]]],
        ]
        let document: Value = [
            "title": "t", "description": "d", "method": [],
            "extensions": [["name": "windkanal", "duration": 60, "landscape": landscape]],
        ]
        let experiment = Experiment(Document(value: document), origin: "folder/e.json")
        let scenario = try XCTUnwrap(
            try Scenario(of: experiment) { path in
                XCTAssertEqual(path, "folder/s.csv")
                return Array("offset_s,t\n0,20\n10,21\n20,22\n".utf8)
            })
        let result = try ScenarioRun(experiment, in: scenario, options: RunOptions()).run()
        XCTAssertEqual(result.failures, [:])
        // The series measures every 10 s, the model every minute.
        XCTAssertLessThan(try XCTUnwrap(result.ages[.perFlatData]).p95, 25)
    }

    func testLearningsHoldWithTheProfileThatTheyTeach() throws {
        XCTAssertEqual(try Self.run("learnings/parallel-access", profile: .bulkhead).verdict(strict: false), "held")
        XCTAssertEqual(
            try Self.run("learnings/expect-errors-of-third-parties", profile: .bulkhead).verdict(strict: false), "held")
    }

    func testSeedsDifferAndTheirDigestsToo() throws {
        XCTAssertNotEqual(
            try Self.run("smoke/latency-forms", seed: 1).digest, try Self.run("smoke/latency-forms", seed: 2).digest)
    }

    func testAnExtensionThatIsNoScenarioIsNamed() throws {
        let cases: [(Value, String)] = [
            (
                ["name": "windkanal", "sead": 1],
                "sead is not known; there are name, landscape, seed, warm-up, duration, bound, faults, recovery, invariants"
            ),
            (["name": "windkanal", "seed": -1], "seed is a whole number from 0 on"),
            (["name": "windkanal", "duration": 1e9], "duration is a number of seconds from 0 on"),
            (
                ["name": "windkanal", "warm-up": 60, "duration": 30],
                "duration is at most a week, and not shorter than warm-up"
            ),
            (
                ["name": "windkanal", "seed": "x", "landscape": ["rooms": 0, "poller": ["overlap": 99]]],
                "seed is a whole number from 0 on\nthe extension 'windkanal': landscape/rooms is a whole number from 1 to 100"
                    + "\nthe extension 'windkanal': landscape/poller/overlap is a whole number from 1 to 64"
            ),
            (
                ["name": "windkanal", "landscape": ["poller": ["bulkhead": ["total": 4, "slow": 4]]]],
                "landscape/poller/bulkhead/slow is a whole number from 1 to 3"
            ),
            (
                ["name": "windkanal", "landscape": ["series": [["file": "a.csv", "columns": ["t": "temperature"]]]]],
                "landscape/series/0/file cannot be read: a.csv: files cannot be read here"
            ),
            (["name": "windkanal", "landscape": ["flats": 0]], "landscape/flats is a whole number from 1 to 10000"),
            (
                ["name": "windkanal", "landscape": ["poller": ["profile": "x"]]],
                "landscape/poller/profile is one of naive, bulkhead, adaptive, pipelined"
            ),
            (
                ["name": "windkanal", "bound": ["age": "x"]],
                "bound/age is one of global-last-success, per-flat-last-success, per-flat-data"
            ),
        ]
        for (value, message) in cases {
            let experiment = Experiment(Document(value: ["extensions": [value]]), origin: "")
            XCTAssertThrowsError(try Scenario(of: experiment)) { error in
                XCTAssertEqual("\(error)", "the extension 'windkanal': \(message)")
            }
        }
        XCTAssertNil(try Scenario(of: Experiment(Document(value: ["title": "t"]), origin: "")))
    }
}
