import ArgumentParser
import CSystemSeam
import Foundation
import Measurements
import Pipeline
import Ports
import Randomness
import SimulatedSQLite
import SimulatedWorld
import Torture

extension Suite {
    /// What it costs to store readings, and to try a power cut.
    static let storage = Suite(
        name: "storage",
        benchmarks: [1, 100, 1000].flatMap { size in
            StorageCost.Place.allCases.map { place in
                Benchmark("storage.row.\(size).\(place.rawValue)", "us") {
                    try StorageCost(place: place, batch: size).microsecondsPerRow()
                }
            }
        } + [
            Benchmark("broker.message", "us") { try BrokerCost().microsecondsPerMessage() },
            Benchmark("storage.crash", "ms") {
                guard let mode = CrashTrial.Mode.all.first else { throw ExitCode(1) }
                let start = seam_thread_cpu()
                let trials: UInt64 = 500
                for seed in 1...trials {
                    var trial = CrashTrial(mode, seed: Seed(seed))
                    guard trial.run() == nil else { throw ExitCode(1) }
                }
                return Double(seam_thread_cpu() - start) / 1e6 / Double(trials)
            },
        ])
}

/// Produces, fetches and commits messages of a reading's size, a hundred at a time, on a simulated disk.
private struct BrokerCost {
    private static let batch: Int = 100
    private static let batches: Int = 500

    func microsecondsPerMessage() throws -> Double {
        let vfs = SQLiteVFS(Disk(RandomStream(seed: 1)), wall: { 0 })
        let log = try BrokerLog(vfs.location("broker.db", sleep: { _ in }), topics: [BrokerTopic("t")])
        let partition = TopicPartition("t", 0)
        let value =
            "{\"flat\":\"SD0\",\"room\":\"1\",\"channel\":\"temperature\",\"time\":1767225600000,\"value\":21.5}"
        let messages = Array(repeating: BrokerMessage(key: "SD0", value: value), count: Self.batch)
        let start = seam_thread_cpu()
        for number in 0..<Self.batches {
            let offset = Int64(number * Self.batch)
            let producer = BrokerProducer(id: "p", sequence: offset)
            _ = try log.append(messages, to: partition, from: producer, acks: .all, time: 0)
            let records = try log.fetch(partition, from: offset, max: Self.batch)
            try log.commit("g", partition, offset + Int64(records.count))
        }
        return Double(seam_thread_cpu() - start) / 1000 / Double(Self.batch * Self.batches)
    }
}

/// Stores batches of readings of 20 flats with 4 rooms and 2 channels, as they come.
private struct StorageCost {
    enum Place: String, CaseIterable {
        case simulated
        case memory
        case disk
    }

    let place: Place
    let batch: Int

    /// Rows that are stored for a figure.
    private var rows: Int { batch == 1 ? 2_000 : 100_000 }

    func microsecondsPerRow() throws -> Double {
        var rules = PersistenceRules.sound
        switch place {
        case .simulated:
            let vfs = SQLiteVFS(Disk(RandomStream(seed: 1)), wall: { 0 })
            return try measure(vfs.location("storage.db", sleep: { _ in }), rules)
        case .memory:
            (rules.journal, rules.rewritesOnOpen, rules.checkpointsOnOpen) = ("MEMORY", false, false)
            return try measure(DiskLocation(path: ":memory:"), rules)
        case .disk:
            let folder = FileManager.default.temporaryDirectory.appending(path: "windkanal-bench-\(getpid())")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            return try measure(DiskLocation(path: folder.appending(path: "storage.db").path), rules)
        }
    }

    private func measure(_ location: DiskLocation, _ rules: PersistenceRules) throws -> Double {
        let database = try StorageDatabase(location, rules: rules)
        let batches = try (0..<rows / batch).map { number in
            try StorageBatch(name: "batch \(number)", readings: (0..<batch).map { reading(number * batch + $0) })
        }
        let start = seam_thread_cpu()
        for batch in batches { _ = try database.write(batch) }
        return Double(seam_thread_cpu() - start) / 1000 / Double(rows)
    }

    private func reading(_ number: Int) -> Reading {
        let (series, time) = (number % 160, number / 160)
        let id = Reading.Identity(
            flat: "SD\(series / 8)", room: "\(series / 2 % 4 + 1)",
            channel: series % 2 == 0 ? "temperature" : "meterValue",
            milliseconds: 1_767_225_600_000 + Int64(time) * 60_000)
        return Reading(id, value: Double(number % 1000) / 10)
    }
}
