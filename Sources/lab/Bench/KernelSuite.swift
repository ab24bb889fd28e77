import CSystemSeam
import Foundation
import SimulationKernel

extension Suite {
    /// The kernel's own costs, with strict guards as in tests; `kernel.spawn` without, for comparison.
    static let kernel = Suite(
        name: "kernel",
        benchmarks: [
            Benchmark("kernel.timer.1", "ns") { try timers(pending: 1, fires: 2_000_000) },
            Benchmark("kernel.timer.1k", "ns") { try timers(pending: 1_000, fires: 2_000_000) },
            Benchmark("kernel.timer.1m", "ns") { try timers(pending: 1_000_000, fires: 3_000_000) },
            Benchmark("kernel.cancel.1k", "ns") { try cancellations(pending: 1_000, count: 1_000_000) },
            Benchmark("kernel.sleep", "ns") {
                try perOperation(500_000) { simulation, count in
                    for _ in 0..<count { try await simulation.clock.sleep(for: .milliseconds(1)) }
                }
            },
            Benchmark("kernel.task-sleep", "ns") {
                try perOperation(300_000) { _, count in
                    for _ in 0..<count { try await Task.sleep(for: .milliseconds(1)) }
                }
            },
            Benchmark("kernel.yield", "ns") {
                try perOperation(500_000) { _, count in
                    for _ in 0..<count { await Task.yield() }
                }
            },
            Benchmark("kernel.actor-call", "ns") {
                try perOperation(2_000_000) { _, count in
                    let counter = Counter()
                    for _ in 0..<count { await counter.increment() }
                }
            },
            Benchmark("kernel.spawn", "ns") { try perOperation(300_000, guards: .counting, spawn) },
            Benchmark("kernel.spawn.strict", "ns") { try perOperation(300_000, spawn) },
            Benchmark("kernel.date", "ns") {
                try perOperation(1_000_000) { _, count in
                    var sum = 0.0
                    for _ in 0..<count { sum += Date().timeIntervalSinceReferenceDate }
                    precondition(sum > 0)
                }
            },
            Benchmark([("kernel.idle-1k.event", "ns"), ("kernel.idle-1k.memory", "MB")], ownProcess: true) {
                try idleHosts(1_000, fires: 3_000_000)
            },
            Benchmark([("kernel.idle-1m.event", "ns"), ("kernel.idle-1m.memory", "MB")], ownProcess: true) {
                try idleHosts(1_000_000, fires: 3_000_000)
            },
        ])

    /// Timers that fire and arm themselves again after 1 to 10 s, the usual range of polls and timeouts.
    private static func timers(pending: Int, fires: Int) throws -> Double {
        let simulation = Simulation(seed: 1, options: .init(budget: .init(virtualTime: .seconds(1 << 32))))
        let timers = Timers(
            simulation: simulation, random: try simulation.stream("delays"), left: fires + pending, measured: fires)
        _ = try simulation.run {
            for _ in 0..<pending {
                simulation.schedule(
                    after: .nanoseconds(Int64(1 + timers.random.next(below: 9_000_000_000))), timers.fire)
            }
            try await Task.sleep(for: .seconds(1 << 31))
        }
        return timers.cost
    }

    private static func cancellations(pending: Int, count: Int) throws -> Double {
        let simulation = Simulation(seed: 1)
        var random = try simulation.stream("delays")
        let outcome = try simulation.run {
            var events = (0..<pending).map { _ in
                simulation.schedule(after: .nanoseconds(Int64(1 + random.next(below: 9_000_000_000)))) { _ in }
            }
            let start = seam_thread_cpu()
            for index in 0..<count {
                simulation.cancel(events[index % pending])
                events[index % pending] = simulation.schedule(
                    after: .nanoseconds(Int64(1 + random.next(below: 9_000_000_000)))
                ) { _ in }
            }
            return nanosecondsPer(count, since: start)
        }
        return try outcome.get()
    }

    /// One host each for `hosts` devices that do nothing but have a timer.
    private static func idleHosts(_ hosts: Int, fires: Int) throws -> [Double] {
        let before = residentMegabytes()
        let simulation = Simulation(seed: 1, options: .init(budget: .init(virtualTime: .seconds(1 << 32))))
        let timers = Timers(
            simulation: simulation, random: try simulation.stream("delays"), left: fires + hosts, measured: fires)
        var memory = 0.0
        _ = try simulation.run {
            for index in 0..<hosts {
                let host = try simulation.addHost("device-\(index)")
                let delay = Duration.nanoseconds(Int64(1 + timers.random.next(below: 9_000_000_000)))
                host.schedule(after: delay, argument: UInt64(index), timers.fire)
            }
            simulation.schedule(after: .seconds(9)) { _ in memory = residentMegabytes() - before }
            try await Task.sleep(for: .seconds(1 << 31))
        }
        return [timers.cost, memory]
    }

    private static func perOperation(
        _ count: Int, guards: Guards = .strict, _ body: @escaping (Simulation, Int) async throws -> Void
    ) throws -> Double {
        let simulation = Simulation(seed: 1, options: .init(guards: guards))
        return try simulation.run {
            try await body(simulation, count / 10)
            let start = seam_thread_cpu()
            try await body(simulation, count)
            return nanosecondsPer(count, since: start)
        }.get()
    }

    private static func spawn(_ simulation: Simulation, _ count: Int) async throws {
        for _ in 0..<count { _ = try await Task { () throws -> Int in 1 }.value }
    }
}

/// Timers that arm themselves again until enough have fired.
private final class Timers {
    let simulation: Simulation
    var random: RandomStream
    private var left: Int
    private let measured: Int
    private var start: UInt64 = 0
    /// CPU time per fire in ns, at the end.
    private(set) var cost: Double = 0
    /// What every timer calls.
    private(set) var fire: (UInt64) -> Void = { _ in }

    init(simulation: Simulation, random: RandomStream, left: Int, measured: Int) {
        self.simulation = simulation
        self.random = random
        self.left = left
        self.measured = measured
        fire = { [unowned self] index in onFire(index) }
    }

    private func onFire(_ index: UInt64) {
        left -= 1
        // The first round is not measured: it spreads what was armed in one burst.
        if left == measured { start = seam_thread_cpu() }
        if left == 0 {
            cost = nanosecondsPer(measured, since: start)
            return simulation.stop("measured")
        }
        let delay = Duration.nanoseconds(Int64(1_000_000_000 + random.next(below: 9_000_000_000)))
        simulation.schedule(after: delay, argument: index, fire)
    }
}

private actor Counter {
    private var value = 0

    func increment() {
        value += 1
    }
}

/// Memory of the process that is in RAM, in MB of 10^6 bytes.
func residentMegabytes() -> Double {
    guard let line = try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii) else { return 0 }
    let pages = line.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
    return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1e6
}
