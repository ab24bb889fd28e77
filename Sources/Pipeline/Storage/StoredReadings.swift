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
    /// - Throws: ``PersistenceError``.
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
            let statement = try database.prepare("SELECT series, time, value FROM reading ORDER BY series, time")
            var readings: [Reading] = []
            var last: (series: Int64, name: Reading.Identity.Series)?
            while try statement.step() {
                let series = statement.integer(0)
                if last?.series != series { last = names[series].map { (series, $0) } }
                guard let name = last?.name, last?.series == series else {
                    throw PersistenceError.damaged("a reading of the unknown series \(series)")
                }
                readings.append(
                    Reading(Reading.Identity(name, milliseconds: statement.integer(1)), value: statement.real(2)))
            }
            return readings
        }
    }
}
