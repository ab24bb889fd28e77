import Documents

/// Tells a run's events in lines for people.
///
/// What happens in tests beside the method is held back until the test has ended, and logged only if the test ended otherwise than the one before:
/// a hypothesis that is tested every second would drown everything else.
public struct RunNarrator: Sendable {
    /// A line for people.
    public struct Line: Hashable, Sendable {
        /// How serious it is.
        public let level: LogLevel
        /// The text.
        public let text: String

        init(_ level: LogLevel, _ text: String) {
            self.level = level
            self.text = text
        }
    }

    /// How a test ended: met, or at which probe with which status.
    private struct Ending: Hashable {
        let isMet: Bool
        let probe: Pointer?
        let status: EntryStatus?
    }

    private var deferred: [Line] = []
    private var lastEnding: Ending?

    /// Makes a narrator for one run.
    public init() {}

    /// The lines that an event is worth, now that it happened.
    public mutating func lines(for event: RunEvent) -> [Line] {
        let lines = Self.lines(of: event)
        guard event.isBesideMethod else {
            if case .hypothesisEnded(_, let result) = event { lastEnding = Self.ending(result) }
            if case .continuousHypothesisEnded = event { deferred = [] }
            return lines
        }
        deferred += lines
        switch event {
        case .hypothesisEnded(_, let result):
            let ending = Self.ending(result)
            defer { lastEnding = ending }
            return flushDeferred(isNews: ending != lastEnding)
        case .hypothesisFailed: return flushDeferred(isNews: true)
        case .controlCalled(let control):
            if case .interrupted = control.end { return flushDeferred(isNews: true) }
            return []
        default: return []
        }
    }

    private mutating func flushDeferred(isNews: Bool) -> [Line] {
        defer { deferred = [] }
        return isNews ? deferred : []
    }

    private static func ending(_ result: HypothesisResult) -> Ending {
        Ending(isMet: result.isMet, probe: result.probes.last?.pointer, status: result.probes.last?.status)
    }

    // MARK: Lines

    private static func lines(of event: RunEvent) -> [Line] {
        switch event {
        case .secretsKnown, .planned, .phaseEnded, .pauseEnded, .noted: []
        case .runBegan(let beginning): lines(of: beginning)
        case .notBegun: [Line(.warning, "The experiment had not begun: nothing was done")]
        case .runEnded(let ending): lines(of: ending)
        case .phaseBegan(let beginning): lines(of: beginning)
        case .hypothesisBegan(let test): [Line(.info, "Steady state hypothesis: \(test.title)")]
        case .hypothesisEnded(_, let result): lines(of: result)
        case .hypothesisFailed(_, let reason): [Line(.error, "The hypothesis could not be tested: \(reason)")]
        case .continuousHypothesisEnded(let tests, let met):
            [
                Line(
                    met == tests ? .info : .warning,
                    "The hypothesis was tested \(tests) times meanwhile, and met \(met) times")
            ]
        case .activityBegan(let activity):
            [Line(.info, "\(activity.kind.title): \(activity.name)\(activity.isBackground ? " [in background]" : "")")]
        case .activityEnded(_, let result):
            result.status == .failed ? [Line(.error, "  => failed: \(result.failure ?? "")")] : []
        case .toleranceChecked(_, let result): lines(of: result)
        case .pauseBegan(_, let pause):
            [
                Line(
                    .info,
                    "Pausing \(pause.isBefore ? "before next" : "after") activity for \(PythonText.str(pause.length))s..."
                )
            ]
        case .rollbacksDecided(_, let decision): lines(of: decision)
        case .rollbackBegan(let activity): [Line(.info, "Rollback: \(activity.name)")]
        case .controlCalled(let control): lines(of: control)
        case .interrupted(let kind):
            [Line(.warning, "Interrupted by \(kind.rawValue): what is left is skipped")]
        case .aborted(let reason):
            [Line(.critical, "Experiment ran into an unexpected error, aborting now: \(reason)")]
        case .warning(let warning): [line(of: warning)]
        case .testbed(_, let members):
            members["text"]?.string.map { text in
                [Line(LogLevel(rawValue: members["level"]?.string?.uppercased() ?? "") ?? .info, text)]
            } ?? []
        case .log(let level, let text): [Line(level, text)]
        }
    }

