import SimulationTesting
import XCTest

/// How findings of the core become failures; what is kept of them is in files, since XCTest has no attachments on Linux.
enum Reporting {
    /// Reports a finding at the line where it was claimed, else at the caller's.
    static func report(_ finding: SweepFinding, at file: StaticString, _ line: UInt) {
        fail(finding.message, finding.location, file, line)
    }

    /// Reports a check that failed outside a sweep.
    static func report(_ failure: TrialFailure, at file: StaticString, _ line: UInt) {
        fail(failure.message, failure.location, file, line)
    }

    private static func fail(_ message: String, _ location: CodeLocation?, _ file: StaticString, _ line: UInt) {
        XCTFail(message, file: location?.filePath ?? file, line: location.map { UInt($0.line) } ?? line)
    }

    /// Says what is no failure.
    static func tell(_ notes: [String]) {
        for note in notes { print("windkanal: \(note)") }
    }
}
