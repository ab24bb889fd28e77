import SimulationKernel

/// Runs a trial over seeds, within one test: seeds that failed before go first, and each that fails is a finding of its own.
///
/// Seeds run one after another on the calling thread. A test runner that wants more cores runs tests side by side.
public struct Sweep<Tried: Trial> {
    private let trial: Tried
    private let test: TestIdentity
    private let seeds: Seeds
    private let options: SweepOptions
    private let overrides: SweepOverrides

    /// Prepares a sweep.
    ///
    /// - Parameters:
    ///   - trial: What is run.
    ///   - test: The test that it belongs to.
    ///   - seeds: The seeds, unless the environment says otherwise.
    ///   - options: How it goes.
    ///   - overrides: What the environment says.
    public init(
        _ trial: Tried, in test: TestIdentity, seeds: Seeds, options: SweepOptions = SweepOptions(),
        overrides: SweepOverrides
    ) {
        self.trial = trial
        self.test = test
        self.seeds = overrides.seed.map(Seeds.only) ?? overrides.seeds ?? seeds
        self.options = options
        self.overrides = overrides
    }

    /// Runs the seeds.
    ///
    /// - Parameter report: Hears of each finding as soon as it is made.
    /// - Returns: What came of the seeds.
    /// - Throws: ``SweepError``, and why the trial cannot be run at all.
    public func run(report: (SweepFinding) -> Void) throws -> SweepSummary {
        let root = test.packageFolder
        let folder = options.folder ?? "\(root)/.windkanal"
        var store = try RegressionStore(folder: folder, test: test, trial: trial.name, root: root)
        var summary = SweepSummary()
        let isPinned = overrides.seed != nil
        let kept = isPinned || !options.keepsFailures ? [] : store.entries.map(\.seed)
        let began = ContinuousClock.now
        let budget = overrides.budget ?? options.budget
        var isCutShort = false

        func tryOne(_ seed: Seed) throws {
            let outcome = try trial.run(seed: seed)
            summary.add(outcome)
            if outcome.holds { return passed(seed, &store, &summary) }
            var finding = finding(outcome, folder: folder, tried: summary.runs.count)
            if options.keepsFailures {
                store.keep(RegressionStore.Entry(outcome))
                if let problem = store.save() {
                    summary.notes.append(problem)
                } else {
                    finding = finding.adding("kept in \(store.path), and played first next time")
                }
            }
            report(finding)
        }
        func goesOn() -> Bool {
            if summary.failing.count >= options.failingSeedsMax {
                isCutShort = true
                summary.notes.append(
                    "'\(trial.name)' ended after \(summary.failing.count) failing seeds; \(summary.runs.count) were run"
                )
                return false
            }
            if let budget, !summary.runs.isEmpty, began.duration(to: .now) > budget {
                isCutShort = true
                summary.notes.append(
                    "'\(trial.name)' ended after \(budget) of real time; \(summary.runs.count) seeds were run")
                return false
            }
            return true
        }
        for seed in kept {
            guard goesOn() else { break }
            try tryOne(seed)
        }
        if !isCutShort {
            for value in seeds.range {
                guard goesOn() else { break }
                guard !kept.contains(Seed(value)) else { continue }
                try tryOne(Seed(value))
            }
        }
        if !isCutShort, seeds.count > 1 { lookAtMarks(summary, report) }
        return summary
    }

    private func passed(_ seed: Seed, _ store: inout RegressionStore, _ summary: inout SweepSummary) {
        guard options.keepsFailures, let entry = store.forget(seed) else { return }
        let problem = store.save()
        summary.notes.append(
            problem
                ?? "seed \(seed) of '\(trial.name)' passes now and is forgotten; it was \(entry.verdict): \(entry.failure)"
        )
    }

    /// A path that is to be taken sometimes must be taken for one seed at least.
    private func lookAtMarks(_ summary: SweepSummary, _ report: (SweepFinding) -> Void) {
        let wanted = Set(options.sometimes).union(summary.marks.keys)
        for mark in wanted.sorted() where summary.marks[mark, default: 0] == 0 {
            let message = "sometimes: '\(mark)' was not reached for any of \(summary.runs.count) seeds (\(seeds))"
            report(SweepFinding(message: message, location: nil, outcome: nil, evidence: []))
        }
    }

    private func finding(_ outcome: TrialOutcome, folder: String, tried: Int) -> SweepFinding {
        var evidence: [(file: Evidence, path: String?)] = []
        var problems: [String] = []
        do {
            for file in try trial.evidence(of: outcome) {
                let name = "\(KeptFiles.fileName(test.name))-seed-\(outcome.seed).\(file.name)"
                let path = "\(folder)/failures/\(name)"
                let isWritten = KeptFiles.write(file.contents, to: path)
                if !isWritten { problems.append("\(file.name) cannot be kept in \(path): \(KeptFiles.problem)") }
                evidence.append((file, isWritten ? path : nil))
            }
        } catch {
            problems.append("nothing more is known of it: \(error)")
        }
        let text = FailureText(trial: trial.name, test: test, outcome: outcome, seeds: seeds, tried: tried)
        let lines = text.lines + evidence.compactMap { file, path in path.map { "\(file.name): \($0)" } } + problems
        return SweepFinding(
            message: lines.joined(separator: "\n"), location: outcome.failures.first?.location, outcome: outcome,
            evidence: evidence)
    }
}

extension RegressionStore.Entry {
    fileprivate init(_ outcome: TrialOutcome) {
        self.init(
            seed: outcome.seed, verdict: outcome.verdict, failure: outcome.failures.first?.message ?? "",
            digest: "\(outcome.digest)")
    }
}

extension SweepSummary {
    fileprivate mutating func add(_ outcome: TrialOutcome) {
        runs.append(
            SeedRun(seed: outcome.seed, verdict: outcome.verdict, holds: outcome.holds, digest: outcome.digest))
        marks.merge(outcome.marks, uniquingKeysWith: +)
    }
}

extension SweepFinding {
    fileprivate func adding(_ line: String) -> SweepFinding {
        SweepFinding(message: message + "\n" + line, location: location, outcome: outcome, evidence: evidence)
    }
}
