import Faults
import Foundation
import NIOCore
import Ports
import SimulatedWorld
import SimulationKernel
import XCTest

/// What is left of networks, hosts and runs when they end, in whatever order.
final class NetworkLifeTests: XCTestCase {
    // NIO stops a debug build whose promises are dropped: what was scheduled has to fail.
    func testWhatWasScheduledFailsWhenTheRunEnds() throws {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        let seen = Seen()
        try network.host("a") { ports in
            let scheduled = ports.eventLoop.scheduleTask(in: .seconds(60)) {}
            scheduled.futureResult.whenFailure { if $0 as? EventLoopError == .cancelled { seen.add("cancelled") } }
            ports.eventLoop.scheduleTask(in: .seconds(60)) {}
            try await Task.sleep(for: .seconds(100))
        }
        let outcome = try simulation.run(for: .seconds(1))
        XCTAssertEqual(outcome.abandonedTasks, 0)
        XCTAssertEqual(seen.all, ["cancelled"])
    }

    func testWhatACrashedHostScheduledNeverHappens() throws {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        let seen = Seen()
        let host = try network.host("a") { ports in
            guard Simulation.Host.current?.bootCount == 1 else { return }
            ports.eventLoop.scheduleTask(in: .seconds(2)) { seen.add("ran") }
            try await ports.eventLoop.scheduleTask(in: .hours(1)) {}.futureResult.get()
        }
        let outcome = try simulation.run {
            try await Task.sleep(for: .seconds(1))
            host.restart()
            try await Task.sleep(for: .seconds(7200))
            XCTAssertEqual(seen.all, [])
        }
        XCTAssertEqual(outcome.stopReason, .finished)
        XCTAssertEqual(outcome.abandonedTasks, 0)
    }

    // The connection is forgotten while the crashed client's channel is not: closing that must touch nothing that is gone.
    func testAToxicThatOutlivesItsConnectionIsHarmless() throws {
        let accepted = Seen()
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        try network.host("server") { ports in
            _ = try await ports.listen(Endpoint("server", 80), options: .init()) { channel in
                accepted.channel = channel
                return channel.eventLoop.makeSucceededVoidFuture()
            }.get()
        }
        let client = try network.host("client") { ports in
            guard Simulation.Host.current?.bootCount == 1 else { return }
            _ = try await ports.dial(Endpoint("server", 80), options: .init()) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.get()
        }
        let outcome = try simulation.run {
            try network.link(from: "client", to: "server").setToxic(Toxic("x", .timeout(.milliseconds(2500))))
            try await Task.sleep(for: .seconds(1))
            client.restart()
            try await Task.sleep(for: .seconds(1))
            try await accepted.channel?.close()
            accepted.channel = nil
            try await Task.sleep(for: .seconds(1))
        }
        XCTAssertEqual(outcome.stopReason, .finished)
    }

    // Helpers build landscapes and keep nothing of them.
    func testNobodyHasToKeepTheNetwork() throws {
        let seen = Seen()
        func landscape(_ simulation: Simulation) throws {
            let network = try Network(simulation)
            try network.host("a") { _ in seen.add("booted") }
        }
        let simulation = Simulation(seed: 1)
        try landscape(simulation)
        XCTAssertEqual(try simulation.run(for: .seconds(1)).stopReason, .finished)
        XCTAssertEqual(seen.all, ["booted"])
    }

    // Hosts and networks outlive the simulation they belong to, and do nothing any more.
    func testPartsMayOutliveTheirSimulation() throws {
        weak var freed: Network?
        var host: Simulation.Host?
        func build() throws -> Network {
            let network = try Network(Simulation(seed: 1))
            host = try network.host("a") { _ in }
            return network
        }
        do {
            let network = try build()
            freed = network
            host?.start()
            XCTAssertEqual(host?.state, .stopped)
            XCTAssertNoThrow(try network.link(from: "a", to: "a"))
        }
        // A simulation that was never run keeps nothing either.
        XCTAssertNil(freed)
    }

    func testPortsOfADeadIncarnationAnswerThatTheHostIsDown() throws {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        let (old, seen) = (Seen(), Seen())
        let host = try network.host("h") { ports in if old.ports == nil { old.ports = ports } }
        let outcome = try simulation.run {
            try await Task.sleep(for: .seconds(1))
            let loop = try XCTUnwrap(old.ports).eventLoop
            host.restart()
            loop.scheduleTask(in: .seconds(1)) { seen.add("scheduled") }
            loop.execute { seen.add("executed") }
            do {
                try await loop.scheduleTask(in: .seconds(1)) {}.futureResult.get()
                XCTFail("ran")
            } catch { XCTAssertEqual(error as? EventLoopError, .shutdown) }
            do {
                _ = try await old.ports?.dial(Endpoint("h", 1), options: .init()) {
                    $0.eventLoop.makeSucceededVoidFuture()
                }.get()
                XCTFail("connected")
            } catch { XCTAssertEqual(error as? DialError, .hostDown(Endpoint("h", 1))) }
            do {
                _ = try await old.ports?.listen(Endpoint("h", 1), options: .init()) {
                    $0.eventLoop.makeSucceededVoidFuture()
                }.get()
                XCTFail("listens")
            } catch { XCTAssertEqual(error as? ListenError, .hostDown(Endpoint("h", 1))) }
            try await Task.sleep(for: .seconds(5))
            XCTAssertEqual(seen.all, [])
        }
        XCTAssertEqual(outcome.stopReason, .finished)
    }

