import Documents
import NIOCore
import Ports
import Randomness
import SQLite
import SimulatedSQLite
import SimulatedWorld
import XCTest

@testable import Pipeline

/// Numbers that no service wrote, in files and in a broker's answers: each is a named error, and nothing traps.
final class DamagedFileTests: LimitedTestCase {
    private let topics = [BrokerTopic("t")]

    private func change(_ location: DiskLocation, _ sql: String) throws {
        try SQLiteDatabase(location).execute(sql)
    }

    private func isDamaged(_ error: any Error) -> Bool {
        switch error {
        case PersistenceError.damaged, BrokerError.persistence(.damaged): true
        default: false
        }
    }

    // The places of a partition are counted on: beyond 2^53 and below 0 there are none, and none ends before it begins.
    func testABrokersFileWithImpossiblePlacesIsDamaged() async throws {
        for ends in [
            "latest = 9223372036854775807", "earliest = -1", "earliest = 5", "earliest = -9223372036854775808",
        ] {
            let location = SQLiteVFS(Disk(RandomStream(seed: 1)), wall: { 0 }).location("b.db", sleep: { _ in })
            do { _ = try await Broker(location, topics: topics) }
            try change(location, "UPDATE partition SET \(ends)")
            do {
                _ = try await Broker(location, topics: topics)
                XCTFail("opened with \(ends)")
            } catch {
                XCTAssertTrue(isDamaged(error), "\(ends): \(error)")
            }
        }
    }

    func testNumbersOfProducersAndGroupsThatNobodyWroteAreDamage() async throws {
        let location = SQLiteVFS(Disk(RandomStream(seed: 1)), wall: { 0 }).location("b.db", sleep: { _ in })
        let partition = TopicPartition("t", 0)
        let message = BrokerMessage(key: "SD0", value: "1")
        do {
            let broker = try await Broker(location, topics: topics)
            _ = try await broker.produce(
                [message], to: partition, from: BrokerProducer(id: "p", sequence: 0), acks: .all)
            let generation = try await broker.join("g", member: "m", topic: "t").generation
            try await broker.commit("g", member: "m", generation: generation, partition, 1)
        }
        try change(location, "UPDATE producer SET last = 9223372036854775807; UPDATE committed SET offset = -7")
        // The damage stops a broker, so each looks with its own.
        do {
            let broker = try await Broker(location, topics: topics)
            _ = try await broker.produce(
                [message], to: partition, from: BrokerProducer(id: "p", sequence: 1), acks: .all)
            XCTFail("a number was taken")
        } catch {
            XCTAssertTrue(isDamaged(error), "\(error)")
        }
        do {
            _ = try await Broker(location, topics: topics).join("g", member: "m", topic: "t")
            XCTFail("a place was taken")
        } catch {
            XCTAssertTrue(isDamaged(error), "\(error)")
        }
    }

    // As Kafka's batches have a CRC: a record that is not what was sent is not given, by the broker nor to who reads its file.
    func testABrokerGivesNoRecordOfWhichABitFlippedAndStops() async throws {
        for (column, change) in [
            ("value", "value = 't' || substr(value, 2)"), ("key", "key = key || '_'"), ("time", "time = time + 1"),
            ("offset", "offset = offset + 1"), ("checksum", "checksum = checksum + 1"),
        ] {
            let location = SQLiteVFS(Disk(RandomStream(seed: 1)), wall: { 0 }).location("b.db", sleep: { _ in })
            let partition = TopicPartition("t", 0)
            let messages = (0..<3).map { BrokerMessage(key: "SD\($0)", value: "{\"value\": \($0)}") }
            do {
                let broker = try await Broker(location, topics: topics)
                _ = try await broker.produce(messages, to: partition, from: nil, acks: .all)
            }
            try self.change(location, "UPDATE record SET \(change) WHERE offset = 2")
            do {
                let broker = try await Broker(location, topics: topics)
                let sound = try await broker.fetch(partition, from: 0, max: 2).records
                XCTAssertEqual(sound.map(\.message), Array(messages.prefix(2)), column)
                do {
                    _ = try await broker.fetch(partition, from: 0, max: 3)
                    XCTFail("a record was given whose \(column) was changed")
                } catch {
                    XCTAssertTrue(isDamaged(error), "\(column): \(error)")
                }
                let isUp = await broker.isUp
                XCTAssertFalse(isUp, column)
            }
            XCTAssertThrowsError(try BrokerLogReadings(location).contents(), column) { error in
                XCTAssertTrue(isDamaged(error), "\(column): \(error)")
            }
        }
    }

