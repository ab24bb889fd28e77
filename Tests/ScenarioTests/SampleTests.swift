import Documents
import Experiments
import Foundation
import Pipeline
import Synchronization
import XCTest

@testable import PipelineTestbed

/// What a run tells those who make reports.
final class SampleTests: XCTestCase {
    private func experiment(_ name: String) throws -> Experiment {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = try Data(contentsOf: root.appending(path: "scenarios/\(name).json"))
        return Experiment(try JSONReader.readDocument(data), origin: name)
    }

    /// A run, and what it noted, by event.
    private func run(
        _ name: String, profile: String? = nil, flats: Int? = nil, duration: Duration? = nil, samples: Bool = true
    ) throws -> (result: ScenarioRun.Result, noted: [String: [Value.Object]]) {
        let experiment = try experiment(name)
        var scenario = try XCTUnwrap(try Scenario(of: experiment))
        if let profile { try scenario.use(try XCTUnwrap(PollerProfile(named: profile))) }
        if let flats { scenario.flats = flats }
        if let duration { scenario.duration = duration }
        let noted = Mutex<[String: [Value.Object]]>([:])
        let result = try ScenarioRun(experiment, in: scenario, options: RunOptions(), samples: samples) { event in
            guard case .noted(let object) = event else { return }
            noted.withLock { $0[object["event"]?.string ?? "", default: []].append(object) }
        }.run()
        return (result, noted.withLock { $0 })
    }

    func testSamplesChangeNothingOfWhatHappens() throws {
        for name in ["smoke/device-latency", "smoke/database-unreachable"] {
            let (watched, noted) = try run(name)
            let (unwatched, nothing) = try run(name, samples: false)
            XCTAssertEqual(watched.digest, unwatched.digest, name)
            XCTAssertEqual(watched.events, unwatched.events, name)
            XCTAssertTrue(nothing.isEmpty, name)
            XCTAssertEqual(noted["landscape"]?.count, 1, name)
        }
    }

    // One flat answers late from 30 s to 210 s; the naive poller gives it up after 5 s, and all behind it in the order with it.
    func testSamplesTellOfAgesFlatsAndRequests() throws {
        let (result, noted) = try run("smoke/device-latency", profile: "naive")
        let samples = try XCTUnwrap(noted["sample"])
        XCTAssertEqual(samples.count, result.secondsWatched)
        let late = try XCTUnwrap(samples.first { $0["at"]?.number == 100 })
        XCTAssertEqual(late["flats"]?.string, "...xxxxxxxxxxxxxxxxx")
        XCTAssertEqual(samples.last?["flats"]?.string, "....................")
        let largest = samples.compactMap { $0["ages"]?.array?[1].number }.max() ?? 0
        XCTAssertEqual(largest, try XCTUnwrap(result.ages[.perFlatLastSuccess]).max, accuracy: 0.1)
        let failed = samples.compactMap { $0["requests"]?.array?[1].integer }.reduce(0, +)
        XCTAssertEqual(failed, result.failures.values.reduce(0, +))
        XCTAssertEqual(try XCTUnwrap(noted["latency"]?.first?["p100"]?.integer), 5000)
    }

    func testTheMessagesAreThoseOfTheFlatThatIsConcerned() throws {
        let (_, noted) = try run("smoke/device-latency", profile: "naive")
        let object = try XCTUnwrap(noted["messages"]?.first)
        XCTAssertEqual(noted["messages"]?.count, 1)
        XCTAssertEqual(object["of"], ["SD3"])
        let labels = (object["messages"]?.array ?? []).compactMap { $0.array?.last?.string }
        XCTAssertFalse(labels.isEmpty)
        XCTAssertTrue(labels.allSatisfy { $0.contains("/SD3/") }, "\(labels)")
    }

    // While the storage is cut off the broker keeps what comes, and behind it everything arrives.
    func testQueuesGrowAndShrink() throws {
        let (_, noted) = try run("smoke/database-unreachable")
        let lags = try XCTUnwrap(noted["sample"]).compactMap { $0["lag"]?.integer }
        XCTAssertGreaterThan(lags.max() ?? 0, 100)
        XCTAssertEqual(lags.last, 0)
        XCTAssertEqual(noted["ledger"]?.first?["lost"], 0)
    }

    func testManyFlatsAreCountedByTheirState() throws {
        let (_, noted) = try run("smoke/device-latency", flats: 60, duration: .seconds(60))
        let sample = try XCTUnwrap(noted["sample"]?.last)
        XCTAssertNil(sample["flats"])
        XCTAssertEqual(sample["states"]?.array?.compactMap(\.integer).reduce(0, +), 60)
    }

    func testALongRunHasFewSamples() throws {
        let (_, noted) = try run("smoke/device-latency", flats: 2, duration: .seconds(4000))
        XCTAssertEqual(noted["landscape"]?.first?["seconds_per_sample"], 4)
        let samples = try XCTUnwrap(noted["sample"])
        XCTAssertLessThan(samples.count, 1000)
        XCTAssertEqual(samples[1]["at"]?.number ?? 0, (samples[0]["at"]?.number ?? 0) + 4)
    }
}
