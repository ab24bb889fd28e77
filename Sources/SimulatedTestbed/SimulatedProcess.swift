import Faults
import SimulatedSQLite
public import SimulatedWorld
import SimulationKernel
public import Testbed

/// The life of a service on a simulated node: started, failed, killed, started again.
public final class SimulatedProcess {
    /// Its name, which is its host's.
    public let name: String
    /// The service that it is a replica of.
    public let service: ServiceName
    /// The node that it runs on: processes of one node share power and clock.
    public let node: NodeName
    /// Its disks.
    public internal(set) var volumes: [VolumeName: SimulatedVolume] = [:]

    private let restart: RestartPolicy
    private let log: TestbedLog
    private let world: World
    private var host: Simulation.Host?
    private var network: Network?
    /// Nobody starts it before the fault is taken back.
    private var isHeldDown: Bool = false
    /// When it is killed after the next start; nil if it is not.
    private var killedAfterStart: Duration?
    /// Counts up whenever a planned start or end means nothing any more.
    private var plan: UInt64 = 0
    /// Told when a planned end has come: of the disk's operation, or of the start.
    var onPlannedEnd: (() -> Void)?

    init(
        name: String, service: ServiceName, node: NodeName, restart: RestartPolicy, log: TestbedLog, world: World
    ) {
        self.name = name
        self.service = service
        self.node = node
        self.restart = restart
        self.log = log
        self.world = world
    }

    func attach(_ host: Simulation.Host, in network: Network) {
        self.host = host
        self.network = network
    }

    /// Whether its process runs, and has not failed.
    public var isUp: Bool {
        guard let host, host.state == .running || host.state == .paused else { return false }
        if case .failure = host.exit { return false }
        return true
    }

    /// Whether it is stopped in the middle of everything.
    public var isPaused: Bool { host?.state == .paused }

    /// How often it was started.
    public var bootCount: Int { host?.bootCount ?? 0 }

    /// The disk of a volume; nil if there is none of that name.
    public func disk(_ volume: VolumeName = .data) -> Disk? { volumes[volume]?.disk }

    var disksInOrder: [SimulatedVolume] { volumes.keys.sorted().compactMap { volumes[$0] } }

    /// Runs the service's code as the host's main task.
    func run(_ body: () async throws -> Void) async throws {
        plan += 1
        log.record(.started(process: name, boot: bootCount))
        if let time = killedAfterStart {
            killedAfterStart = nil
            after(time) { [self] in
                log.record(.crashed(process: name, losesPower: false))
                onPlannedEnd?()
                end(losesPower: false, down: .zero)
            }
        }
        do {
            try await body()
        } catch {
            fail("\(error)")
            throw error
        }
    }

    private func fail(_ reason: String) {
        log.record(.failed(process: name, reason: reason))
        guard case .onFailure(let delay) = restart else { return }
        after(delay) { [self] in
            end(losesPower: false, down: .zero)
        }
    }

    /// Does something later, unless the process has been started or killed until then.
    private func after(_ delay: Duration, _ action: @escaping () -> Void) {
        let plan = plan
        let time = world.nanoseconds + UInt64(max(0, delay.attoseconds / 1_000_000_000))
        world.schedule(at: time) { [weak self] _ in
            guard let self, self.plan == plan else { return }
            action()
        }
    }

    // MARK: Faults

    /// The process is killed; its machine tells its peers.
    ///
    /// - Parameter down: For how long; nil until ``start()``.
    func kill(down: Duration?) {
        guard host?.state == .running || host?.state == .paused else {
            // What is down anyway is started when it would have been, or not at all.
            guard down == nil else { return }
            plan += 1
            isHeldDown = true
            return
        }
        log.record(.crashed(process: name, losesPower: false))
        end(losesPower: false, down: down)
    }

    /// The power goes: nobody is told, and disks lose what was not synced.
    func losePower(_ outcome: PowerLossOutcome?, down: Duration?) {
        log.record(.crashed(process: name, losesPower: true))
        end(losesPower: true, down: down)
        for volume in disksInOrder { volume.disk.cutPower(outcome) }
    }

    private func end(losesPower: Bool, down: Duration?) {
        plan += 1
        isHeldDown = down == nil
        if losesPower { try? network?.cutPower(of: name) } else { try? network?.killProcess(of: name) }
        if !losesPower { for volume in disksInOrder { volume.disk.crash() } }
        if let down { after(down) { [self] in start() } }
    }

    /// Lets it be killed, or lose power, in the middle of an operation of its first disk: 1 is the next.
    ///
    /// `crash` does that, once it is so far; nil takes the plan back.
    func planCrash(_ kind: Disk.Crash, atOperation operation: Int?, _ crash: @escaping () -> Void) {
        guard let disk = disksInOrder.first?.disk else { return }
        disk.scheduleCrash(operation == nil ? nil : kind, atOperation: operation ?? 1)
        disk.onCrash = { _ in crash() }
    }

    /// Lets it be killed so long after its next start; nil takes that back.
    func planCrash(afterStart time: Duration?) {
        killedAfterStart = time
    }

    /// Nothing is planned for it any more: the run is over, and plans hold the process that they belong to.
    func forgetPlans() {
        onPlannedEnd = nil
        for volume in disksInOrder { volume.disk.onCrash = nil }
    }

    /// Starts it, if it is down.
    func start() {
        isHeldDown = false
        host?.start()
    }

    /// Starts it if it was killed, or lost power, and would be started later.
    func startIfKilled() {
        guard host?.state == .crashed else { return }
        plan += 1
        start()
    }

    /// Starts it if a fault holds it down; true if one did.
    func release() -> Bool {
        guard isHeldDown else { return false }
        start()
        return true
    }

    func pause() {
        guard host?.state == .running else { return }
        log.record(.paused(process: name))
        host?.pause()
    }

    func resume() {
        guard host?.state == .paused else { return }
        log.record(.resumed(process: name))
        host?.resume()
    }

    /// It is killed, and started with an empty disk in place of its own.
    func loseDisks(down: Duration) {
        kill(down: down)
        for volume in disksInOrder { volume.replace() }
    }

    // MARK: Clock

    func stepClock(by offset: Duration) { host?.stepWallClock(by: offset) }
    func driftClock(nanosecondsPerSecond drift: Int) { host?.driftWallClock(nanosecondsPerSecond: drift) }
    func unskewClock() { host?.unskewWallClock() }
}
