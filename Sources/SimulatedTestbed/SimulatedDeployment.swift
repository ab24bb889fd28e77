public import Faults
import Ports
import Randomness
public import SimulatedWorld
public import SimulationKernel
public import Testbed

/// A deployment on simulated nodes: its processes, their disks, the network between them, and the faults that act on them.
///
/// It belongs to one simulation and its thread.
public final class SimulatedDeployment {
    /// The kernel of the simulation that it runs in: not the simulation, which it would keep if that is never run.
    let world: World
    /// The network between its machines.
    public let network: Network
    /// What it was made of.
    public let deployment: Deployment
    /// The names by which faults find what they hit.
    public let names: DeploymentNames
    /// Where everything is told.
    public let log: TestbedLog
    /// Asks the invariants.
    public let monitor: InvariantMonitor
    /// Applies faults and takes them back.
    public private(set) lazy var faults: SimulatedFaultController = SimulatedFaultController(self, handlers: handlers)
    private let handlers: [any CustomFaultHandler]
    /// The driver's way to the network, once it runs.
    public private(set) var ports: SimulatedPorts?
    /// The processes, in the order in which they start.
    public private(set) var processes: [SimulatedProcess] = []
    private var processesByName: [String: SimulatedProcess] = [:]

    /// Puts a deployment into a simulation that has not run.
    ///
    /// - Parameters:
    ///   - deployment: The services and where they run.
    ///   - simulation: The simulation.
    ///   - disk: How all disks keep bytes.
    ///   - handlers: Who does the deployment's own faults.
    /// - Throws: `DeploymentError`, and `SimulationError.duplicateHost`.
    public init(
        _ deployment: Deployment, in simulation: Simulation, disk: DiskOptions = DiskOptions(),
        handlers: [any CustomFaultHandler] = []
    ) throws {
        try deployment.validate()
        self.deployment = deployment
        self.handlers = handlers
        world = simulation.world
        names = deployment.names
        network = try Network(simulation, defaultLink: Link.Options(latency: .fixed(deployment.latency)))
        let now: () -> Duration = { [world] in .nanoseconds(Int64(world.nanoseconds)) }
        log = TestbedLog(now: now)
        monitor = InvariantMonitor(log, now: now)
        let bridge = Bridge()
        bridge.deployment = self
        for service in deployment.services {
            for number in 1...service.replicas { try add(service, number, disk, simulation.seed, bridge) }
        }
        try network.host(deployment.driver) { [bridge] in bridge.deployment?.ports = $0 }
        // What watches holds what it watches, and hosts' code holds the bridge: neither outlives the run.
        world.onEnd { [bridge] in
            bridge.deployment?.end()
            bridge.deployment = nil
        }
    }

    private func end() {
        log.close()
        monitor.close()
        for process in processes { process.forgetPlans() }
    }

    private func add(
        _ service: Deployment.Service, _ number: Int, _ disk: DiskOptions, _ seed: Seed, _ bridge: Bridge
    ) throws {
        let definition = service.definition
        let name = definition.name.replica(number, of: service.replicas)
        let node = service.nodes.isEmpty ? NodeName(name) : service.nodes[(number - 1) % service.nodes.count]
        let process = SimulatedProcess(
            name: name, service: definition.name, node: node, restart: service.restart, log: log, world: world)
        for volume in definition.volumes {
            let label = definition.volumes.count == 1 ? name : "\(name)/\(volume)"
            process.volumes[volume] = SimulatedVolume(label: label, seed: seed, options: disk)
        }
        let host = try network.host(name) { [bridge] ports in
            // After the run's end nobody is there.
            guard let process = bridge.deployment?.process(named: name) else { return }
            let context = ServiceContext(process: name, replica: number, ports: ports, world: bridge)
            try await process.run { try await definition.run(context) }
        }
        process.attach(host, in: network)
        processes.append(process)
        processesByName[name] = process
    }

    // MARK: Time

    /// The time since the run began.
    public var elapsed: Duration { .nanoseconds(Int64(world.nanoseconds)) }

    /// The time since the run began, in ns.
    public var nanoseconds: UInt64 { world.nanoseconds }

    /// Tells again and again, until the run is over.
    ///
    /// - Parameters:
    ///   - interval: How often; above 0.
    ///   - action: What is done.
    public func repeatedly(every interval: Duration, _ action: @escaping () -> Void) {
        precondition(interval > .zero, "again every \(interval); it must be above 0")
        let next = world.nanoseconds + UInt64(interval.attoseconds / 1_000_000_000)
        world.schedule(at: next) { [weak self] _ in
            guard let self else { return }
            action()
            repeatedly(every: interval, action)
        }
    }

    // MARK: Names

    /// The process of a name; nil if there is none.
    public func process(named name: String) -> SimulatedProcess? { processesByName[name] }

    /// The processes that a target means: a service's replicas, one replica, or all that runs on a node.
    public func processes(of target: FaultTarget) -> [SimulatedProcess] {
        if target == .everybody { return processes }
        if let process = processesByName[target.name] { return [process] }
        return processes.filter { $0.service.rawValue == target.name || $0.node.rawValue == target.name }
    }

    /// The processes that share a node with some, themselves included.
    func processesOnNodes(of chosen: [SimulatedProcess]) -> [SimulatedProcess] {
        let nodes = Set(chosen.map(\.node))
        return processes.filter { nodes.contains($0.node) }
    }

    /// The hosts that a target means; the driver is one.
    func hosts(of target: FaultTarget) -> [String] {
        if target == .everybody { return processes.map(\.name) + [deployment.driver] }
        if target.name == deployment.driver { return [deployment.driver] }
        return processes(of: target).map(\.name)
    }

    /// Everything is healed from now on.
    ///
    /// - Returns: The faults that still acted, or had left somebody down.
    @discardableResult
    public func heal() -> [AppliedFault] {
        let left = faults.revertAll()
        log.record(.healed)
        return left
    }

    // MARK: For processes

    /// What processes reach the deployment by until the run is over: a task that cannot end keeps nothing else.
    final class Bridge: ServiceWorld, @unchecked Sendable {
        var deployment: SimulatedDeployment?

        func endpoint(ofProcess process: String) throws(DeploymentError) -> Endpoint {
            guard let service = deployment?.processesByName[process]?.service else { throw .noPort(process) }
            guard let port = deployment?.definition(of: service)?.port else { throw .noPort(process) }
            return Endpoint(process, port)
        }

        func endpoints(of service: ServiceName) throws(DeploymentError) -> [Endpoint] {
            guard let deployment, let definition = deployment.definition(of: service) else {
                throw .noService(service)
            }
            guard let port = definition.port else { throw .noPort(service.rawValue) }
            return deployment.processes.filter { $0.service == service }.map { Endpoint($0.name, port) }
        }

        func file(
            _ path: String, on volume: VolumeName, of process: String
        ) throws(DeploymentError) -> DiskLocation {
            guard let found = deployment?.processesByName[process]?.volumes[volume] else {
                throw .noVolume(volume, process)
            }
            return found.file(path)
        }

        func report(_ observation: any Observation, by process: String) {
            deployment?.log.record(.observed(observation, by: process))
        }

        func reach(_ mark: Mark) { deployment?.log.reach(mark) }
    }

    private func definition(of service: ServiceName) -> ServiceDefinition? {
        deployment.services.first { $0.definition.name == service }?.definition
    }
}
