import PipelineTestbed
import Testbed

/// What came of many storms.
struct StormTally {
    private var seeds: Int = 0
    private var (acknowledged, stored, recovered, notKept, duplicated) = (0, 0, 0, 0, 0)
    private var (faults, missed) = (0, 0)
    private var simulated: Double = 0
    private var marks: [Mark: Int] = [:]
    var violations: Int = 0

    mutating func add(_ result: ScenarioRun.Result) {
        seeds += 1
        faults += result.faults.count
        missed += result.missed.count
        simulated += Double(result.virtualTime.components.seconds)
        for mark in result.marks.keys { marks[mark, default: 0] += 1 }
        guard let audit = result.audit else { return }
        acknowledged += audit.acknowledged
        stored += audit.stored
        recovered += audit.recovered
        notKept += audit.notKept
        duplicated += audit.duplicated
    }

    /// The sum in a line.
    func line(cpu seconds: Double) -> String {
        "\(seeds) seeds, \(faults) faults, of which \(missed) hit nothing: \(violations) with a violation; \(acknowledged) readings acknowledged, "
            + "\(stored) stored, \(recovered) recovered, \(notKept) not kept, \(duplicated) duplicated in the broker; "
            + "\(Int(Double(seeds) * 60 / seconds)) seeds per CPU-minute, \(Int(simulated / seconds)) simulated s per CPU-s"
    }

    /// How many seeds reached each mark.
    var markLines: [String] {
        StormMarks.all.map { "\($0.name): \(marks[$0] ?? 0) of \(seeds) seeds" }
    }

    /// Marks that no seed reached.
    var unreached: [Mark] { StormMarks.all.filter { marks[$0] == nil } }
}
