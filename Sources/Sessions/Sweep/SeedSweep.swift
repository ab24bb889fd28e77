import Activities
import Documents

/// Runs a command for many seeds, in processes on all cores, and gathers what came of each.
public struct SeedSweep: Sendable {
    /// What came of a sweep.
    public struct Summary: Sendable {
        /// What came of seeds, by their number.
        public fileprivate(set) var results: [UInt64: SeedResult] = [:]
        /// Seeds whose process crashed, and how.
        public fileprivate(set) var crashes: [UInt64: String] = [:]

        /// The seed that there is most to be seen of.
        ///
        /// - Parameter age: The name of the age that counts.
        /// - Returns: Of the seeds that failed, or of all if none did, the one with the largest age; nil where there is none.
        public func worst(age: String) -> UInt64? {
            let failing = results.values.filter { !$0.isSuccess }
            let candidates = failing.isEmpty ? Array(results.values) : failing
            func largest(_ result: SeedResult) -> Double { result.details["ages"]?[age]?["max"]?.number ?? 0 }
            return candidates.min { (-largest($0), $0.seed) < (-largest($1), $1.seed) }?.seed
        }
    }

    /// The program of the workers and its environment.
    private let path: String
    private let environment: [String: String]
    private let workers: Int
    private let seedTimeout: Duration

    /// Seeds that one process takes at most.
    private static let chunkMax: UInt64 = 20
    /// Chunks for each worker at least, so that none waits long for the last.
    private static let chunksPerWorker: UInt64 = 4

    /// How much later than a worker the caller may notice a signal to both.
    private static let signalDelay: Duration = .milliseconds(200)

    /// Prepares a sweep with the program at `path`; `seedTimeout` is what one seed may take, which the program watches itself if it can.
    public init(path: String, environment: [String: String], workers: Int, seedTimeout: Duration) {
        self.path = path
        self.environment = environment
        self.workers = max(1, workers)
        self.seedTimeout = seedTimeout
    }

    /// Runs all seeds.
    ///
    /// - Parameters:
    ///   - seeds: The seeds.
    ///   - arguments: The arguments of a worker that takes these seeds; it writes ``SeedResult/line`` for each.
    ///   - progress: Called with how many seeds are done.
    /// - Returns: What came of seeds, and which seeds crashed; when the caller is cancelled, as far as they had come.
    public func run(
        _ seeds: ClosedRange<UInt64>, arguments: @escaping @Sendable (ClosedRange<UInt64>) -> [String],
        progress: @escaping @Sendable (Int) -> Void
    ) async -> Summary {
        var all = Summary()
        await withTaskGroup(of: Summary.self) { group in
            var chunks = Self.chunks(of: seeds, workers: workers)[...]
            func start() {
                guard !Task.isCancelled, let chunk = chunks.popFirst() else { return }
                group.addTask { await runChunk(chunk, arguments) }
            }
            for _ in 0..<workers { start() }
            while let summary = await group.next() {
                all.results.merge(summary.results) { $1 }
                all.crashes.merge(summary.crashes) { $1 }
                progress(all.results.count + all.crashes.count)
                start()
            }
        }
        return all
    }

    /// The seeds in pieces for processes: small enough that all workers have something to do to the end.
    static func chunks(of seeds: ClosedRange<UInt64>, workers: Int) -> [ClosedRange<UInt64>] {
        let others = seeds.upperBound - seeds.lowerBound
        let size = min(chunkMax, max(1, others / (UInt64(workers) * chunksPerWorker)))
        return stride(from: 0, through: others, by: Int(size)).map { offset in
            seeds.lowerBound + offset...seeds.lowerBound + min(others, offset + (size - 1))
        }
    }

    private func runChunk(
        _ seeds: ClosedRange<UInt64>, _ arguments: @Sendable (ClosedRange<UInt64>) -> [String]
    ) async -> Summary {
        var summary = Summary()
        var left = seeds
        // A crash ends its process; the seeds behind it are tried in another.
        while true {
            let child = ChildProcess(
                path: path, arguments: [path] + arguments(left), environment: environment,
                timeout: seedTimeout * (left.upperBound - left.lowerBound + 1))
            let outcome = await child.run()
            for line in Self.lines(of: outcome) {
                if let result = SeedResult(line: line) { summary.results[result.seed] = result }
            }
            // What was cut short has not crashed.
            if case .cancelled = outcome { return summary }
            if case .ended(let status, _, _) = outcome, status < 0 {
                // A signal to the whole group may be seen here before the caller has seen it.
                try? await Task.sleep(for: Self.signalDelay)
                if Task.isCancelled { return summary }
            }
            guard let missing = left.first(where: { summary.results[$0] == nil }) else { return summary }
            summary.crashes[missing] = words(for: outcome)
            guard missing < left.upperBound else { return summary }
            left = missing + 1...left.upperBound
        }
    }

    /// The lines that a process wrote, however it ended.
    private static func lines(of outcome: ChildProcess.Outcome) -> [ArraySlice<UInt8>] {
        switch outcome {
        case .ended(_, let output, _), .timedOut(let output), .cancelled(let output):
            output.split(separator: UInt8(ascii: "\n"))
        case .notStarted, .tooMuchOutput: []
        }
    }

    private func words(for outcome: ChildProcess.Outcome) -> String {
        switch outcome {
        case .ended(let status, _, let errors):
            let last = String(decoding: errors, as: UTF8.self).split(separator: "\n").last ?? ""
            return "the process ended with \(status): \(last)"
        case .timedOut: return "a seed took longer than \(seedTimeout)"
        case .cancelled: return "cancelled"
        case .notStarted(let reason): return "the process could not be started: \(reason)"
        case .tooMuchOutput(let limit): return "the process wrote more than \(limit) bytes"
        }
    }
}
