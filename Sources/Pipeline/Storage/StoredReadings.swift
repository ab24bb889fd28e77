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
            let statement = try database.prepare(
                "SELECT flat, room, channel, time, value, reading.checksum FROM reading JOIN series ON series.id = reading.series"
            )
            var readings: [Reading] = []
            while try statement.step() {
                let id = Reading.Identity(
                    flat: statement.text(0), room: statement.text(1), channel: statement.text(2),
                    milliseconds: statement.integer(3))
                let reading = Reading(id, value: statement.real(4))
                guard Checksum.of(reading, key: Checksum.key(of: id.series)) == statement.integer(5) else {
                    throw PersistenceError.damaged("the checksum of \(id)")
                }
                readings.append(reading)
            }
            return readings
        }
    }
}
