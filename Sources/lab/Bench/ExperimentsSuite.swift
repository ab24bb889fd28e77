import ArgumentParser
import CSystemSeam
import Documents
import Experiments
import Foundation
import SimulationKernel

extension Suite {
    /// What experiments cost: a whole process for a trivial one, and an hour of pauses in virtual time.
    static let experiments = Suite(
        name: "experiments",
        benchmarks: [
            Benchmark("experiments.trivial", "ms") { try TrivialExperiment(runs: 20).run() },
            Benchmark("experiments.hour-of-pauses", "ms") { try HourOfPauses().run() },
        ])
}

/// The command with an experiment of one action and one probe: CPU time of the process and what it starts.
private struct TrivialExperiment {
    let runs: Int

    private static let text: String = """
        {"title": "trivial", "description": "one action, one probe",
         "steady-state-hypothesis": {"title": "true is true", "probes": [
          {"type": "probe", "name": "true", "tolerance": 0, "provider": {"type": "process", "path": "true"}}]},
         "method": [{"type": "action", "name": "true", "provider": {"type": "process", "path": "true"}}]}
        """

    func run() throws -> Double {
        let folder = FileManager.default.temporaryDirectory.appending(path: "windkanal-bench-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "trivial.json")
        try Self.text.write(to: file, atomically: true, encoding: .utf8)
        return try WholeProcess.cpuMilliseconds(
            of: ["run", file.path, "--journal-path", folder.appending(path: "journal.json").path], runs: runs)
    }
}

/// Sixty actions with a minute's pause each, in virtual time.
private struct HourOfPauses {
    func run() throws -> Double {
        let action: Value = [
            "type": "action", "name": "wait", "pauses": ["after": 60],
            "provider": ["type": "process", "path": "true"],
        ]
        let document: Value = [
            "title": "t", "description": "d", "method": .array(Array(repeating: action, count: 60)),
        ]
        let rounds = 50
        let start = seam_thread_cpu()
        for _ in 0..<rounds {
            let outcome = try Simulation(seed: 1).run {
                let run = ExperimentRun(
                    Experiment(Document(value: document), origin: "bench"), options: RunOptions(),
                    environment: RunEnvironment(
                        clock: ContinuousClock(), wallTime: { .zero }, providers: Silent(), platform: "", node: ""))
                return try await run.run().isSuccess
            }
            guard try outcome.get(), outcome.virtualTime == .seconds(3600) else { throw ExitCode(1) }
        }
        return nanosecondsPer(rounds, since: start) / 1e6
    }
}

/// Performs nothing, at once.
private struct Silent: ActivityProviders {
    func perform(_ call: ActivityCall) async throws(ActivityError) -> Value {
        ["status": 0, "stdout": "", "stderr": ""]
    }
    func locate(program: String) -> String? { program }
    func problems(of functions: [PythonFunction]) async -> [ActivityProblem?] { functions.map { _ in nil } }
}
