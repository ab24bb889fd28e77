import Synchronization
import Testing
import WindkanalTesting

/// The trait: a test's body in virtual time, once for each seed.
@Suite struct TraitTests {
    private static let draws = Mutex<[Seed: UInt64]>([:])

    @Test(.simulated(seeds: .count(20)))
    func theBodyRunsInVirtualTimeForEachSeed() async throws {
        let began = ContinuousClock.now
        try await Task.sleep(for: .seconds(3600))
        #expect(began.duration(to: .now) == .seconds(3600))
        let run = try #require(TestedRun.current)
        Self.draws.withLock { $0[run.seed] = UInt64.random(in: 0 ... .max) }
    }

    @Test(.simulated(seeds: .count(3)))
    func theTestIsKnownInTasksAndOnHosts() async throws {
        #expect(Test.current?.name == "theTestIsKnownInTasksAndOnHosts()")
        let name = await Task { Test.current?.name }.value
        #expect(name == "theTestIsKnownInTasksAndOnHosts()")
        var onHost: String?
        try World.current?.addHost("a") { onHost = Test.current?.name }
        await eventually("the host has looked", within: .seconds(1)) { onHost != nil }
        #expect(onHost == "theTestIsKnownInTasksAndOnHosts()")
    }
}
