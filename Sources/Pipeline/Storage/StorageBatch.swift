import Documents
public import Measurements
import NIOCore

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

extension StorageBatch {
    /// A batch as the ingester sends it; whether it breaks a limit is the storage's to say.
    static func json(name: String, _ readings: [Reading]) -> ByteBuffer {
        .json { json in
            json.member("name", name)
            json.name("readings")
            json.array(readings) { json, reading in reading.write(&json) }
        }
    }

    /// Reads a batch.
    ///
    /// - Throws: ``PersistenceError/refused(_:)``, `DocumentError`, and ``Reading/Malformed``.
    init(json: ByteBuffer) throws {
        var name: String?
        var readings: Result<[Reading], Reading.Malformed>?
        _ = try JSONReader.scan(json.readableBytesView) { (reader) throws(DocumentError) in
            try reader.readObject { (member, reader) throws(DocumentError) in
                switch member {
                case "name": name = try reader.readString()
                case "readings": readings = try Reading.readList(&reader)
                default: try reader.skip()
                }
            }
        }
        try self.init(name: name ?? "", readings: (readings ?? .failure(.noList)).get())
    }
}

/// What became of a batch that is stored.
public struct StorageReceipt: Hashable, Sendable {
    /// Readings that were new.
    public let stored: Int
    /// Readings that were stored already; the first value of a reading stays.
    public let known: Int
}
