import Documents
import HTTP
import HTTPTypes
import Measurements
import NIOCore
import Pipeline
import Ports
import Randomness
import SimulatedSQLite
import SimulatedWorld
import SimulationKernel
import XCTest

/// Group members and the ingester, against the real broker in the same process.
final class ConsumerTests: XCTestCase {
    /// Reaches a broker without a network.
    private struct LocalClient: BrokerClient {
        let broker: Broker

        func produce(
            _ messages: [BrokerMessage], to partition: TopicPartition, from producer: BrokerProducer?, acks: BrokerAcks
        ) async throws(BrokerError) -> Bool {
            try await broker.produce(messages, to: partition, from: producer, acks: acks) != nil
        }

        func fetch(_ fetch: BrokerFetch) async throws(BrokerError) -> [TopicPartition: PartitionFetch] {
            try await broker.fetch(fetch)
        }

        func join(_ group: String, member: String, topic: String) async throws(BrokerError) -> GroupAssignment {
            try await broker.join(group, member: member, topic: topic)
        }

        func heartbeat(_ group: String, member: String, generation: Int) async throws(BrokerError) {
            try await broker.heartbeat(group, member: member, generation: generation)
        }

        func commit(
            _ group: String, member: String, generation: Int, _ partition: TopicPartition, _ offset: Int64
        ) async throws(BrokerError) {
            try await broker.commit(group, member: member, generation: generation, partition, offset)
        }
    }

    private final class Log: @unchecked Sendable {
        var batches: [String] = []
        var refusals: Int = 0
    }

    private final class Box: @unchecked Sendable {
        var ports: SimulatedPorts?
        var bodies: [Value] = []
        var statuses: [HTTPResponse.Status] = []
    }

    private static let partition = TopicPartition("t", 0)

    /// Runs a script in a simulation with a broker that has the topic `t`, a storage that answers as it is told, and ports.
    private func run(_ script: @escaping @Sendable (Broker, Box) async throws -> Void) throws {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        let vfs = SQLiteVFS(Disk(RandomStream(seed: 1)), wall: { WallClock.milliseconds })
        let location = vfs.location("broker.db", sleep: { try await Task.sleep(for: $0) })
        let box = Box()
        try network.host("storage") { ports in
            _ = try await HTTPServer.start(
                ports, at: Endpoint("storage", 80),
                responder: .immediate { _, body in
                    box.bodies.append((try? JSONReader.read(body.readableBytesView)) ?? .null)
                    return HTTPReply(box.statuses.isEmpty ? .ok : box.statuses.removeFirst())
                })
        }
        try network.host("client") { box.ports = $0 }
        try simulation.run {
            try await Task.sleep(for: .milliseconds(10))
            let topics = [BrokerTopic("t", retention: .seconds(600))]
            try await script(try await Broker(location, topics: topics), box)
        }.get()
    }

    private static func options(_ change: (inout GroupConsumer.Options) -> Void = { _ in }) -> GroupConsumer.Options {
        var options = GroupConsumer.Options(topic: "t", group: "g", member: "m")
        options.recordsMax = 2
        change(&options)
        return options
    }

    private static func send(_ broker: Broker, _ values: [String]) async throws {
        _ = try await broker.produce(
            values.map { BrokerMessage(key: "k", value: $0) }, to: partition, from: nil, acks: .all)
    }

    private static func text(_ batch: RecordBatch) -> String {
        "\(batch.isReplay ? "known" : "new"): \(batch.records.map(\.message.value).joined(separator: " "))"
    }

    /// Lets a consumer work for some time.
    private static func work(
        _ consumer: GroupConsumer, seconds: Int, _ handler: @escaping RecordHandler
    ) async throws {
        let task = Task { await consumer.run(handler) }
        try await Task.sleep(for: .seconds(seconds))
        task.cancel()
        await task.value
    }

    // MARK: Consumers