    func testABrokerMissesARecordThatIsGone() async throws {
        let location = SQLiteVFS(Disk(RandomStream(seed: 1)), wall: { 0 }).location("b.db", sleep: { _ in })
        let partition = TopicPartition("t", 0)
        do {
            let broker = try await Broker(location, topics: topics)
            let messages = (0..<3).map { BrokerMessage(key: "k", value: "\($0)") }
            _ = try await broker.produce(messages, to: partition, from: nil, acks: .all)
        }
        try change(location, "DELETE FROM record WHERE offset = 1")
        let broker = try await Broker(location, topics: topics)
        do {
            _ = try await broker.fetch(partition, from: 0, max: 3)
            XCTFail("a record is gone and nobody misses it")
        } catch {
            XCTAssertTrue(isDamaged(error), "\(error)")
        }
    }

    func testAnOutboxSendsNoMessageOfWhichABitFlippedAndEnds() async throws {
        for (column, change) in [
            ("value", "value = value || ' '"), ("key", "key = key || '_'"),
            ("sequence", "sequence = sequence + 1"), ("checksum", "checksum = checksum + 1"),
        ] {
            let location = SQLiteVFS(Disk(RandomStream(seed: 1)), wall: { 0 }).location("o.db", sleep: { _ in })
            let options = Outbox.Options(topic: topics[0])
            do {
                let outbox = try await Outbox(location, name: "p", broker: NoBroker(), options: options)
                try await outbox.publish([reading(1)])
            }
            XCTAssertEqual(try OutboxFileContents(location).readings(), [reading(1)])
            try self.change(location, "UPDATE message SET \(change)")
            do {
                let outbox = try await Outbox(location, name: "p", broker: NoBroker(), options: options)
                try await outbox.run()
                XCTFail("sent although \(column) was changed")
            } catch {
                XCTAssertTrue(isDamaged(error), "\(column): \(error)")
            }
            XCTAssertThrowsError(try OutboxFileContents(location).readings(), column) { error in
                XCTAssertTrue(isDamaged(error), "\(column): \(error)")
            }
        }
    }

    func testATopicHasAPartitionAndNotTooMany() async throws {
        for partitions in [-1, 0, 1001] {
            let location = SQLiteVFS(Disk(RandomStream(seed: 1)), wall: { 0 }).location("b.db", sleep: { _ in })
            do {
                _ = try await Broker(location, topics: [BrokerTopic("t", partitions: partitions)])
                XCTFail("\(partitions) partitions")
            } catch PersistenceError.refused {
            } catch {
                XCTFail("\(error)")
            }
        }
    }

    func testAnOutboxsFileWithImpossibleNumbersIsDamaged() async throws {
        for values in ["(0, 9223372036854775807)", "(-1, 0)", "(0, -1)"] {
            let location = SQLiteVFS(Disk(RandomStream(seed: 1)), wall: { 0 }).location("o.db", sleep: { _ in })
            let options = Outbox.Options(topic: topics[0])
            do { _ = try await Outbox(location, name: "p", broker: NoBroker(), options: options) }
            try change(location, "INSERT INTO next VALUES \(values)")
            do {
                _ = try await Outbox(location, name: "p", broker: NoBroker(), options: options)
                XCTFail("opened with \(values)")
            } catch {
                XCTAssertTrue(isDamaged(error), "\(values): \(error)")
            }
        }
    }

    // A consumer counts on with what it is told: places that no partition has are not understood.
    func testPlacesThatNoPartitionHasAreNotUnderstood() throws {
        for place in [-1, .max, .min] as [Int] {
            let record = #"{"offset":\#(place),"key":"","value":"","time":0}"#
            let answer = #"{"partitions":[{"topic":"t","partition":0,"records":[\#(record)],"latest":7}]}"#
            XCTAssertThrowsError(try BrokerFetch.results(ByteBuffer(string: answer)), answer)
            for json: Value in [
                ["code": "offset_out_of_range", "earliest": .integer(place), "latest": 7],
                ["code": "offset_out_of_range", "earliest": 0, "latest": .integer(place)],
                ["code": "out_of_order", "expected": .integer(place)],
            ] {
                guard case .unreachable = BrokerError(json: json, status: 416) else {
                    XCTFail("\(json)")
                    continue
                }
            }
        }
        XCTAssertEqual(
            BrokerError(json: ["code": "offset_out_of_range", "earliest": 3, "latest": 7], status: 416),
            .offsetOutOfRange(earliest: 3, latest: 7))
    }
}

/// A broker that cannot be reached.
private struct NoBroker: BrokerClient {
    func produce(
        _ messages: [BrokerMessage], to partition: TopicPartition, from producer: BrokerProducer?, acks: BrokerAcks
    ) async throws(BrokerError) -> Bool { throw .unreachable("") }
    func fetch(_ fetch: BrokerFetch) async throws(BrokerError) -> [TopicPartition: PartitionFetch] {
        throw .unreachable("")
    }
    func join(_ group: String, member: String, topic: String) async throws(BrokerError) -> GroupAssignment {
        throw .unreachable("")
    }
    func heartbeat(_ group: String, member: String, generation: Int) async throws(BrokerError) {
        throw .unreachable("")
    }
    func commit(
        _ group: String, member: String, generation: Int, _ partition: TopicPartition, _ offset: Int64
    ) async throws(BrokerError) { throw .unreachable("") }
}
