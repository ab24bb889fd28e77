public import Documents
import Faults

/// When an invariant is checked.
public struct CheckMoment: Hashable, Sendable {
    /// What is going on.
    public enum Phase: Hashable, Sendable {
        /// Faults may act.
        case underFaults
        /// Everything has been healed for so long.
        case healed(for: Duration)
        /// The run is over.
        case end
    }

    /// The time since the run began.
    public let time: Duration
    /// What is going on.
    public let phase: Phase

    /// Makes a moment of its parts.
    public init(time: Duration, phase: Phase) {
        self.time = time
        self.phase = phase
    }
}

/// Something that must be true of a system, whatever the faults and the seed.
///
/// It hears of every event, and is asked again and again. A violation refutes what a run was to show, whatever its probes say.
public protocol Invariant: AnyObject {
    /// What must be true, as a claim for people: `no acknowledged reading is lost`.
    var name: String { get }

    /// Hears of an event.
    func observe(_ event: TestbedEvent)

    /// Tells what is wrong now.
    ///
    /// - Returns: A finding for each thing that is wrong; of findings about the same entities only the first is told.
    func check(at moment: CheckMoment) -> [InvariantFinding]
}

extension Invariant {
    /// Hears nothing.
    public func observe(_ event: TestbedEvent) {}
}

/// What an invariant found to be wrong.
public struct InvariantFinding: Hashable, Sendable {
    /// Whom it concerns.
    public let entities: [String]
    /// What is wrong.
    public let message: String
    /// What led there, as far as the invariant knows more than the events do.
    public let history: [String]

    /// Makes a finding of its parts.
    public init(_ message: String, entities: [String] = [], history: [String] = []) {
        self.message = message
        self.entities = entities
        self.history = history
    }
}

/// An invariant that was found violated: when, what, and what led there.
public struct Violation: Hashable, Sendable, CustomStringConvertible {
    /// The invariant's name.
    public let invariant: String
    /// When it was found: time since the run began.
    public let time: Duration
    /// Whom it concerns.
    public let entities: [String]
    /// What is wrong.
    public let message: String
    /// What led there, the oldest first.
    public let history: [String]

    /// Makes a violation of its parts.
    public init(invariant: String, time: Duration, entities: [String], message: String, history: [String]) {
        self.invariant = invariant
        self.time = time
        self.entities = entities
        self.message = message
        self.history = history
    }

    /// The violation, and a line for each thing that led there.
    public var description: String {
        (["\(summary)"] + history.map { "  \($0)" }).joined(separator: "\n")
    }

    /// The violation in a line.
    public var summary: String { "violated at \(TestbedEvent.seconds(time)) s: \(invariant): \(message)" }

    /// As an object of a document.
    public var document: Value.Object {
        [
            "event": "invariant-violated", "invariant": .string(invariant), "time": .seconds(time),
            "entities": .array(entities.map { .string($0) }), "message": .string(message),
            "history": .array(history.map { .string($0) }),
        ]
    }
}