    func testRecordsComeOnceAndAgainOnlyWhileTheyAreNotDealtWith() throws {
        try run { broker, _ in
            let log = Log()
            log.refusals = 2
            try await Self.send(broker, ["a", "b", "c"])
            let consumer = GroupConsumer(LocalClient(broker: broker), options: Self.options())
            try await Self.work(consumer, seconds: 20) { (batch) throws(BrokerError) in
                log.batches.append(Self.text(batch))
                log.refusals -= 1
                if log.refusals >= 0 { throw .unreachable("not yet") }
            }
            XCTAssertEqual(log.batches, ["new: a b", "new: a b", "new: a b", "new: c"])
            // Another member goes on where the group has committed.
            try await Self.send(broker, ["d"])
            let heir = GroupConsumer(LocalClient(broker: broker), options: Self.options { $0.member = "heir" })
            try await Self.work(heir, seconds: 30) { (batch) throws(BrokerError) in
                log.batches.append(Self.text(batch))
            }
            XCTAssertEqual(log.batches.last, "new: d")
        }
    }

    func testWhoCommitsFirstLosesWhatItDoesNotDealWith() throws {
        try run { broker, _ in
            try await Self.send(broker, ["a", "b", "c"])
            let log = Log()
            let options = Self.options { $0.commitsBeforeProcessing = true }
            let doomed = GroupConsumer(LocalClient(broker: broker), options: options)
            try await Self.work(doomed, seconds: 5) { (_) throws(BrokerError) in
                // Dies here, as a process would.
                try? await Task.sleep(for: .seconds(1_000_000))
                throw .unreachable("dead")
            }
            let heir = GroupConsumer(LocalClient(broker: broker), options: options)
            try await Self.work(heir, seconds: 5) { (batch) throws(BrokerError) in
                log.batches.append(Self.text(batch))
            }
            XCTAssertEqual(log.batches, ["new: c"])
        }
    }

    // What was committed comes again as known, and is neither committed nor mixed with what is new.
    func testAReplayTellsKnownFromNew() throws {
        try run { broker, _ in
            try await Self.send(broker, ["a", "b", "c"])
            let log = Log()
            let options = Self.options { $0.replaysCommitted = true }
            let handler: RecordHandler = { (batch) throws(BrokerError) in log.batches.append(Self.text(batch)) }
            func consumer() -> GroupConsumer { GroupConsumer(LocalClient(broker: broker), options: options) }
            try await Self.work(consumer(), seconds: 5, handler)
            XCTAssertEqual(log.batches, ["new: a b", "new: c"])
            log.batches = []
            try await Self.send(broker, ["d", "e"])
            try await Self.work(consumer(), seconds: 5, handler)
            XCTAssertEqual(log.batches, ["known: a b", "known: c", "new: d e"])
        }
    }

    func testAGroupWhosePlaceIsGoneGoesOnWithWhatIsThere() throws {
        try run { broker, _ in
            let log = Log()
            let handler: RecordHandler = { (batch) throws(BrokerError) in log.batches.append(Self.text(batch)) }
            func consumer() -> GroupConsumer { GroupConsumer(LocalClient(broker: broker), options: Self.options()) }
            try await Self.send(broker, ["a"])
            try await Self.work(consumer(), seconds: 5, handler)
            try await Self.send(broker, ["b", "c"])
            try await Task.sleep(for: .seconds(700))
            try await Self.send(broker, ["d"])
            let late = consumer()
            try await Self.work(late, seconds: 5, handler)
            XCTAssertEqual(log.batches, ["new: a", "new: d"])
            let skipped = await late.skipped
            XCTAssertEqual(skipped, 2)
        }
    }

    func testANewGroupAtTheEndSeesNothingOfWhatWas() throws {
        try run { broker, _ in
            try await Self.send(broker, ["a"])
            let log = Log()
            let consumer = GroupConsumer(
                LocalClient(broker: broker), options: Self.options { $0.offsetReset = .latest })
            let task = Task {
                await consumer.run { (batch) throws(BrokerError) in log.batches.append(Self.text(batch)) }
            }
            try await Task.sleep(for: .seconds(3))
            try await Self.send(broker, ["b"])
            try await Task.sleep(for: .seconds(3))
            task.cancel()
            await task.value
            XCTAssertEqual(log.batches, ["new: b"])
        }
    }

