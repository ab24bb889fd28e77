public import Measurements
public import Ports
import SQLite

/// What a store holds, read from its disk while its service is down, or from a copy of its disk.
public protocol StoredReadings {
    /// All readings, in no particular order.
    ///
    /// - Throws: ``PersistenceError``.
    func all() throws(PersistenceError) -> [Reading]
}

/// What the file of a ``SQLiteReadingStore`` holds.
public struct SQLiteStoredReadings: StoredReadings {
    private let location: DiskLocation

    /// Reads a file, which may be empty; who opens a file that is in use makes it wait.
    public init(_ location: DiskLocation) {
        self.location = location
    }

    /// All readings, by series and time.
    ///
    /// - Throws: ``PersistenceError``; ``PersistenceError/damaged(_:)`` where the store would not deliver a row either.
    public func all() throws(PersistenceError) -> [Reading] {
        guard let database = try DurableFile.inspect(location, StorageDatabase.schema) else { return [] }
        return try PersistenceError.mapped {
            // Names are few and readings many.
            var names: [Int64: Reading.Identity.Series] = [:]
            let series = try database.prepare("SELECT id, flat, room, channel FROM series")
            while try series.step() {
                names[series.integer(0)] = Reading.Identity.Series(
                    flat: series.text(1), room: series.text(2), channel: series.text(3))
            }
            let statement = try database.prepare(
                "SELECT series, time, value, checksum FROM reading ORDER BY series, time")
            var readings: [Reading] = []
            var last: (series: Int64, name: Reading.Identity.Series, key: UInt64)?
            while try statement.step() {
                let series = statement.integer(0)
                if last?.series != series { last = names[series].map { (series, $0, Checksum.key(of: $0)) } }
                guard let (_, name, key) = last, last?.series == series else {
                    throw PersistenceError.damaged("a reading of the unknown series \(series)")
                }
                let id = Reading.Identity(name, milliseconds: statement.integer(1))
                let reading = Reading(id, value: statement.real(2))
                guard Checksum.of(reading, key: key) == statement.integer(3) else {
                    throw PersistenceError.damaged("the checksum of \(id)")
                }
                readings.append(reading)
            }
            return readings
        }
    }
}
