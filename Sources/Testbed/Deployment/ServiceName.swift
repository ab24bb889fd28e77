/// What a service is called in a deployment; others find it by this name.
public struct ServiceName: Hashable, Sendable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name, which is also the one of its host where it has one replica.
    public let rawValue: String

    /// Makes a name.
    public init(_ name: String) { rawValue = name }

    /// Makes a name in the source.
    public init(stringLiteral name: String) { rawValue = name }

    /// The name of one of several replicas, counted from 1: `storage-2`; that of the only one is the service's.
    public func replica(_ number: Int, of count: Int) -> String { count == 1 ? rawValue : "\(rawValue)-\(number)" }

    /// In the order of the names.
    public static func < (left: ServiceName, right: ServiceName) -> Bool { left.rawValue < right.rawValue }

    /// The name.
    public var description: String { rawValue }
}

/// What a disk of a service is called; a service finds it again after a restart.
public struct VolumeName: Hashable, Sendable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name.
    public let rawValue: String

    /// The usual name of the only volume.
    public static let data: VolumeName = "data"

    /// Makes a name.
    public init(_ name: String) { rawValue = name }

    /// Makes a name in the source.
    public init(stringLiteral name: String) { rawValue = name }

    /// In the order of the names.
    public static func < (left: VolumeName, right: VolumeName) -> Bool { left.rawValue < right.rawValue }

    /// The name.
    public var description: String { rawValue }
}

/// What a machine that services run on is called: it has a clock and power.
public struct NodeName: Hashable, Sendable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name.
    public let rawValue: String

    /// Makes a name.
    public init(_ name: String) { rawValue = name }

    /// Makes a name in the source.
    public init(stringLiteral name: String) { rawValue = name }

    /// In the order of the names.
    public static func < (left: NodeName, right: NodeName) -> Bool { left.rawValue < right.rawValue }

    /// The name.
    public var description: String { rawValue }
}