    // A fetch of what is not there yet is answered as soon as it is, or when its time is over, and holds nobody up.
    func testAFetchWaitsForRecords() throws {
        try run { broker, _ in
            let fetch = BrokerFetch([BrokerFetch.Position(Self.partition, offset: 0, max: 10)], wait: .seconds(2))
            func seconds(_ work: () async throws -> Void) async rethrows -> Double {
                let start = ContinuousClock.now
                try await work()
                return start.duration(to: .now) / .seconds(1)
            }
            let empty = try await seconds {
                let results = try await broker.fetch(fetch)
                XCTAssertEqual(results, [Self.partition: .records(FetchedRecords(records: [], latest: 0))])
            }
            XCTAssertEqual(empty, 2, accuracy: 0.001)
            let cancelled = await seconds {
                let task = Task { try await broker.fetch(fetch) }
                try? await Task.sleep(for: .seconds(1))
                task.cancel()
                _ = try? await task.value
            }
            XCTAssertEqual(cancelled, 1, accuracy: 0.001, "a client that is gone waits for nothing")
            let sent = try await seconds {
                async let results = broker.fetch(fetch)
                try await Task.sleep(for: .seconds(1))
                try await Self.send(broker, ["a"])
                guard case .records(let fetched)? = try await results[Self.partition] else {
                    return XCTFail("nothing was fetched")
                }
                XCTAssertEqual(fetched.records.map(\.message.value), ["a"])
            }
            XCTAssertEqual(sent, 1, accuracy: 0.001)
            let stranger = BrokerFetch(
                fetch.positions, wait: .seconds(2), membership: .init(group: "g", member: "m", generation: 1))
            do {
                _ = try await broker.fetch(stranger)
                XCTFail("a member that the group does not know has fetched")
            } catch {
                XCTAssertEqual(error as? BrokerError, .fenced)
            }
            let gone = BrokerFetch([BrokerFetch.Position(Self.partition, offset: 9, max: 10)], wait: .seconds(2))
            let results = try await broker.fetch(gone)
            XCTAssertEqual(results, [Self.partition: .outOfRange(earliest: 0, latest: 1)])
        }
    }

    // However many records are asked for, an answer stays below what its reader takes.
    func testAFetchIsBoundedInBytes() throws {
        try run { broker, _ in
            let large = String(repeating: "x", count: 60_000)
            for _ in 0..<2 { try await Self.send(broker, Array(repeating: large, count: 100)) }
            let fetched = try await broker.fetch(Self.partition, from: 0, max: 200)
            XCTAssertTrue((60...75).contains(fetched.records.count), "\(fetched.records.count)")
        }
    }

    // MARK: Ingester

    func testTheIngesterSendsABatchUntilItIsTakenAndLeavesOutWhatIsNoReading() throws {
        try run { broker, box in
            box.statuses = [
                .serviceUnavailable, .internalServerError, HTTPResponse.Status(code: 507), .ok, .badRequest,
            ]
            let good = JSONWriter.write(reading(1, 20).json)
            let bloated = JSONWriter.write(
                ["flat": "SD0", "room": "2", "channel": "t", "time": 1_700_000_000_000, "value": 1, "more": "xxx"])
            try await Self.send(broker, [good, "no JSON", "{\"flat\":1}", bloated])
            var options = Ingester.Options(storage: Endpoint("storage", 80))
            options.retry = .milliseconds(100)
            let consumer = GroupConsumer.Options(topic: "t", group: Ingester.group, member: "ingester-1")
            let ingester = try await Ingester.make(
                try XCTUnwrap(box.ports), source: GroupConsumer(LocalClient(broker: broker), options: consumer),
                options: options)
            let task = Task { await ingester.run() }
            try await Task.sleep(for: .seconds(20))
            try await Self.send(broker, [good])
            try await Task.sleep(for: .seconds(20))
            task.cancel()
            await task.value
            let counters = await ingester.counters
            XCTAssertEqual([counters.batches, counters.stored, counters.retries], [1, 2, 3])
            XCTAssertEqual([counters.malformed, counters.refused], [2, 1])
            XCTAssertEqual(box.bodies.count, 5)
            // The same batch has the same name however often it is sent; other content at other places has another.
            let names = box.bodies.compactMap { $0["name"]?.string }
            XCTAssertEqual(Set(names.prefix(4)).count, 1)
            XCTAssertTrue(names[0].hasPrefix("t-0@0-3/"), names[0])
            XCTAssertNotEqual(names[4], names[0])
            XCTAssertNil(box.bodies[0]["readings"]?.array?[1]["more"], "nothing is handed on that is not of a reading")
        }
    }
}
