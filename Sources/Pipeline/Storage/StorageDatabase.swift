import Durations
package import Measurements
package import Ports
import SQLite

/// The storage's file: readings by series and time, and the batches that were acknowledged.
///
/// One thread, one caller at a time.
package final class StorageDatabase {
    private let file: DurableFile
    private let rules: PersistenceRules
    private let reach: Waypoint.Listener
    private let statements: Statements
    private var series: [Reading.Identity.Series: SeriesRow] = [:]
    /// Readings that are stored: what the latest batch says, and what there must be.
    private var total: Int64 = 0
    /// Why nothing is stored any more.
    private(set) var failure: String?

    /// Batches that are remembered: one that is sent again after so many others is stored again, which changes nothing.
    package static let batchesMax: Int64 = 100_000

    private struct SeriesRow {
        let id: Int64
        let key: UInt64
    }

    private struct Statements {
        let insert: SQLiteStatement
        let addSeries: SQLiteStatement
        let findBatch: SQLiteStatement
        let addBatch: SQLiteStatement
        let forgetBatches: SQLiteStatement
        let range: SQLiteStatement
        let latest: SQLiteStatement

        init(_ database: SQLiteDatabase) throws(SQLiteError) {
            insert = try database.prepare(
                "INSERT INTO reading (series, time, value, checksum) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
            addSeries = try database.prepare(
                "INSERT INTO series (flat, room, channel, checksum) VALUES (?, ?, ?, ?)")
            findBatch = try database.prepare("SELECT digest, stored, known FROM batch WHERE name = ?")
            addBatch = try database.prepare(
                """
                INSERT INTO batch (name, digest, stored, known, total, acknowledgements) VALUES (?, ?, ?, ?, ?, 1)
                ON CONFLICT (name) DO UPDATE SET acknowledgements = acknowledgements + 1
                """)
            forgetBatches = try database.prepare(
                "DELETE FROM batch WHERE number <= (SELECT max(number) FROM batch) - ?")
            range = try database.prepare(
                """
                SELECT time, value, checksum FROM reading WHERE series = ? AND time >= ? AND time < ? ORDER BY time LIMIT ?
                """)
            latest = try database.prepare(
                "SELECT time, value, checksum FROM reading WHERE series = ? ORDER BY time DESC LIMIT 1")
        }
    }

    // MARK: Opening

    /// Opens the file, makes it if it is not there, and brings what a process left unsynced to the disk.
    package init(
        _ location: DiskLocation, rules: PersistenceRules = .sound,
        reach: @escaping Waypoint.Listener = Waypoint.unheard
    ) throws(PersistenceError) {
        self.rules = rules
        self.reach = reach
        file = try DurableFile(location, Self.schema, rules: rules)
        let database = file.database
        if file.hadLog { reach(.storageRecovered) }
        statements = try PersistenceError.mapped { try Statements(database) }
        try PersistenceError.mapped {
            try readSeries()
            try count()
        }
    }

    /// Looks at every row: a flipped bit may hide one from those who ask for it where no structure is broken.
    private func count() throws {
        let database = file.database
        let expected = try database.rows("SELECT total FROM batch ORDER BY number DESC LIMIT 1").first?[0].integer ?? 0
        let names = Dictionary(series.map { ($1.id, (name: $0, key: $1.key)) }) { $1 }
        var last: (series: Int64, time: Int64) = (.min, .min)
        let all = try database.prepare("SELECT series, time, value, checksum FROM reading ORDER BY series, time")
        while try all.step() {
            let place = (series: all.integer(0), time: all.integer(1))
            guard place > last else { throw PersistenceError.damaged("the order of the readings") }
            guard let (name, key) = names[place.series] else {
                throw PersistenceError.damaged("a reading without a series")
            }
            let id = Reading.Identity(name, milliseconds: place.time)
            _ = try checked(Reading(id, value: all.real(2)), all.integer(3), key: key)
            last = place
            total += 1
        }
        if rules.checksRows, rules.recordsBatches, total != expected {
            throw PersistenceError.damaged("there are \(total) readings, and were \(expected)")
        }
    }

    static let schema: DurableFile.Schema = DurableFile.Schema(
        application: 0x574B_7374, version: 1,
        sql: """
            CREATE TABLE series (
                id INTEGER PRIMARY KEY, flat TEXT NOT NULL, room TEXT NOT NULL, channel TEXT NOT NULL,
                checksum INTEGER NOT NULL, UNIQUE (flat, room, channel)
            ) STRICT;
            CREATE TABLE reading (
                series INTEGER NOT NULL REFERENCES series (id), time INTEGER NOT NULL, value REAL NOT NULL,
                checksum INTEGER NOT NULL, PRIMARY KEY (series, time)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE batch (
                number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, digest INTEGER NOT NULL,
                stored INTEGER NOT NULL, known INTEGER NOT NULL, total INTEGER NOT NULL,
                acknowledgements INTEGER NOT NULL
            ) STRICT;
            """)

    private func readSeries() throws {
        for row in try file.database.rows("SELECT id, flat, room, channel, checksum FROM series ORDER BY id") {
            guard let id = row[0].integer, let flat = row[1].text, let room = row[2].text, let channel = row[3].text
            else { throw PersistenceError.damaged("a series without its names") }
            let name = Reading.Identity.Series(flat: flat, room: room, channel: channel)
            let key = Checksum.key(of: name)
            guard !rules.checksRows || row[4].integer == Int64(bitPattern: key) else {
                throw PersistenceError.damaged("the checksum of the series \(name)")
            }
            series[name] = SeriesRow(id: id, key: key)
        }
    }

    // MARK: Writing

    /// Stores a batch, all of it or nothing, and acknowledges it by returning.
    ///
    /// - Returns: How many readings were new and how many known.
    package func write(_ batch: StorageBatch) throws(PersistenceError) -> StorageReceipt {
        if let failure { throw .stopped(failure) }
        do throws(PersistenceError) {
            let receipt = try file.transaction(treatsFailedCommitAsUnknown: rules.treatsFailedCommitAsUnknown) {
                try insert(batch)
            }
            added = []
            total += uncommitted
            return receipt
        } catch {
            for name in added { series[name] = nil }
            added = []
            if error.endsService { failure = error.description }
            throw error
        }
    }

    private func insert(_ batch: StorageBatch) throws -> StorageReceipt {
        let digest = Checksum.of(batch.readings)
        if rules.recordsBatches, let earlier = try find(batch.name) {
            guard earlier.digest == digest else {
                throw PersistenceError.refused("another batch has the name '\(batch.name)'")
            }
            reach(.storageKnownBatch)
            try add(batch, digest, earlier.receipt)
            // Not taken on trust: the readings are put in again, and must all be there.
            let again = try insertReadings(batch)
            guard again.stored == 0 else {
                throw PersistenceError.damaged("\(again.stored) readings of the batch '\(batch.name)' were gone")
            }
            uncommitted = 0
            return earlier.receipt
        }
        let receipt = try insertReadings(batch)
        if rules.recordsBatches {
            try add(batch, digest, receipt)
            try statements.forgetBatches.bind([.integer(Self.batchesMax)])
            try statements.forgetBatches.run()
        }
        return receipt
    }

    private func insertReadings(_ batch: StorageBatch) throws(SQLiteError) -> StorageReceipt {
        var stored = 0
        let insert = statements.insert
        for reading in batch.readings {
            let row = try series(reading.id.series)
            try insert.bind(.integer(row.id), at: 1)
            try insert.bind(.integer(reading.id.milliseconds), at: 2)
            try insert.bind(.real(reading.value), at: 3)
            try insert.bind(.integer(Checksum.of(reading, key: row.key)), at: 4)
            try insert.run()
            stored += file.database.changes
        }
        uncommitted = Int64(stored)
        return StorageReceipt(stored: stored, known: batch.readings.count - stored)
    }

    private func series(_ name: Reading.Identity.Series) throws(SQLiteError) -> SeriesRow {
        if let row = series[name] { return row }
        let key = Checksum.key(of: name)
        let add = statements.addSeries
        try add.bind([.text(name.flat), .text(name.room), .text(name.channel), .integer(Int64(bitPattern: key))])
        try add.run()
        let row = SeriesRow(id: file.database.lastInsertedRow, key: key)
        series[name] = row
        added.append(name)
        return row
    }

    /// Readings that the transaction in progress adds.
    private var uncommitted: Int64 = 0
    /// Series of the transaction in progress.
    private var added: [Reading.Identity.Series] = []

    private func find(_ name: String) throws(SQLiteError) -> (digest: Int64, receipt: StorageReceipt)? {
        let find = statements.findBatch
        defer { find.reset() }
        try find.bind([.text(name)])
        guard try find.step() else { return nil }
        return (find.integer(0), StorageReceipt(stored: Int(find.integer(1)), known: Int(find.integer(2))))
    }

    private func add(_ batch: StorageBatch, _ digest: Int64, _ receipt: StorageReceipt) throws(SQLiteError) {
        try statements.addBatch.bind([
            .text(batch.name), .integer(digest), .integer(Int64(receipt.stored)), .integer(Int64(receipt.known)),
            .integer(total + Int64(receipt.stored)),
        ])
        try statements.addBatch.run()
    }

    // MARK: Reading

    /// Readings of a flat from a moment to another, in order of time.
    package func readings(
        of flat: String, from: Int64, to: Int64, limit: Int
    ) throws(PersistenceError) -> [Reading] {
        try PersistenceError.mapped {
            let range = statements.range
            var readings: [Reading] = []
            // Names are asked of memory, where they are known to be right, and not of an index that may be damaged.
            for name in series.keys.filter({ $0.flat == flat }).sorted() {
                guard let row = series[name] else { continue }
                defer { range.reset() }
                try range.bind([.integer(row.id), .integer(from), .integer(to), .integer(Int64(limit))])
                while try range.step() {
                    let id = Reading.Identity(name, milliseconds: range.integer(0))
                    readings.append(try checked(Reading(id, value: range.real(1)), range.integer(2), key: row.key))
                }
                // No more is kept than is given, however many series there are.
                readings.sort { ($0.id.milliseconds, $0.id.series) < ($1.id.milliseconds, $1.id.series) }
                if readings.count > limit { readings.removeSubrange(limit...) }
            }
            return readings
        }
    }

    /// The latest reading of each series of a flat, or of all flats.
    package func latest(of flat: String?) throws(PersistenceError) -> [Reading] {
        try PersistenceError.mapped {
            let latest = statements.latest
            return try series.keys.filter { flat == nil || $0.flat == flat }.sorted().compactMap { name in
                guard let row = series[name] else { return nil }
                defer { latest.reset() }
                try latest.bind([.integer(row.id)])
                guard try latest.step() else { return nil }
                let id = Reading.Identity(name, milliseconds: latest.integer(0))
                return try checked(Reading(id, value: latest.real(1)), latest.integer(2), key: row.key)
            }
        }
    }

    private func checked(_ reading: Reading, _ checksum: Int64, key: UInt64) throws(PersistenceError) -> Reading {
        guard !rules.checksRows || Checksum.of(reading, key: key) == checksum else {
            throw .damaged("the checksum of \(reading.id)")
        }
        return reading
    }
}
