import Dispatch
import Experiments
import Glibc

/// Turns the signals that interrupt an experiment into calls, as long as it lives.
final class Signals {
    private let sources: [any DispatchSourceSignal]
    private let numbers: [Int32]

    init(_ onInterruption: @escaping @Sendable (Interruption) -> Void) {
        let interruptions: [(Int32, Interruption)] = [
            (SIGINT, .interrupt), (SIGTERM, .termination), (SIGUSR1, .gracefulExit), (SIGUSR2, .ungracefulExit),
        ]
        numbers = interruptions.map(\.0)
        let queue = DispatchQueue(label: "signals")
        sources = interruptions.map { number, interruption in
            // The source hears of it; nothing else may happen.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { onInterruption(interruption) }
            source.resume()
            return source
        }
    }

    /// Lets signals do again what they do by themselves.
    func end() {
        for source in sources { source.cancel() }
        for number in numbers { signal(number, SIG_DFL) }
    }
}
