/// A task that has not ended: at the end of a run, or when somebody asks.
public struct WaitingTask: Hashable, Sendable, CustomStringConvertible {
    /// The n-th task of the run.
    public let number: UInt64
    /// The name that `Task(name:)` gave it.
    public let name: String?
    /// The host it belongs to, or `world`.
    public let host: String
    /// Whether it only sleeps; otherwise it waits for somebody.
    public let sleeps: Bool
    /// Where it waits: the async function and its callers.
    public let waitsIn: CallStack
    /// Where it was created; empty where guards do not record it.
    public let createdAt: CallStack

    /// The task in one line.
    public var description: String {
        let who = name.map { "task \(number) '\($0)'" } ?? "task \(number)"
        return "\(who) on host '\(host)' \(sleeps ? "sleeps" : "waits") in \(waitsIn), created in \(createdAt)"
    }
}
