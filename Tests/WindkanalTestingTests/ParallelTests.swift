import Synchronization
import Testing
import WindkanalTesting

/// Swift Testing runs tests of one process side by side: each simulation has its thread to itself, and one that uses the main
/// actor has the process to itself.
@Suite struct ParallelTests {
    private static let running = Atomic<Int>(0)
    private static let alone = Atomic<Int>(0)
    private static let digests = Mutex<Set<String>>([])

    @Test(arguments: 1...12)
    func runsSideBySideDoNotInfluenceEachOther(_ number: Int) throws {
        let trial = CodeTrial("parallel") { simulation in
            Self.running.add(1, ordering: .sequentiallyConsistent)
            defer { Self.running.subtract(1, ordering: .sequentiallyConsistent) }
            await withTaskGroup { group in
                for _ in 0..<20 {
                    group.addTask {
                        for _ in 0..<20 { try? await Task.sleep(for: .milliseconds(Int.random(in: 1...1000))) }
                    }
                }
            }
            #expect(Self.alone.load(ordering: .sequentiallyConsistent) == 0)
        }
        let digest = try trial.run(seed: 7).digest
        let count = Self.digests.withLock { digests in
            digests.insert("\(digest)")
            return digests.count
        }
        #expect(count == 1, "one seed, one digest, whatever runs beside it")
    }

    @Test(.simulated(seeds: .count(5), options: Simulation.Options(usesMainActor: true)), arguments: 1...4)
    func runsThatUseTheMainActorAreAlone(_ number: Int) async throws {
        #expect(Self.alone.add(1, ordering: .sequentiallyConsistent).newValue == 1)
        defer { Self.alone.subtract(1, ordering: .sequentiallyConsistent) }
        #expect(Self.running.load(ordering: .sequentiallyConsistent) == 0)
        let counter = Counter()
        for _ in 0..<10 {
            await counter.increase()
            try await Task.sleep(for: .seconds(1))
        }
        #expect(await counter.count == 10)
    }

    // A test of the real world beside them sees the real clock.
    @Test(arguments: 1...3)
    func theRealWorldBesideThemIsUntouched(_ number: Int) async throws {
        let began = ContinuousClock.now
        try await Task.sleep(for: .milliseconds(20))
        let elapsed = began.duration(to: .now)
        #expect(elapsed >= .milliseconds(20))
        #expect(elapsed < .seconds(60))
    }

    @MainActor
    private final class Counter {
        private(set) var count = 0
        func increase() { count += 1 }
    }
}
