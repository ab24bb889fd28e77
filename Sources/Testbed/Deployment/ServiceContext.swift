@_exported public import Ports

/// What a service's process is given of the world: the network, its disks, where others are, and whom to tell.
public struct ServiceContext: Sendable {
    /// The process' name: the service's, with a number where there are several replicas.
    public let process: String
    /// Which replica it is, from 1 on.
    public let replica: Int
    /// How it reaches the network.
    public let ports: any Ports
    private let world: any ServiceWorld

    /// Makes a context.
    ///
    /// - Parameters:
    ///   - process: The process' name.
    ///   - replica: Which replica it is, from 1 on.
    ///   - ports: How it reaches the network.
    ///   - world: Answers for everything else.
    public init(process: String, replica: Int, ports: any Ports, world: any ServiceWorld) {
        self.process = process
        self.replica = replica
        self.ports = ports
        self.world = world
    }

    /// Where it is to listen.
    ///
    /// - Throws: ``DeploymentError/noPort(_:)`` for a service without a port.
    public var endpoint: Endpoint {
        get throws(DeploymentError) { try world.endpoint(ofProcess: process) }
    }

    /// Where the replicas of a service listen.
    ///
    /// - Throws: ``DeploymentError/noService(_:)`` and ``DeploymentError/noPort(_:)``.
    public func endpoints(of service: ServiceName) throws(DeploymentError) -> [Endpoint] {
        try world.endpoints(of: service)
    }

    /// Where the first replica of a service listens.
    ///
    /// - Throws: ``DeploymentError/noService(_:)`` and ``DeploymentError/noPort(_:)``.
    public func endpoint(of service: ServiceName) throws(DeploymentError) -> Endpoint {
        guard let first = try endpoints(of: service).first else { throw .noService(service) }
        return first
    }

    /// A file on one of its disks.
    ///
    /// - Throws: ``DeploymentError/noVolume(_:_:)``.
    public func file(_ path: String, on volume: VolumeName = .data) throws(DeploymentError) -> DiskLocation {
        try world.file(path, on: volume, of: process)
    }

    /// Tells whoever watches what the service does; costs nothing where nobody does.
    public func report(_ observation: any Observation) {
        world.report(observation, by: process)
    }

    /// Tells that a path was taken that a sweep over many seeds must have taken.
    public func reach(_ mark: Mark) {
        world.reach(mark)
    }
}

/// What answers for a deployment's processes: simulated machines, or processes on this one.
public protocol ServiceWorld: AnyObject, Sendable {
    /// Where a process is to listen.
    func endpoint(ofProcess process: String) throws(DeploymentError) -> Endpoint
    /// Where the replicas of a service listen.
    func endpoints(of service: ServiceName) throws(DeploymentError) -> [Endpoint]
    /// A file on a disk of a process.
    func file(_ path: String, on volume: VolumeName, of process: String) throws(DeploymentError) -> DiskLocation
    /// A process tells what it does.
    func report(_ observation: any Observation, by process: String)
    /// A path was taken that must be taken.
    func reach(_ mark: Mark)
}

/// Why a deployment has not what was asked for.
public enum DeploymentError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no service of that name.
    case noService(ServiceName)
    /// The service listens nowhere.
    case noPort(String)
    /// The process has no such disk.
    case noVolume(VolumeName, String)
    /// Two parts have one name.
    case duplicateName(String)
    /// A service has no replica.
    case noReplica(ServiceName)

    /// What is missing, and what to do.
    public var description: String {
        switch self {
        case .noService(let name): "the deployment has no service '\(name)'; add(_:) it"
        case .noPort(let name): "'\(name)' has no port; say port: in its definition"
        case .noVolume(let volume, let process):
            "'\(process)' has no volume '\(volume)'; say volumes: in its definition"
        case .duplicateName(let name): "two parts of the deployment are called '\(name)'"
        case .noReplica(let name): "the service '\(name)' has no replica; say at least 1"
        }
    }
}
