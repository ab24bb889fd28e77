public import Documents
public import Experiments
import Synchronization
public import Testbed

/// Keeps what happens in runs, as the lines of an events file: what a report is made of.
///
/// What is tested beside the method each second is kept where it was met and is not any more, or the other way round.
public final class ReportRecorder: Sendable {
    private struct State {
        var redactor: Redactor?
        var lines: [UInt8] = []
        /// Whether the last test beside the method was met.
        var wasMet: Bool = true
    }

    private let state: Mutex<State>

    /// Keeps nothing yet.
    ///
    /// - Parameter redacts: Whether secrets are taken out.
    public init(redacts: Bool = true) {
        state = Mutex(State(redactor: redacts ? Redactor() : nil))
    }

    /// Keeps an event, at a time since 1970.
    public func record(_ event: RunEvent, at time: Duration) {
        switch event {
        case .secretsKnown(let secrets): return state.withLock { if $0.redactor != nil { $0.redactor = secrets } }
        case .planned, .log, .controlCalled: return
        case .hypothesisBegan(let test): guard test.iteration == nil else { return }
        case .activityBegan(let activity), .activityEnded(let activity, _), .toleranceChecked(let activity, _):
            guard activity.iteration == nil else { return }
        case .hypothesisEnded(let test, let result) where test.iteration != nil:
            // A test each second, and hardly ever news.
            let isNews = state.withLock { state in
                defer { state.wasMet = result.isMet }
                return state.wasMet != result.isMet
            }
            guard isNews else { return }
        default: break
        }
        guard let object = event.json else { return }
        keep(object, at: time)
    }

    /// Keeps an event of a test-bed without an experiment.
    public func record(_ event: TestbedEvent) {
        guard let document = event.document else { return }
        record(.testbed(document["event"]?.string ?? "", document), at: event.time)
    }

    /// Keeps an object with the member `event`, at a time since 1970; of a run without an experiment, since the run began.
    public func note(_ object: Value.Object, at time: Duration = .zero) { keep(object, at: time) }

    private func keep(_ object: Value.Object, at time: Duration) {
        let timed =
            (["event": object["event"] ?? .null, "time": .string(WallTime.iso8601(time))] as Value.Object)
            .merging(object)
        state.withLock { state in
            let value = state.redactor?.redact(.object(timed)) ?? .object(timed)
            state.lines += JSONWriter.writeBytes(value)
            state.lines.append(UInt8(ascii: "\n"))
        }
    }

    /// Keeps lines that were written before.
    public func take(_ lines: [UInt8]) { state.withLock { $0.lines += lines } }

    /// The lines as they stand in an events file.
    public var lines: [UInt8] { state.withLock { $0.lines } }

    /// What the lines come to.
    ///
    /// - Throws: ``ReportError`` when they tell of no run.
    public func report() throws(ReportError) -> Report { try Report(lines: lines) }
}

/// Why there is no report.
public enum ReportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A line is no event.
    case noEvent(line: Int, String)
    /// There is nothing that a report could tell of.
    case nothing

    /// What is wrong, and what to do.
    public var description: String {
        switch self {
        case .noEvent(let line, let reason):
            "line \(line) is no event: \(reason); give a file that `windkanal run --events FILE` has written"
        case .nothing: "these events tell of no run; give a file that `windkanal run --events FILE` has written"
        }
    }
}
