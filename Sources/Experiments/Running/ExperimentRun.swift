import Documents
import Durations

/// A run of an experiment: its phases in their order, on any clock and any providers.
///
/// An actor, so that the method, activities in the background and the continuous hypothesis can go on side by side over one journal. It is
/// run once.
public actor ExperimentRun {
    let experiment: Experiment
    let options: RunOptions
    let environment: RunEnvironment
    var journal: Journal
    var scope: Scope = Scope()
    /// Takes the run's secrets out of what others will read.
    public private(set) var redactor: Redactor = Redactor()
    private var strategies: Strategies = Strategies()
    /// The phase that an interruption cuts short.
    private var foreground: Task<Void, any Error>?
    private var interruption: Interruption?
    private var background: [Task<Void, Never>] = []
    /// Tests the hypothesis while the method is played.
    private var watch: Task<Void, Never>?
    /// The gap between two of those tests.
    private var gap: Task<Void, Never>?
    /// What that test says, until it is known whether it is news.
    var unsaid: [(level: RunEvent.Level, text: String)] = []
    private var isMethodOver: Bool = false
    /// The outputs that probes as tolerances were given, by the place of their arguments; journals show them.
    var injectedValues: [(pointer: Pointer, value: Value)] = []

    /// Prepares a run.
    public init(_ experiment: Experiment, options: RunOptions, environment: RunEnvironment) {
        self.experiment = experiment
        self.options = options
        self.environment = environment
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
        let began = environment.elapsed()
        if interruption == nil { try await phase { run in run.strategies = try await run.prepare() } }
        if interruption != nil {
            say(.warning, "The experiment had not begun: nothing was done")
            return ended(began)
        }
        environment.recorder(.runBegins(title: journal.experiment["title"] ?? .null))
        say(.info, "Running experiment: \(journal.experiment["title"].map(PythonText.str) ?? "")")
        say(.info, "Steady-state strategy: \(strategies.hypothesis.rawValue)")
        say(.info, "Rollbacks strategy: \(strategies.rollbacks.rawValue)")

        try await play()
        if shouldRollBack(strategies.rollbacks) {
            // An interruption before does not touch them; one from now on does.
            try await phase { run in try await run.playRollbacks() }
        } else {
            sayWhyNotRolledBack(strategies.rollbacks)
        }
        await endBackground()
        for (pointer, value) in injectedValues { journal.experiment.set(pointer, to: value) }
        return ended(began)
    }

    /// The journal with what its end says.
    private func ended(_ began: Duration) -> Journal {
        let status = journal.status ?? .completed
        journal.status = status
        journal.end = environment.wallTime()
        journal.duration = environment.elapsed() - began
        sayEnd()
        environment.recorder(.runEnded(status: status.rawValue, deviated: journal.deviated))
        return journal
    }

    /// Cuts the run short; what happens then is the kind's matter.
    public func interrupt(_ kind: Interruption) {
        guard journal.end == nil else { return }
        say(.warning, "Interrupted by \(kind.rawValue): what is left is skipped")
        interruption = kind
        journal.status = .interrupted
        if kind.isTold, journal.interruption == nil { journal.interruption = kind }
        environment.recorder(.interrupted(kind))
        foreground?.cancel()
        if kind == .ungracefulExit {
            for task in background { task.cancel() }
        }
    }

    /// Performs a phase that an interruption can cut short.
    private func phase(_ body: @escaping @Sendable (isolated ExperimentRun) async throws -> Void)
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
            journal.status = .interrupted
        } catch {
            throw RunFailure("\(error)")
        }
    }

    // MARK: Preparing

    private func prepare() async throws(ActivityError) -> Strategies {
        try checkStructure()
        journal.experiment.set(Pointer(tokens: ["dry"]), to: options.dry.map { .string($0.rawValue) } ?? .null)
        var strategies = try Strategies.read(settings: options.runtimeSettings, experiment: experiment["runtime"])
        strategies.hypothesis = options.hypothesisStrategy ?? strategies.hypothesis
        strategies.rollbacks = options.rollbackStrategy ?? strategies.rollbacks
        let reader = ConfigurationReader(variables: options.variables, environment: environment.variables)
        let dynamic: [ConfigurationReader.DynamicKey]
        do {
            (scope.configuration, dynamic) = try reader.configuration(experiment["configuration"])
            scope.secrets = try reader.secrets(experiment["secrets"])
        } catch {
            throw .unexpected("\(error)")
        }
        redactor = Redactor(secrets: scope.secrets)
        environment.recorder(.secrets(redactor))
        for key in dynamic { try await find(key) }
        if let title = experiment["title"] {
            journal.experiment.set(Pointer(tokens: ["title"]), to: try scope.substitute(title))
        }
        return strategies
    }

    /// Refuses what the reference dies of: it looks through all activities before it begins.
    private func checkStructure() throws(ActivityError) {
        for section in [Section.method, .hypothesis, .rollbacks] {
            guard let value = experiment.document.value[section.pointer] else { continue }
            // Of rollbacks only their absence is looked at.
            if section == .rollbacks {
                if value.isNull { throw .unexpected("rollbacks are null, not a list") }
                continue
            }
            guard let list = value.array else {
                throw .unexpected("\(section.pointer) is \(value.kind), not a list")
            }
            for (index, element) in list.enumerated() where element.object == nil {
                throw .unexpected("\(section.pointer.appending(index)) is \(element.kind), not an activity")
            }
        }
        for name in ["steady-state-hypothesis", "controls"] where experiment[name]?.isNull ?? false {
            throw .unexpected("\(name) is null")
        }
        if let runtime = experiment["runtime"], runtime.isTruthy, runtime.object == nil {
            throw .unexpected("the runtime is \(runtime.kind), not an object")
        }
        for name in ["hypothesis", "rollbacks"] {
            guard let part = experiment["runtime"]?[name], part.object == nil else { continue }
            throw .unexpected("the runtime's \(name) is \(part.kind), not an object")
        }
    }

    /// Lets a probe find a value of the configuration; a probe that fails leaves the key out.
    private func find(_ key: ConfigurationReader.DynamicKey) async throws(ActivityError) {
        guard var provider = key.probe["provider"]?.object else { throw .unexpected("an activity needs a provider") }
        guard provider["type"] != nil else { throw .unexpected("a provider needs a type") }
        // Such a probe is shown all secrets, whatever it names.
        provider["secrets"] = .array(scope.secrets.keys.map(Value.string))
        var visible = scope
        for name in scope.configuration.keys where !key.visible.contains(name) { visible.configuration[name] = nil }
        do throws(ActivityError) {
            guard let call = try ActivityCall.read(provider, in: visible) else { return }
            let output = try await environment.providers.perform(call)
            switch call {
            case .process:
                guard output["status"] == .integer(0) else {
                    throw ActivityError.failed("its process returned an error")
                }
                scope.configuration[key.key] = .string(String((output["stdout"]?.string ?? "").trimmingBlanks))
            case .http: scope.configuration[key.key] = output["body"] ?? .null
            case .python: scope.configuration[key.key] = output
            }
        } catch .interrupted {
            throw .interrupted
        } catch {
            say(.warning, "The configuration's key '\(key.key)' has no value: \(error)")
        }
    }

    // MARK: Hypothesis and method

    /// Tests the hypothesis and plays the method, as the strategy says.
    private func play() async throws(RunFailure) {
        let strategies = strategies
        let tests = strategies.hypothesis != .skip && experiment.hasProbes
        if !tests { say(.info, "No steady state hypothesis defined. That's ok, just exploring.") }
        try await phase { run in
            guard run.interruption == nil else { throw ActivityError.interrupted }
            guard try await run.isSteadyBefore(tests && strategies.hypothesis.testsBefore) else { return }
            run.say(.info, "Playing your experiment's method now...")
            if tests, strategies.hypothesis.testsDuring {
                run.environment.recorder(
                    .hypothesisBegins(.during, frequency: run.options.hypothesisFrequency.inSeconds))
                run.watch = Task { await Self.$isWatching.withValue(true) { await run.keepTesting() } }
            }
            let hasEnded = await run.playMethod()
            run.endWatch()
            if run.interruption != nil { throw ActivityError.interrupted }
            let status = run.journal.status
            guard hasEnded, status != .aborted, status != .interrupted, tests, strategies.hypothesis.testsAfter else {
                return
            }
            try await run.testAfter()
        }
        endWatch()
        await watch?.value
        sayHowOftenTested()
    }

    private func endWatch() {
        isMethodOver = true
        gap?.cancel()
    }

    private func isSteadyBefore(_ isAsked: Bool) async throws -> Bool {
        guard isAsked else { return true }
        environment.recorder(.hypothesisBegins(.before, frequency: nil))
        let state = try await testHypothesis()
        if interruption != nil { throw ActivityError.interrupted }
        journal.before = state
        environment.recorder(.hypothesisEnded(.before, iteration: nil, state: journal.value(state)))
        guard state.isMet != true else { return true }
        sayDeviation(state)
        journal.status = status(of: state)
        return false
    }

    private func testAfter() async throws {
        environment.recorder(.hypothesisBegins(.after, frequency: nil))
        let state = try await testHypothesis()
        if interruption != nil { throw ActivityError.interrupted }
        journal.after = state
        environment.recorder(.hypothesisEnded(.after, iteration: nil, state: journal.value(state)))
        guard state.isMet != true else { return }
        sayDeviation(state)
        journal.deviated = true
        journal.status = status(of: state)
    }

    private func status(of state: Journal.SteadyState) -> Journal.Status {
        state.probes.contains { $0.status != "succeeded" } ? .failed : .completed
    }

    /// Tests the hypothesis again and again until the method has ended.
    private func keepTesting() async {
        var said = journal.before
        while !isMethodOver, journal.status == nil {
            do {
                let state = try await testHypothesis()
                journal.during.append(state)
                environment.recorder(
                    .hypothesisEnded(.during, iteration: journal.during.count, state: journal.value(state)))
                if state.isMet != true { sayDeviation(state) }
                sayUnsaid(if: !state.endsLike(said))
                said = state
                if state.isMet != true {
                    if options.failsFast {
                        if journal.status == nil { journal.status = .failed }
                        return
                    }
                }
            } catch ActivityError.interrupted {
                return
            } catch {
                say(.error, "The hypothesis could not be tested: \(error)")
                sayUnsaid(if: true)
                if journal.status == nil { journal.status = .aborted }
                return
            }
            guard !isMethodOver else { return }
            let gap = Task { _ = try? await environment.sleep(options.hypothesisFrequency) }
            self.gap = gap
            await gap.value
        }
    }

    /// Plays the method; false if something unexpected ended it.
    private func playMethod() async -> Bool {
        var hasEnded = true
        environment.recorder(.methodBegins)
        defer { environment.recorder(.methodEnded) }
        do {
            for (activity, index) in try declared(.method) {
                guard let activity else { throw ActivityError.unexpected("method[\(index)] is no activity") }
                if activity.isBackground {
                    startInBackground(activity, .method)
                } else {
                    _ = try await perform(activity, in: .method)
                }
                if journal.status != nil { break }
            }
        } catch ActivityError.interrupted {
            journal.status = .interrupted
        } catch {
            say(.critical, "Experiment ran into an unexpected error, aborting now: \(error)")
            journal.status = .aborted
            hasEnded = false
        }
        await endBackground()
        return hasEnded
    }

    /// The activities of a part, with nil for what is none.
    private func declared(_ section: Section) throws(ActivityError) -> [(activity: Activity?, index: Int)] {
        guard let value = experiment.document.value[section.pointer], value.isTruthy else { return [] }
        guard let array = value.array else { throw .unexpected("\(section.pointer) is \(value.kind), not a list") }
        return array.enumerated().map { (Activity($0.element, at: section.pointer.appending($0.offset)), $0.offset) }
    }

    /// Lets an activity go on beside the others; without a pause before it, it has begun when this returns.
    private func startInBackground(_ activity: Activity, _ section: Section) {
        do {
            let prepared = try prepare(activity)
            let begun = prepared.pauseBefore == nil ? begin(prepared, in: section) : nil
            background.append(
                Task {
                    do throws(ActivityError) {
                        _ = try await perform(prepared, begun, in: section)
                    } catch {
                        sayUnexpected(error, of: activity)
                    }
                })
        } catch {
            sayUnexpected(error, of: activity)
        }
    }

    private func sayUnexpected(_ error: ActivityError, of activity: Activity) {
        guard error != .interrupted else { return }
        say(.error, "'\(activity.name)' ended unexpectedly: \(error)")
    }

    /// Waits for what runs in the background, unless the run must end at once.
    private func endBackground() async {
        // They stay where an interruption finds them until they have ended.
        while let task = background.first {
            if interruption == .ungracefulExit { task.cancel() }
            await task.value
            background.removeFirst()
        }
    }

    // MARK: Rollbacks

    private func shouldRollBack(_ strategy: RollbackStrategy) -> Bool {
        guard interruption != .ungracefulExit else { return false }
        switch strategy {
        case .default: return journal.status != .failed && journal.status != .interrupted
        case .always: return true
        case .never: return false
        case .deviated: return journal.deviated
        }
    }

    private func playRollbacks() async throws {
        say(.info, "Let's rollback...")
        environment.recorder(.rollbacksBegin)
        defer { environment.recorder(.rollbacksEnded) }
        let rollbacks = try declared(.rollbacks)
        if rollbacks.isEmpty { say(.info, "No declared rollbacks, let's move on.") }
        defer { foreground = nil }
        for (activity, index) in rollbacks {
            guard let activity else { throw ActivityError.unexpected("rollbacks[\(index)] is no activity") }
            say(.info, "Rollback: \(try resolve(activity).name)")
            if activity.isBackground {
                startInBackground(activity, .rollbacks)
            } else {
                _ = try await perform(activity, in: .rollbacks)
            }
        }
        await endBackground()
    }
}
