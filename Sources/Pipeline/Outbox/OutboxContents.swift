public import Measurements
public import Ports
import SQLite

/// What an outbox keeps, read from its disk while its service is down, or from a copy of its disk.
public protocol OutboxContents {
    /// The readings that are kept, those that the broker has among them, in the order in which they were taken.
    ///
    /// - Throws: ``PersistenceError``.
    func readings() throws(PersistenceError) -> [Reading]
}

/// What the file of an ``Outbox`` holds.
public struct OutboxFileContents: OutboxContents {
    private let location: DiskLocation

    /// Reads a file, which may be empty; who opens a file that is in use makes it wait.
    public init(_ location: DiskLocation) {
        self.location = location
    }

    /// The readings that are kept, those that the broker has among them, in the order in which they were taken.
    ///
    /// - Throws: ``PersistenceError``.
    public func readings() throws(PersistenceError) -> [Reading] {
        guard let database = try DurableFile.inspect(location, Outbox.schema) else { return [] }
        return try PersistenceError.mapped {
            let statement = try database.prepare("SELECT value FROM message ORDER BY number")
            var readings: [Reading] = []
            while try statement.step() {
                guard let reading = try? Reading(jsonText: statement.text(0)) else {
                    throw PersistenceError.damaged("a message that is not a reading")
                }
                readings.append(reading)
            }
            return readings
        }
    }
}
