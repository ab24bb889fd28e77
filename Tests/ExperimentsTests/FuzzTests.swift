import Documents
import Foundation
import Fuzzing
import Randomness
import XCTest

final class FuzzTests: XCTestCase {
    // A crash or a hang ends the test; the counts show that the inputs got somewhere. `lab fuzz` tries a million.
    func testBrokenExperimentsEndInResultsOrNamedErrors() async throws {
        let corpus = try Fixtures.experiments("chaostoolkit/edge").map { Array(try Data(contentsOf: $0)) }
        let report = await ExperimentFuzzer(seed: 7, corpus: corpus).run(0..<2_000)
        XCTAssertEqual(report.inputs, 2_000)
        XCTAssertGreaterThan(report.documents, 200)
        XCTAssertGreaterThan(report.journals, 100)
        XCTAssertGreaterThan(report.findings, 200)
    }
}
