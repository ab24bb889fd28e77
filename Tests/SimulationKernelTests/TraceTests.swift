import SimulationKernel
import XCTest

final class TraceTests: XCTestCase {
    private func run(_ seed: Seed, limits: TraceRecording.Limits? = nil) throws -> Outcome<Void> {
        let simulation = Simulation(seed: seed, options: .init(recording: limits))
        try simulation.addHost("poller") {
            for round in 0..<5 {
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...100)))
                Simulation.note("round \(round)", UInt64(round))
            }
        }
        return try simulation.run(for: .seconds(1))
    }

    func testEqualSeedsGiveEqualDigestsAndOthersDoNot() throws {
        XCTAssertEqual(try run(1).digest, try run(1).digest)
        XCTAssertNotEqual(try run(1).digest, try run(2).digest)
        XCTAssertEqual(String(describing: try run(1).digest).count, 32)
    }

    // Recording must not be a decision of its own, or a failure could not be recorded by running it again.
    func testRecordingChangesNothing() throws {
        let plain = try run(1)
        let recorded = try run(1, limits: .init(entries: 1000))
        XCTAssertEqual(plain.digest, recorded.digest)
        XCTAssertNil(plain.recording)
        XCTAssertEqual(try run(1, limits: .init(entries: 1000)).recording?.lines, recorded.recording?.lines)
    }

    func testARecordingIsJSONLinesWithABound() throws {
        let whole = try XCTUnwrap(try run(1, limits: .init(entries: 1000)).recording)
        let lines = whole.lines.split(separator: "\n")
        XCTAssertEqual(lines.count, whole.count + 1)
        XCTAssertTrue(lines.last?.contains(#""kind":"end""#) ?? false)
        XCTAssertEqual(whole.leftOut, 0)
        XCTAssertEqual(lines[0], #"{"n":0,"t":0,"host":"world","kind":"host","a":0,"b":1,"text":"poller start"}"#)
        XCTAssertTrue(lines.contains { $0.contains(#""host":"poller","kind":"note","a":4,"b":0,"text":"round 4"}"#) })

        let part = try XCTUnwrap(try run(1, limits: .init(first: 3, entries: 4)).recording)
        XCTAssertEqual(part.lines.split(separator: "\n").dropLast(), lines[3..<7])
        XCTAssertEqual(part.leftOut, whole.count - 4)
    }

    func testTextsAreEscaped() throws {
        let simulation = Simulation(seed: 1, options: .init(recording: .init(entries: 10)))
        let outcome = try simulation.run { Simulation.note("a\"b\\c\nd\u{1}é") }
        XCTAssertTrue(outcome.recording?.lines.contains(#""text":"a\"b\\c\nd\u0001é"}"#) ?? false)
    }

    // Each decision must reach the digest: its time, its host, its kind, its numbers, its words and its place in the order.
    func testEveryPartOfADecisionCounts() throws {
        func digest(_ body: @escaping (Simulation) async throws -> Void) throws -> TraceDigest {
            let simulation = Simulation(seed: 1)
            return try simulation.run { try await body(simulation) }.digest
        }
        let digests = [
            try digest { $0.record(.note, 1, 2, text: "x") },
            try digest { $0.record(.note, 2, 1, text: "x") },
            try digest { $0.record(.note, 1, 2, text: "y") },
            try digest { $0.record(.note, 1, 2) },
            try digest { $0.record(TraceKind("other"), 1, 2, text: "x") },
            try digest {
                $0.record(.note, 1, 2, text: "x"); $0.record(.note, 3, 4)
            },
            try digest {
                $0.record(.note, 3, 4); $0.record(.note, 1, 2, text: "x")
            },
            try digest {
                try await Task.sleep(for: .nanoseconds(1)); $0.record(.note, 1, 2, text: "x")
            },
            try digest {
                try await Task.sleep(for: .nanoseconds(2)); $0.record(.note, 1, 2, text: "x")
            },
        ]
        XCTAssertEqual(Set(digests).count, digests.count)
    }
}
