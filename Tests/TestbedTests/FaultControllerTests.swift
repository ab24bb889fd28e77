import Faults
import SimulatedTestbed
import SimulatedWorld
import SimulationKernel
import Testbed
import XCTest

/// Faults as data, on a deployment of somebody else's: applied, taken back, counted.
final class FaultControllerTests: XCTestCase {
    private typealias Play = (SimulatedDeployment) async throws -> Void

    /// Runs a deployment for so long, with something that is done to it.
    private func run(_ ping: PingDeployment, for seconds: Int = 30, _ play: @escaping Play) throws {
        let simulation = Simulation(seed: 1)
        let world = try SimulatedDeployment(ping.deployment, in: simulation)
        ping.watch(world)
        let result = try simulation.run {
            try await play(world)
            try await Task.sleep(for: .seconds(seconds) - world.elapsed)
        }
        XCTAssertEqual(result.stopReason, .finished)
        try result.get()
    }

    func testACutEndsAnswersAndItsEndBringsThemBack() throws {
        let ping = PingDeployment()
        var applied: [AppliedFault] = []
        try run(ping) { world in
            try await Task.sleep(for: .seconds(5))
            let id = try world.faults.apply(.link(.cut, FaultRoute("server", "client")))
            try await Task.sleep(for: .seconds(5))
            world.faults.revert(id)
            applied = world.faults.applied
        }
        XCTAssertEqual(ping.answers(in: 5.2..<10), 0)
        XCTAssertGreaterThan(ping.answers(in: 12..<30), 100)
        XCTAssertEqual(applied.count, 1)
        XCTAssertEqual(applied[0].impact.verdict, .hit)
        XCTAssertEqual(applied[0].since, .seconds(5))
        XCTAssertEqual(applied[0].until, .seconds(10))
    }

    // What a target does follows from all faults that act on it.
    func testOfTwoFaultsOnALinkTheOtherStaysWhenOneEnds() throws {
        let ping = PingDeployment()
        try run(ping) { world in
            let link = try world.network.link(from: "client", to: "server")
            let slow = try world.faults.apply(.link(.slow(by: .seconds(1), jitter: .zero), FaultRoute("server")))
            let slower = try world.faults.apply(.link(.slow(by: .seconds(3), jitter: .zero), FaultRoute("client")))
            let cut = try world.faults.apply(.link(.cut, FaultRoute("client", "server", .outbound)))
            let hold = try world.faults.apply(.link(.hold, FaultRoute("*")))
            XCTAssertEqual(link.state, .cut)
            XCTAssertEqual(link.options.latency, .fixed(.milliseconds(3001)))
            world.faults.revert(cut)
            XCTAssertEqual(link.state, .held)
            world.faults.revert(slower)
            XCTAssertEqual(link.options.latency, .fixed(.milliseconds(1001)))
            world.faults.revert(hold)
            world.faults.revert(slow)
            world.faults.revert(slow)
            XCTAssertEqual(link.state, .up)
            XCTAssertEqual(link.options.latency, .fixed(.milliseconds(1)))
        }
    }

    func testEverythingIsTakenBackAndWhatWasLeftIsTold() throws {
        let ping = PingDeployment()
        let faults: [Fault] = [
            .link(.toxic(Toxic("late", .latency(latency: .seconds(2), jitter: .zero))), FaultRoute("server")),
            .link(.lose(Ratio(1, outOf: 2)), FaultRoute("client")), .listener(.refuse, "server"),
            .listener(.unresolvable, "server"), .clock(.step(by: .seconds(100)), "server"),
            .disk(.fail(reads: .one, writes: .one, syncs: .one), "server"), .process(.pause, "client"),
            .process(.crash(.now, down: nil), "server"),
        ]
        try run(ping) { world in
            try await Task.sleep(for: .seconds(5))
            for fault in faults { try world.faults.apply(fault) }
            try world.faults.apply(.link(.reset, FaultRoute("server")))
            try await Task.sleep(for: .seconds(5))
            let server = try XCTUnwrap(world.process(named: "server"))
            XCTAssertFalse(server.isUp)
            XCTAssertEqual(world.heal().map(\.fault), faults)
            XCTAssertTrue(server.isUp)
            XCTAssertEqual(server.disk()?.faults, DiskFaults())
            XCTAssertEqual(try world.network.link(from: "client", to: "server").toxics, [])
            XCTAssertEqual(world.heal(), [])
        }
        XCTAssertEqual(ping.answers(in: 6..<10), 0)
        XCTAssertGreaterThan(ping.answers(in: 15..<30), 100)
    }

    // Half of a cut healed: between two, while it goes on to others.
    func testANetworkFaultIsTakenBackBetweenTwoAlone() throws {
        try run(PingDeployment(replicas: 2)) { world in
            let id = try world.faults.apply(.link(.cut, FaultRoute("client")))
            world.faults.revert(id, on: FaultRoute("client", "server-1"))
            XCTAssertEqual(try world.network.link(from: "client", to: "server-1").state, .up)
            XCTAssertEqual(try world.network.link(from: "client", to: "server-2").state, .cut)
            world.faults.revert(id)
            XCTAssertEqual(try world.network.link(from: "client", to: "server-2").state, .up)
        }
    }

