import Durations
import Measurements
import Pipeline
import Testbed

/// The broker forgets no record before its time.
final class RecordsRetained: Invariant {
    let name: String = "records are kept for as long as their topic says"
    private let retention: Duration
    private let interval: Duration
    private let log: () -> (any LoggedReadings)?
    /// Records that were there at the last look, with the time at which they were appended.
    private var known: [Place: Int64] = [:]
    private var next: Duration

    private struct Place: Hashable {
        let partition: TopicPartition
        let offset: Int64
    }

    /// Makes the claim about a log that `log` finds on its disk.
    init(for retention: Duration, every interval: Duration, log: @escaping () -> (any LoggedReadings)?) {
        self.retention = retention
        self.interval = interval
        self.log = log
        next = interval
    }

    /// What a process that died had appended and not synced need not be there.
    func observe(_ event: TestbedEvent) {
        switch event.kind {
        case .started(PipelineServices.Name.broker.rawValue, _), .crashed(PipelineServices.Name.broker.rawValue, _):
            known = [:]
        default: break
        }
    }

    func check(at moment: CheckMoment) -> [InvariantFinding] {
        guard moment.phase == .end || moment.time >= next else { return [] }
        next = moment.time + interval
        guard let records = try? log()?.contents().records else { return [] }
        var found: [Place: Int64] = [:]
        for record in records {
            found[Place(partition: record.partition, offset: record.offset)] = record.time
        }
        let limit = WallClock.milliseconds - retention.milliseconds
        let gone = known.filter { found[$0.key] == nil && $0.value > limit }.map {
            "\($0.key.partition)@\($0.key.offset)"
        }
        known = found
        guard let example = gone.min() else { return [] }
        return [InvariantFinding("\(gone.count) are gone too early, such as \(example)", entities: ["retention"])]
    }
}
