import Foundation
import SimulationKernel
import XCTest

final class HostTests: XCTestCase {
    // What a crashed incarnation would have done later must not happen during the run: not from a sleep, not from a
    // continuation that somebody else resumes, not from a task of any kind, not from an event of its own.
    func testNothingOfACrashedIncarnationRunsAgain() throws {
        let simulation = Simulation(seed: 1, options: .noted)
        let waiter = Waiter()
        let host = try simulation.addHost("poller") {
            let boot = Simulation.Host.current?.bootCount ?? 0
            let owner = ActorThatSleeps()
            Task {
                try await Task.sleep(for: .seconds(2)); Simulation.note("task \(boot)")
            }
            Task.detached {
                try await Task.sleep(for: .seconds(2), clock: .virtual); Simulation.note("detached \(boot)")
            }
            Task { @MainActor in
                try await Task.sleep(for: .seconds(2)); Simulation.note("main \(boot)")
            }
            Task {
                try await owner.sleep(); Simulation.note("actor \(boot)")
            }
            if boot == 1 {
                Task {
                    await withUnsafeContinuation { waiter.continuation = $0 }; Simulation.note("continuation")
                }
            }
            simulation.schedule(after: .seconds(2)) { _ in Simulation.note("event \(boot)") }
            async let child: Void = Task.sleep(for: .seconds(2))
            do {
                try await child
                Simulation.note("boot \(boot)")
            } catch {
                Simulation.note("error \(boot)")
            }
        }
        let log = try Simulation.recorded(simulation) {
            try await Task.sleep(for: .seconds(1))
            host.crash()
            XCTAssertEqual(host.state, .crashed)
            waiter.continuation?.resume()
            try await Task.sleep(for: .seconds(5))
            host.restart()
            XCTAssertEqual(host.bootCount, 2)
            try await Task.sleep(for: .seconds(5))
        }
        XCTAssertEqual(log.sorted(), ["actor 2", "boot 2", "detached 2", "event 2", "main 2", "task 2"])
    }

    // A task that waits inside an actor is resumed into the actor's own queue, past the kernel: what the dead incarnation
    // then does must reach nothing, and what a living one does must be its own, not the resumer's.
    func testWhoIsResumedInsideAnActorIsStillItself() throws {
        let simulation = Simulation(seed: 1, options: .noted)
        let waiters = [Waiter(), Waiter()]
        for (number, waiter) in waiters.enumerated() {
            try simulation.addHost("host-\(number)") {
                let desk = Desk(waiter)
                await desk.wait()
                await desk.report()
            }
        }
        let log = try Simulation.recorded(simulation) {
            try await Task.sleep(for: .seconds(1))
            simulation.host(named: "host-1")?.stepWallClock(by: .seconds(3600))
            simulation.host(named: "host-0")?.crash()
            for waiter in waiters { waiter.continuation?.resume() }
            try await Task.sleep(for: .seconds(1))
        }
        XCTAssertEqual(log, ["host-1 1767229201", "host-1 event", "host-1 task"])
    }

    // The job of a main-actor task that was set aside must be the main actor's again when the run unwinds.
    func testACrashedHostsMainActorTasksUnwindOnTheMainActor() throws {
        let simulation = Simulation(seed: 1, options: .noted)
        let host = try simulation.addHost("poller") {
            await Task { @MainActor in
                for _ in 0..<3 {
                    try? await Task.sleep(for: .seconds(1))
                    MainActor.assertIsolated()
                }
            }.value
        }
        let log = try Simulation.recorded(simulation) {
            try await Task.sleep(for: .milliseconds(500))
            try await Task.sleep(for: .milliseconds(500))
            host.crash()
        }
        XCTAssertEqual(log, [])
    }

    func testAHostThatStartsLaterStartsWhenItIsTold() throws {
        let simulation = Simulation(seed: 1, options: .noted)
        let early = try simulation.addHost("early", starts: false) { Simulation.note("early") }
        let late = try simulation.addHost("late", starts: false) { Simulation.note("late") }
        early.start()
        let log = try Simulation.recorded(simulation) {
            try await Task.sleep(for: .seconds(1))
            XCTAssertEqual(late.bootCount, 0)
            late.start()
            try await Task.sleep(for: .seconds(1))
        }
        XCTAssertEqual(log, ["early", "late"])
    }

