import Durations
import MeasurementServer
import Measurements
import Pipeline
import Ports
import SimulatedSQLite
import SimulatedTestbed
import SimulatedWorld
import SimulationKernel
import Testbed

/// Follows every reading by its identity from the poller to the storage, as the world sees it: no service can hide what it lost.
final class Ledger {
    /// What happened to a reading, in ns of virtual time.
    private struct History {
        var value: Double
        var attempted: UInt64
        var acknowledged: UInt64?
    }

    private let now: () -> UInt64
    private var series: SeriesNumbers = SeriesNumbers()
    private var histories: [Key: History] = [:]
    /// The time of the latest reading that was read, by the number of its series.
    private var newest: [Int64] = []
    /// The time of the latest reading that was acknowledged, by the number of its series.
    private var newestAcknowledged: [Int64] = []

    /// How often something was noted.
    private(set) var notes: Int = 0

    /// A reading's identity in few bytes: readings are many, and series few.
    private struct Key: Hashable {
        let series: Int
        let milliseconds: Int64
    }

    /// Readings of which a violation's history is told.
    private static let toldMax: Int = 20

    /// Makes a ledger; `now` tells the nanoseconds since the run began.
    init(now: @escaping () -> UInt64) {
        self.now = now
    }

    // MARK: Noting

    /// The poller gives readings to what is to send them.
    func noteAttempt(_ readings: [Reading]) {
        let now = now()
        notes += 1
        for reading in readings {
            let key = key(of: reading.id)
            guard histories[key] == nil else { continue }
            histories[key] = History(value: reading.value, attempted: now)
            newest[key.series] = max(newest[key.series], key.milliseconds)
        }
    }

    /// They were taken: from now on none may be lost.
    func noteAcknowledgement(_ readings: [Reading]) {
        let now = now()
        notes += 1
        for reading in readings {
            let key = key(of: reading.id)
            guard histories[key]?.acknowledged == nil else { continue }
            histories[key]?.acknowledged = now
            newestAcknowledged[key.series] = max(newestAcknowledged[key.series], key.milliseconds)
        }
    }

    private func key(of id: Reading.Identity) -> Key {
        let number = series.number(of: id.series)
        if number == newest.count {
            newest.append(.min)
            newestAcknowledged.append(.min)
        }
        return Key(series: number, milliseconds: id.milliseconds)
    }

    private func id(of key: Key) -> Reading.Identity {
        Reading.Identity(series.names[key.series], milliseconds: key.milliseconds)
    }

    /// The time of the latest acknowledged reading of a series, in ms since 1970; nil if there is none.
    func newestAcknowledged(of series: Reading.Identity.Series) -> Int64? {
        let time = self.series.knownNumber(of: series).map { newestAcknowledged[$0] }
        return time == .min ? nil : time
    }

    /// Whether a poller read this reading, with this value.
    func wasRead(_ reading: Reading) -> Bool { histories[key(of: reading.id)]?.value == reading.value }

    // MARK: Auditing

    /// Looks at the disks of the machines, as they are at this moment, and tells what became of every reading.
    func audit(_ deployment: SimulatedDeployment) -> LedgerAudit {
        typealias Name = PipelineServices.Name
        typealias File = PipelineServices.File
        return audit(
            stored: Self.location(deployment, Name.storage, File.storage).map(SQLiteStoredReadings.init),
            logged: Self.location(deployment, Name.broker, File.broker).map(BrokerLogReadings.init),
            outbox: Self.location(deployment, Name.poller, File.outbox).map(OutboxFileContents.init))
    }

    /// Tells what became of every reading, from what store, log and outbox hold; nil is nothing.
    func audit(
        stored: (any StoredReadings)?, logged: (any LoggedReadings)?, outbox: (any OutboxContents)?
    ) -> LedgerAudit {
        let stored = values(of: stored)
        let broker = inBroker(logged)
        let outbox = keys(in: outbox)
        var audit = LedgerAudit()
        audit.unreadable = [stored.problem, broker.problem, outbox.problem].compactMap { $0 }
        audit.read = histories.count
        var (lost, unexpected): ([Key], [Key]) = ([], [])
        let waiting = broker.waiting[Ingester.group] ?? []
        for (key, history) in histories {
            if history.acknowledged != nil { audit.acknowledged += 1 }
            switch (history.acknowledged != nil, stored.values[key]) {
            case (_, let value?) where value != history.value: unexpected.append(key)
            case (true, .some): audit.stored += 1
            case (false, .some): audit.recovered += 1
            case (true, nil):
                if outbox.keys.contains(key) {
                    audit.inOutbox += 1
                    audit.waiting.insert(id(of: key))
                } else if waiting.contains(key) {
                    audit.inBroker += 1
                    audit.waiting.insert(id(of: key))
                } else {
                    lost.append(key)
                }
            case (false, nil):
                // The server shows the latest reading of a series alone: once a later one was read, no poller gets this one again.
                if key.milliseconds < newest[key.series] { audit.notKept += 1 } else { audit.readable += 1 }
            }
        }
        audit.waitingByGroup = broker.waiting.mapValues(\.count)
        audit.unseen = unseen
        unexpected += stored.values.keys.filter { histories[$0] == nil }
        audit.duplicated = broker.repeated
        audit.lost = lost.map { id(of: $0) }.sorted { $0.description < $1.description }
        audit.unexpected = unexpected.map { id(of: $0) }.sorted { $0.description < $1.description }
        audit.told = (audit.lost + audit.unexpected).prefix(Self.toldMax).map { tell($0, logged: broker.records) }
        return audit
    }

