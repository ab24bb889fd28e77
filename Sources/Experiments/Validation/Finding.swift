public import Documents

/// Something that validation found.
public struct Finding: Hashable, Sendable, CustomStringConvertible {
    /// How bad it is.
    public enum Severity: String, Hashable, Sendable {
        /// The experiment cannot be run.
        case error
        /// The reference says nothing of it, and it does not do what its author expects.
        case warning
    }

    /// How bad it is.
    public let severity: Severity
    /// What is wrong; for errors that the reference knows, in its words.
    public let message: String
    /// Where it is in the experiment.
    public let pointer: Pointer
    /// What to do.
    public let remedy: String?
    /// Where it stands in the file.
    public let place: Place?

    /// A finding of its parts.
    public init(_ severity: Severity, _ message: String, at pointer: Pointer, remedy: String?, place: Place?) {
        self.severity = severity
        self.message = message
        self.pointer = pointer
        self.remedy = remedy
        self.place = place
    }

    /// The message with the place and the remedy.
    public var description: String {
        var text = message
        if !pointer.tokens.isEmpty { text += " (at \(pointer)\(place.map { ", line \($0.line)" } ?? ""))" }
        if let remedy { text += "; \(remedy)" }
        return text
    }
}
