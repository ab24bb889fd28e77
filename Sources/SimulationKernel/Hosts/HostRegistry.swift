/// A host's place among the hosts of its simulation, in the order in which they were added.
public struct HostID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// 0 for the first host that was added.
    public let index: UInt32

    init(index: UInt32) {
        self.index = index
    }

    /// Whether `left` was added before `right`.
    public static func < (left: HostID, right: HostID) -> Bool { left.index < right.index }

    /// A hash sign and the place, as in `#3`.
    public var description: String { "#\(index)" }
}

/// The hosts of a simulation, by place and by name.
struct HostRegistry {
    /// In the order in which they were added.
    private(set) var all: [Simulation.Host] = []
    private var idsByName: [String: HostID] = [:]

    /// The place of the next host.
    var nextID: HostID { HostID(index: UInt32(all.count)) }

    mutating func add(_ host: Simulation.Host) {
        assert(host.id == nextID, "host '\(host.name)' has the place \(host.id), which is not the next")
        assert(idsByName[host.name] == nil, "there is a host '\(host.name)' already")
        idsByName[host.name] = host.id
        all.append(host)
    }

    subscript(id: HostID) -> Simulation.Host { all[Int(id.index)] }

    func named(_ name: String) -> Simulation.Host? {
        idsByName[name].map { self[$0] }
    }

    /// The name of a host; nil is the world.
    func name(of id: HostID?) -> String {
        id.map { self[$0].name } ?? "world"
    }
}
