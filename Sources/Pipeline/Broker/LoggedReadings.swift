public import Measurements
public import Ports
import SQLite

/// What a broker's log holds, read from its disk while the broker is down, or from a copy of its disk.
public protocol LoggedReadings {
    /// The records that are readings, by partition and offset.
    ///
    /// - Throws: ``PersistenceError``.
    func records() throws(PersistenceError) -> [LoggedReading]

    /// Where each group goes on, by group: an offset for each partition in which it has committed.
    ///
    /// - Throws: ``PersistenceError``.
    func committedOffsets() throws(PersistenceError) -> [String: [TopicPartition: Int64]]
}

/// A record of a log that is a reading.
public struct LoggedReading: Hashable, Sendable {
    /// The partition.
    public let partition: TopicPartition
    /// The record's offset in the partition.
    public let offset: Int64
    /// The reading.
    public let reading: Reading

    /// Makes a record of its parts.
    public init(partition: TopicPartition, offset: Int64, reading: Reading) {
        self.partition = partition
        self.offset = offset
        self.reading = reading
    }
}

/// What the file of a ``Broker`` holds.
public struct BrokerLogReadings: LoggedReadings {
    private let location: DiskLocation

    /// Reads a file, which may be empty; who opens a file that is in use makes it wait.
    public init(_ location: DiskLocation) {
        self.location = location
    }

    /// The records that are readings, by partition and offset.
    ///
    /// - Throws: ``PersistenceError``.
    public func records() throws(PersistenceError) -> [LoggedReading] {
        guard let database = try DurableFile.inspect(location, BrokerLog.schema) else { return [] }
        return try PersistenceError.mapped {
            var partitions: [Int64: TopicPartition] = [:]
            for row in try database.rows("SELECT id, topic, number FROM partition") {
                guard let id = row[0].integer, let topic = row[1].text, let number = row[2].integer else { continue }
                partitions[id] = TopicPartition(topic, Int(number))
            }
            let statement = try database.prepare(
                "SELECT partition, offset, value FROM record ORDER BY partition, offset")
            var records: [LoggedReading] = []
            while try statement.step() {
                guard let partition = partitions[statement.integer(0)] else {
                    throw PersistenceError.damaged("a record of an unknown partition")
                }
                guard let reading = try? Reading(jsonText: statement.text(2)) else { continue }
                records.append(
                    LoggedReading(partition: partition, offset: statement.integer(1), reading: reading))
            }
            return records
        }
    }

    /// Where each group goes on, by group: an offset for each partition in which it has committed.
    ///
    /// - Throws: ``PersistenceError``.
    public func committedOffsets() throws(PersistenceError) -> [String: [TopicPartition: Int64]] {
        guard let database = try DurableFile.inspect(location, BrokerLog.schema) else { return [:] }
        return try PersistenceError.mapped {
            let statement = try database.prepare(
                "SELECT name, topic, number, offset FROM committed JOIN partition ON partition.id = committed.partition"
            )
            var offsets: [String: [TopicPartition: Int64]] = [:]
            while try statement.step() {
                let partition = TopicPartition(statement.text(1), Int(statement.integer(2)))
                offsets[statement.text(0), default: [:]][partition] = statement.integer(3)
            }
            return offsets
        }
    }
}
