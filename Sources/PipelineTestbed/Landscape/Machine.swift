import Durations
import Faults
import Measurements
import Pipeline
import Ports
import Randomness
import SimulatedSQLite
import SimulatedWorld
import SimulationKernel

/// A simulated machine with a disk and one service, which is started again when it ends.
final class Machine {
    let name: String
    private let simulation: Simulation
    private var host: Simulation.Host?
    private(set) var disk: Disk
    private var vfs: SQLiteVFS
    private var disksMade: Int = 0
    /// Whether whoever watches over it may start it.
    private var isHeldDown: Bool = false
    private var startsAt: VirtualInstant?

    /// How often somebody looks whether the service has ended.
    private static let watchInterval: Duration = .seconds(1)
    /// How long after that it is started again.
    private static let restartDelay: Duration = .seconds(2)

    /// Makes a machine whose service is reached by its name.
    init(
        _ name: String, in network: Network, _ simulation: Simulation, disk options: DiskOptions,
        service: @escaping (SimulatedPorts, Machine) async throws -> Void
    ) throws {
        self.name = name
        self.simulation = simulation
        disk = Disk(RandomStream(seed: simulation.seed).fork("disk of \(name)"), options: options)
        vfs = SQLiteVFS(disk, wall: { WallClock.milliseconds })
        host = try network.host(name) { [unowned self] ports in try await service(ports, self) }
        watch()
    }

    /// A database file on its disk.
    func file(_ path: String) -> DiskLocation {
        vfs.location(path, sleep: { try await Task.sleep(for: $0) })
    }

    private func watch() {
        // Not held: the simulation would keep what keeps it.
        simulation.schedule(after: Self.watchInterval) { [weak self] _ in
            self?.look()
            self?.watch()
        }
    }

    private func look() {
        guard let host else { return }
        // A service ends by itself only when its disk has failed it.
        if host.state == .running, case .failure = host.exit { crash() }
        if !isHeldDown, host.state == .crashed, startsAt.map({ $0 <= simulation.now }) ?? true { start() }
    }

    // MARK: Faults

    /// The process dies, or the power goes.
    ///
    /// - Parameters:
    ///   - power: Whether the power goes, and not only the process.
    ///   - down: For how long it stays down; nil until ``start()``.
    func crash(power: Bool = false, down: Duration? = restartDelay) {
        host?.crash()
        if power { disk.cutPower() } else { disk.crash() }
        isHeldDown = down == nil
        startsAt = down.map { simulation.now.advanced(by: $0) }
    }

    /// Starts the service, if it is down.
    func start() {
        isHeldDown = false
        startsAt = nil
        host?.start()
    }

    /// The machine is started with an empty disk in place of its own.
    func loseDisk() {
        crash()
        disksMade += 1
        disk = Disk(
            RandomStream(seed: simulation.seed).fork("disk \(disksMade) of \(name)"), options: disk.options)
        vfs = SQLiteVFS(disk, wall: { WallClock.milliseconds })
    }

    /// Takes back whatever was done to it; what that was.
    func heal() -> [String] {
        var healed: [String] = []
        if disk.faults != DiskFaults() { healed.append("the disk of \(name) had faults") }
        if isHeldDown { healed.append("\(name) was down") }
        disk.faults = DiskFaults()
        if isHeldDown { start() }
        return healed
    }

    /// Whether its service runs.
    var isUp: Bool { host?.state == .running && host?.exit == nil }
}
