import SimulationTesting
import XCTest

/// A trial whose outcomes are said in advance.
struct ScriptedTrial: Trial {
    let name: String
    var outcome: (Seed) -> TrialOutcome
    var files: [Evidence] = []

    func run(seed: Seed) throws -> TrialOutcome { outcome(seed) }
    func evidence(of outcome: TrialOutcome) throws -> [Evidence] { files }

    /// Fails for some seeds.
    static func failing(_ seeds: Set<UInt64>, marks: [String: Int] = [:]) -> ScriptedTrial {
        ScriptedTrial(name: "scripted") { seed in
            let fails = seeds.contains(seed.value)
            return TrialOutcome(
                seed: seed, verdict: fails ? "refuted" : "held", holds: !fails, digest: TraceDigest(),
                virtualTime: .seconds(12),
                failures: fails ? [TrialFailure("the queue is too long"), TrialFailure("and nobody reads it")] : [],
                impact: ["service.crash service=a: hit 1 time"], marks: marks, replay: "windkanal run x --seed \(seed)")
        }
    }
}

/// A variable that tasks of one simulation share: they run on one thread, which the compiler cannot know.
final class Shared<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}

/// A folder that goes with the test.
class FolderTestCase: XCTestCase {
    private(set) var folder = ""

    override func setUp() {
        folder = "\(NSTemporaryDirectory())/windkanal-\(UUID().uuidString)"
    }

    override func tearDown() {
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Runs code once and gives what its checks found.
    func failures(
        seed: Seed = 1, options: Simulation.Options = Simulation.Options(),
        _ body: @escaping (Simulation) async throws -> Void
    ) throws -> [TrialFailure] {
        try CodeTrial("code", options: options, body).run(seed: seed).failures
    }
}