    // A boot closure that holds the simulation would keep it for ever, and a sweep over seeds would keep them all.
    func testASimulationIsFreedAfterItsRun() throws {
        weak var freed: Simulation?
        try {
            let simulation = Simulation(seed: 1)
            freed = simulation
            let host = try simulation.addHost("poller") {
                simulation.schedule(after: .seconds(100)) { _ in _ = simulation.now }
                try await Task.sleep(for: .seconds(1000))
            }
            host.onCrash { _ = simulation.now }
            _ = try simulation.run(for: .seconds(1))
        }()
        XCTAssertNil(freed)
    }

    // After the run the tasks of crashed hosts are unwound, so that what they hold is freed.
    func testWhatACrashedHostHeldIsFreedWhenTheRunEnds() throws {
        final class Held {}
        weak var held: Held?
        let simulation = Simulation(seed: 1, options: .noted)
        let host = try simulation.addHost("poller") {
            let object = Held()
            held = object
            for await _ in AsyncStream<Int>.makeStream().stream {}
            withExtendedLifetime(object) {}
        }
        let outcome = try simulation.run {
            try await Task.sleep(for: .seconds(1))
            host.crash()
            XCTAssertNotNil(held)
        }
        XCTAssertEqual(outcome.abandonedTasks, 0)
        XCTAssertNil(held)
    }

    func testAHostCanCrashItself() throws {
        let simulation = Simulation(seed: 1, options: .noted)
        try simulation.addHost("poller") {
            Simulation.Host.current?.crash()
            await Task.yield()
            Simulation.note("after")
        }
        XCTAssertEqual(try Simulation.recorded(simulation) { try await Task.sleep(for: .seconds(1)) }, [])
    }

    // While paused nothing runs; time passes for others, and what fell due is caught up in its order.
    func testAPausedHostCatchesUp() throws {
        let simulation = Simulation(seed: 1, options: .noted)
        let host = try simulation.addHost("poller") {
            for tick in 1...4 {
                try await Task.sleep(for: .seconds(1))
                Simulation.note("tick \(tick) at \(simulation.now)")
            }
        }
        let log = try Simulation.recorded(simulation) {
            try await Task.sleep(for: .milliseconds(1500))
            host.pause()
            XCTAssertEqual(host.state, .paused)
            try await Task.sleep(for: .seconds(10))
            host.resume()
            try await Task.sleep(for: .seconds(10))
        }
        XCTAssertEqual(
            log,
            [
                "tick 1 at 1.000000000 s", "tick 2 at 11.500000000 s", "tick 3 at 12.500000000 s",
                "tick 4 at 13.500000000 s",
            ])
    }

    func testACrashOfAPausedHostIsACrash() throws {
        let simulation = Simulation(seed: 1, options: .noted)
        let host = try simulation.addHost("poller") {
            try await Task.sleep(for: .seconds(1))
            Simulation.note("late")
        }
        let log = try Simulation.recorded(simulation) {
            host.pause()
            try await Task.sleep(for: .seconds(2))
            host.crash()
            host.resume()
            try await Task.sleep(for: .seconds(2))
        }
        XCTAssertEqual(log, [])
    }

    // Each host has its own wall clock; monotonic clocks are everybody's.
    func testWallClocksAreTheHostsOwn() throws {
        let simulation = Simulation(seed: 1, options: .noted)
        func watch() async throws {
            let continuous = ContinuousClock.now
            let before = Date().timeIntervalSince1970
            try await Task.sleep(for: .seconds(1000))
            let elapsed = Date().timeIntervalSince1970 - before
            XCTAssertEqual(continuous.duration(to: .now), .seconds(1000))
            Simulation.note("\(Simulation.Host.current?.name ?? "?") \((elapsed * 1000).rounded() / 1000)")
        }
        let stepped = try simulation.addHost("stepped", boot: watch)
        let drifting = try simulation.addHost("drifting", boot: watch)
        try simulation.addHost("right", boot: watch)
        let log = try Simulation.recorded(simulation) {
            try await Task.sleep(for: .seconds(1))
            stepped.stepWallClock(by: .seconds(-60))
            drifting.driftWallClock(nanosecondsPerSecond: 1_000_000)
            try await Task.sleep(for: .seconds(2000))
            XCTAssertEqual(stepped.wallTime, .seconds(1_767_225_600 + 2001 - 60))
            XCTAssertEqual(drifting.wallTime, .seconds(1_767_225_600 + 2001 + 2))
            drifting.stepWallClock(by: .seconds(10))
            try await Task.sleep(for: .seconds(1000))
            XCTAssertEqual(drifting.wallTime, .seconds(1_767_225_600 + 3001 + 3 + 10))
            drifting.unskewWallClock()
            stepped.unskewWallClock()
            try await Task.sleep(for: .seconds(7))
            XCTAssertEqual(drifting.wallTime, .seconds(1_767_225_600 + 3008))
            XCTAssertEqual(Date().timeIntervalSince1970, 1_767_225_600 + 3008)
        }
        XCTAssertEqual(log, ["stepped 940.0", "drifting 1000.999", "right 1000.0"])
    }

