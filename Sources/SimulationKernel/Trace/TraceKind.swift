/// What kind of decision a trace entry tells of.
///
/// Worlds add their own kinds as static members; the name is what the entry shows and what the digest folds.
public struct TraceKind: Hashable, Sendable, CustomStringConvertible {
    /// The name, as in `event` or `link.drop`.
    public let name: String
    /// The name's hash, so that folding it costs one word.
    @usableFromInline let code: UInt64

    /// Makes a kind; names are unique by convention: the world's part, a dot, what happened.
    public init(_ name: String) {
        self.name = name
        code = TraceDigest.hash(name)
    }

    /// The name.
    public var description: String { name }

    /// A world event happens.
    public static let event: TraceKind = TraceKind("event")
    /// A sleep ends.
    public static let wake: TraceKind = TraceKind("wake")
    /// The system's randomness is read; the first value and the number of bytes.
    public static let draw: TraceKind = TraceKind("draw")
    /// A policy picks among ready items; the number left.
    public static let pick: TraceKind = TraceKind("pick")
    /// A host changes its state; the boot number.
    public static let host: TraceKind = TraceKind("host")
    /// A stream of random numbers is opened.
    public static let stream: TraceKind = TraceKind("stream")
    /// The tested code or a test noted something.
    public static let note: TraceKind = TraceKind("note")
}
