public import Measurements
public import Ports
import SQLite

/// What a broker's log holds, read from its disk while the broker is down, or from a copy of its disk.
public protocol LoggedReadings {
    /// The records that are readings, and how far groups have come.
    ///
    /// - Throws: ``PersistenceError``.
    func contents() throws(PersistenceError) -> LogContents

    /// How many records each partition ever had, and how many of them producers have numbered.
    ///
    /// - Throws: ``PersistenceError``.
    func appends() throws(PersistenceError) -> [PartitionAppends]
}

/// What a broker's log holds at one moment.
public struct LogContents: Hashable, Sendable {
    /// The records that are readings, by partition and offset.
    public var records: [LoggedReading]
    /// Where each group goes on, by group: an offset for each partition in which it has committed.
    public var committed: [String: [TopicPartition: Int64]]

    /// Makes contents of their parts; without them, nothing.
    public init(records: [LoggedReading] = [], committed: [String: [TopicPartition: Int64]] = [:]) {
        self.records = records
        self.committed = committed
    }
}

/// What was ever appended to a partition.
public struct PartitionAppends: Hashable, Sendable {
    /// The partition.
    public let partition: TopicPartition
    /// The records that it ever had.
    public let records: Int64
    /// The messages that producers have numbered, each counted once.
    public let numbered: Int64

    /// Makes appends of their parts.
    public init(partition: TopicPartition, records: Int64, numbered: Int64) {
        self.partition = partition
        self.records = records
        self.numbered = numbered
    }
}

/// A record of a log that is a reading.
public struct LoggedReading: Hashable, Sendable {
    /// The partition.
    public let partition: TopicPartition
    /// The record's offset in the partition.
    public let offset: Int64
    /// The time at which the record was appended, in ms since 1970.
    public let time: Int64
    /// The reading.
    public let reading: Reading

    /// Makes a record of its parts.
    public init(partition: TopicPartition, offset: Int64, time: Int64, reading: Reading) {
        self.partition = partition
        self.offset = offset
        self.time = time
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

    /// The records that are readings, and how far groups have come.
    ///
    /// - Throws: ``PersistenceError``; ``PersistenceError/damaged(_:)`` where the broker would not give a record either.
    public func contents() throws(PersistenceError) -> LogContents {
        // Opened once: who opens a file reads its whole WAL.
        guard let database = try DurableFile.inspect(location, BrokerLog.schema) else { return LogContents() }
        return try PersistenceError.mapped {
            LogContents(records: try Self.records(in: database), committed: try Self.committed(in: database))
        }
    }

    private static func records(in database: SQLiteDatabase) throws -> [LoggedReading] {
        var partitions: [Int64: TopicPartition] = [:]
        for row in try database.rows("SELECT id, topic, number FROM partition") {
            guard let id = row[0].integer, let topic = row[1].text, let number = row[2].integer else { continue }
            partitions[id] = TopicPartition(topic, Int(number))
        }
        let statement = try database.prepare(
            "SELECT partition, offset, time, key, value, checksum FROM record ORDER BY partition, offset")
        var records: [LoggedReading] = []
        while try statement.step() {
            guard let partition = partitions[statement.integer(0)] else {
                throw PersistenceError.damaged("a record of an unknown partition")
            }
            let record = BrokerRecord(
                offset: statement.integer(1),
                message: BrokerMessage(key: statement.text(3), value: statement.text(4)),
                time: statement.integer(2))
            guard Checksum.of(record, in: partition) == statement.integer(5) else {
                throw PersistenceError.damaged("the checksum of the record \(partition)@\(record.offset)")
            }
            guard let reading = try? Reading(jsonText: record.message.value) else { continue }
            records.append(
                LoggedReading(partition: partition, offset: record.offset, time: record.time, reading: reading))
        }
        return records
    }

    private static func committed(in database: SQLiteDatabase) throws -> [String: [TopicPartition: Int64]] {
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

    /// How many records each partition ever had, and how many of them producers have numbered.
    ///
    /// - Throws: ``PersistenceError``.
    public func appends() throws(PersistenceError) -> [PartitionAppends] {
        guard let database = try DurableFile.inspect(location, BrokerLog.schema) else { return [] }
        return try PersistenceError.mapped {
            let statement = try database.prepare(
                """
                SELECT topic, number, latest,
                    coalesce((SELECT sum(last + 1) FROM producer WHERE producer.partition = partition.id), 0)
                FROM partition ORDER BY id
                """)
            var appends: [PartitionAppends] = []
            while try statement.step() {
                appends.append(
                    PartitionAppends(
                        partition: TopicPartition(statement.text(0), Int(statement.integer(1))),
                        records: statement.integer(2), numbered: statement.integer(3)))
            }
            return appends
        }
    }
}
