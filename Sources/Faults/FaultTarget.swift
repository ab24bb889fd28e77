/// Whom a fault is to hit, by name: a service (all its replicas), one replica, a node (all that runs on it), or everybody.
public struct FaultTarget: Hashable, Sendable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name, or `*`.
    public let name: String

    /// Everybody there is.
    public static let everybody: FaultTarget = "*"

    /// Makes a target of a name.
    public init(_ name: String) {
        self.name = name
    }

    /// Makes a target of a name in the source.
    public init(stringLiteral name: String) {
        self.name = name
    }

    /// In the order of the names.
    public static func < (left: FaultTarget, right: FaultTarget) -> Bool { left.name < right.name }

    /// The name.
    public var description: String { name }
}

/// Between whom a network fault acts.
public struct FaultRoute: Hashable, Sendable {
    /// Which of the two directions of a route a fault acts on.
    public enum Direction: String, Hashable, Sendable, CaseIterable {
        /// Both.
        case both
        /// From the first to the other.
        case outbound
        /// From the other to the first.
        case inbound
    }

    /// One side.
    public var target: FaultTarget
    /// The other side; ``FaultTarget/everybody`` is everybody but the first.
    public var other: FaultTarget
    /// Which directions.
    public var direction: Direction

    /// Makes a route; both directions between a target and everybody else where nothing is said.
    public init(_ target: FaultTarget, _ other: FaultTarget = .everybody, _ direction: Direction = .both) {
        self.target = target
        self.other = other
        self.direction = direction
    }
}
