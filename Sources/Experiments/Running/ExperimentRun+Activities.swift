import Documents
import Durations

extension ExperimentRun {
    // MARK: Hypothesis

    /// Performs the probes in order, up to the first that fails or misses its tolerance.
    func testHypothesis() async throws(ActivityError) -> Journal.SteadyState {
        say(
            .info,
            "Steady state hypothesis: \(experiment["steady-state-hypothesis"]?["title"].map(PythonText.str) ?? "")")
        var state = Journal.SteadyState()
        let values = experiment.document.value[Section.hypothesis.pointer]?.array ?? []
        for (index, value) in values.enumerated() {
            let pointer = Section.hypothesis.pointer.appending(index)
            guard let probe = Activity(value, at: pointer) else { throw .unexpected("\(pointer) is no probe") }
            var entry = try await perform(probe, in: .hypothesis)
            if entry.status == "failed" {
                say(.warning, "Probe terminated unexpectedly, so its tolerance could not be validated")
                entry.toleranceMet = false
            } else if options.dry?.leavesOutProbes ?? false {
                entry.toleranceMet = true
            } else {
                entry.toleranceMet = try await isWithinTolerance(entry.output, of: probe)
            }
            state.probes.append(entry)
            guard entry.toleranceMet == true else {
                state.isMet = false
                return state
            }
        }
        state.isMet = true
        say(.info, "Steady state hypothesis is met!")
        return state
    }

    private func isWithinTolerance(_ output: Value, of probe: Activity) async throws(ActivityError) -> Bool {
        let tolerance = Tolerance(probe.tolerance)
        guard let judge = tolerance.probe else { return try tolerance.isMet(by: output, in: scope) }
        // Another probe decides: it gets the output as its argument `value`.
        guard var provider = judge["provider"]?.object, var arguments = provider["arguments"]?.object else {
            throw .unexpected("a probe as a tolerance needs a provider with arguments")
        }
        arguments["value"] = output
        provider["arguments"] = .object(arguments)
        injectedValues.append(
            (Pointer(tokens: probe.pointer.tokens + ["tolerance", "provider", "arguments", "value"]), output))
        do {
            guard let call = try ActivityCall.read(provider, in: scope) else { return false }
            return try await environment.providers.perform(call).isTruthy
        } catch .failed(let message) {
            say(.error, "  => failed: \(message)")
            return false
        } catch {
            throw error
        }
    }

    // MARK: Activities

    /// An activity that is about to begin.
    struct Prepared {
        let activity: Activity
        let isLeftOut: Bool
        let isBackground: Bool
        /// Seconds, or what stands for them.
        let pauseBefore: Value?
        let pauseAfter: Value?
    }

    /// An activity that has begun.
    struct Begun {
        var entry: Journal.Entry
        let slot: Int
        let at: Duration
    }

    /// Performs an activity and notes what became of it; a failure that experiments expect is in the entry.
    ///
    /// - Throws: ``ActivityError/unexpected(_:)`` and ``ActivityError/interrupted``.
    func perform(_ declared: Activity, in section: Section) async throws(ActivityError) -> Journal.Entry {
        try await perform(try prepare(declared), nil, in: section)
    }

    /// Finds out what is to be done.
    func prepare(_ declared: Activity) throws(ActivityError) -> Prepared {
        let activity = try resolve(declared)
        guard activity.source["type"]?.string != nil else { throw .unexpected("an activity needs a type") }
        guard activity.source["name"] != nil else { throw .unexpected("an activity needs a name") }
        // A value in the file takes the rehearsal back for this activity.
        let dry = activity.source["dry"] == nil ? options.dry : nil
        let isLeftOut = dry?.leavesOut(activity.type) ?? false
        let pauses = isLeftOut || dry == .pause ? nil : try pauses(of: activity)
        return Prepared(
            activity: activity, isLeftOut: isLeftOut, isBackground: declared.isBackground, pauseBefore: pauses?.before,
            pauseAfter: pauses?.after)
    }

    /// Notes that an activity begins.
    func begin(_ prepared: Prepared, in section: Section) -> Begun {
        let activity = prepared.activity
        let kind = activity.type.prefix(1).uppercased() + activity.type.dropFirst()
        say(.info, "\(kind): \(activity.name)\(prepared.isBackground ? " [in background]" : "")")
        environment.recorder(
            .activityBegins(name: activity.name, type: activity.type, isBackground: prepared.isBackground))
        let entry = Journal.Entry(pointer: activity.pointer, activity: activity.source, start: environment.wallTime())
        return Begun(entry: entry, slot: append(entry, to: section), at: environment.elapsed())
    }

    /// Performs what is prepared and has, perhaps, begun.
    func perform(
        _ prepared: Prepared, _ begun: Begun?, in section: Section
    ) async throws(ActivityError) -> Journal.Entry {
        if begun == nil { try await pause(prepared.pauseBefore, isBefore: true) }
        let activity = prepared.activity
        let begun = begun ?? begin(prepared, in: section)
        var entry = begun.entry
        var thrown: ActivityError?
        do {
            if !prepared.isLeftOut {
                entry.output = try await output(of: activity, isBackground: prepared.isBackground)
            }
            entry.status = "succeeded"
        } catch .failed(let message) {
            say(.error, "  => failed: \(message)")
            entry.status = "failed"
            entry.exception = ["chaoslib.exceptions.ActivityFailed: \(message)\n"]
        } catch {
            thrown = error
        }
        entry.end = environment.wallTime()
        let duration = environment.elapsed() - begun.at
        entry.duration = duration
        store(entry, at: begun.slot, of: section)
        environment.recorder(
            .activityEnded(
                EndedActivity(
                    name: activity.name, type: activity.type, status: entry.status,
                    seconds: Double(duration.microseconds) / 1_000_000,
                    output: entry.output, exception: entry.exception)))
        if thrown != .interrupted { try await pause(prepared.pauseAfter, isBefore: false) }
        if let thrown { throw thrown }
        return entry
    }

