import Dispatch
import Documents
public import Experiments
import Glibc
import Synchronization

/// Tells people, or programs, on the terminal what happens.
public final class ConsoleRecorder: Sendable {
    /// How much is told, and to whom.
    public enum Mode: Hashable, Sendable {
        /// Lines for people, on the errors' channel, as the reference writes them.
        case lines
        /// Nothing but what went wrong.
        case quiet
        /// One JSON object for each event, on the output's channel.
        case json
    }

    private let mode: Mode
    private let isTerminal: Bool
    private let redactor: Mutex<Redactor> = Mutex(Redactor())
    private let progress: Mutex<Progress?> = Mutex(nil)
    private let hides: Bool
    private let showsProgress: Bool

    /// Pauses that take longer show how much of them is left.
    private static let progressFrom: Double = 3

    /// Only ever cancelled, which a timer takes from any thread.
    private struct Progress: @unchecked Sendable {
        let timer: any DispatchSourceTimer
    }

    /// Makes a recorder.
    ///
    /// - Parameters:
    ///   - mode: How much is told, and to whom.
    ///   - redacts: Whether secrets are taken out.
    ///   - showsProgress: Whether long pauses show how much is left; not in a simulation, where they take no time.
    public init(_ mode: Mode, redacts: Bool = true, showsProgress: Bool = true) {
        self.mode = mode
        hides = redacts
        self.showsProgress = showsProgress
        isTerminal = isatty(2) != 0
    }

    /// Tells of an event.
    public func record(_ event: RunEvent) {
        switch event {
        case .secrets(let redactor): if hides { self.redactor.withLock { $0 = redactor } }
        case .message(let level, let text): write(level, text)
        case .pause(let seconds, let isBefore):
            writeJSON(["event": "pause", "seconds": .real(seconds), "before": .bool(isBefore)])
            if seconds >= Self.progressFrom { startProgress(seconds) }
        case .pauseEnded: endPause()
        case .activityBegins(let name, let type):
            writeJSON(["event": "activity-begins", "name": .string(name), "type": .string(type)])
        case .activityEnded(let name, let type, let status, let seconds):
            writeJSON([
                "event": "activity-ended", "name": .string(name), "type": .string(type),
                "status": status.map(Value.string) ?? .null, "seconds": .real(seconds),
            ])
        }
    }

    /// Tells of something that is no event of a run.
    public func say(_ level: RunEvent.Level, _ text: String) { write(level, text) }

    /// Says something for people that has no time: a summary.
    public func summarize(_ text: String) {
        if mode == .lines { Self.put(text + "\n", to: 2) }
    }

    /// Writes a line to the output's channel: what a program may rely on.
    public func print(_ text: String) { Self.put(text + "\n", to: 1) }

    // MARK: Writing

    private func write(_ level: RunEvent.Level, _ text: String) {
        let text = redactor.withLock { $0.redact(text) }
        switch mode {
        case .json:
            writeJSON(["event": "message", "level": .string(level.rawValue.lowercased()), "text": .string(text)])
        case .quiet where level == .info || level == .warning: break
        case .lines, .quiet: Self.put(line(level, text), to: 2)
        }
    }

    private func line(_ level: RunEvent.Level, _ text: String) -> String {
        let line = "[\(Self.localTime) \(level.rawValue)] \(text)"
        guard isTerminal else { return line + "\n" }
        let color =
            switch level {
            case .info: "32"
            case .warning: "33"
            case .error, .critical: "31"
            }
        return "\r\u{1b}[K\u{1b}[\(color)m\(line)\u{1b}[0m\n"
    }

    private func writeJSON(_ value: Value.Object) {
        guard mode == .json else { return }
        let redacted = redactor.withLock { $0.redact(.object(value)) }
        Self.put(JSONWriter.write(redacted) + "\n", to: 1)
    }

    private static func put(_ text: String, to descriptor: Int32) {
        // Who reads it may have gone: the run goes on all the same.
        _ = Files.writeAll(Array(text.utf8), to: descriptor)
    }

    /// The wall clock's time in the user's zone.
    private static var localTime: String {
        var seconds = time(nil)
        var parts = unsafe tm()
        var buffer = [CChar](repeating: 0, count: 32)
        unsafe localtime_r(&seconds, &parts)
        let count = unsafe strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &parts)
        return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    // MARK: Progress

    private func startProgress(_ seconds: Double) {
        guard mode == .lines, isTerminal, showsProgress else { return }
        let end = ContinuousClock.now + .milliseconds(Int(min(seconds, 1e9) * 1000))
        let timer = DispatchSource.makeTimerSource()
        timer.schedule(deadline: .now(), repeating: 1)
        timer.setEventHandler {
            let left = ContinuousClock.now.duration(to: end).components.seconds
            Self.put("\r\u{1b}[K  \(max(0, left)) s left", to: 2)
        }
        let running = Progress(timer: timer)
        timer.resume()
        progress.withLock { $0 = running }
    }

    /// Shows on a terminal how far long work has come, in a line that the next one overwrites.
    public func showProgress(_ text: String) {
        guard mode == .lines, isTerminal else { return }
        Self.put("\r\u{1b}[K  \(text)", to: 2)
    }

    /// Takes that line away.
    public func endProgress() {
        guard mode == .lines, isTerminal else { return }
        Self.put("\r\u{1b}[K", to: 2)
    }

    private func endPause() {
        let wasRunning = progress.withLock { progress in
            progress?.timer.cancel()
            defer { progress = nil }
            return progress != nil
        }
        guard wasRunning else { return }
        Self.put("\r\u{1b}[K", to: 2)
    }
}