    func testSkewSurvivesARestart() throws {
        let simulation = Simulation(seed: 1, options: .noted)
        let host = try simulation.addHost("poller") { Simulation.note("\(Int(Date().timeIntervalSince1970))") }
        let log = try Simulation.recorded(simulation) {
            try await Task.sleep(for: .seconds(1))
            host.stepWallClock(by: .seconds(3600))
            host.restart()
            try await Task.sleep(for: .seconds(1))
        }
        XCTAssertEqual(log, ["1767225600", "1767229201"])
    }

    // Adding a host, or crashing one, must not shift what another host draws.
    func testRandomnessOfAHostIsItsOwn() throws {
        func draws(others: Int, crashes: Bool) throws -> [String] {
            let simulation = Simulation(seed: 8, options: .noted)
            var hosts: [Simulation.Host] = []
            for other in 0..<others {
                hosts.append(
                    try simulation.addHost("other-\(other)") {
                        while true {
                            _ = UInt64.random(in: 0...UInt64.max)
                            try await Task.sleep(for: .milliseconds(7))
                        }
                    })
            }
            try simulation.addHost("watched") {
                for _ in 0..<20 {
                    Simulation.note("\(UInt64.random(in: 0...UInt64.max))")
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            return try Simulation.recorded(simulation) {
                try await Task.sleep(for: .milliseconds(100))
                if crashes { hosts.forEach { $0.restart() } }
                try await Task.sleep(for: .seconds(1))
            }
        }
        let alone = try draws(others: 0, crashes: false)
        XCTAssertEqual(alone.count, 20)
        XCTAssertEqual(alone, try draws(others: 5, crashes: false))
        XCTAssertEqual(alone, try draws(others: 5, crashes: true))
    }

    func testTheEndOfAHostsCodeIsNoted() throws {
        struct Unplugged: Error, CustomStringConvertible { var description: String { "unplugged" } }
        let simulation = Simulation(seed: 1, options: .noted)
        let good = try simulation.addHost("good") {}
        let bad = try simulation.addHost("bad") { throw Unplugged() }
        let busy = try simulation.addHost("busy") { try await Task.sleep(for: .seconds(100)) }
        let outcome = try simulation.run(for: .seconds(1))
        XCTAssertNotNil(try good.exit?.get())
        XCTAssertThrowsError(try bad.exit?.get())
        XCTAssertNil(busy.exit)
        XCTAssertEqual(outcome.hostFailures.map(\.host), ["bad"])
        XCTAssertTrue(String(describing: outcome).contains("host 'bad' failed: unplugged"))
    }
}

private final class Waiter: @unchecked Sendable {
    var continuation: UnsafeContinuation<Void, Never>?
}

private actor Desk {
    private let waiter: Waiter

    init(_ waiter: Waiter) {
        self.waiter = waiter
    }

    func wait() async {
        await withUnsafeContinuation { waiter.continuation = $0 }
    }

    func report() {
        let name = Simulation.Host.current?.name ?? "nobody"
        Simulation.note("\(name) \(Int(Date().timeIntervalSince1970))")
        Simulation.Host.current?.schedule(after: .milliseconds(1)) { _ in Simulation.note("\(name) event") }
        Task {
            try await Task.sleep(for: .milliseconds(2))
            Simulation.note("\(Simulation.Host.current?.name ?? "nobody") task")
        }
    }
}

private actor ActorThatSleeps {
    func sleep() async throws {
        try await Task.sleep(for: .seconds(2))
    }
}

extension Simulation {
    /// Runs `main` and returns the notes of the run, without the numbers.
    static func recorded(_ simulation: Simulation, _ main: @escaping () async throws -> Void) throws -> [String] {
        try simulation.onlyNotes(of: simulation.run(main))
    }

    private func onlyNotes(of outcome: Outcome<Void>) throws -> [String] {
        try outcome.get()
        return outcome.recording?.notes ?? []
    }
}

extension Simulation.Options {
    /// Options that keep the trace.
    static var noted: Simulation.Options { Simulation.Options(recording: .init(entries: 100_000)) }
}

extension TraceRecording {
    /// The texts of the notes.
    var notes: [String] {
        lines.split(separator: "\n").filter { $0.contains("\"kind\":\"note\"") }.compactMap { line in
            line.components(separatedBy: "\"text\":\"").last.map { String($0.dropLast(2)) }
        }
    }
}