    /// What devices of the model measured between the first and the last reading of each series, and nobody was ever given: the server shows
    /// only the latest.
    private var unseen: Int {
        var spans: [(first: Int64, last: Int64, count: Int64)] = series.names.map { _ in (.max, .min, 0) }
        for key in histories.keys {
            let span = spans[key.series]
            spans[key.series] = (
                min(span.first, key.milliseconds), max(span.last, key.milliseconds), span.count + 1
            )
        }
        return spans.filter { $0.count > 0 }.reduce(0) { sum, span in
            sum + Int(max(0, (span.last - span.first) / DeviceModel.intervalMilliseconds + 1 - span.count))
        }
    }

    private func tell(_ id: Reading.Identity, logged: [LoggedReading]) -> String {
        func seconds(_ nanoseconds: UInt64) -> String { "\(nanoseconds / 1_000_000_000) s" }
        let places = logged.filter { $0.reading.id == id }.map { "\($0.partition.partition)@\($0.offset)" }
        guard let history = histories[key(of: id)] else { return "\(id): nobody sent it" }
        var parts = ["sent at \(seconds(history.attempted))"]
        parts.append(history.acknowledged.map { "acknowledged at \(seconds($0))" } ?? "never acknowledged")
        parts.append(places.isEmpty ? "not in the broker" : "in the broker at \(places.joined(separator: ", "))")
        return "\(id): \(parts.joined(separator: ", "))"
    }

    // MARK: What disks hold

    /// Where a file of a disk's copy is; nil if there is none yet.
    static func location(_ deployment: SimulatedDeployment, _ service: ServiceName, _ file: String) -> DiskLocation? {
        guard let disk = deployment.process(named: service.rawValue)?.disk(), disk.contains(file) else { return nil }
        return SQLiteVFS(disk.snapshot(), wall: { 0 }).location(file, sleep: { _ in })
    }

    private func values(of stored: (any StoredReadings)?) -> (values: [Key: Double], problem: String?) {
        do throws(PersistenceError) {
            let readings = try stored?.all() ?? []
            return (Dictionary(readings.map { (key(of: $0.id), $0.value) }) { $1 }, nil)
        } catch {
            return ([:], "the storage's disk: \(error)")
        }
    }

    /// What is in the broker: what each group has not got yet, and how many readings are there more than once.
    private struct InBroker {
        var records: [LoggedReading] = []
        var waiting: [String: Set<Key>] = [:]
        var repeated: Int = 0
        var problem: String?
    }

    private func inBroker(_ log: (any LoggedReadings)?) -> InBroker {
        var found = InBroker()
        guard let log else { return found }
        do throws(PersistenceError) {
            let contents = try log.contents()
            found.records = contents.records
            let topics = Set(contents.records.map(\.partition.topic))
            // A group that has committed nothing yet waits for all; which those are, only the storage's is known.
            var committed = contents.committed.filter { $0.value.keys.contains { topics.contains($0.topic) } }
            if committed[Ingester.group] == nil { committed[Ingester.group] = [:] }
            var seen: Set<Key> = []
            for record in contents.records {
                let key = key(of: record.reading.id)
                if !seen.insert(key).inserted { found.repeated += 1 }
                for (group, offsets) in committed where record.offset >= offsets[record.partition] ?? 0 {
                    found.waiting[group, default: []].insert(key)
                }
            }
        } catch {
            found.problem = "the broker's disk: \(error)"
        }
        return found
    }

    private func keys(in outbox: (any OutboxContents)?) -> (keys: Set<Key>, problem: String?) {
        do throws(PersistenceError) {
            return (Set(try outbox?.readings().map { key(of: $0.id) } ?? []), nil)
        } catch {
            return ([], "the poller's disk: \(error)")
        }
    }
}

/// Numbers series in the order in which they are met.
private struct SeriesNumbers {
    private(set) var names: [Reading.Identity.Series] = []
    private var numbers: [Reading.Identity.Series: Int] = [:]
    /// The series that was asked for last: readings of one come in a row.
    private var last: Int = 0

    mutating func number(of series: Reading.Identity.Series) -> Int {
        if last < names.count, names[last] == series { return last }
        last = numbers[series] ?? names.count
        if last == names.count {
            names.append(series)
            numbers[series] = last
        }
        return last
    }

    func knownNumber(of series: Reading.Identity.Series) -> Int? { numbers[series] }
}
