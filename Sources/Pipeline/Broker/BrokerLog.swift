import Durations
package import Ports
import SQLite

/// The broker's file: the records of all partitions, what producers sent last, and what groups have committed.
package final class BrokerLog {
    private let file: DurableFile
    private let statements: Statements
    private var partitions: [TopicPartition: PartitionRow] = [:]
    private let topics: [String: BrokerTopic]
    private var synchronous: String
    private let reach: Waypoint.Listener

    /// Messages that one request appends at most, and bytes of each.
    package static let messagesMax: Int = 1000
    package static let messageBytesMax: Int = 64 << 10
    /// Bytes of messages that one fetch gives at most, but for the first.
    package static let fetchBytesMax: Int = 4 << 20
    /// The largest number of a message: what JSON's readers know exactly.
    static let sequenceMax: Int64 = 1 << 53
    /// Partitions of a topic.
    package static let partitionsMax: Int = 1000
    /// Messages after which the WAL is written back.
    private let checkpointMessages: Int
    private var appended: Int = 0

    private struct PartitionRow {
        let id: Int64
        /// The offsets of the first record that is there and of the next.
        var earliest: Int64
        var latest: Int64
    }

    private struct Statements {
        let append: SQLiteStatement
        let fetch: SQLiteStatement
        let lastSequence: SQLiteStatement
        let setSequence: SQLiteStatement
        let setEnds: SQLiteStatement
        let committed: SQLiteStatement
        let commit: SQLiteStatement

        init(_ database: SQLiteDatabase) throws(SQLiteError) {
            append = try database.prepare(
                "INSERT INTO record (partition, offset, time, key, value, checksum) VALUES (?, ?, ?, ?, ?, ?)")
            fetch = try database.prepare(
                """
                SELECT offset, time, key, value, checksum FROM record WHERE partition = ? AND offset >= ? ORDER BY offset LIMIT ?
                """
            )
            lastSequence = try database.prepare("SELECT last FROM producer WHERE partition = ? AND name = ?")
            setSequence = try database.prepare(
                """
                INSERT INTO producer (partition, name, last) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET last = excluded.last
                """)
            setEnds = try database.prepare("UPDATE partition SET earliest = ?, latest = ? WHERE id = ?")
            committed = try database.prepare("SELECT offset FROM committed WHERE partition = ? AND name = ?")
            commit = try database.prepare(
                """
                INSERT INTO committed (partition, name, offset) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET offset = excluded.offset
                """)
        }
    }

    static let schema: DurableFile.Schema = DurableFile.Schema(
        application: 0x574B_6272, version: 2,
        sql: """
            CREATE TABLE partition (
                id INTEGER PRIMARY KEY, topic TEXT NOT NULL, number INTEGER NOT NULL, earliest INTEGER NOT NULL,
                latest INTEGER NOT NULL, UNIQUE (topic, number)
            ) STRICT;
            CREATE TABLE record (
                partition INTEGER NOT NULL REFERENCES partition (id), offset INTEGER NOT NULL, time INTEGER NOT NULL,
                key TEXT NOT NULL, value TEXT NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY (partition, offset)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE producer (
                partition INTEGER NOT NULL REFERENCES partition (id), name TEXT NOT NULL, last INTEGER NOT NULL,
                repetitions INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (partition, name)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE committed (
                partition INTEGER NOT NULL REFERENCES partition (id), name TEXT NOT NULL, offset INTEGER NOT NULL,
                PRIMARY KEY (partition, name)
            ) STRICT, WITHOUT ROWID;
            """)

    /// Opens the file, and makes topics that are not there.
    package init(
        _ location: DiskLocation, topics: [BrokerTopic], rules: PersistenceRules = .sound,
        reach: @escaping Waypoint.Listener = Waypoint.unheard
    ) throws(PersistenceError) {
        for topic in topics where !(1...Self.partitionsMax).contains(topic.partitions) {
            throw .refused(
                "the topic '\(topic.name)' has 1 to \(Self.partitionsMax) partitions, not \(topic.partitions)")
        }
        var rules = rules
        rules.checkpointPages = 0
        file = try DurableFile(location, Self.schema, rules: rules)
        synchronous = rules.synchronous
        self.reach = reach
        if file.hadLog { reach(.brokerRecovered) }
        checkpointMessages = rules.checkpointMessages
        self.topics = Dictionary(topics.map { ($0.name, $0) }) { $1 }
        let database = file.database
        statements = try PersistenceError.mapped { try Statements(database) }
        for topic in topics {
            for number in 0..<topic.partitions {
                try file.transaction {
                    let add = try database.prepare(
                        "INSERT INTO partition (topic, number, earliest, latest) VALUES (?, ?, 0, 0) ON CONFLICT DO NOTHING"
                    )
                    try add.bind([.text(topic.name), .integer(Int64(number))])
                    try add.run()
                }
            }
        }
        try PersistenceError.mapped {
            for row in try database.rows("SELECT id, topic, number, earliest, latest FROM partition ORDER BY id") {
                guard let id = row[0].integer, let topic = row[1].text, let number = row[2].integer,
                    let earliest = row[3].integer, let latest = row[4].integer
                else { throw PersistenceError.damaged("a partition without its parts") }
                guard earliest >= 0, latest >= earliest, latest <= Self.sequenceMax else {
                    throw PersistenceError.damaged(
                        "the ends of the partition \(topic)-\(number): \(earliest), \(latest)")
                }
                partitions[TopicPartition(topic, Int(number))] = PartitionRow(
                    id: id, earliest: earliest, latest: latest)
            }
        }
    }

    private func row(_ partition: TopicPartition) throws(BrokerError) -> PartitionRow {
        guard topics[partition.topic] != nil, let row = partitions[partition] else {
            throw .unknownTopic(partition.description)
        }
        return row
    }

    private func mapped<Result>(_ body: () throws -> Result) throws(BrokerError) -> Result {
        do throws(PersistenceError) {
            return try file.transaction(body)
        } catch {
            throw .persistence(error)
        }
    }

    // MARK: Producing

    /// Appends messages to a partition.
    ///
    /// - Returns: The offset of the first; nil where a producer sent them again.
    package func append(
        _ messages: [BrokerMessage], to partition: TopicPartition, from producer: BrokerProducer?, acks: BrokerAcks,
        time: Int64
    ) throws(BrokerError) -> Int64? {
        let row = try row(partition)
        let count = messages.count
        guard (1...Self.messagesMax).contains(count) else {
            throw .refused("a request has 1 to \(Self.messagesMax) messages, not \(messages.count)")
        }
        for message in messages where message.key.utf8.count + message.value.utf8.count > Self.messageBytesMax {
            throw .refused("a message has at most \(Self.messageBytesMax) bytes")
        }
        var messages = messages[...]
        if let producer {
            guard (0...Self.sequenceMax).contains(producer.sequence) else { throw .refused("a sequence is 0 to 2^53") }
            let last = try lastSequence(of: producer.id, row)
            guard producer.sequence <= last + 1 else { throw .outOfOrder(expected: last + 1) }
            // What it sends again is there; what comes behind it is new.
            messages = messages.dropFirst(Int(min(last + 1 - producer.sequence, Int64(messages.count))))
        }
        let end = (producer?.sequence ?? 0) + Int64(count) - 1
        guard row.latest + Int64(messages.count) <= Self.sequenceMax, end <= Self.sequenceMax else {
            throw .refused("a partition has offsets for 2^53 messages, and a producer as many numbers")
        }
        try setSynchronous(acks == .all ? "FULL" : "NORMAL")
        guard !messages.isEmpty else {
            reach(.brokerRepetition)
            // Something is changed, so that what is acknowledged now is synced now, whatever it was before.
            if acks == .all, let producer { try noteRepetition(of: producer, row) }
            return nil
        }
        if messages.count < count { reach(.brokerPartialRepetition) }
        try mapped {
            for (index, message) in messages.enumerated() {
                let record = BrokerRecord(offset: row.latest + Int64(index), message: message, time: time)
                try statements.append.bind([
                    .integer(row.id), .integer(record.offset), .integer(time), .text(message.key),
                    .text(message.value), .integer(Checksum.of(record, in: partition)),
                ])
                try statements.append.run()
            }
            try setEnds(row.earliest, row.latest + Int64(messages.count), row.id)
            if let producer {
                try statements.setSequence.bind([
                    .integer(row.id), .text(producer.id), .integer(end),
                ])
                try statements.setSequence.run()
            }
        }
        partitions[partition]?.latest += Int64(messages.count)
        try checkpoint(after: messages.count)
        return row.latest
    }

    private func noteRepetition(of producer: BrokerProducer, _ row: PartitionRow) throws(BrokerError) {
        try mapped {
            _ = try file.database.rows(
                "UPDATE producer SET repetitions = repetitions + 1 WHERE partition = ? AND name = ?",
                [.integer(row.id), .text(producer.id)])
        }
    }

    /// Writes the WAL back now and then, and stops when that fails: SQLite itself would not say so, and go on with a WAL of which a part is not on
    /// the disk.
    private func checkpoint(after messages: Int) throws(BrokerError) {
        appended += messages
        guard appended >= checkpointMessages else { return }
        appended = 0
        do throws(SQLiteError) {
            _ = try file.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
            reach(.brokerCheckpoint)
        } catch {
            throw .persistence(error.isFull ? .full : .stopped(error.description))
        }
    }

    private func setSynchronous(_ level: String) throws(BrokerError) {
        guard synchronous != level else { return }
        do throws(SQLiteError) {
            _ = try file.database.pragma("synchronous", level)
        } catch {
            throw .persistence(PersistenceError(error))
        }
        synchronous = level
    }

    private func lastSequence(of producer: String, _ row: PartitionRow) throws(BrokerError) -> Int64 {
        let find = statements.lastSequence
        defer { find.reset() }
        do throws(SQLiteError) {
            try find.bind([.integer(row.id), .text(producer)])
            guard try find.step() else { return -1 }
        } catch {
            throw .persistence(PersistenceError(error))
        }
        let last = find.integer(0)
        guard (0...Self.sequenceMax).contains(last) else {
            throw .persistence(.damaged("the last number of the producer '\(producer)': \(last)"))
        }
        return last
    }

    private func setEnds(_ earliest: Int64, _ latest: Int64, _ id: Int64) throws(SQLiteError) {
        try statements.setEnds.bind([.integer(earliest), .integer(latest), .integer(id)])
        try statements.setEnds.run()
    }

    // MARK: Consuming

    /// The offsets of the first record that is there and of the next.
    package func ends(of partition: TopicPartition) throws(BrokerError) -> (earliest: Int64, latest: Int64) {
        let row = try row(partition)
        return (row.earliest, row.latest)
    }

    /// The partitions of a topic.
    package func partitions(of topic: String) throws(BrokerError) -> Int {
        guard let found = topics[topic] else { throw .unknownTopic(topic) }
        return found.partitions
    }

    /// Gives records from an offset on.
    ///
    /// - Throws: ``BrokerError``.
    package func fetch(
        _ partition: TopicPartition, from offset: Int64, max: Int, bytesMax: Int = fetchBytesMax
    ) throws(BrokerError) -> [BrokerRecord] {
        let row = try row(partition)
        guard (row.earliest...row.latest).contains(offset) else {
            throw .offsetOutOfRange(earliest: row.earliest, latest: row.latest)
        }
        guard offset < row.latest else { return [] }
        do throws(PersistenceError) {
            return try PersistenceError.mapped { try read(partition, row, from: offset, max: max, bytesMax: bytesMax) }
        } catch {
            reach(.brokerReadFailed)
            throw .persistence(error)
        }
    }

    private func read(
        _ partition: TopicPartition, _ row: PartitionRow, from offset: Int64, max: Int, bytesMax: Int
    ) throws -> [BrokerRecord] {
        let fetch = statements.fetch
        defer { fetch.reset() }
        try fetch.bind([.integer(row.id), .integer(offset), .integer(Int64(Swift.max(0, max)))])
        var records: [BrokerRecord] = []
        var bytes = 0
        while try fetch.step() {
            let message = BrokerMessage(key: fetch.text(2), value: fetch.text(3))
            bytes += message.key.utf8.count + message.value.utf8.count
            if bytes > bytesMax, !records.isEmpty { break }
            let record = BrokerRecord(offset: fetch.integer(0), message: message, time: fetch.integer(1))
            guard Checksum.of(record, in: partition) == fetch.integer(4) else {
                throw PersistenceError.damaged("the checksum of the record \(partition)@\(record.offset)")
            }
            // A bit that flipped in the tree above the rows may hide some of them.
            guard record.offset == offset + Int64(records.count) else {
                throw PersistenceError.damaged("a record before \(partition)@\(record.offset) is gone")
            }
            records.append(record)
        }
        return records
    }

    /// Where a group goes on; nil where it never committed.
    package func committed(_ group: String, _ partition: TopicPartition) throws(BrokerError) -> Int64? {
        let row = try row(partition)
        let find = statements.committed
        defer { find.reset() }
        do throws(SQLiteError) {
            try find.bind([.integer(row.id), .text(group)])
            guard try find.step() else { return nil }
        } catch {
            throw .persistence(PersistenceError(error))
        }
        let offset = find.integer(0)
        guard (0...row.latest).contains(offset) else {
            throw .persistence(.damaged("the offset of the group '\(group)' in \(partition): \(offset)"))
        }
        return offset
    }

    /// Notes where a group goes on.
    package func commit(_ group: String, _ partition: TopicPartition, _ offset: Int64) throws(BrokerError) {
        let row = try row(partition)
        try setSynchronous("FULL")
        try mapped {
            try statements.commit.bind([.integer(row.id), .text(group), .integer(offset)])
            try statements.commit.run()
        }
    }

    // MARK: Retention

    /// Forgets records that are older than their topic keeps them.
    package func expire(now: Int64) throws(BrokerError) {
        for (partition, row) in partitions.sorted(by: { $0.value.id < $1.value.id }) {
            guard let retention = topics[partition.topic]?.retention else { continue }
            let limit = now - retention.milliseconds
            guard let first = try fetch(partition, from: row.earliest, max: 1).first, first.time < limit else {
                continue
            }
            let earliest: Int64 = try mapped {
                let database = file.database
                let found = try database.rows(
                    "SELECT min(offset) FROM record WHERE partition = ? AND time >= ?",
                    [.integer(row.id), .integer(limit)])
                let earliest = found[0][0].integer ?? row.latest
                _ = try database.rows(
                    "DELETE FROM record WHERE partition = ? AND offset < ?", [.integer(row.id), .integer(earliest)])
                try setEnds(earliest, row.latest, row.id)
                return earliest
            }
            partitions[partition]?.earliest = earliest
            reach(.brokerExpired)
        }
    }
}
