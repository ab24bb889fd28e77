import Dispatch
public import Experiments
import Glibc

/// Turns the signals that interrupt an experiment into calls, as long as it lives.
public final class Signals {
    private let sources: [any DispatchSourceSignal]
    private let numbers: [Int32]

    /// Listens; `onInterruption` is called on a thread of its own.
    public init(_ onInterruption: @escaping @Sendable (Interruption) -> Void) {
        let interruptions: [(Int32, Interruption)] = [
            (SIGINT, .interrupt), (SIGTERM, .termination), (SIGUSR1, .gracefulExit), (SIGUSR2, .ungracefulExit),
            (SIGHUP, .hangUp), (SIGQUIT, .quit),
        ].filter { number, _ in
            // Who started us wants no end with the terminal, as nohup does.
            number != SIGHUP || !Self.isIgnored(number)
        }
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

    private static func isIgnored(_ number: Int32) -> Bool {
        // Only by setting another can what is set be seen.
        let present = signal(number, SIG_IGN)
        signal(number, present)
        return unsafe unsafeBitCast(present, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Lets signals do again what they do by themselves.
    public func end() {
        for source in sources { source.cancel() }
        for number in numbers { signal(number, SIG_DFL) }
    }
}
