import Dispatch
public import Documents
public import Experiments
import Glibc
import Synchronization

/// Shows people, or programs, on the terminal what happens.
public final class ConsoleRecorder: Sendable {
    /// How much is shown, and to whom.
    public enum Mode: Hashable, Sendable {
        /// Lines for people, on the errors' channel, as the reference writes them.
        case lines
        /// Only what went wrong.
        case quiet
        /// A JSON object for each event, on the output's channel.
        case json
    }

    let mode: Mode
    /// Whether people see the errors' channel on a terminal that can take a line back.
    let isTerminal: Bool
    private let hasColors: Bool
    private let redactor: Mutex<Redactor> = Mutex(Redactor())
    private let progress: Mutex<Progress?> = Mutex(nil)
    private let hides: Bool
    private let showsProgress: Bool
    /// Seconds since 1970 in the world that events come from; nil is this one.
    private let worldTime: Mutex<Int?> = Mutex(nil)
    private let narrator: Mutex<RunNarrator> = Mutex(RunNarrator())
    /// How many steps the run has.
    private let stepCount: Mutex<Int> = Mutex(0)

    /// Takes away what stands on the present line.
    private static let lineStart: String = "\r\u{1b}[K"

    /// Pauses that take longer show how much of them is left.
    private static let progressFrom: Double = 1

    /// Only ever cancelled, which a timer takes from any thread.
    private struct Progress: @unchecked Sendable {
        let timer: any DispatchSourceTimer
    }

    /// Makes a recorder.
    ///
    /// - Parameters:
    ///   - mode: How much is shown, and to whom.
    ///   - redacts: Whether secrets are taken out.
    ///   - showsProgress: Whether long pauses show how much is left; not in a simulation, where they take no time.
    ///   - environment: The process' environment: variables such as `NO_COLOR` and `TERM` say what the terminal is to be spared.
    public init(
        _ mode: Mode, redacts: Bool = true, showsProgress: Bool = true,
        environment: [String: String] = ProcessEnvironment.current
    ) {
        self.mode = mode
        hides = redacts
        self.showsProgress = showsProgress
        isTerminal = isatty(2) != 0 && environment["TERM"] != "dumb"
        hasColors = ColorChoice(environment: environment, isTerminal: isTerminal).isColored
    }

    /// Sets the clock to another world's, where it is so long after 1970-01-01 00:00 UTC: a log has one clock.
    public func setTime(_ time: Duration) { worldTime.withLock { $0 = Int(time.components.seconds) } }

    /// Records an event.
    public func record(_ event: RunEvent) {
        // Records have it; a program that reads the terminal has not asked for a sample each second.
        if case .noted = event { return }
        switch event {
        case .secretsKnown(let redactor): if hides { self.redactor.withLock { $0 = redactor } }
        case .planned(let plan): stepCount.withLock { $0 = plan.steps }
        default: break
        }
        for line in narrator.withLock({ $0.lines(for: event) }) { log(line.level, line.text) }
        switch event {
        case .activityBegan(let activity): showProgress(of: activity)
        case .pauseBegan(let activity, let pause):
            if pause.seconds >= Self.progressFrom { startProgress(pause.seconds, at: progressText(activity)) }
        case .pauseEnded: endPause()
        default: break
        }
        if mode == .json, let object = event.json { writeJSON(object) }
    }

    /// Logs a line.
    public func log(_ level: LogLevel, _ text: String) {
        switch mode {
        case .json:
            writeJSON(["event": "message", "level": .string(level.rawValue.lowercased()), "text": .string(text)])
        case .quiet where level == .info || level == .warning: break
        case .lines, .quiet: StandardStream.errors.write(line(level, redactor.withLock { $0.redact(text) }))
        }
    }

    /// Logs a summary line by line.
    public func summarize(_ text: String) {
        for line in text.split(separator: "\n") { log(.info, String(line)) }
    }

    /// Writes to the output's channel what a program may rely on: a line, or an object where JSON was asked for.
    public func writeResult(_ line: String, _ object: Value.Object) {
        if mode == .json { writeJSON(object) } else { StandardStream.output.writeLine(line) }
    }

    // MARK: Writing

    private func line(_ level: LogLevel, _ text: String) -> String {
        // Lines that have no time of their own are set in under the one that has.
        let line = "[\(localTime) \(level.rawValue)] \(text.replacing("\n", with: "\n    "))"
        let start = isTerminal ? Self.lineStart : ""
        guard hasColors else { return "\(start)\(line)\n" }
        let color =
            switch level {
            case .info: "32"
            case .warning: "33"
            case .error, .critical: "31"
            }
        return "\(start)\u{1b}[\(color)m\(line)\u{1b}[0m\n"
    }

    private func writeJSON(_ object: Value.Object) {
        let redacted = redactor.withLock { $0.redact(.object(object)) }
        StandardStream.output.writeLine(JSONWriter.write(redacted.withoutNonFinite))
    }

    /// The time of the world that events come from, in the user's zone.
    private var localTime: String {
        var seconds = time_t(worldTime.withLock { $0 } ?? Int(time(nil)))
        var parts = unsafe tm()
        var buffer = [CChar](repeating: 0, count: 32)
        unsafe localtime_r(&seconds, &parts)
        let count = unsafe strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &parts)
        return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    // MARK: Progress

    /// Where the run is, as in `step 3 of 9`; nothing for what is beside its steps.
    private func progressText(_ activity: ActivityOccurrence) -> String {
        activity.step.map { "step \($0) of \(stepCount.withLock { $0 })" } ?? ""
    }

    private func showProgress(of activity: ActivityOccurrence) {
        let text = progressText(activity)
        if showsProgress, !text.isEmpty { showProgress(text) }
    }

    private func startProgress(_ seconds: Double, at step: String) {
        guard mode == .lines, isTerminal, showsProgress else { return }
        let end = ContinuousClock.now + .milliseconds(Int(min(seconds, 1e9) * 1000))
        let timer = DispatchSource.makeTimerSource()
        timer.schedule(deadline: .now(), repeating: 1)
        timer.setEventHandler {
            let left = ContinuousClock.now.duration(to: end).components.seconds
            StandardStream.errors.write("\(Self.lineStart)  \(step.isEmpty ? "" : step + ", ")\(max(0, left)) s left")
        }
        let running = Progress(timer: timer)
        timer.resume()
        progress.withLock { $0 = running }
    }

    /// Shows on a terminal how far long work has come, in a line that the next one overwrites.
    public func showProgress(_ text: String) {
        guard mode == .lines, isTerminal else { return }
        StandardStream.errors.write("\(Self.lineStart)  \(text)")
    }

    /// Tells files and pipes how far long work has come, with the machine's time, whichever world's the log has.
    func logProgress(_ text: String) { StandardStream.errors.writeLine("  \(text)") }

    /// Takes that line away.
    public func endProgress() {
        guard mode == .lines, isTerminal else { return }
        StandardStream.errors.write(Self.lineStart)
    }

    private func endPause() {
        let wasRunning = progress.withLock { progress in
            progress?.timer.cancel()
            defer { progress = nil }
            return progress != nil
        }
        if wasRunning { endProgress() }
    }
}

extension Value {
    /// The value with strings in place of numbers that JSON does not have.
    fileprivate var withoutNonFinite: Value {
        switch self {
        case .real(let real) where !real.isFinite: .string(String(real))
        case .array(let array): .array(array.map(\.withoutNonFinite))
        case .object(let object): .object(object.mapValues(\.withoutNonFinite))
        case .null, .bool, .integer, .largeInteger, .real, .string, .date, .bytes: self
        }
    }
}