    func testAFaultThatNobodyFeelsHasMissedAndOneThatSomeFeelIsPartly() throws {
        var verdicts: [FaultImpact.Verdict] = []
        try run(PingDeployment(replicas: 2)) { world in
            try await Task.sleep(for: .seconds(2))
            try world.faults.apply(.disk(.fail(reads: .one, writes: .one, syncs: .one), "server"))
            try world.faults.apply(.link(.slow(by: .milliseconds(1), jitter: .zero), FaultRoute("server")))
            try world.faults.apply(.process(.crash(.now, down: nil), "server-1"))
            try world.faults.apply(.process(.crash(.now, down: .seconds(1)), "server"))
            try await Task.sleep(for: .seconds(2))
            verdicts = world.faults.applied.map(\.impact.verdict)
        }
        XCTAssertEqual(verdicts, [.missed, .hit, .hit, .partly])
    }

    func testTargetsThatAreNotThereAreNamedWithThoseThatAre() throws {
        try run(PingDeployment(), for: 1) { world in
            let cases: [(Fault, String)] = [
                (.process(.pause, "servr"), "there is no 'servr'; there are client, server"),
                (
                    .link(.cut, FaultRoute("server", "clint")),
                    "there is no machine 'clint'; there are client, experimenter"
                ),
                (.disk(.fill(free: 0), "client"), "'client' has no disk; there are server"),
                (.custom(CustomFault("rain", "server")), "has no fault 'rain' of its own; it has none"),
            ]
            for (fault, message) in cases {
                XCTAssertThrowsError(try world.faults.apply(fault)) { error in
                    XCTAssertTrue("\(error)".contains(message), "\(error)")
                }
            }
            XCTAssertEqual(world.faults.applied, [])
        }
    }

    // MARK: Processes and nodes

    // A killed process' machine resets what was connected and refuses what comes; a node without power says nothing.
    func testPeersOfAKilledProcessAreRefusedAndThoseOfALostNodeWait() throws {
        func firstFailure(_ fault: Fault) throws -> String {
            let ping = PingDeployment()
            try run(ping) { world in
                try await Task.sleep(for: .milliseconds(5050))
                try world.faults.apply(fault)
            }
            let failure = try XCTUnwrap(ping.failures.first)
            XCTAssertLessThan(failure.time, .seconds(7))
            return failure.reason
        }
        let killed = try firstFailure(.process(.crash(.now, down: nil), "server"))
        XCTAssertTrue(killed.contains("refused"), killed)
        let lost = try firstFailure(.process(.powerLoss(.now, down: nil), "server"))
        XCTAssertFalse(lost.contains("refused") || lost.contains("reset"), lost)
    }

    func testProcessesOfANodeLosePowerAndTimeTogether() throws {
        try run(PingDeployment(replicas: 3, nodes: ["left", "right"])) { world in
            XCTAssertEqual(world.processes(of: "left").map(\.name), ["server-1", "server-3"])
            try world.faults.apply(.process(.powerLoss(.now, down: .seconds(4)), "server-3"))
            XCTAssertEqual(world.processes.filter(\.isUp).map(\.name), ["server-2", "client"])
            try await Task.sleep(for: .seconds(5))
            XCTAssertEqual(world.processes.map(\.bootCount), [2, 1, 2, 1])
        }
    }

    func testAProcessIsKilledInTheMiddleOfItsStartOnce() throws {
        let ping = PingDeployment()
        try run(ping) { world in
            try await Task.sleep(for: .seconds(5))
            try world.faults.apply(.process(.crashStarting(after: .zero), "server"))
            try world.faults.apply(.process(.crash(.now, down: .seconds(1)), "server"))
            try await Task.sleep(for: .seconds(5))
            let server = try XCTUnwrap(world.process(named: "server"))
            XCTAssertTrue(server.isUp)
            XCTAssertEqual(server.bootCount, 3)
            XCTAssertEqual(world.faults.applied.map(\.impact.hits), [1, 1])
        }
    }

    func testAProcessThatFailsIsStartedAgainAsItsPolicySays() throws {
        struct Broken: Error {}
        for (policy, boots) in [(RestartPolicy.never, 1), (.onFailure(after: .seconds(3)), 4)] {
            var deployment = Deployment()
            deployment.add(
                ServiceDefinition("broken") { _ in throw Broken() }, restart: policy)
            let simulation = Simulation(seed: 1)
            let world = try SimulatedDeployment(deployment, in: simulation)
            _ = try simulation.run(for: .seconds(10))
            XCTAssertEqual(world.process(named: "broken")?.bootCount, boots)
        }
    }

    func testDeploymentsThatCannotBeAreRefused() {
        let service = ServiceDefinition("a") { _ in }
        var twice = Deployment()
        twice.add(service)
        twice.add(service)
        XCTAssertThrowsError(try twice.validate()) { XCTAssertEqual($0 as? DeploymentError, .duplicateName("a")) }
        var lonely = Deployment()
        lonely.add(ServiceDefinition("b", uses: ["a"]) { _ in })
        XCTAssertThrowsError(try lonely.validate()) { XCTAssertEqual($0 as? DeploymentError, .noService("a")) }
        var none = Deployment()
        none.add(service, replicas: 0)
        XCTAssertThrowsError(try none.validate()) { XCTAssertEqual($0 as? DeploymentError, .noReplica("a")) }
    }
}
