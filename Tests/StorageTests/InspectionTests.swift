import Documents
import Measurements
import Pipeline
import Ports
import SQLite
import XCTest

/// What checkers read from the disks of services that are down.
final class InspectionTests: LimitedTestCase {
    private struct NoBroker: BrokerClient {
        func produce(
            _ messages: [BrokerMessage], to partition: TopicPartition, from producer: BrokerProducer?, acks: BrokerAcks
        ) async throws(BrokerError) -> Bool { throw .unreachable("there is none") }
        func fetch(_ fetch: BrokerFetch) async throws(BrokerError) -> [TopicPartition: PartitionFetch] {
            throw .unreachable("there is none")
        }
        func join(_ group: String, member: String, topic: String) async throws(BrokerError) -> GroupAssignment {
            throw .unreachable("there is none")
        }
        func heartbeat(_ group: String, member: String, generation: Int) async throws(BrokerError) {}
        func commit(
            _ group: String, member: String, generation: Int, _ partition: TopicPartition, _ offset: Int64
        ) async throws(BrokerError) {}
    }

    func testAStoresFileGivesAllReadingsWithTheirValues() async throws {
        try await DiskArm.both { arm, location in
            let readings = [reading(1, 10), reading(2, 20), reading(1, 30, flat: "SD1", room: "2")]
            do {
                let store = try await SQLiteReadingStore(location)
                _ = try await store.write(StorageBatch(name: "a", readings: readings))
            }
            XCTAssertEqual(Set(try SQLiteStoredReadings(location).all()), Set(readings), "\(arm)")
        }
    }

    // Each group has places of its own, and a partition is known by topic and number, whatever row it is in the file.
    func testALogsFileGivesReadingsByPartitionAndTheOffsetsOfEachGroup() async throws {
        try await DiskArm.both { arm, location in
            let partition = TopicPartition("measurements", 1)
            do {
                let broker = try await Broker(
                    location, topics: [BrokerTopic("events"), BrokerTopic("measurements", partitions: 2)])
                let messages = [reading(1), reading(2)].map {
                    BrokerMessage(key: $0.id.flat, value: JSONWriter.write($0.json))
                }
                _ = try await broker.produce(
                    messages + [BrokerMessage(key: "k", value: "no reading")], to: partition, from: nil, acks: .all)
                for (group, offset) in [("ingester", 2), ("another", 1)] as [(String, Int64)] {
                    let assignment = try await broker.join(group, member: "m", topic: "measurements")
                    try await broker.commit(
                        group, member: "m", generation: assignment.generation, partition, offset)
                }
            }
            let log = BrokerLogReadings(location)
            let contents = try log.contents()
            let records = contents.records
            XCTAssertEqual(records.map(\.partition), [partition, partition], "\(arm)")
            XCTAssertEqual(records.map(\.offset), [0, 1], "\(arm)")
            XCTAssertEqual(records.map(\.reading), [reading(1), reading(2)], "\(arm)")
            XCTAssertEqual(
                try log.appends().filter { $0.records > 0 },
                [PartitionAppends(partition: partition, records: 3, numbered: 0)], "\(arm)")
            XCTAssertEqual(
                contents.committed, ["ingester": [partition: 2], "another": [partition: 1]], "\(arm)")
        }
    }

    func testAnOutboxsFileGivesWhatItKeeps() async throws {
        try await DiskArm.both { arm, location in
            do {
                let outbox = try await Outbox(
                    location, name: "poller", broker: NoBroker(),
                    options: Outbox.Options(topic: BrokerTopic("measurements")))
                try await outbox.publish([reading(2), reading(1)])
            }
            XCTAssertEqual(try OutboxFileContents(location).readings(), [reading(2), reading(1)], "\(arm)")
        }
    }

    func testAnEmptyFileHoldsNothingAndAForeignOneIsNotRead() async throws {
        try await DiskArm.both { arm, location in
            XCTAssertEqual(try SQLiteStoredReadings(location).all(), [], "\(arm)")
            XCTAssertEqual(try BrokerLogReadings(location).contents(), LogContents(), "\(arm)")
            XCTAssertEqual(try OutboxFileContents(location).readings(), [], "\(arm)")
            do { try SQLiteDatabase(location).execute("CREATE TABLE reading (x)") }
            XCTAssertThrowsError(try SQLiteStoredReadings(location).all(), "\(arm)") { error in
                guard case .foreign? = error as? PersistenceError else { return XCTFail("\(arm): \(error)") }
            }
        }
    }
}
