import Documents
import Durations

/// A run of an experiment: its phases in their order, on any clock and any providers.
///
/// An actor, so that the method, activities in the background and the continuous hypothesis can go on side by side over one journal. It is
/// run once.
public actor ExperimentRun {
    /// The experiment as it is now: controls may change it.
    var experiment: Experiment {
        didSet { journal.update(experiment.document.value, isBegun: isPrepared) }
    }
    let options: RunOptions
    let environment: RunEnvironment
    var journal: Journal
    var scope: Scope = Scope()
    /// Takes the run's secrets out of what others will read.
    public private(set) var redactor: Redactor = Redactor()
    /// What the run will do; made anew when a control changes the experiment.
    var plan: Plan
    /// The controls of the settings and of files, without those that could not be configured.
    var globalControls: [Control]
    var state: RunState = RunState()
    /// Whether the journal has its own copy of the experiment's members.
    private var isPrepared: Bool = false
    /// The phase that an interruption cuts short.
    private var foreground: Task<Void, any Error>?
    private var background: [Task<Void, Never>] = []
    /// Tests the hypothesis while the method is played.
    var continuousHypothesis: Task<Void, Never>?
    /// Waits between two of those tests.
    var intervalSleep: Task<Void, Never>?
    /// The call of a control that goes on, and those that wait for it.
    var controlCalls: [Task<ControlOutcome, any Error>] = []

    /// Prepares a run.
    public init(_ experiment: Experiment, options: RunOptions, environment: RunEnvironment) {
        self.experiment = experiment
        self.options = options
        self.environment = environment
        globalControls = options.globalControls
        plan = Plan(experiment, dry: options.dry, controls: options.globalControls)
        journal = Journal(
            experiment: experiment.document.value, platform: environment.platform, node: environment.node,
            start: environment.wallTime())
    }

    // MARK: Running

    /// Runs to the end.
    ///
    /// - Returns: What happened.
    /// - Throws: ``RunFailure`` where the reference ends without a journal.
    public func run() async throws(RunFailure) -> Journal {
        let start = environment.elapsed()
        if !state.isInterrupted { try await interruptible { run in try await run.prepare() } }
        if state.isInterrupted {
            record(.notBegun)
            end(start)
            return journal
        }
        isPrepared = true
        record(.planned(PlanSummary(plan)))
        record(
            .runBegan(
                RunBeginning(
                    title: experiment["title"] ?? .null, strategies: plan.strategies,
                    testsHypothesis: plan.testsHypothesis)))
        await configureControls()
        try await play()
        let decision = decideOnRollbacks()
        record(.rollbacksDecided(plan.strategies.rollbacks, decision))
        if decision == .played {
            // An interruption before does not touch them; one from now on does.
            try await interruptible { run in try await run.playRollbacks() }
        }
        await endBackground()
        end(start)
        await endControls()
        return journal
    }

    /// Puts into the journal what its end says.
    private func end(_ start: Duration) {
        journal.status = state.status
        journal.deviated = state.hasDeviated
        journal.end = environment.wallTime()
        journal.duration = environment.elapsed() - start
        record(
            .runEnded(
                RunEnding(
                    status: state.status, hasDeviated: state.hasDeviated,
                    seconds: journal.duration.secondsToMicrosecond)))
    }

    /// Cuts the run short; what happens then is the kind's matter.
    public func interrupt(_ kind: Interruption) {
        // Controls are called behind what is cut short and behind the end; who asks again does not wait for them.
        if state.interruption != nil || journal.end != nil {
            for call in controlCalls { call.cancel() }
        }
        guard journal.end == nil else { return }
        state.interrupt(kind)
        if kind.isRecorded, journal.interruption == nil { journal.interruption = kind }
        record(.interrupted(kind))
        foreground?.cancel()
        if kind == .ungracefulExit {
            for task in background { task.cancel() }
        }
    }

    /// Performs a phase that an interruption can cut short.
    private func interruptible(_ body: @escaping @Sendable (isolated ExperimentRun) async throws -> Void)
        async throws(RunFailure)
    {
        let task = Task { try await body(self) }
        foreground = task
        defer { foreground = nil }
        do {
            try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch ActivityError.interrupted {
            state.endEarly()
        } catch {
            throw RunFailure("\(error)")
        }
    }

    func record(_ event: RunEvent) { environment.recorder(event) }

    /// Takes secrets out of what is recorded from now on.
    func redactSecrets() {
        redactor = Redactor(secrets: scope.secrets)
        record(.secretsKnown(redactor))
    }

    // MARK: Hypothesis and method

    /// Tests the hypothesis and plays the method, as the plan says.
    private func play() async throws(RunFailure) {
        try await interruptible { run in
            guard run.state.interruption == nil else { throw ActivityError.interrupted }
            try await run.call(run.plan.controls(around: .experiment), .experiment, .before, .root)
            if run.plan.phases.contains(.before) { try await run.testBefore() }
            guard run.state.goesOn else { return }
            if run.plan.phases.contains(.during) { run.startContinuousHypothesis() }
            await run.playMethod()
            run.endContinuousHypothesis()
            if run.state.interruption != nil { throw ActivityError.interrupted }
            if run.state.allowsTestAfterMethod, run.plan.phases.contains(.after) { try await run.testAfter() }
        }
        endContinuousHypothesis()
        guard let continuousHypothesis else { return }
        await continuousHypothesis.value
        if !journal.during.isEmpty {
            record(
                .continuousHypothesisEnded(
                    tests: journal.during.count, met: journal.during.count { $0.isMet == true }))
        }
        record(.phaseEnded(.during))
    }

    private func testBefore() async throws {
        let found = try await testGate(.before)
        journal.before = found
        if found.isMet != true { state.foundUnsteady(found) }
    }

    private func testAfter() async throws {
        let found = try await testGate(.after)
        journal.after = found
        if found.isMet != true { state.foundDeviated(found) }
    }

    /// Tests the hypothesis before or after the method.
    private func testGate(_ phase: Phase) async throws -> Journal.SteadyState {
        let steps = try plan.steps(of: phase).count
        record(.phaseBegan(PhaseBeginning(phase: phase, steps: steps, frequency: nil)))
        defer { record(.phaseEnded(phase)) }
        let test = test(in: phase)
        let found = try await testHypothesis(test)
        if state.interruption != nil { throw ActivityError.interrupted }
        record(.hypothesisEnded(test, HypothesisResult(found)))
        return found
    }

    /// Plays the method, its controls around it.
    private func playMethod() async {
        let steps = (try? plan.steps(of: .method))?.count ?? 0
        record(.phaseBegan(PhaseBeginning(phase: .method, steps: steps, frequency: nil)))
        defer { record(.phaseEnded(.method)) }
        do {
            try await call(plan.controls(around: .method), .method, .before, .root)
            var index = 0
            while let step = try step(index, of: .method) {
                if step.declared.isBackground {
                    await startInBackground(step)
                } else {
                    _ = try await perform(step)
                }
                guard state.goesOn else { break }
                index += 1
            }
        } catch ActivityError.interrupted {
            state.endEarly()
        } catch {
            record(.aborted("\(error)"))
            state.abort()
        }
        await endBackground()
        do {
            let entries = Value.array(journal.run.map(journal.value))
            if let changed = try await call(plan.controls(around: .method), .method, .after, .root, state: entries) {
                journal.rewriteRun(as: changed.array ?? [])
            }
        } catch {
            state.endEarly()
        }
    }

    /// A step of a phase as it is planned now; nil behind the last.
    func step(_ index: Int, of phase: Phase) throws(ActivityError) -> Plan.Step? {
        let steps = try plan.steps(of: phase)
        return steps.indices.contains(index) ? steps[index] : nil
    }

    // MARK: Background

    /// Lets an activity go on beside the others; without a pause or a control before it, it has begun when this returns.
    private func startInBackground(_ step: Plan.Step) async {
        do {
            let started = try startAtOnce(step)
            background.append(
                Task {
                    do throws(ActivityError) {
                        _ = try await perform(step, started: started)
                    } catch {
                        recordUnexpected(error, of: step)
                    }
                })
            // Its first control is called before whatever comes next.
            if hasControls(step) { await Task { takeTurn() }.value }
        } catch {
            recordUnexpected(error, of: step)
        }
    }

    /// Does nothing, when the actor has done what was asked of it before.
    private func takeTurn() {}

    private func recordUnexpected(_ error: ActivityError, of step: Plan.Step) {
        guard error != .interrupted else { return }
        record(
            .warning(
                .backgroundActivityFailed(name: step.declared.name, reason: error.description)))
    }

    /// Waits for what runs in the background, unless the run must end at once.
    private func endBackground() async {
        // They stay where an interruption finds them until they have ended.
        while let task = background.first {
            if state.interruption == .ungracefulExit { task.cancel() }
            await task.value
            background.removeFirst()
        }
    }

    // MARK: Rollbacks

    private func decideOnRollbacks() -> RollbackDecision {
        if state.interruption == .ungracefulExit, plan.strategies.rollbacks == .always {
            return .leftOutAtUngracefulExit
        }
        switch plan.strategies.rollbacks {
        case .default:
            return state.status == .failed || state.status == .interrupted
                ? .leftOutAfter(state.status) : .played
        case .always: return .played
        case .never: return .never
        case .deviated:
            return state.hasDeviated && state.interruption != .ungracefulExit ? .played : .noDeviation
        }
    }

    private func playRollbacks() async throws {
        let steps = (try? plan.steps(of: .rollbacks))?.count ?? 0
        record(.phaseBegan(PhaseBeginning(phase: .rollbacks, steps: steps, frequency: nil)))
        defer { record(.phaseEnded(.rollbacks)) }
        var failure: (any Error)?
        do {
            try await call(plan.controls(around: .rollback), .rollback, .before, .root)
            try await playRollbackSteps()
        } catch {
            failure = error
        }
        await endBackground()
        let entries = Value.array(journal.rollbacks.map(journal.value))
        let changed = try await call(plan.controls(around: .rollback), .rollback, .after, .root, state: entries)
        if let changed { journal.rewriteRollbacks(as: changed.array ?? []) }
        if let failure { throw failure }
    }

    private func playRollbackSteps() async throws {
        var index = 0
        while let step = try step(index, of: .rollbacks) {
            record(.rollbackBegan(try occurrence(of: step)))
            if step.declared.isBackground {
                await startInBackground(step)
            } else {
                _ = try await perform(step)
            }
            index += 1
        }
    }
}
