public import Documents
import Faults

/// Something that a service tells of what it does, for those who watch: a type of its own for each system under test.
public protocol Observation: Sendable, CustomStringConvertible {
    /// Whom it is about, by names that histories are looked up with.
    var entities: [String] { get }
    /// Whether it belongs into the history of a violation.
    var isNoteworthy: Bool { get }
}

extension Observation {
    /// Everything is noteworthy where nothing else is said.
    public var isNoteworthy: Bool { true }
}

/// A rare path that some run of a sweep must have taken; also what triggers faults.
public struct Mark: Hashable, Sendable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name, such as `broker.checkpoint`.
    public let name: String

    /// Makes a mark.
    public init(_ name: String) { self.name = name }

    /// Makes a mark in the source.
    public init(stringLiteral name: String) { self.name = name }

    /// In the order of the names.
    public static func < (left: Mark, right: Mark) -> Bool { left.name < right.name }

    /// The name.
    public var description: String { name }
}

/// Something that happened in a test-bed.
public struct TestbedEvent: Sendable {
    /// What happened.
    public enum Kind: Sendable {
        /// A process starts, for the n-th time.
        case started(process: String, boot: Int)
        /// A process has failed by itself.
        case failed(process: String, reason: String)
        /// A process was killed, or its node lost power.
        case crashed(process: String, losesPower: Bool)
        /// A process stops in the middle of everything.
        case paused(process: String)
        /// A paused process goes on.
        case resumed(process: String)
        /// A fault begins.
        case applied(AppliedFault)
        /// A fault is taken back.
        case reverted(AppliedFault)
        /// Everything is healed: from now on the system must recover.
        case healed
        /// A mark was reached, for the n-th time.
        case reached(Mark, count: Int)
        /// A service told something.
        case observed(any Observation, by: String)
        /// An invariant is violated.
        case violated(Violation)
    }

    /// When: time since the run began.
    public let time: Duration
    /// What.
    public let kind: Kind

    /// Makes an event of its parts.
    public init(time: Duration, kind: Kind) {
        self.time = time
        self.kind = kind
    }
}

extension TestbedEvent: CustomStringConvertible {
    /// The event in a line, with its time in seconds.
    public var description: String { "\(Self.seconds(time)) s: \(what)" }

    private var what: String {
        switch kind {
        case .started(let process, let boot): boot == 1 ? "\(process) starts" : "\(process) starts again (\(boot))"
        case .failed(let process, let reason): "\(process) fails: \(reason)"
        case .crashed(let process, let losesPower): losesPower ? "\(process) loses power" : "\(process) is killed"
        case .paused(let process): "\(process) is paused"
        case .resumed(let process): "\(process) goes on"
        case .applied(let fault): "begins \(fault.fault)"
        case .reverted(let fault): "ends \(fault.fault), which \(fault.impact)"
        case .healed: "everything is healed"
        case .reached(let mark, let count): "reached \(mark) (\(count))"
        case .observed(let observation, let process): "\(process): \(observation)"
        case .violated(let violation): "violated: \(violation.invariant): \(violation.message)"
        }
    }

    /// What people are told of it while a run goes on, and whether it deserves a look; nil for the course of things.
    public var narration: (isWarning: Bool, text: String)? {
        switch kind {
        case .started(_, let boot): boot == 1 ? nil : (false, what)
        case .failed: (true, what)
        case .crashed, .paused, .resumed: (false, what)
        case .applied(let fault): (false, "Fault begins: \(fault.fault)")
        case .reverted(let fault): (fault.impact.verdict == .missed, "Fault ends: \(fault.fault): \(fault.impact)")
        case .violated(let violation): (true, violation.summary)
        case .healed, .reached, .observed: nil
        }
    }

    /// Whom it is about.
    public var entities: [String] {
        switch kind {
        case .started(let process, _), .failed(let process, _), .crashed(let process, _), .paused(let process),
            .resumed(let process):
            [process]
        case .applied(let fault), .reverted(let fault): fault.impact.targets.map(\.name)
        case .healed, .reached: []
        case .observed(let observation, let process): [process] + observation.entities
        case .violated(let violation): violation.entities
        }
    }

    /// The event as an object of a document, for recorders; nil for what is told elsewhere.
    public var document: Value.Object? {
        let rest: Value.Object
        switch kind {
        case .started(let process, let boot):
            rest = ["event": "process-started", "process": .string(process), "boot": .integer(boot)]
        case .failed(let process, let reason):
            rest = ["event": "process-failed", "process": .string(process), "reason": .string(reason)]
        case .crashed(let process, let losesPower):
            rest = ["event": "process-crashed", "process": .string(process), "power": .bool(losesPower)]
        case .paused(let process): rest = ["event": "process-paused", "process": .string(process)]
        case .resumed(let process): rest = ["event": "process-resumed", "process": .string(process)]
        case .applied(let fault): rest = ["event": "fault-applied", "fault": .object(fault.fault.document)]
        case .reverted(let fault):
            rest = [
                "event": "fault-reverted", "fault": .object(fault.fault.document),
                "impact": .object(fault.impact.document),
            ]
        case .healed: rest = ["event": "healed"]
        case .violated(let violation): rest = violation.document
        case .reached, .observed: return nil
        }
        return (["time": .seconds(time)] as Value.Object).merging(rest)
    }

    /// Seconds with three digits, for people.
    static func seconds(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        let rest = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}
