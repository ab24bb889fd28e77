import ArgumentParser
import CSystemSeam
import Foundation

/// Measures, in CPU time.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures in CPU time of one thread; each figure is the median of several runs.")

    @Argument(help: "What to measure: \(Suite.all.map(\.name).joined(separator: ", ")).")
    var suite: String

    @Flag(help: "Print JSON.")
    var json: Bool = false

    @Option(help: "How often to run each benchmark.")
    var runs: Int = 5

    @Option(help: "Run only figures whose name begins so.")
    var only: String = ""

    func validate() throws {
        guard Suite.all.contains(where: { $0.name == suite }) else {
            throw ValidationError("no suite '\(suite)': there are \(Suite.all.map(\.name).joined(separator: ", "))")
        }
        guard (1...100).contains(runs) else { throw ValidationError("--runs takes a number from 1 to 100") }
    }

    func run() throws {
        var figures: [Figure] = []
        for benchmark in Suite.all.filter({ $0.name == suite }).flatMap(\.benchmarks)
        where benchmark.figures.contains(where: { $0.name.hasPrefix(only) }) {
            var values: [[Double]] = []
            for _ in 0..<runs {
                values.append(try benchmark.ownProcess && runs > 1 ? measureInChild(benchmark) : benchmark.measure())
            }
            for (index, figure) in benchmark.figures.enumerated() {
                let sorted = values.map { $0[index] }.sorted()
                let median = sorted[sorted.count / 2]
                figures.append(Figure(name: figure.name, value: median, unit: figure.unit))
                if !json { print("\(figure.name) \(Figure.text(median)) \(figure.unit)") }
            }
        }
        if json {
            print("[")
            print(figures.map(\.json).joined(separator: ",\n"))
            print("]")
        }
    }
}

extension Bench {
    /// One run in a process of its own: what earlier runs left in the heap does not count as memory.
    private func measureInChild(_ benchmark: Benchmark) throws -> [Double] {
        let child = Process()
        child.executableURL = URL(filePath: "/proc/self/exe")
        child.arguments = ["bench", suite, "--json", "--runs", "1", "--only", benchmark.figures[0].name]
        let output = Pipe()
        child.standardOutput = output
        try child.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        child.waitUntilExit()
        guard child.terminationStatus == 0 else { throw ExitCode(child.terminationStatus) }
        return try JSONDecoder().decode([Figure].self, from: data).map(\.value)
    }
}

/// A measured value.
struct Figure: Decodable {
    let name: String
    let value: Double
    let unit: String

    var json: String { "  {\"name\": \"\(name)\", \"value\": \(Self.text(value)), \"unit\": \"\(unit)\"}" }

    /// Four digits are more than a shared machine can tell.
    static func text(_ value: Double) -> String {
        if value >= 1000 { return String(Int(value.rounded())) }
        return String((value * 10).rounded() / 10)
    }
}

/// Something to measure: one run gives one value for each figure.
struct Benchmark: Sendable {
    let figures: [(name: String, unit: String)]
    /// Whether each run has a process of its own, because it measures memory.
    let ownProcess: Bool
    let measure: @Sendable () throws -> [Double]

    init(_ name: String, _ unit: String, _ measure: @escaping @Sendable () throws -> Double) {
        figures = [(name, unit)]
        ownProcess = false
        self.measure = { [try measure()] }
    }

    init(
        _ figures: [(name: String, unit: String)], ownProcess: Bool,
        _ measure: @escaping @Sendable () throws -> [Double]
    ) {
        self.figures = figures
        self.ownProcess = ownProcess
        self.measure = measure
    }
}

/// Benchmarks of one part of the project.
struct Suite: Sendable {
    let name: String
    let benchmarks: [Benchmark]

    static let all: [Suite] = [kernel, network, experiments, scenario, storage, cluster, proxy]
}

/// CPU time of this thread in ns since `start`, divided by `count`.
func nanosecondsPer(_ count: Int, since start: UInt64) -> Double {
    Double(seam_thread_cpu() - start) / Double(count)
}