    // A client waits for an answer that nobody sends: the text says which connection is open, in which state.
    func testADeadlockShowsTheConnections() throws {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        try network.host("server") { ports in
            _ = try await ports.listen(Endpoint("server", 80), options: .init()) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.get()
        }
        let client = Seen()
        try network.host("client") { client.ports = $0 }
        let outcome = try simulation.run {
            try await Task.sleep(for: .milliseconds(1))
            let channel = try await XCTUnwrap(client.ports).dial(Endpoint("server", 80), options: .init()) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.get()
            try await channel.closeFuture.get()
        }
        guard case .deadlock = outcome.stopReason else { return XCTFail("\(outcome)") }
        XCTAssertTrue("\(outcome)".contains("client:32768 ESTABLISHED → server:80 ESTABLISHED"), "\(outcome)")
        XCTAssertThrowsError(try outcome.get()) { XCTAssertTrue("\($0)".contains("ESTABLISHED"), "\($0)") }
    }

    // Who waits for what cannot come keeps itself, and neither the network nor the kernel's memory.
    func testATaskThatCannotEndKeepsNothingButItself() throws {
        try skipUnderSanitizers()
        func runs(_ count: Int) throws {
            for seed in 0..<count {
                let simulation = Simulation(seed: Seed(UInt64(seed)))
                let network = try Network(simulation)
                try network.host("a") { _ in
                    await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
                }
                XCTAssertEqual(try simulation.run(for: .seconds(1)).abandonedTasks, 1)
            }
        }
        try runs(200)
        let before = Self.residentBytes()
        try runs(1000)
        XCTAssertLessThan(Self.residentBytes() - before, 8_000_000)
    }

    // Ten kilobytes of state, ten thousand restarts: what the dead held is given back while the run goes on.
    func testRestartsGiveTheirMemoryBack() throws {
        try skipUnderSanitizers()
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        try network.host("server") { ports in
            // It closes at once: a server that waits for the dead keeps its ends of their connections.
            _ = try await ports.listen(Endpoint("server", 80), options: .init()) { channel in
                channel.eventLoop.execute { channel.close(promise: nil) }
                return channel.eventLoop.makeSucceededVoidFuture()
            }.get()
        }
        let host = try network.host("h") { ports in
            let state = [UInt8](repeating: 1, count: 10_000)
            _ = try await ports.dial(Endpoint("server", 80), options: .init()) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.get()
            while true {
                try await Task.sleep(for: .milliseconds(10))
                XCTAssertEqual(state.count, 10_000)
            }
        }
        var growth = 0
        let outcome = try simulation.run {
            func restarts(_ count: Int) async throws {
                for _ in 0..<count {
                    try await Task.sleep(for: .milliseconds(25))
                    host.restart()
                }
            }
            try await restarts(1000)
            let before = Self.residentBytes()
            try await restarts(9000)
            growth = Self.residentBytes() - before
        }
        XCTAssertEqual(outcome.stopReason, .finished)
        XCTAssertEqual(outcome.abandonedTasks, 0)
        XCTAssertLessThan(growth, 20_000_000)
    }

    // Code of a dead incarnation that ignores its cancellation is not run on and on while the run goes on.
    func testTheDeadDoLittleWhileTheyEnd() throws {
        let simulation = Simulation(seed: 1)
        let seen = Seen()
        let host = try simulation.addHost("h") {
            while true {
                try? await Task.sleep(for: .seconds(1))
                seen.count += 1
            }
        }
        let outcome = try simulation.run {
            for _ in 0..<30 {
                try await Task.sleep(for: .milliseconds(2500))
                host.restart()
            }
            // Two seconds of each life: few crashes change nothing.
            XCTAssertEqual(seen.count, 60)
        }
        XCTAssertEqual(outcome.stopReason, .finished)
    }

    private func skipUnderSanitizers() throws {
        let hasSanitizer = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil
        try XCTSkipIf(hasSanitizer, "a sanitizer keeps freed memory for a while")
    }

    static func residentBytes() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * 4096
    }
}

/// What happened, on the simulation's thread.
private final class Seen: @unchecked Sendable {
    private(set) var all: [String] = []
    var count: Int = 0
    var channel: (any Channel)?
    var ports: SimulatedPorts?

    func add(_ entry: String) { all.append(entry) }
}
