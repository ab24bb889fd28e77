import Foundation
import XCTest

/// What both frameworks say of simulated tests that fail: told by processes of their own, in which they do.
final class FailureReportTests: XCTestCase {
    private var folder = ""

    override func setUp() { folder = "\(NSTemporaryDirectory())/windkanal-\(UUID().uuidString)" }
    override func tearDown() { try? FileManager.default.removeItem(atPath: folder) }

    /// Runs this program's tests anew, and gives its exit code and what it says.
    private func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> (Int32, String) {
        let process = Process()
        process.executableURL = Bundle.main.executableURL
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment
            .merging([Fixture.variable: folder, "NO_COLOR": "1"]) { $1 }.merging(environment) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    private func swiftTesting(_ test: String, _ environment: [String: String] = [:]) throws -> (Int32, String) {
        try run(["--testing-library", "swift-testing", "--filter", "FailingTests/\(test)"], environment)
    }

    private func xctest(_ test: String, _ environment: [String: String] = [:]) throws -> (Int32, String) {
        try run(["WindkanalTestingTests.FailingXCTests/\(test)"], environment)
    }

    private func assertSays(
        _ output: (status: Int32, text: String), _ parts: [String], line: UInt = #line
    ) {
        XCTAssertNotEqual(output.status, 0, output.text, line: line)
        for part in parts {
            XCTAssertTrue(output.text.contains(part), "'\(part)' is missing in:\n\(output.text)", line: line)
        }
    }

    /// How many lines of a text hold a part.
    private func count(_ part: String, in text: String) -> Int {
        text.split(separator: "\n").count { $0.contains(part) }
    }

    // MARK: Swift Testing

    func testAnExpectationSaysForWhichSeedItFailedAndHowToReplayIt() throws {
        let first = try swiftTesting("expectationFailsForSomeSeeds")
        assertSays(first, ["Expectation failed", "for seed ", "replay: WINDKANAL_SEED="])
        let failing = first.1.matches(of: /for seed (\d+); replay/).map { String($0.1) }
        XCTAssertGreaterThan(failing.count, 1, "each failing seed is an issue of its own")
        XCTAssertLessThan(failing.count, 20)
        XCTAssertEqual(failing.count, Set(failing).count, "each is told once")
        XCTAssertEqual(failing.count, count(" of 20 run)", in: first.1), "and summed up once")
        // A second run plays them first and fails for the same; the replay fails, and another seed does not.
        let second = try swiftTesting("expectationFailsForSomeSeeds", ["WINDKANAL_SEEDS": "1"])
        XCTAssertEqual(Set(second.1.matches(of: /for seed (\d+); replay/).map { String($0.1) }), Set(failing))
        let seed = try XCTUnwrap(failing.first)
        assertSays(
            try swiftTesting("expectationFailsForSomeSeeds", ["WINDKANAL_SEED": seed]), ["for seed \(seed); replay"])
        let sound = try XCTUnwrap((1...20).map(String.init).first { !failing.contains($0) })
        XCTAssertEqual(try swiftTesting("expectationFailsForSomeSeeds", ["WINDKANAL_SEED": sound]).0, 0)
    }

    func testARequirementEndsItsSeedAndIsToldOnceForEach() throws {
        let output = try swiftTesting("requirementFailsForSomeSeeds")
        assertSays(output, ["for seed "])
        XCTAssertFalse(output.1.contains("threw:"), output.1)
    }

    func testADeadlockEndsTheTestWithTheNameOfWhatWaits() throws {
        let output = try swiftTesting("deadlocks")
        assertSays(output, ["stopped for seed 1", "deadlock", "waitsForNobody", "replay: WINDKANAL_SEED=1 swift test"])
        XCTAssertTrue(output.1.contains("stopped for seed 3"), "the other seeds run all the same: \(output.1)")
        XCTAssertTrue(output.1.contains("with 3 issues"), output.1)
    }

    func testAnErrorAGuardAndACheckAreIssuesWithTheirSeed() throws {
        assertSays(try swiftTesting("throwsAnError"), ["failed for seed 2", "threw: ", "NSCocoaErrorDomain"])
        assertSays(try swiftTesting("sleepsInReality"), ["stopped for seed 1", "a real sleep", "sleepsInReality"])
        assertSays(
            try swiftTesting("isNotReadyInTime"),
            ["FailingTests.swift:30", "refuted for seed 1", "eventually: it is ready still is false at 5.000000000 s"])
        assertSays(try swiftTesting("neverRetries"), ["sometimes: 'a retry' was not reached for any of 5 seeds"])
        XCTAssertEqual(try swiftTesting("knownIssuesAreNoFailures").0, 0)
    }

    func testATrialACancellationAndASelfCheckFailByName() throws {
        let trial = try swiftTesting("trialFails")
        assertSays(
            trial,
            [
                "refuted for seed 2", "two is even", "seed-2.recipe.txt",
                "WINDKANAL_SEED=2 swift test --filter 'trialFails'",
            ])
        XCTAssertTrue(
            FileManager.default.fileExists(atPath: "\(folder)/failures/trialFails-seed-2.recipe.txt"), trial.1)
        assertSays(
            try swiftTesting("cancellationDoesHarm"),
            [
                "for seed 1, cancelled at its suspension 1; replay",
                "in WindkanalTestingTests.FailingTests.cancellationDoesHarm",
            ])
        assertSays(try swiftTesting("isNotControlled"), ["nothing of the code under test happened in the simulation"])
    }

    func testAWrongVariableOfTheEnvironmentFailsTheTestWithTheRightForm() throws {
        assertSays(
            try swiftTesting("trialFails", ["WINDKANAL_SEEDS": "many"]),
            ["WINDKANAL_SEEDS is 'many'; seeds look like 1000 or 1...1000"])
        assertSays(
            try swiftTesting("deadlocks", ["WINDKANAL_SEED": "x"]), ["WINDKANAL_SEED is 'x'; a seed is a number"])
    }

    // MARK: XCTest

    func testXCTestSaysTheSame() throws {
        let rolls = try xctest("testAssertionFailsForSomeSeeds")
        assertSays(
            rolls, ["XCTAssertNotEqual failed", "refuted for seed", "replay: WINDKANAL_SEED=", "testAssertionFails"])
        XCTAssertEqual(count("XCTAssertNotEqual failed", in: rolls.1), 2 * count(" of 20 run)", in: rolls.1), rolls.1)
        assertSays(try xctest("testDeadlocks"), ["seed 1: deadlock", "waitsForNobody"])
        assertSays(
            try xctest("testIsNotReadyInTime"),
            ["FailingXCTests.swift:20", "seed 5: eventually: it is ready still is false at 5.000000000 s"])
        assertSays(
            try xctest("testTrialFails"),
            [
                "FailingXCTests.swift:25", "refuted for seed 2", "two is even",
                "recipe.txt: \(folder)/failures/testTrialFails",
            ])
        assertSays(try xctest("testCancellationDoesHarm"), ["cancelled at its suspension 1"])
        assertSays(try xctest("testIsNotControlled"), ["nothing of the code under test"])
    }
}
