public import Experiments
import Synchronization

/// A way to end simulated runs from outside: whoever holds it may ask on any thread, and runs look.
public final class ScenarioInterruption: Sendable {
    private let kind: Mutex<Interruption?> = Mutex(nil)
    private let heeded: Mutex<Bool> = Mutex(false)

    /// Nobody has asked.
    public init() {}

    /// What was asked for first; nil if nothing was.
    public var requested: Interruption? { kind.withLock { $0 } }

    /// Whether a run has noticed.
    public var isHeeded: Bool { heeded.withLock { $0 } }

    /// Notes that a run has noticed.
    func heed() { heeded.withLock { $0 = true } }

    /// Asks that what runs ends, and what would run does not begin.
    public func request(_ interruption: Interruption) {
        kind.withLock { if $0 == nil { $0 = interruption } }
    }
}
