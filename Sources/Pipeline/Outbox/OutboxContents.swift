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
            let statement = try database.prepare(
                "SELECT partition, sequence, key, value, checksum FROM message ORDER BY number")
            var readings: [Reading] = []
            while try statement.step() {
                let message = BrokerMessage(key: statement.text(2), value: statement.text(3))
                let (partition, sequence) = (statement.integer(0), statement.integer(1))
                guard Checksum.of(message, partition: partition, sequence: sequence) == statement.integer(4) else {
                    throw PersistenceError.damaged(
                        "the checksum of the message \(sequence) of the partition \(partition)")
                }
                guard let reading = try? Reading(jsonText: message.value) else {
                    throw PersistenceError.damaged("a message that is not a reading")
                }
                readings.append(reading)
            }
            return readings
        }
    }
}
