public import Measurements

/// Readings that are stored together, under a name that says whether they were stored before.
public struct StorageBatch: Hashable, Sendable {
    /// The batch's name; the same for the same readings, however often they are sent.
    public let name: String
    /// The readings.
    public let readings: [Reading]

    /// The most readings of a batch.
    public static let readingsMax: Int = 10_000
    /// The longest name, in bytes.
    public static let nameBytesMax: Int = 128

    /// Makes a batch of its parts.
    ///
    /// - Throws: ``PersistenceError/refused(_:)`` when it breaks a limit.
    public init(name: String, readings: [Reading]) throws(PersistenceError) {
        guard (1...Self.nameBytesMax).contains(name.utf8.count) else {
            throw .refused("a batch's name has 1 to \(Self.nameBytesMax) bytes, not \(name.utf8.count)")
        }
        guard readings.count <= Self.readingsMax else {
            throw .refused("a batch has at most \(Self.readingsMax) readings, not \(readings.count)")
        }
        for reading in readings where !reading.value.isFinite {
            throw .refused("the value of \(reading.id) is not finite")
        }
        self.name = name
        self.readings = readings
    }
}

/// What became of a batch that is stored.
public struct StorageReceipt: Hashable, Sendable {
    /// Readings that were new.
    public let stored: Int
    /// Readings that were stored already; the first value of a reading stays.
    public let known: Int
}
