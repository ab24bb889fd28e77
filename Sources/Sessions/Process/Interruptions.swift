import Experiments
import Synchronization

/// Brings signals to what is going on: to the run once there is one, before it to whoever asked.
final class Interruptions: Sendable {
    private struct State {
        var first: Interruption?
        var run: ExperimentRun?
        var action: (@Sendable () -> Void)?
    }

    private let state: Mutex<State> = Mutex(State())

    /// Whether there was one.
    var isInterrupted: Bool { state.withLock { $0.first != nil } }

    /// Calls an action with the first interruption, or at once if there was one.
    func onFirst(_ action: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.action = action
            return state.first != nil
        }
        if isLate { action() }
    }

    /// From now on interruptions are the run's; one that came before is passed on to it.
    func attach(_ run: ExperimentRun) async {
        let first = state.withLock { state in
            state.run = run
            state.action = nil
            return state.first
        }
        if let first { await run.interrupt(first) }
    }

    /// Takes in a signal.
    func interrupt(_ kind: Interruption) {
        let (run, action) = state.withLock { state in
            if state.first == nil { state.first = kind }
            return (state.run, state.action)
        }
        action?()
        if let run { Task { await run.interrupt(kind) } }
    }
}
