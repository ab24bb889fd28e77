import Dispatch
import Synchronization

/// Tells people how far long work has come, how fast it goes, and how long it will take.
///
/// What ends within a second is not told of. On a terminal a line is written over itself; elsewhere lines come at long intervals.
public final class ProgressMeter: Sendable {
    private struct State {
        var done: Int = 0
        var toldAt: Duration = .zero
        var isEnded: Bool = false
    }

    /// Only ever cancelled, which a timer takes from any thread.
    private struct Timer: @unchecked Sendable {
        let source: any DispatchSourceTimer
    }

    private let console: ConsoleRecorder
    private let total: Int
    private let unit: String
    private let began: ContinuousClock.Instant = .now
    private let state: Mutex<State> = Mutex(State())
    private let timer: Timer?

    /// When the first line comes.
    private static let firstAfter: Duration = .seconds(1)

    /// Begins; the clock runs from now on.
    ///
    /// - Parameters:
    ///   - console: Where lines go; one for programs, or one that is to be quiet, gets none.
    ///   - total: How much there is to do.
    ///   - unit: What is counted, such as seeds.
    public init(_ console: ConsoleRecorder, total: Int, unit: String) {
        self.console = console
        self.total = total
        self.unit = unit
        guard console.mode == .lines else {
            timer = nil
            return
        }
        // The work may be a simulation: this timer, on a thread of its own, has the machine's clock.
        let source = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "progress"))
        timer = Timer(source: source)
        source.schedule(deadline: .now() + 1, repeating: .milliseconds(console.isTerminal ? 250 : 1000))
        source.setEventHandler { [weak self] in self?.tell() }
        source.activate()
    }

    deinit { timer?.source.cancel() }

    /// So much is done, in all.
    public func advance(to done: Int) { state.withLock { $0.done = done } }

    /// Takes the line away.
    public func end() {
        timer?.source.cancel()
        let wasTold = state.withLock { state in
            state.isEnded = true
            return state.toldAt > .zero
        }
        if wasTold { console.endProgress() }
    }

    private func tell() {
        let elapsed = began.duration(to: .now)
        // Under the lock, so that nothing is written over what comes behind the end.
        state.withLock { state in
            guard !state.isEnded, Self.isDue(elapsed, last: state.toldAt, isTerminal: console.isTerminal) else {
                return
            }
            state.toldAt = elapsed
            let text = Self.text(done: state.done, total: total, unit: unit, elapsed: elapsed)
            if console.isTerminal { console.showProgress(text) } else { console.logProgress(text) }
        }
    }

    /// Whether a line is to come, when the last came after so long: files and pipes get one after ten seconds, then twice as late each time.
    static func isDue(_ elapsed: Duration, last: Duration, isTerminal: Bool) -> Bool {
        isTerminal ? elapsed >= firstAfter : elapsed >= max(.seconds(10), min(last * 2, last + .seconds(300)))
    }

    /// What a line says.
    static func text(done: Int, total: Int, unit: String, elapsed: Duration) -> String {
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        let beginning = "\(done) of \(total) \(unit)"
        guard done > 0, seconds > 0 else { return "\(beginning), \(Int(seconds)) s so far" }
        let rate = Double(done) / seconds
        let left = Double(max(0, total - done)) / rate
        return "\(beginning), \(rounded(rate)) a second, \(time(left)) left"
    }

    private static func rounded(_ rate: Double) -> String {
        guard rate < 10 else { return String(Int(min(rate, 1e15).rounded())) }
        let tenths = Int((rate * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 1e9).rounded(.up))
        guard whole >= 120 else { return "\(whole) s" }
        return whole < 7200 ? "\(whole / 60) min" : "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}
