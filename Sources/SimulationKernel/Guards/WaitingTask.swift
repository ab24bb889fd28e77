/// A task that had not ended when the run did.
public struct WaitingTask: Hashable, Sendable, CustomStringConvertible {
    /// The n-th task of the run.
    public let number: UInt64
    /// The host it belongs to, or `world`.
    public let host: String
    /// Where it waits: the async function and its callers.
    public let waitsIn: CallStack
    /// Where it was created; empty where guards do not record it.
    public let createdAt: CallStack

    /// The task in one line.
    public var description: String {
        "task \(number) on host '\(host)' waits in \(waitsIn), created in \(createdAt)"
    }
}
