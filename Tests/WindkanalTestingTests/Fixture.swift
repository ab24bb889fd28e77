import Foundation
import SimulationTesting

/// Tests that fail on purpose: another test starts them in a process of their own and reads what they say.
enum Fixture {
    /// The variable that lets them run, with the folder for what they keep.
    static let variable: String = "WINDKANAL_FIXTURE"

    static var folder: String? { ProcessInfo.processInfo.environment[variable] }

    static var options: SweepOptions {
        var options = SweepOptions()
        options.folder = folder
        return options
    }

    /// A trial that fails for seed 2, with a recipe.
    struct FailsForTwo: Trial {
        let name: String = "fails for two"

        func run(seed: Seed) throws -> TrialOutcome {
            TrialOutcome(
                seed: seed, verdict: seed == 2 ? "refuted" : "held", holds: seed != 2, digest: TraceDigest(),
                virtualTime: .seconds(1), failures: seed == 2 ? [TrialFailure("two is even")] : [])
        }

        func evidence(of outcome: TrialOutcome) throws -> [Evidence] { [Evidence("recipe.txt", "a recipe")] }
    }

    /// Fails for some seeds, by an expectation of the test framework.
    static func rolls(_ expectNotZero: (Int) -> Void) async throws {
        let number = Int.random(in: 0..<4)
        try await Task.sleep(for: .seconds(number + 1))
        expectNotZero(number)
    }

    @inline(never)
    static func waitsForNobody() async {
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
}
