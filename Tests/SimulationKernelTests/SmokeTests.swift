import Dispatch
import Foundation
import SimulationKernel
import XCTest

final class SmokeTests: XCTestCase {
    func testAnHourPassesInVirtualTime() throws {
        let simulation = Simulation(seed: 42)
        var log: [String] = []
        let outcome = try simulation.run {
            let start = ContinuousClock.now
            let date = Date()
            try await Task.sleep(for: .seconds(1800))
            try await simulation.clock.sleep(for: .seconds(1800))
            log.append("\(start.duration(to: .now)) \(Date().timeIntervalSince(date)) \(date)")
            log.append("\(UInt64.random(in: 0...UInt64.max)) \(UUID())")
            try await Task.sleep(nanoseconds: 5)
            await MainActor.run { log.append("main") }
            let t = Task { try await Task.sleep(for: .seconds(3600)) }
            await Task.yield()
            t.cancel()
            do { try await t.value } catch { log.append("\(error)") }
            return 7
        }
        print(outcome)
        print(log)
        XCTAssertEqual(try outcome.get(), 7)
    }
    func testDeadlock() throws {
        let simulation = Simulation(seed: 42)
        try simulation.host("poller") {
            await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        }
        let outcome = try simulation.run {
            Task { try await Task.sleep(for: .seconds(1)); await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
            await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        }
        print(outcome)
    }
    func testGuards() throws {
        for body: @Sendable () -> Void in [ { usleep(10) }, { DispatchQueue.global().async {} }, { Thread.detachNewThread {} }, { _ = clock() } ] {
            let simulation = Simulation(seed: 42)
            try simulation.host("poller") { try await Task.sleep(for: .seconds(1)); body() }
            print(try simulation.run(for: .seconds(10)))
        }
    }
}
