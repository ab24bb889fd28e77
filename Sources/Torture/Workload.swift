import Dispatch
import Foundation
import SimulationKernel

/// What one host of the torture does: in rounds, everything that tested code may use.
struct Workload: Sendable {
    let leak: Leak?

    @TaskLocal static var round: Int = -1

    func run() async throws {
        let counter = Counter()
        for round in 0... {
            try await Workload.$round.withValue(round) {
                try await self.round(round, counter)
            }
            if let leak, round == 3 { await leak.commit() }
        }
    }

    private func round(_ round: Int, _ counter: Counter) async throws {
        var system = SystemRandomNumberGenerator()
        let pause = Duration.milliseconds(Int(system.next() % 200) + 20)
        switch round % 8 {
        case 0:
            try await Task.sleep(for: pause)
            note("continuous", ContinuousClock.now)
        case 1:
            try await Task.sleep(until: .now + pause, clock: .suspending)
            note("suspending", SuspendingClock.now)
        case 2:
            try await Task.sleep(for: pause, clock: .virtual)
            Simulation.note("date \(Date().timeIntervalSince1970)", DispatchTime.now().uptimeNanoseconds)
        case 3: await tasks(counter, pause)
        case 4: try await groups(counter, pause)
        case 5: await streams(pause)
        case 6: try await timeouts(pause)
        default: await continuations(counter, pause)
        }
        Simulation.note("\(UUID()) round \(Workload.round)", UInt64.random(in: 0...UInt64.max))
    }

    private func note<I: InstantProtocol>(_ clock: String, _ instant: I) {
        Simulation.note("\(clock) \(instant)")
    }

    private func tasks(_ counter: Counter, _ pause: Duration) async {
        let urgent = Task(priority: .high) { await counter.add(Workload.round) }
        let lazy = Task(priority: .background) {
            try? await Task.sleep(for: pause)
            return await counter.add(2)
        }
        let detached = Task.detached { await counter.add(Workload.round) }
        async let first = counter.add(3)
        async let second = counter.slowlyAdd(5)
        await Task.yield()
        let sum = await first + second
        await main(sum)
        let rest = await [urgent.value, lazy.value, detached.value]
        Simulation.note("tasks \(rest)", UInt64(sum))
    }

    @MainActor
    private func main(_ sum: Int) async {
        await Task.yield()
        MainActor.assertIsolated()
        Simulation.note("main", UInt64(sum))
    }

    private func groups(_ counter: Counter, _ pause: Duration) async throws {
        let order = try await withThrowingTaskGroup(of: Int.self) { group in
            for child in 0..<5 {
                group.addTask {
                    try await Task.sleep(for: pause * (child * 7 % 5))
                    _ = await counter.slowlyAdd(child)
                    return child
                }
            }
            var order: [Int] = []
            for try await child in group {
                order.append(child)
                if order.count == 4 { group.cancelAll() }
            }
            return order
        }
        Simulation.note("group \(order)")
    }

    private func streams(_ pause: Duration) async {
        let (stream, continuation) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(3))
        let producer = Task {
            for value in 0..<6 {
                continuation.yield(value)
                if value % 2 == 0 { try? await Task.sleep(for: pause / 4) }
            }
            continuation.finish()
        }
        var seen: [Int] = []
        for await value in stream {
            seen.append(value)
            await Task.yield()
        }
        await producer.value
        Simulation.note("stream \(seen)")
    }

    private func timeouts(_ pause: Duration) async throws {
        let worker = Task {
            try await withTaskCancellationHandler {
                try await Task.sleep(for: .seconds(3600))
            } onCancel: {
                Simulation.note("cancelled")
            }
        }
        try await Task.sleep(for: pause)
        worker.cancel()
        let result = await worker.result
        Simulation.note("timeout \(result)")
    }

    private func continuations(_ counter: Counter, _ pause: Duration) async {
        let mailbox = Mailbox()
        let sender = Task {
            try? await Task.sleep(for: pause)
            await mailbox.deliver(42)
        }
        let letter = await mailbox.receive()
        await sender.value
        let plain = await withUnsafeContinuation { (continuation: UnsafeContinuation<Int, Never>) in
            Task { continuation.resume(returning: await counter.add(1)) }
        }
        Simulation.note("letter \(letter)", UInt64(plain))
    }
}

private actor Counter {
    private var value: Int = 0

    func add(_ amount: Int) -> Int {
        value += amount
        return value
    }

    func slowlyAdd(_ amount: Int) async -> Int {
        let before = value
        await Task.yield()
        value = max(value, before + amount)
        return value
    }
}

private actor Mailbox {
    private var waiter: CheckedContinuation<Int, Never>?

    func receive() async -> Int {
        await withCheckedContinuation { waiter = $0 }
    }

    func deliver(_ letter: Int) {
        waiter?.resume(returning: letter)
        waiter = nil
    }
}
