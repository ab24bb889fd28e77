import Durations
public import Measurements
public import Ports
import SQLite

/// Keeps readings on the poller's own disk until the broker has them: persistence in the application.
///
/// What ``publish(_:)`` takes is not lost, however long the broker is away and whatever happens to the poller. Messages have numbers that
/// stay the same when they are sent again, so that the broker appends them once.
public actor Outbox: MeasurementSink {
    /// How it sends.
    public struct Options: Sendable {
        /// Where readings go.
        public var topic: BrokerTopic
        /// The acknowledgement that counts as having readings.
        public var acks: BrokerAcks = .all
        /// Readings that may wait; more are not taken.
        public var readingsMax: Int = 1_000_000
        /// The time for which readings are kept that the broker has taken: they are sent again to a broker that comes back without them.
        ///
        /// It is counted while the outbox runs: neither a wall clock that jumps nor a machine that is off makes it shorter.
        public var retainsAfterAck: Duration = .zero
        /// How long to wait before something that failed is tried again, at first.
        public var retry: Duration = .milliseconds(500)
        /// How long to wait at most.
        public var retryMax: Duration = .seconds(5)
        /// Hears what happens to it.
        package var reach: Waypoint.Listener = Waypoint.unheard
        /// Hears how much waits.
        package var measure: Gauge.Listener = Gauge.unheard

        /// Sends to a topic.
        public init(topic: BrokerTopic) {
            self.topic = topic
        }
    }

    private let file: DurableFile
    private let statements: Statements
    private let location: DiskLocation
    private let options: Options
    private let broker: any BrokerClient
    private let lock: FIFOLock = FIFOLock(waitingMax: 256)
    private var producer: String = ""
    private var next: [Int: Int64] = [:]
    private let opened: ContinuousClock.Instant = .now
    /// For how long the outbox had run when it took leave of a message for the last time, before it was opened.
    private var ranBefore: Duration = .zero
    private var waker: CheckedContinuation<Void, Never>?
    /// Something has changed since it was looked at what waits.
    private var hasNews: Bool = false
    private var failure: PersistenceError?
    /// Readings that the broker does not have yet.
    public private(set) var waiting: Int = 0 {
        didSet { options.measure(.outboxWaiting(waiting)) }
    }
    /// Readings that the broker has taken.
    public private(set) var sent: Int = 0

    /// The longest that an outbox may have run, in ms: more is no time.
    private static let ranMax: Int64 = 1 << 53

    private struct Statements {
        let add: SQLiteStatement
        let setNext: SQLiteStatement
        let oldest: SQLiteStatement
        let markSent: SQLiteStatement
        let deleteSent: SQLiteStatement
        let delete: SQLiteStatement

        init(_ database: SQLiteDatabase) throws(SQLiteError) {
            add = try database.prepare(
                "INSERT INTO message (partition, sequence, key, value, checksum) VALUES (?, ?, ?, ?, ?)")
            setNext = try database.prepare(
                "INSERT INTO next VALUES (?, ?) ON CONFLICT DO UPDATE SET sequence = excluded.sequence")
            oldest = try database.prepare(
                """
                SELECT number, partition, sequence, key, value, checksum FROM message
                WHERE sent IS NULL ORDER BY number LIMIT 200
                """)
            markSent = try database.prepare("UPDATE message SET sent = ? WHERE number <= ? AND sent IS NULL")
            deleteSent = try database.prepare("DELETE FROM message WHERE number <= ? AND sent <= ?")
            delete = try database.prepare("DELETE FROM message WHERE number <= ?")
        }
    }

    static let schema: DurableFile.Schema = DurableFile.Schema(
        application: 0x574B_6F62, version: 2,
        sql: """
            CREATE TABLE sender (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, epoch INTEGER NOT NULL) STRICT;
            CREATE TABLE next (partition INTEGER PRIMARY KEY, sequence INTEGER NOT NULL) STRICT;
            CREATE TABLE message (
                number INTEGER PRIMARY KEY AUTOINCREMENT, partition INTEGER NOT NULL, sequence INTEGER NOT NULL,
                key TEXT NOT NULL, value TEXT NOT NULL, checksum INTEGER NOT NULL, sent INTEGER
            ) STRICT;
            CREATE INDEX unsent ON message (number) WHERE sent IS NULL;
            """)

    /// Opens the outbox's file, and makes it if it is not there.
    ///
    /// - Parameters:
    ///   - location: Where the file is.
    ///   - name: The sender's name.
    ///   - broker: Where readings go.
    ///   - options: How it sends.
    /// - Throws: ``PersistenceError``.
    public init(_ location: DiskLocation, name: String, broker: any BrokerClient, options: Options) async throws {
        try await self.init(location, name: name, broker: broker, options: options, rules: .sound)
    }

    /// Opens the outbox's file by rules of which all but the sound ones are for trials.
    ///
    /// - Throws: ``PersistenceError``.
    package init(
        _ location: DiskLocation, name: String, broker: any BrokerClient, options: Options, rules: PersistenceRules
    ) async throws {
        self.location = location
        self.broker = broker
        self.options = options
        file = try DurableFile(location, Self.schema, rules: rules)
        let database = file.database
        if file.hadLog { options.reach(.outboxRecovered) }
        statements = try PersistenceError.mapped { try Statements(database) }
        // A file that is made anew begins its numbers anew, and is another sender for that.
        var random = SystemRandomNumberGenerator()
        let file = "\(name)/\(String(random.next(), radix: 16))"
        try self.file.transaction {
            _ = try database.rows("INSERT INTO sender VALUES (1, ?, 0) ON CONFLICT DO NOTHING", [.text(file)])
        }
        try PersistenceError.mapped {
            let sender = try database.rows("SELECT name || '/' || epoch FROM sender")
            producer = sender.first?.first?.text ?? name
            for row in try database.rows("SELECT partition, sequence FROM next") {
                guard let partition = row[0].integer, let sequence = row[1].integer, partition >= 0,
                    (0...BrokerLog.sequenceMax).contains(sequence)
                else { throw PersistenceError.damaged("the next number of a partition: \(row)") }
                next[Int(partition)] = sequence
            }
            waiting = Int(try database.rows("SELECT count(*) FROM message WHERE sent IS NULL")[0][0].integer ?? 0)
            let ran = try database.rows("SELECT max(sent) FROM message")[0][0].integer ?? 0
            guard (0...Self.ranMax).contains(ran) else {
                throw PersistenceError.damaged("the time of a message: \(ran)")
            }
            ranBefore = .milliseconds(ran)
        }
        try await location.waitUntilDurable()
    }

    // MARK: Taking

    /// Takes readings, all or none, and returns when they are on the disk.
    ///
    /// - Throws: ``PersistenceError``.
    public func publish(_ readings: [Reading]) async throws {
        guard waiting + readings.count <= options.readingsMax else { throw PersistenceError.full }
        guard await lock.acquire() else { throw PersistenceError.overloaded }
        defer { lock.release() }
        if let failure { throw PersistenceError.stopped(failure.description) }
        do throws(PersistenceError) {
            var next = next
            try file.transaction {
                let add = statements.add
                for reading in readings {
                    let partition = TopicPartition.of(
                        key: reading.id.flat, topic: options.topic.name, partitions: options.topic.partitions
                    ).partition
                    let sequence = next[partition] ?? 0
                    next[partition] = sequence + 1
                    let message = BrokerMessage(key: reading.id.flat, value: reading.jsonText)
                    try add.bind([
                        .integer(Int64(partition)), .integer(sequence), .text(message.key), .text(message.value),
                        .integer(Checksum.of(message, partition: Int64(partition), sequence: sequence)),
                    ])
                    try add.run()
                }
                try store(next, insteadOf: self.next)
            }
            self.next = next
        } catch {
            note(error)
            wake()
            throw error
        }
        waiting += readings.count
        wake()
        try await location.waitUntilDurable()
    }

    private func note(_ error: PersistenceError) {
        if error == .full { options.reach(.outboxFull) }
        guard error.endsService else { return }
        if failure == nil { options.reach(.outboxStopped) }
        failure = error
    }

    private func store(_ next: [Int: Int64], insteadOf old: [Int: Int64]) throws(SQLiteError) {
        for (partition, sequence) in next.sorted(by: { $0.key < $1.key }) where old[partition] != sequence {
            try statements.setNext.bind([.integer(Int64(partition)), .integer(sequence)])
            try statements.setNext.run()
        }
    }

    // MARK: Sending

    private struct Piece {
        let partition: Int
        let sequence: Int64
        let last: Int64
        let messages: [BrokerMessage]
    }

    /// Sends what waits, for as long as the task lives.
    ///
    /// - Throws: ``PersistenceError`` when the disk fails: the process is to end.
    public func run() async throws {
        var wait = options.retry
        while !Task.isCancelled {
            if let failure { throw failure }
            hasNews = false
            guard let piece = try oldest() else {
                await idle()
                continue
            }
            do {
                try await send(piece)
                wait = options.retry
            } catch {
                if let error = error as? PersistenceError, error.endsService { throw error }
                options.reach(.outboxRetried)
                try? await Task.sleep(for: wait)
                wait = min(wait * 2, options.retryMax)
            }
        }
    }

    private func send(_ piece: Piece) async throws {
        do throws(BrokerError) {
            _ = try await broker.produce(
                piece.messages, to: TopicPartition(options.topic.name, piece.partition),
                from: BrokerProducer(id: producer, sequence: piece.sequence), acks: options.acks)
        } catch {
            // Messages are missing there that it had acknowledged.
            if case .outOfOrder(let expected) = error, expected < piece.sequence {
                try renumber()
                try await location.waitUntilDurable()
            }
            throw error
        }
        try forget(piece)
        // Whoever writes waits for the disk himself: else the next that publishes would wait for all that was sent meanwhile.
        try await location.waitUntilDurable()
    }

    /// Waits until there is something to send.
    private func idle() async {
        guard !hasNews else { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { continuation.resume() } else { waker = continuation }
            }
        } onCancel: {
            Task { await self.wake() }
        }
    }

    private func wake() {
        hasNews = true
        waker?.resume()
        waker = nil
    }

    /// The oldest messages, as many as follow each other in one partition.
    private func oldest() throws(PersistenceError) -> Piece? {
        do throws(PersistenceError) {
            return try PersistenceError.mapped { try readOldest() }
        } catch {
            note(error)
            throw error
        }
    }

    private func readOldest() throws -> Piece? {
        let oldest = statements.oldest
        defer { oldest.reset() }
        guard try oldest.step() else { return nil }
        let (partition, sequence) = (oldest.integer(1), oldest.integer(2))
        var last: Int64
        var messages: [BrokerMessage] = []
        repeat {
            last = oldest.integer(0)
            let message = BrokerMessage(key: oldest.text(3), value: oldest.text(4))
            let number = sequence + Int64(messages.count)
            guard oldest.integer(2) == number,
                Checksum.of(message, partition: partition, sequence: number) == oldest.integer(5)
            else {
                throw PersistenceError.damaged("the checksum of the message \(number) of the partition \(partition)")
            }
            messages.append(message)
        } while try oldest.step() && oldest.integer(1) == partition
        return Piece(partition: Int(partition), sequence: sequence, last: last, messages: messages)
    }

    private func forget(_ piece: Piece) throws(PersistenceError) {
        do throws(PersistenceError) {
            try file.transaction {
                guard options.retainsAfterAck > .zero else {
                    try statements.delete.bind([.integer(piece.last)])
                    return try statements.delete.run()
                }
                let ran = ranBefore + opened.duration(to: .now)
                try statements.markSent.bind([.integer(ran.milliseconds), .integer(piece.last)])
                try statements.markSent.run()
                try statements.deleteSent.bind([
                    .integer(piece.last), .integer((ran - options.retainsAfterAck).milliseconds),
                ])
                try statements.deleteSent.run()
            }
        } catch {
            note(error)
            throw error
        }
        waiting -= piece.messages.count
        sent += piece.messages.count
    }

    /// The broker has lost messages that it had acknowledged, and will not take later ones of this producer: go on as another, with all that is
    /// still kept.
    private func renumber() throws(PersistenceError) {
        let database = file.database
        var next: [Int: Int64] = [:]
        // Memory follows once it is on the disk: numbers that are given twice would be taken for known.
        let (name, count): (String, Int) = try file.transaction {
            try database.execute(
                "UPDATE sender SET epoch = epoch + 1; DELETE FROM next; UPDATE message SET sent = NULL")
            let update = try database.prepare("UPDATE message SET sequence = ?, checksum = ? WHERE number = ?")
            let all = try database.prepare(
                "SELECT number, partition, sequence, key, value, checksum FROM message ORDER BY number")
            while try all.step() {
                let (number, partition) = (all.integer(0), all.integer(1))
                let message = BrokerMessage(key: all.text(3), value: all.text(4))
                guard Checksum.of(message, partition: partition, sequence: all.integer(2)) == all.integer(5) else {
                    throw PersistenceError.damaged("the checksum of the message \(number)")
                }
                let sequence = next[Int(partition)] ?? 0
                next[Int(partition)] = sequence + 1
                let checksum = Checksum.of(message, partition: partition, sequence: sequence)
                try update.bind([.integer(sequence), .integer(checksum), .integer(number)])
                try update.run()
            }
            try store(next, insteadOf: [:])
            guard let name = try database.rows("SELECT name || '/' || epoch FROM sender").first?[0].text else {
                throw PersistenceError.damaged("the sender's name")
            }
            return (
                name,
                Int(try database.rows("SELECT count(*) FROM message")[0][0].integer ?? 0)
            )
        }
        (self.next, producer, waiting) = (next, name, count)
        options.reach(.outboxRenumbered)
    }
}