    private static func lines(of beginning: RunBeginning) -> [Line] {
        var lines = [
            Line(.info, "Running experiment: \(beginning.title.isNull ? "" : PythonText.str(beginning.title))"),
            Line(.info, "Steady-state strategy: \(beginning.strategies.hypothesis.rawValue)"),
            Line(.info, "Rollbacks strategy: \(beginning.strategies.rollbacks.rawValue)"),
        ]
        if !beginning.testsHypothesis {
            lines.append(Line(.info, "No steady state hypothesis defined. That's ok, just exploring."))
        }
        return lines
    }

    private static func lines(of ending: RunEnding) -> [Line] {
        let status = ending.hasDeviated ? "deviated" : ending.status.rawValue
        let line = Line(.info, "Experiment ended with status: \(status)")
        guard ending.hasDeviated else { return [line] }
        return [line, Line(.warning, "The steady-state has deviated, a weakness may have been discovered")]
    }

    private static func lines(of beginning: PhaseBeginning) -> [Line] {
        switch beginning.phase {
        case .before, .during, .after: []
        case .method: [Line(.info, "Playing your experiment's method now...")]
        case .rollbacks:
            [Line(.info, "Let's rollback...")]
                + (beginning.steps == 0 ? [Line(.info, "No declared rollbacks, let's move on.")] : [])
        }
    }

    private static func lines(of result: HypothesisResult) -> [Line] {
        if result.isMet { return [Line(.info, "Steady state hypothesis is met!")] }
        guard let name = result.probes.last?.name, !name.isNull else { return [] }
        return [
            Line(
                .critical,
                "Steady state probe '\(PythonText.str(name))' is not in the given tolerance so failing this experiment")
        ]
    }

    private static func lines(of result: ToleranceResult) -> [Line] {
        switch result {
        case .compared, .leftOut: []
        case .probeFailed:
            [Line(.warning, "Probe terminated unexpectedly, so its tolerance could not be validated")]
        case .deciderFailed(let message): [Line(.error, "  => failed: \(message)")]
        }
    }

    private static func lines(of decision: RollbackDecision) -> [Line] {
        switch decision {
        case .played: []
        case .leftOutAfter(let status):
            [Line(.info, "Rollbacks are not played: the run ended with status \(status.rawValue)")]
        case .leftOutAtUngracefulExit:
            [Line(.warning, "Rollbacks are not played: the run was interrupted ungracefully")]
        case .never: [Line(.warning, "Rollbacks are not played: the strategy is never")]
        case .noDeviation:
            [Line(.warning, "Rollbacks are not played: they were asked for in case of a deviation only")]
        }
    }

    private static func lines(of control: ControlOccurrence) -> [Line] {
        switch control.end {
        case .absent, .returned: []
        case .noModule: [Line(.warning, "Control '\(control.name)' is not called: its module could not be found")]
        case .failed(let message):
            [Line(.warning, "Control '\(control.name)' failed in \(control.function.name): \(message)")]
        case .interrupted(let message):
            [
                Line(
                    .critical,
                    "Control '\(control.name)' ended the run in \(control.function.name)"
                        + (message.isEmpty ? "" : ": \(message)"))
            ]
        }
    }

    private static func line(of warning: RunWarning) -> Line {
        switch warning {
        case .valueNotFound(let key, let reason):
            Line(.warning, "The configuration's key '\(key)' has no value: \(reason)")
        case .processStatus(let activity, let status):
            Line(.warning, "The process of '\(activity.name)' returned \(status), which may indicate an error")
        case .httpStatus(let activity, let status):
            Line(
                .warning, "The HTTP call of '\(activity.name)' was answered with \(status), which may indicate an error"
            )
        case .backgroundActivityFailed(let name, let reason): Line(.error, "'\(name)' ended unexpectedly: \(reason)")
        }
    }
}

extension ActivityKind {
    /// The word with a capital.
    fileprivate var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
}

extension RunEvent {
    /// Whether it belongs to a test beside the method.
    var isBesideMethod: Bool {
        switch self {
        case .hypothesisBegan(let test), .hypothesisEnded(let test, _), .hypothesisFailed(let test, _):
            test.phase == .during
        case .activityBegan(let activity), .activityEnded(let activity, _), .toleranceChecked(let activity, _),
            .pauseBegan(let activity, _), .pauseEnded(let activity), .warning(.processStatus(let activity, _)),
            .warning(.httpStatus(let activity, _)):
            activity.phase == .during
        case .controlCalled(let control): control.isDuring
        case .secretsKnown, .planned, .runBegan, .notBegun, .runEnded, .phaseBegan, .phaseEnded,
            .continuousHypothesisEnded, .rollbacksDecided, .rollbackBegan, .interrupted, .aborted, .warning, .testbed,
            .noted,
            .log:
            false
        }
    }
}
