/// What kind of decision a trace entry tells of.
///
/// Worlds add their own kinds as static members; the name is what the entry shows and what the digest folds.
public struct TraceKind: Hashable, Sendable, CustomStringConvertible {
    private let literal: StaticString
    /// The name's hash, so that folding it costs one word.
    let code: UInt64

    /// Makes a kind; names are unique by convention: the world's part, a dot, what happened.
    public init(_ name: StaticString) {
        literal = name
        code = TraceDigest.hash(name.description)
    }

    /// The name, as in `event` or `link.drop`.
    public var name: String { literal.description }

    /// The name that entries show.
    public var description: String { name }

    /// Kinds are equal when their names are.
    public static func == (left: TraceKind, right: TraceKind) -> Bool {
        left.code == right.code
    }

    /// Hashes the name.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
    }

    /// A world event happens; its argument.
    public static let event: TraceKind = TraceKind("event")
    /// A sleep ends: 0 on the virtual clock, 1 by `Task.sleep`.
    public static let wake: TraceKind = TraceKind("wake")
    /// The system's randomness is read; the first value and the number of bytes.
    public static let draw: TraceKind = TraceKind("draw")
    /// A named stream of random numbers is drawn from: the number, and the stream's.
    public static let streamDraw: TraceKind = TraceKind("stream.draw")
    /// A policy picks among ready items; the task and how many are left.
    public static let pick: TraceKind = TraceKind("pick")
    /// A host changes its state; its index and boot number, or what its wall clock was changed by.
    public static let host: TraceKind = TraceKind("host")
    /// A stream of random numbers is opened.
    public static let stream: TraceKind = TraceKind("stream")
    /// The tested code or a test noted something.
    public static let note: TraceKind = TraceKind("note")
}
