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
    private var histories: [Reading.Identity: History] = [:]
    /// The time of the latest reading of each series that was read.
    private var newest: [Reading.Identity.Series: Int64] = [:]

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
        for reading in readings where histories[reading.id] == nil {
            histories[reading.id] = History(value: reading.value, attempted: now)
            newest[reading.id.series] = max(newest[reading.id.series] ?? .min, reading.id.milliseconds)
        }
    }

    /// They were taken: from now on none may be lost.
    func noteAcknowledgement(_ readings: [Reading]) {
        let now = now()
        for reading in readings where histories[reading.id]?.acknowledged == nil {
            histories[reading.id]?.acknowledged = now
            let series = reading.id.series
            newestAcknowledged[series] = max(newestAcknowledged[series] ?? .min, reading.id.milliseconds)
        }
    }

    /// Whether a poller read this reading, with this value.
    func wasRead(_ reading: Reading) -> Bool { histories[reading.id]?.value == reading.value }

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

    /// The time of the latest acknowledged reading of each series, in ms since 1970.
    private(set) var newestAcknowledged: [Reading.Identity.Series: Int64] = [:]

    /// Tells what became of every reading, from what store, log and outbox hold; nil is nothing.
    func audit(
        stored: (any StoredReadings)?, logged: (any LoggedReadings)?, outbox: (any OutboxContents)?
    ) -> LedgerAudit {
        let stored = Self.values(of: stored)
        let broker = Self.inBroker(logged)
        let outbox = Self.identities(in: outbox)
        var audit = LedgerAudit()
        audit.unreadable = [stored.problem, broker.problem, outbox.problem].compactMap { $0 }
        audit.read = histories.count
        for (id, history) in histories {
            if history.acknowledged != nil { audit.acknowledged += 1 }
            switch (history.acknowledged != nil, stored.values[id]) {
            case (_, let value?) where value != history.value: audit.unexpected.append(id)
            case (true, .some): audit.stored += 1
            case (false, .some): audit.recovered += 1
            case (true, nil):
                if outbox.ids.contains(id) {
                    audit.inOutbox += 1
                    audit.waiting.insert(id)
                } else if broker.waiting[Ingester.group]?.contains(id) ?? false {
                    audit.inBroker += 1
                    audit.waiting.insert(id)
                } else {
                    audit.lost.append(id)
                }
            case (false, nil):
                // The server shows the latest reading of a series alone: once a later one was read, no poller gets this one again.
                if id.milliseconds < newest[id.series] ?? .min { audit.notKept += 1 } else { audit.readable += 1 }
            }
        }
        audit.waitingByGroup = broker.waiting.mapValues(\.count)
        audit.unseen = unseen
        audit.unexpected += stored.values.keys.filter { histories[$0] == nil }
        audit.duplicated = broker.repeated
        audit.lost.sort { $0.description < $1.description }
        audit.unexpected.sort { $0.description < $1.description }
        audit.told = (audit.lost + audit.unexpected).prefix(Self.toldMax).map { id in
            tell(id, inBroker: broker.places[id] ?? [])
        }
        return audit
    }

    /// What devices of the model measured between the first and the last reading of each series, and nobody was ever given: the server shows
    /// only the latest.
    private var unseen: Int {
        var spans: [Reading.Identity.Series: (first: Int64, last: Int64, count: Int64)] = [:]
        for id in histories.keys {
            let span = spans[id.series] ?? (id.milliseconds, id.milliseconds, 0)
            spans[id.series] = (
                min(span.first, id.milliseconds), max(span.last, id.milliseconds), span.count + 1
            )
        }
        return spans.values.reduce(0) { sum, span in
            sum + Int(max(0, (span.last - span.first) / DeviceModel.intervalMilliseconds + 1 - span.count))
        }
    }

    private func tell(_ id: Reading.Identity, inBroker places: [String]) -> String {
        func seconds(_ nanoseconds: UInt64) -> String { "\(nanoseconds / 1_000_000_000) s" }
        guard let history = histories[id] else { return "\(id): nobody sent it" }
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

    private static func values(
        of stored: (any StoredReadings)?
    ) -> (values: [Reading.Identity: Double], problem: String?) {
        do throws(PersistenceError) {
            let readings = try stored?.all() ?? []
            return (Dictionary(readings.map { ($0.id, $0.value) }) { $1 }, nil)
        } catch {
            return ([:], "the storage's disk: \(error)")
        }
    }

    /// What is in the broker: what each group has not got yet, where each reading is, and how many are there more than once.
    private struct InBroker {
        var waiting: [String: Set<Reading.Identity>] = [:]
        var places: [Reading.Identity: [String]] = [:]
        var repeated: Int = 0
        var problem: String?
    }

    private static func inBroker(_ log: (any LoggedReadings)?) -> InBroker {
        var found = InBroker()
        guard let log else { return found }
        do throws(PersistenceError) {
            let offsets = try log.committedOffsets()
            let records = try log.records()
            let topics = Set(records.map(\.partition.topic))
            // A group that has committed nothing yet waits for all; which those are, only the storage's is known.
            var committed = offsets.filter { $0.value.keys.contains { topics.contains($0.topic) } }
            if committed[Ingester.group] == nil { committed[Ingester.group] = [:] }
            for record in records {
                let id = record.reading.id
                if found.places[id] != nil { found.repeated += 1 }
                found.places[id, default: []].append("\(record.partition.partition)@\(record.offset)")
                for (group, offsets) in committed where record.offset >= offsets[record.partition] ?? 0 {
                    found.waiting[group, default: []].insert(id)
                }
            }
        } catch {
            found.problem = "the broker's disk: \(error)"
        }
        return found
    }

    private static func identities(
        in outbox: (any OutboxContents)?
    ) -> (ids: Set<Reading.Identity>, problem: String?) {
        do throws(PersistenceError) {
            return (Set(try outbox?.readings().map(\.id) ?? []), nil)
        } catch {
            return ([], "the poller's disk: \(error)")
        }
    }
}
