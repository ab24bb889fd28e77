import ArgumentParser
import CSystemSeam
import Documents
import Experiments
import Foundation
import Pipeline
import PipelineTestbed
import SimulationKernel

extension Suite {
    /// What scenarios cost: a whole process for the first, and landscapes of growing size.
    static let scenario = Suite(
        name: "scenario",
        benchmarks: [
            Benchmark("scenario.device-latency", "ms") {
                try WholeProcess.cpuMilliseconds(
                    of: ["run", ScenarioFile.deviceLatency.path, "--quiet", "--journal-path", "/dev/null"], runs: 10)
            },
            Benchmark("scenario.speed.20", "s/CPU-s") {
                try LandscapeSpeed(flats: 20, rooms: 4, seconds: 3_000).run()[0]
            },
            Benchmark("scenario.speed.persistent", "s/CPU-s") {
                try LandscapeSpeed(flats: 20, rooms: 4, seconds: 3_000, isPersistent: true).run()[0]
            },
            Benchmark("scenario.speed.1000", "s/CPU-s") {
                try LandscapeSpeed(flats: 1_000, rooms: 4, seconds: 120).run()[0]
            },
            Benchmark(
                [("scenario.devices-100k.poll", "us"), ("scenario.devices-100k.memory", "MB")], ownProcess: true
            ) {
                try LandscapeSpeed(flats: 10_000, rooms: 10, seconds: 60).costs()
            },
            Benchmark([("scenario.devices-1m.poll", "us"), ("scenario.devices-1m.memory", "MB")], ownProcess: true) {
                try LandscapeSpeed(flats: 10_000, rooms: 100, seconds: 60).costs()
            },
        ])
}

private enum ScenarioFile {
    /// The repository's scenario; benchmarks run from its folder.
    static var deviceLatency: URL { URL(filePath: "scenarios/smoke/device-latency.json") }
}

/// The landscape without any fault, polled every 10 s: how much virtual time a CPU second gives, and what a poll costs.
private struct LandscapeSpeed {
    let flats: Int
    let rooms: Int
    let seconds: Int
    /// Whether an outbox, a broker, an ingester and a storage keep what is read.
    var isPersistent: Bool = false

    func run() throws -> [Double] {
        let start = seam_thread_cpu()
        try simulate()
        let cpu = Double(seam_thread_cpu() - start) / 1e9
        return [Double(seconds) / cpu, cpu * 1e6 / (Double(flats) * Double(seconds) / 10)]
    }

    /// Microseconds for each poll, and the process' memory at its peak.
    func costs() throws -> [Double] {
        let poll = try run()[1]
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return [poll, Double(usage.ru_maxrss) / 1024]
    }

    private func simulate() throws {
        let document: Value = ["title": "t", "description": "d", "method": []]
        var scenario = Scenario()
        scenario.flats = flats
        scenario.rooms = rooms
        if isPersistent { scenario.persistence = Persistence() }
        scenario.warmUp = .seconds(1)
        scenario.duration = .seconds(seconds)
        let run = ScenarioRun(
            Experiment(Document(value: document), origin: "bench"), in: scenario, options: RunOptions())
        guard try run.run().stopReason == .finished else { throw ExitCode(1) }
    }
}
