import SimulatedCluster
import SimulationKernel
import Torture
import XCTest

/// What pods run may be anything: here ordinary async code, on a host for each life of a container.
final class RuntimeTests: XCTestCase {
    // The code knows nothing of the cluster; it fails after half a minute, and is started again, later each time.
    func testAPodsContainersMayBeHostsWithAsyncCode() throws {
        var starts: [Double] = []
        let simulation = Simulation(seed: 1)
        let hosts = HostRuntime(simulation) {
            starts.append(Double(simulation.now.nanoseconds) / 1e9)
            try await Task.sleep(for: .seconds(30))
            throw CancellationError()
        }
        let cluster = Cluster(simulation, runtime: hosts)
        for number in 1...3 { cluster.addNode("vm-\(number)") }
        let outcome = try simulation.run {
            try cluster.create(
                Deployment("web", namespace: "default", replicas: 1, template: ClusterRig.template("web")))
            try await simulation.clock.sleep(for: .seconds(95))
            XCTAssertEqual(starts.count, 3)
            XCTAssertEqual(try cluster.list(Pod.self).map(\.restartCount), [2])
            XCTAssertEqual(hosts.running, 1)
            // Its machine's power takes the host along.
            let pod = try cluster.list(Pod.self)[0]
            let machine = try XCTUnwrap(pod.nodeName.flatMap(cluster.node(named:)))
            cluster.powerOff(machine)
            XCTAssertEqual(hosts.running, 0)
        }
        try outcome.get()
        XCTAssertEqual(outcome.hostFailures.count, 2, "two lives have ended with an error, one with the power")
    }

    // A runtime that must be asked is asked in each period.
    func testARuntimeThatDoesNotTellItsHealthIsAskedAgainAndAgain() throws {
        let simulation = Simulation(seed: 1)
        let hosts = HostRuntime(simulation) { try await Task.sleep(for: .seconds(100_000)) }
        let cluster = Cluster(simulation, runtime: hosts)
        cluster.addNode("vm-1")
        let outcome = try simulation.run {
            try cluster.create(
                Deployment("web", namespace: "default", replicas: 1, template: ClusterRig.template("web")))
            try await simulation.clock.sleep(for: .seconds(30))
            XCTAssertEqual(try cluster.list(Pod.self).map(\.isReady), [true])
            let asked = hosts.probes
            try await simulation.clock.sleep(for: .seconds(100))
            XCTAssertEqual(hosts.probes - asked, 10)
            hosts.answer = .silence
            try await simulation.clock.sleep(for: .seconds(32))
            XCTAssertEqual(try cluster.list(Pod.self).map(\.isReady), [false])
        }
        try outcome.get()
    }
}

/// Gives each life of a container a host of its own.
private final class HostRuntime: PodRuntime {
    let reportsHealth: Bool = false
    var answer: ProbeAnswer = .success
    private(set) var probes: Int = 0
    private let simulation: Simulation
    private let boot: () async throws -> Void
    private var hosts: [ObjectIdentifier: Simulation.Host] = [:]
    private var started: Int = 0

    init(_ simulation: Simulation, boot: @escaping () async throws -> Void) {
        self.simulation = simulation
        self.boot = boot
    }

    var running: Int { hosts.values.count { $0.state == .running } }

    func attach(to world: World) {}

    func start(_ container: Container) {
        started += 1
        let id = ObjectIdentifier(container)
        let code = boot
        hosts[id] = try? simulation.addHost("\(container.pod.name) \(started)") { [weak self, weak container] in
            do {
                try await code()
            } catch {
                self?.hosts[id] = nil
                container?.exit(code: 1)
                throw error
            }
        }
    }

    func stop(_ container: Container) {
        kill(container)
        container.exit(code: 0)
    }

    func kill(_ container: Container) {
        hosts.removeValue(forKey: ObjectIdentifier(container))?.crash()
    }

    func probe(_ container: Container, _ kind: ProbeKind, answer: @escaping (ProbeAnswer) -> Void) {
        probes += 1
        answer(self.answer)
    }
}
