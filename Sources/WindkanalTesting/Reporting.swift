import SimulationTesting
import Testing

/// How findings of the core become issues and attachments.
enum Reporting {
    /// Reports a finding at the line where it was claimed, else at the test's.
    static func report(_ finding: SweepFinding, at location: SourceLocation) {
        let place = finding.location.map(SourceLocation.init) ?? location
        Issue.record(Comment(rawValue: finding.message), sourceLocation: place)
        for (file, _) in finding.evidence {
            let name = finding.outcome.map { "seed-\($0.seed).\(file.name)" } ?? file.name
            Attachment.record(file.contents, named: name, sourceLocation: place)
        }
    }

    /// Reports a check that failed outside a sweep.
    static func report(_ failure: TrialFailure, at location: SourceLocation) {
        Issue.record(
            Comment(rawValue: failure.message), sourceLocation: failure.location.map(SourceLocation.init) ?? location)
    }

    /// Lets the framework's issues in a simulated run say which run it is, and lets the run know that it has failed.
    static func scope(of test: TestIdentity) -> RunScope {
        RunScope(repeatsFailedRuns: true, isReported: { $0 is ExpectationFailedError }) { run, body in
            guard let current = Test.current else { return try await body() }
            let label = run.label
            let replay = test.replay(of: "\(run.seed)")
            let naming: IssueHandlingTrait = .compactMapIssues { issue in
                guard issue.isFailure, let run = TestedRun.current else { return issue }
                guard !run.isRepetition else { return nil }
                // On the simulation's thread, where the issue arises.
                run.fail(TrialFailure(issue.comments.first?.rawValue ?? "\(issue.kind)", isReported: true))
                var issue = issue
                issue.comments.append("for \(label); replay: \(replay)")
                return issue
            }
            let code = UncheckedTransfer(body)
            try await naming.provideScope(for: current, testCase: Test.Case.current) { try await code.value() }
        }
    }

    /// Says what is no failure.
    static func tell(_ notes: [String]) {
        for note in notes { print("windkanal: \(note)") }
    }
}

extension SourceLocation {
    init(_ location: CodeLocation) {
        self.init(
            fileID: "\(location.fileID)", filePath: "\(location.filePath)", line: location.line,
            column: location.column)
    }
}
