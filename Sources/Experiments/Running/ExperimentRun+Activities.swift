import Documents
import Durations

extension ExperimentRun {
    /// An activity that has begun.
    struct StartedActivity {
        var entry: Journal.Entry
        /// The entry's place among those of its section.
        let slot: Int
        /// When it began, on the clock that durations are measured with.
        let start: Duration
    }

    // MARK: Performing

    /// Performs a step, its controls around it; a failure that experiments expect is in the entry.
    ///
    /// - Parameters:
    ///   - step: The step.
    ///   - iteration: The number of the test beside the method that it belongs to.
    ///   - started: What has begun already; nil if nothing has.
    /// - Returns: What came of it.
    /// - Throws: ``ActivityError/unexpected(_:)`` and ``ActivityError/interrupted``.
    func perform(
        _ step: Plan.Step, iteration: Int? = nil, started: StartedActivity? = nil
    ) async throws(ActivityError) -> Journal.Entry {
        let planned = try step.activity.get()
        guard hasControls(step) else {
            return try await performBare(step, planned, iteration, started).entry
        }
        let pointer = planned.activity.pointer
        let isBeside = planned.isBackground || step.phase == .during
        var performed: StartedActivity?
        var failure: ActivityError?
        do throws(ActivityError) {
            try await call(
                planned.controls, .activity, .before, pointer, isBackground: isBeside, isDuring: step.phase == .during)
            // What it is to do may be something else now.
            let current = try plan.steps(of: step.phase).first { $0.declared.pointer == step.declared.pointer } ?? step
            performed = try await performBare(current, current.activity.get(), iteration, nil)
        } catch {
            failure = error
        }
        let state = performed.map { journal.value($0.entry) }
        let changed = try await call(
            planned.controls, .activity, .after, pointer, state: state, isBackground: isBeside,
            isDuring: step.phase == .during)
        if let changed, var rewritten = performed {
            rewritten.entry.rewrite(as: changed)
            store(rewritten, of: step.phase)
            performed = rewritten
        }
        if let failure { throw failure }
        guard let performed else { throw .unexpected("'\(planned.activity.name)' was not performed") }
        return performed.entry
    }

    /// Whether controls are called around a step.
    func hasControls(_ step: Plan.Step) -> Bool {
        guard environment.controls != nil, case .success(let planned) = step.activity else { return false }
        return !planned.controls.isEmpty
    }

    /// Begins what goes on in the background, if nothing comes before it.
    ///
    /// - Throws: ``ActivityError/unexpected(_:)`` for what cannot be performed.
    func startAtOnce(_ step: Plan.Step) throws(ActivityError) -> StartedActivity? {
        let planned = try step.activity.get()
        guard !hasControls(step), try pauses(of: planned)?.before == nil else { return nil }
        return start(planned, step, nil)
    }

    /// Performs a step without its controls.
    private func performBare(
        _ step: Plan.Step, _ planned: PlannedActivity, _ iteration: Int?, _ started: StartedActivity?
    ) async throws(ActivityError) -> StartedActivity {
        let occurrence = occurrence(of: step, planned, iteration)
        let pauses = try pauses(of: planned)
        if started == nil { try await pause(pauses?.before, isBefore: true, occurrence) }
        var performed = started ?? start(planned, step, iteration)
        var thrown: ActivityError?
        var failure: String?
        do throws(ActivityError) {
            if !planned.isLeftOut { performed.entry.output = try await output(of: planned, occurrence) }
            performed.entry.status = .succeeded
        } catch {
            if case .failed(let message) = error {
                failure = message
                performed.entry.status = .failed
                performed.entry.exception = ["chaoslib.exceptions.ActivityFailed: \(message)\n"]
            } else {
                failure = error == .interrupted ? nil : error.description
                thrown = error
            }
        }
        performed.entry.end = environment.wallTime()
        let duration = environment.elapsed() - performed.start
        performed.entry.duration = duration
        store(performed, of: step.phase)
        record(
            .activityEnded(
                occurrence,
                ActivityResult(
                    status: performed.entry.status, seconds: duration.secondsToMicrosecond,
                    output: performed.entry.output, failure: failure, exception: performed.entry.exception)))
        if thrown != .interrupted { try await pause(pauses?.after, isBefore: false, occurrence) }
        if let thrown { throw thrown }
        return performed
    }