    private func output(of activity: Activity, isBackground: Bool) async throws(ActivityError) -> Value {
        guard var call = try ActivityCall.read(activity.provider, in: scope) else { return .null }
        if case .python(var function) = call, isBackground || Self.isWatching {
            function.isBackground = true
            call = .python(function)
        }
        let output = try await environment.providers.perform(call)
        guard activity.tolerance == nil, let status = output["status"]?.integer else { return output }
        switch call {
        case .process where status != 0:
            say(.warning, "The process of '\(activity.name)' returned \(status), which may indicate an error")
        case .http where status >= 400:
            say(
                .warning, "The HTTP call of '\(activity.name)' was answered with \(status), which may indicate an error"
            )
        case .process, .http, .python: break
        }
        return output
    }

    func resolve(_ activity: Activity) throws(ActivityError) -> Activity {
        guard let reference = activity.reference else { return activity }
        guard let name = reference.string, let target = experiment.activity(named: name) else {
            throw .unexpected("could not find referenced activity '\(PythonText.str(reference))'")
        }
        return target
    }

    private func append(_ entry: Journal.Entry, to section: Section) -> Int {
        switch section {
        case .hypothesis: return 0
        case .method:
            journal.run.append(entry)
            return journal.run.count - 1
        case .rollbacks:
            journal.rollbacks.append(entry)
            return journal.rollbacks.count - 1
        }
    }

    private func store(_ entry: Journal.Entry, at slot: Int, of section: Section) {
        switch section {
        case .hypothesis: break
        case .method: journal.run[slot] = entry
        case .rollbacks: journal.rollbacks[slot] = entry
        }
    }

    // MARK: Pauses

    private func pauses(of activity: Activity) throws(ActivityError) -> (before: Value?, after: Value?)? {
        guard let pauses = activity.source["pauses"] else { return nil }
        let substituted = try scope.substitute(pauses)
        guard let object = substituted.object else {
            throw .unexpected("pauses are an object, not \(substituted.kind)")
        }
        func pause(_ name: String) -> Value? { object[name].flatMap { $0.isTruthy ? $0 : nil } }
        return (pause("before"), pause("after"))
    }

    private func pause(_ length: Value?, isBefore: Bool) async throws(ActivityError) {
        guard let length else { return }
        guard let seconds = length.pythonNumber else {
            throw .unexpected("a pause is a number of seconds, not \(length.kind)")
        }
        guard seconds >= 0 else { throw .unexpected("a pause must not be negative") }
        say(.info, "Pausing \(isBefore ? "before next" : "after") activity for \(PythonText.str(length))s...")
        environment.recorder(.pause(seconds: seconds, isBefore: isBefore))
        defer { environment.recorder(.pauseEnded) }
        do {
            try await environment.sleep(.seconds(clamping: seconds))
        } catch {
            throw .interrupted
        }
    }

    // MARK: Messages

    /// Whether this is the task that tests the hypothesis again and again, and says only what is news.
    @TaskLocal static var isWatching: Bool = false

    func say(_ level: RunEvent.Level, _ text: String) {
        if Self.isWatching {
            unsaid.append((level, text))
        } else {
            environment.recorder(.message(level, text))
        }
    }

    /// Says what a test of the hypothesis had to say, if it is news.
    func sayUnsaid(if isNews: Bool) {
        if isNews {
            for message in unsaid { environment.recorder(.message(message.level, message.text)) }
        }
        unsaid = []
    }

    func sayHowOftenTested() {
        guard !journal.during.isEmpty else { return }
        let met = journal.during.count { $0.isMet == true }
        say(
            met == journal.during.count ? .info : .warning,
            "The hypothesis was tested \(journal.during.count) times meanwhile, and met \(met) times")
    }

    func sayDeviation(_ state: Journal.SteadyState) {
        guard let name = state.probes.last?.activity["name"] else { return }
        say(
            .critical,
            "Steady state probe '\(PythonText.str(name))' is not in the given tolerance so failing this experiment")
    }

    func sayWhyNotRolledBack(_ strategy: RollbackStrategy) {
        switch strategy {
        case .default:
            say(.info, "Rollbacks are not played: the run ended with status \(journal.status?.rawValue ?? "")")
        case .always: say(.warning, "Rollbacks are not played: the run was interrupted ungracefully")
        case .never: say(.warning, "Rollbacks are not played: the strategy is never")
        case .deviated: say(.warning, "Rollbacks are not played: they were asked for in case of a deviation only")
        }
    }

    func sayEnd() {
        let status = journal.deviated ? "deviated" : journal.status?.rawValue ?? ""
        say(.info, "Experiment ended with status: \(status)")
        if journal.deviated { say(.warning, "The steady-state has deviated, a weakness may have been discovered") }
    }
}
