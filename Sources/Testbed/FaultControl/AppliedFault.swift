public import Documents
public import Faults

/// What a fault hit.
public struct FaultImpact: Hashable, Sendable, CustomStringConvertible {
    /// How far a fault reached what it was meant for.
    public enum Verdict: String, Hashable, Sendable {
        /// Everybody that it was meant for felt it.
        case hit
        /// Some felt it, some did not.
        case partly
        /// Nobody felt it: what the run says of it, it says of nothing.
        case missed
    }

    /// Whom it was meant for, and how often each felt it.
    public struct Target: Hashable, Sendable {
        /// The process or host.
        public let name: String
        /// Packets, connections, operations or requests.
        public let hits: Int

        /// Makes a target of its parts.
        public init(name: String, hits: Int) {
            self.name = name
            self.hits = hits
        }
    }

    /// Whom it was meant for.
    public let targets: [Target]

    /// Makes an impact of its parts.
    public init(_ targets: [Target]) {
        self.targets = targets
    }

    /// Packets, connections, operations or requests that felt it.
    public var hits: Int { targets.reduce(0) { $0 + $1.hits } }

    /// How far it reached.
    public var verdict: Verdict {
        let count = targets.count { $0.hits > 0 }
        if count == 0 { return .missed }
        return count == targets.count ? .hit : .partly
    }

    /// What it hit, for people.
    public var description: String {
        switch verdict {
        case .hit: "hit \(hits) time\(hits == 1 ? "" : "s")"
        case .partly:
            "hit \(hits) time\(hits == 1 ? "" : "s"), but not \(targets.filter { $0.hits == 0 }.map(\.name).joined(separator: ", "))"
        case .missed: "hit nothing"
        }
    }

    /// As an object of a document.
    public var document: Value.Object {
        var object: Value.Object = [:]
        for target in targets { object[target.name] = .integer(target.hits) }
        return ["verdict": .string(verdict.rawValue), "hits": .integer(hits), "targets": .object(object)]
    }
}

/// A fault that was applied: since when, until when, and what it hit so far.
public struct AppliedFault: Hashable, Sendable {
    /// Counted from 1, in the order in which faults were applied.
    public let id: Int
    /// What went wrong.
    public let fault: Fault
    /// When it began: time since the run began.
    public let since: Duration
    /// When it was taken back; nil while it acts.
    public let until: Duration?
    /// What it hit so far.
    public let impact: FaultImpact

    /// Makes an applied fault of its parts.
    public init(id: Int, fault: Fault, since: Duration, until: Duration?, impact: FaultImpact) {
        self.id = id
        self.fault = fault
        self.since = since
        self.until = until
        self.impact = impact
    }

    /// As an object of a document.
    public var document: Value.Object {
        [
            "id": .integer(id), "fault": .object(fault.document), "line": .string("\(fault)"), "since": .seconds(since),
            "until": until.map { .seconds($0) } ?? .null, "impact": .object(impact.document),
        ]
    }
}

/// Applies faults and takes them back: nothing else touches links, disks, clocks or processes.
///
/// Of several faults on one target all act at once; of two of a kind the later one shows, and the earlier again when that is taken back.
public protocol FaultController: AnyObject {
    /// Lets a fault begin; one that is momentary has happened when this returns.
    ///
    /// - Returns: A number to take it back by.
    /// - Throws: `FaultError` when there is no such target, or the fault cannot be applied here.
    @discardableResult
    func apply(_ fault: Fault) async throws(FaultError) -> Int

    /// Takes a fault back, or, of a network fault, only what it does between two; does nothing when that was done.
    func revert(_ id: Int, on route: FaultRoute?) async

    /// Takes everything back.
    ///
    /// - Returns: The faults that still acted, or had left somebody down.
    @discardableResult
    func revertAll() async -> [AppliedFault]

    /// All faults that were ever applied, in their order, with what they hit.
    var applied: [AppliedFault] { get }
}

/// Does what a deployment's own faults say; how it is checked and what it hits, only it knows.
public protocol CustomFaultHandler: AnyObject {
    /// The name that `CustomFault.name` has.
    var name: String { get }
    /// Lets a fault begin.
    ///
    /// - Throws: `FaultError` when the target or the parameters are wrong.
    func apply(_ fault: CustomFault) throws(FaultError)
    /// Takes it back.
    func revert(_ fault: CustomFault)
    /// How often the faults of a target were felt since the run began.
    func hits(of target: FaultTarget) -> Int
}
