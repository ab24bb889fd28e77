import Dispatch
import Foundation
import XCTest

@testable import SimulationKernel

final class VirtualTimeTests: XCTestCase {
    // Every clock that ordinary code reads must show exactly the virtual time that passed, to the nanosecond.
    func testAllClocksOfTheProcessAreVirtual() throws {
        let simulation = Simulation(seed: 1)
        let outcome = try simulation.run {
            let continuous = ContinuousClock.now
            let suspending = SuspendingClock.now
            let dispatch = DispatchTime.now().uptimeNanoseconds
            let uptime = ProcessInfo.processInfo.systemUptime
            let date = Date()
            var seconds = time(nil)
            let start = simulation.now
            try await Task.sleep(for: .milliseconds(1_234_567))
            XCTAssertEqual(continuous.duration(to: .now), .milliseconds(1_234_567))
            XCTAssertEqual(suspending.duration(to: .now), .milliseconds(1_234_567))
            XCTAssertEqual(start.duration(to: simulation.now), .milliseconds(1_234_567))
            XCTAssertEqual(DispatchTime.now().uptimeNanoseconds - dispatch, 1_234_567_000_000)
            XCTAssertEqual(ProcessInfo.processInfo.systemUptime - uptime, 1234.567, accuracy: 1e-6)
            XCTAssertEqual(Date().timeIntervalSince(date), 1234.567, accuracy: 1e-6)
            seconds = time(nil) - seconds
            XCTAssertEqual(seconds, 1234)
            return date
        }
        XCTAssertEqual(try outcome.get().timeIntervalSince1970, 1_767_225_600)
        XCTAssertEqual(outcome.virtualTime, .milliseconds(1_234_567))
    }

    func testEverySleepEndsExactlyOnTime() throws {
        let simulation = Simulation(seed: 1)
        let outcome = try simulation.run {
            try await Task.sleep(for: .nanoseconds(1))
            try await Task.sleep(nanoseconds: 2)
            try await Task.sleep(until: .now + .nanoseconds(4), clock: .continuous)
            try await Task.sleep(until: .now + .nanoseconds(8), clock: .suspending)
            try await Task.sleep(for: .nanoseconds(16), clock: .virtual)
            try await simulation.clock.sleep(until: simulation.now.advanced(by: .nanoseconds(32)))
            try await simulation.clock.sleep(for: .zero)
            try await Task.sleep(for: .seconds(-5))
            return simulation.now.nanoseconds
        }
        XCTAssertEqual(try outcome.get(), 63)
    }

    // The clocks must be the real ones again as soon as the run is over, whatever it ended with.
    func testTheThreadIsRealAgainAfterTheRun() throws {
        let before = Date()
        let real = ContinuousClock.now
        _ = try Simulation(seed: 1).run(for: .seconds(1_000_000_000 / 20_000))
        _ = try Simulation(seed: 1).run { await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
        let elapsed = Date().timeIntervalSince(before)
        XCTAssertTrue((0..<30).contains(elapsed), "the wall clock passed \(elapsed) s")
        let passed = real.duration(to: .now)
        XCTAssertTrue(passed > .zero && passed < .seconds(30), "the monotonic clock passed \(passed)")
    }

    // While this thread is a simulation's, another one reads real clocks and real randomness.
    func testOtherThreadsStayReal() throws {
        final class Seen: @unchecked Sendable {
            var dates: [Date] = []
            var numbers: [UInt64] = []
        }
        let seen = Seen()
        let start = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            start.wait()
            seen.dates.append(Date())
            seen.numbers.append(UInt64.random(in: 0...UInt64.max))
            done.signal()
        }
        thread.start()
        let outcome = try Simulation(seed: 9).run {
            try await Task.sleep(for: .seconds(86_400))
            start.signal()
            done.wait()
            return (Date(), UInt64.random(in: 0...UInt64.max))
        }
        let (date, number) = try outcome.get()
        XCTAssertLessThan(abs(seen.dates[0].timeIntervalSinceNow), 30)
        XCTAssertEqual(date.timeIntervalSince1970, 1_767_225_600 + 86_400)
        XCTAssertNotEqual(seen.numbers[0], number)
    }

    func testSystemRandomnessFollowsFromTheSeed() throws {
        func numbers(_ seed: Seed) throws -> [String] {
            try Simulation(seed: seed).run {
                var system = SystemRandomNumberGenerator()
                return [
                    "\(system.next())", "\(UInt64.random(in: 0...UInt64.max))", "\(UUID())", "\(Bool.random())",
                    "\(Int.random(in: 0..<1_000_000))", "\(Double.random(in: 0..<1))", "\(random())",
                ]
            }.get()
        }
        XCTAssertEqual(try numbers(5), try numbers(5))
        XCTAssertNotEqual(try numbers(5), try numbers(6))
    }

    // A cancelled sleep must end at the instant of the cancellation and leave no timer behind.
    func testACancelledSleepEndsAtOnceAndLeavesNoTimer() throws {
        let sleeps: [@Sendable () async throws -> Void] = [
            { try await Task.sleep(for: .seconds(3600)) },
            { try await Task.sleep(nanoseconds: 3_600_000_000_000) },
            { try await Task.sleep(for: .seconds(3600), clock: .virtual) },
            { try await Task.sleep(until: .now + .seconds(3600), clock: .suspending) },
        ]
        for (number, sleep) in sleeps.enumerated() {
            let simulation = Simulation(seed: 1)
            let outcome = try simulation.run {
                let before = simulation.pendingEvents
                for _ in 0..<100 {
                    let task = Task { try await sleep() }
                    try await simulation.clock.sleep(for: .milliseconds(10))
                    let start = simulation.now
                    task.cancel()
                    let result = await task.result
                    XCTAssertThrowsError(try result.get()) { XCTAssertTrue($0 is CancellationError) }
                    XCTAssertEqual(simulation.now, start)
                }
                let cancelledBefore = Task { try await sleep() }
                cancelledBefore.cancel()
                _ = await cancelledBefore.result
                await Task.yield()
                XCTAssertEqual(simulation.pendingEvents, before, "sleep \(number)")
                for _ in 0..<20_000 {
                    let task = Task { try await sleep() }
                    await Task.yield()
                    task.cancel()
                    _ = await task.result
                }
                XCTAssertLessThan(simulation.memoryInEvents, 20_000, "sleep \(number)")
            }
            XCTAssertEqual(outcome.stopReason, .finished)
            XCTAssertEqual(outcome.virtualTime, .seconds(1))
        }
    }

    func testInstantsAreExactAtTheEndsOfTheirRange() {
        XCTAssertEqual(VirtualInstant.start.advanced(by: .seconds(-1)), .start)
        XCTAssertEqual(VirtualInstant(nanoseconds: .max).advanced(by: .seconds(1)).nanoseconds, .max)
        XCTAssertEqual(VirtualInstant.start.duration(to: VirtualInstant(nanoseconds: 5)), .nanoseconds(5))
        XCTAssertEqual(VirtualInstant(nanoseconds: 5).duration(to: .start), .nanoseconds(-5))
        XCTAssertEqual(VirtualInstant.start.advanced(by: .seconds(30) + .nanoseconds(7)).nanoseconds, 30_000_000_007)
        XCTAssertEqual(String(describing: VirtualInstant(nanoseconds: 12_000_500_000)), "12.000500000 s")
    }
}
