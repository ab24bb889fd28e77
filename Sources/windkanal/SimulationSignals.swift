import Dispatch
import Experiments
import Glibc
import PipelineTestbed
import Sessions

/// Brings signals to simulated runs, and sees to it that they are heeded.
final class SimulationSignals {
    /// What runs look at.
    let interruption: ScenarioInterruption
    private let signals: Signals

    /// How long a run may take to notice: the code in it may never come back.
    private static let noticedWithin: DispatchTimeInterval = .seconds(5)

    /// Listens until ``end()``; a process whose run does not notice is ended.
    init(_ console: ConsoleRecorder) {
        let interruption = ScenarioInterruption()
        self.interruption = interruption
        signals = Signals { kind in
            interruption.request(kind)
            DispatchQueue.global().asyncAfter(deadline: .now() + Self.noticedWithin) {
                guard !interruption.isHeeded else { return }
                console.log(
                    .critical, "the simulation goes on although it was interrupted: it is ended without a journal")
                console.writeVerdict("interrupted", status: nil, deviated: false)
                _exit(1)
            }
        }
    }

    /// Lets signals do again what they do by themselves.
    func end() { signals.end() }
}
