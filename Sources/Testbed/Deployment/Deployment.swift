@_exported public import Faults

/// A system under test: which services there are, how many of each, and where they run.
public struct Deployment: Sendable {
    /// A service in its place.
    public struct Service: Sendable {
        /// What it is.
        public let definition: ServiceDefinition
        /// How many of it there are, at least 1.
        public let replicas: Int
        /// What happens when a process of it has ended.
        public let restart: RestartPolicy
        /// The nodes that its replicas run on, in turn; empty gives each a node of its own, called like the process.
        public let nodes: [NodeName]
    }

    /// The services, in the order in which they start.
    public private(set) var services: [Service] = []
    /// How long a packet takes between two machines where nothing is wrong.
    public var latency: Duration
    /// The name of the machine from which experiments reach the services.
    public var driver: String

    /// Makes a deployment without services.
    ///
    /// - Parameters:
    ///   - latency: How long a packet takes between two machines.
    ///   - driver: The name of the machine from which experiments reach the services.
    public init(latency: Duration = .milliseconds(1), driver: String = "experimenter") {
        self.latency = latency
        self.driver = driver
    }

    /// Adds a service.
    ///
    /// - Parameters:
    ///   - definition: What it is.
    ///   - replicas: How many of it there are.
    ///   - restart: What happens when a process of it has ended.
    ///   - nodes: The nodes that its replicas run on, in turn; empty gives each a node of its own.
    public mutating func add(
        _ definition: ServiceDefinition, replicas: Int = 1, restart: RestartPolicy = .standard,
        on nodes: [NodeName] = []
    ) {
        services.append(Service(definition: definition, replicas: replicas, restart: restart, nodes: nodes))
    }

    /// The names by which faults find what they hit.
    public var names: DeploymentNames {
        var (processes, hosts, disks): ([String], [String], [String]) = ([], [], [])
        for service in services {
            let name = service.definition.name
            let replicas = (1...max(1, service.replicas)).map { name.replica($0, of: service.replicas) }
            let all = service.replicas == 1 ? replicas : [name.rawValue] + replicas
            processes += all
            hosts += all
            if !service.definition.volumes.isEmpty { disks += all }
            for node in service.nodes where !processes.contains(node.rawValue) {
                processes.append(node.rawValue)
                hosts.append(node.rawValue)
            }
        }
        let routes = services.flatMap { service in
            service.definition.uses.map {
                DeploymentNames.Route(client: service.definition.name.rawValue, server: $0.rawValue)
            }
        }
        return DeploymentNames(
            processes: processes.sorted(), hosts: (hosts + [driver]).sorted(), disks: disks.sorted(), routes: routes)
    }

    /// Checks the deployment.
    ///
    /// - Throws: ``DeploymentError`` with the first thing that is wrong.
    public func validate() throws(DeploymentError) {
        var names: Set<String> = [driver]
        for service in services {
            guard service.replicas >= 1 else { throw .noReplica(service.definition.name) }
            for number in 1...service.replicas {
                let name = service.definition.name.replica(number, of: service.replicas)
                guard names.insert(name).inserted else { throw .duplicateName(name) }
            }
        }
        let known = Set(services.map(\.definition.name))
        for used in services.flatMap(\.definition.uses) where !known.contains(used) { throw .noService(used) }
        for node in Set(services.flatMap(\.nodes)).sorted() where names.contains(node.rawValue) {
            throw .duplicateName(node.rawValue)
        }
    }
}
