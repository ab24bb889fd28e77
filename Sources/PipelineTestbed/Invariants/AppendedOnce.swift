import Pipeline
import Testbed

/// The broker has each message once, however often a producer sent it.
final class AppendedOnce: Invariant {
    let name: String = "a message that is sent again is appended once"
    private let interval: Duration
    private let log: () -> (any LoggedReadings)?
    private let unnumbered: (TopicPartition) -> Int
    private var next: Duration

    /// Makes the claim about a log that `log` finds on its disk, with the most messages without a number that a partition may have.
    init(
        every interval: Duration, log: @escaping () -> (any LoggedReadings)?,
        unnumbered: @escaping (TopicPartition) -> Int
    ) {
        self.interval = interval
        self.log = log
        self.unnumbered = unnumbered
        next = interval
    }

    func check(at moment: CheckMoment) -> [InvariantFinding] {
        guard moment.phase == .end || moment.time >= next else { return [] }
        next = moment.time + interval
        return ((try? log()?.appends()) ?? []).compactMap { appends in
            let surplus = appends.records - appends.numbered - Int64(unnumbered(appends.partition))
            // Events of devices have no numbers.
            guard surplus > 0, appends.numbered > 0 else { return nil }
            return InvariantFinding(
                "\(appends.partition) got \(appends.records) records, and producers sent \(appends.numbered) different ones",
                entities: [appends.partition.description])
        }
    }
}