    /// Notes in the journal that an activity begins.
    private func start(_ planned: PlannedActivity, _ step: Plan.Step, _ iteration: Int?) -> StartedActivity {
        record(.activityBegan(occurrence(of: step, planned, iteration)))
        let activity = planned.activity
        let entry = Journal.Entry(pointer: activity.pointer, activity: activity.source, start: environment.wallTime())
        return StartedActivity(entry: entry, slot: append(entry, to: step.phase), start: environment.elapsed())
    }

    private func output(
        of planned: PlannedActivity, _ occurrence: ActivityOccurrence
    ) async throws(ActivityError) -> Value {
        guard var call = try ActivityCall.read(planned.activity.provider, in: scope) else { return .null }
        if case .python(var function) = call, planned.isBackground || occurrence.phase == .during {
            function.isBackground = true
            call = .python(function)
        }
        let output = try await environment.providers.perform(call)
        guard planned.activity.tolerance == nil, let status = output["status"]?.integer else { return output }
        switch call {
        case .process where status != 0: record(.warning(.processStatus(occurrence, status)))
        case .http where status >= 400: record(.warning(.httpStatus(occurrence, status)))
        case .process, .http, .python: break
        }
        return output
    }

    // MARK: Occurrences

    /// What recorders get to know of a step.
    ///
    /// - Throws: ``ActivityError/unexpected(_:)`` for a step that cannot be performed.
    func occurrence(of step: Plan.Step, iteration: Int? = nil) throws(ActivityError) -> ActivityOccurrence {
        occurrence(of: step, try step.activity.get(), iteration)
    }

    private func occurrence(
        of step: Plan.Step, _ planned: PlannedActivity, _ iteration: Int?
    ) -> ActivityOccurrence {
        ActivityOccurrence(
            name: planned.activity.name, kind: planned.kind, phase: step.phase, pointer: step.declared.pointer,
            step: step.number, iteration: iteration, isBackground: planned.isBackground, isLeftOut: planned.isLeftOut)
    }

    // MARK: Entries

    private func append(_ entry: Journal.Entry, to phase: Phase) -> Int {
        switch phase.section {
        case .hypothesis: return 0
        case .method:
            journal.run.append(entry)
            return journal.run.count - 1
        case .rollbacks:
            journal.rollbacks.append(entry)
            return journal.rollbacks.count - 1
        }
    }

    private func store(_ performed: StartedActivity, of phase: Phase) {
        switch phase.section {
        case .hypothesis: break
        case .method: journal.run[performed.slot] = performed.entry
        case .rollbacks: journal.rollbacks[performed.slot] = performed.entry
        }
    }

    // MARK: Pauses

    /// The pauses around an activity, in seconds or what stands for them.
    private func pauses(of planned: PlannedActivity) throws(ActivityError) -> (before: Value?, after: Value?)? {
        guard let pauses = planned.pauses else { return nil }
        let substituted = try scope.substitute(pauses)
        guard let object = substituted.object else {
            throw .unexpected("pauses are an object, not \(substituted.kind)")
        }
        func pause(_ name: String) -> Value? { object[name].flatMap { $0.isTruthy ? $0 : nil } }
        return (pause("before"), pause("after"))
    }

    private func pause(
        _ length: Value?, isBefore: Bool, _ occurrence: ActivityOccurrence
    ) async throws(ActivityError) {
        guard let length else { return }
        guard let seconds = length.pythonNumber else {
            throw .unexpected("a pause is a number of seconds, not \(length.kind)")
        }
        guard seconds >= 0 else { throw .unexpected("a pause must not be negative") }
        record(.pauseBegan(occurrence, Pause(length: length, seconds: seconds, isBefore: isBefore)))
        defer { record(.pauseEnded(occurrence)) }
        do {
            try await environment.sleep(.seconds(clamping: seconds))
        } catch {
            throw .interrupted
        }
    }
}
