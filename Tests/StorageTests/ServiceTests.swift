import Documents
import Faults
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

/// Storage and broker as their clients see them.
final class ServiceTests: XCTestCase {
    private struct Stage: Sendable {
        let client: HTTPClient
        let broker: HTTPBrokerClient
        let setFaults: @Sendable (DiskFaults) -> Void
        let usedBytes: @Sendable () -> Int

        func send(
            _ method: HTTPRequest.Method, _ path: String, _ body: String = "", to host: String = "storage"
        ) async throws -> (status: Int, json: Value) {
            let request = HTTPRequest(method: method, scheme: nil, authority: nil, path: path)
            let answer = try await client.send(request, body: ByteBuffer(string: body), to: Endpoint(host, 80))
            return (
                answer.response.status.code, (try? JSONReader.read(answer.body.readableBytesView)) ?? .null
            )
        }
    }

    private final class Box: @unchecked Sendable {
        var ports: SimulatedPorts?
    }

    private func run(_ script: @escaping @Sendable (Stage) async throws -> Void) throws {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        let disk = Disk(RandomStream(seed: 1))
        let vfs = SQLiteVFS(disk, wall: { WallClock.milliseconds })
        let box = Box()
        try network.host("storage") { ports in
            let storage = try await SQLiteReadingStore(
                vfs.location("storage.db", sleep: { try await Task.sleep(for: $0) }))
            try await StorageService.start(ports, at: Endpoint("storage", 80), store: storage).run()
        }
        try network.host("broker") { ports in
            let file = vfs.location("broker.db", sleep: { try await Task.sleep(for: $0) })
            let broker = try await Broker(file, topics: [BrokerTopic("t", retention: .seconds(60))])
            try await BrokerService.start(ports, at: Endpoint("broker", 80), broker: broker).run()
        }
        try network.host("client") { box.ports = $0 }
        nonisolated(unsafe) let faulty = disk
        try simulation.run {
            try await Task.sleep(for: .milliseconds(100))
            let ports = try XCTUnwrap(box.ports)
            let client = try await HTTPClient.make(ports, options: .standard)
            let broker = try await HTTPBrokerClient.make(ports, endpoint: Endpoint("broker", 80))
            try await script(
                Stage(
                    client: client, broker: broker, setFaults: { faulty.faults = $0 }, usedBytes: { faulty.usedBytes }))
            await broker.shutDown()
            await client.shutDown()
        }.get()
    }

    private static func batch(_ name: String, _ times: Range<Int>) -> String {
        JSONWriter.write([
            "name": .string(name), "readings": .array(times.map { reading(Int64($0), Double($0)).json }),
        ])
    }

    // MARK: Storage

    func testBatchesAreStoredAndReadingsGiven() throws {
        try run { stage in
            for _ in 0..<2 {
                let stored = try await stage.send(.post, "/batches", Self.batch("a", 0..<5))
                XCTAssertEqual(stored.status, 200)
                XCTAssertEqual(stored.json, ["stored": 5, "known": 0])
            }
            let some = try await stage.send(
                .get, "/flats/SD0/readings?from=1700000000001&to=1700000000004&limit=2")
            XCTAssertEqual((some.json["readings"]?.array ?? []).compactMap { $0["value"]?.number }, [1, 2])
            let latest = try await stage.send(.get, "/flats/SD0/latest")
            XCTAssertEqual(latest.json["readings"]?.array?.count, 1)
            let nobody = try await stage.send(.get, "/flats/SD9/latest")
            XCTAssertEqual(nobody.json["readings"]?.array?.count, 0)
            for path in ["/health", "/ready", "/metrics", "/freshness"] {
                let answer = try await stage.send(.get, path)
                XCTAssertEqual(answer.status, 200, path)
            }
        }
    }

    func testWhatTheStorageDoesNotTakeIsNamed() throws {
        try run { stage in
            _ = try await stage.send(.post, "/batches", Self.batch("a", 0..<1))
            let long = String(repeating: "x", count: 5_000_000)
            for (body, status, part) in [
                ("{", 400, "line 1"), ("{}", 400, "readings is a list"),
                ("{\"name\":\"\",\"readings\":[]}", 400, "1 to 128 bytes"),
                ("{\"name\":\"b\",\"readings\":[{\"flat\":\"SD0\"}]}", 400, "/readings/0: room"),
                (Self.batch("a", 5..<6), 400, "another batch has the name 'a'"),
                (Self.batch("c", 0..<10_001), 400, "at most 10000"), ("\"\(long)\"", 413, ""),
            ] {
                let answer = try await stage.send(.post, "/batches", body)
                XCTAssertEqual(answer.status, status, String(body.prefix(80)))
                let reason = answer.json["error"]?.string ?? ""
                XCTAssertTrue(part.isEmpty || reason.contains(part), reason)
            }
            for query in ["from=x", "size=1", "from"] {
                let answer = try await stage.send(.get, "/flats/SD0/readings?\(query)")
                XCTAssertEqual(answer.status, 400, query)
            }
        }
    }

    // 507: nothing was stored. 500: it may be; and then it is down.
    func testStatusesSayWhatIsKnownOfTheOutcome() throws {
        try run { stage in
            var faults = DiskFaults()
            faults.capacity = stage.usedBytes() + 4096
            stage.setFaults(faults)
            let full = try await stage.send(.post, "/batches", Self.batch("a", 0..<3000))
            XCTAssertEqual(full.status, 507)
            stage.setFaults(DiskFaults())
            let room = try await stage.send(.post, "/batches", Self.batch("a", 0..<3000))
            XCTAssertEqual(room.status, 200)
            faults = DiskFaults()
            faults.syncFailures = .one
            stage.setFaults(faults)
            let failed = try await stage.send(.post, "/batches", Self.batch("b", 0..<1))
            XCTAssertEqual(failed.status, 500)
        }
    }

    // A slow disk is waited for on the virtual clock before anything is acknowledged.
    func testNothingIsAcknowledgedBeforeTheDiskIsDone() throws {
        try run { stage in
            var faults = DiskFaults()
            faults.syncLatency = .fixed(.seconds(4))
            stage.setFaults(faults)
            let began = ContinuousClock.now
            let answer = try await stage.send(.post, "/batches", Self.batch("a", 0..<1))
            XCTAssertEqual(answer.status, 200)
            XCTAssertGreaterThanOrEqual(began.duration(to: .now), .seconds(4))
        }
    }

    // A client that hangs up while the disk is busy is no failure of the disk.
    func testAClientThatHangsUpStopsNothing() throws {
        try run { stage in
            var faults = DiskFaults()
            faults.syncLatency = .fixed(.seconds(5))
            stage.setFaults(faults)
            let impatient = Task { try await stage.send(.post, "/batches", Self.batch("a", 0..<1)) }
            try await Task.sleep(for: .seconds(1))
            impatient.cancel()
            _ = try? await impatient.value
            try await Task.sleep(for: .seconds(20))
            stage.setFaults(DiskFaults())
            let again = try await stage.send(.post, "/batches", Self.batch("a", 0..<1))
            XCTAssertEqual(again.status, 200)
            XCTAssertEqual(again.json, ["stored": 1, "known": 0], "it had been stored")
        }
    }

    // MARK: Broker

    func testTheBrokersErrorsReachItsClientsAsTheyAre() throws {
        try run { stage in
            let (partition, message) = (TopicPartition("t", 0), BrokerMessage(key: "k", value: "v"))
            let isNew = try await stage.broker.produce(
                [message], to: partition, from: BrokerProducer(id: "p", sequence: 0), acks: .all)
            let isNewAgain = try await stage.broker.produce(
                [message], to: partition, from: BrokerProducer(id: "p", sequence: 0), acks: .all)
            XCTAssertEqual([isNew, isNewAgain], [true, false])
            func error(_ work: () async throws(BrokerError) -> Void) async -> BrokerError? {
                do throws(BrokerError) {
                    try await work()
                    return nil
                } catch {
                    return error
                }
            }
            let gap = await error { () throws(BrokerError) in
                _ = try await stage.broker.produce(
                    [message], to: partition, from: BrokerProducer(id: "p", sequence: 7), acks: .all)
            }
            XCTAssertEqual(gap, .outOfOrder(expected: 1))
            let far = await error { () throws(BrokerError) in
                _ = try await stage.broker.fetch(partition, from: 9, max: 1)
            }
            XCTAssertEqual(far, .offsetOutOfRange(earliest: 0, latest: 1))
            let fenced = await error { () throws(BrokerError) in
                try await stage.broker.commit("g", member: "m", generation: 1, partition, 0)
            }
            XCTAssertEqual(fenced, .fenced)
            let unknown = await error { () throws(BrokerError) in
                _ = try await stage.broker.fetch(TopicPartition("x", 0), from: 0, max: 1)
            }
            guard case .unknownTopic = unknown else { return XCTFail("\(String(describing: unknown))") }
        }
    }

    func testRecordsAreGoneWhenTheirTimeIsOver() throws {
        try run { stage in
            let (partition, message) = (TopicPartition("t", 0), BrokerMessage(key: "k", value: "v"))
            _ = try await stage.broker.produce([message, message], to: partition, from: nil, acks: .all)
            try await Task.sleep(for: .seconds(50))
            _ = try await stage.broker.produce([message], to: partition, from: nil, acks: .all)
            try await Task.sleep(for: .seconds(20))
            do {
                _ = try await stage.broker.fetch(partition, from: 0, max: 10)
                XCTFail("they were there")
            } catch {
                XCTAssertEqual(error as? BrokerError, .offsetOutOfRange(earliest: 2, latest: 3))
            }
            let rest = try await stage.broker.fetch(partition, from: 2, max: 10)
            XCTAssertEqual(rest.records.count, 1)
        }
    }

    func testRequestsThatTheBrokerDoesNotUnderstandAreNamed() throws {
        try run { stage in
            func fetch(_ partitions: String) -> String { #"{"wait": 0, "partitions": \#(partitions)}"# }
            func position(_ offset: Int) -> String {
                #"{"topic": "t", "partition": 0, "offset": \#(offset), "max": 1}"#
            }
            for (path, body, part) in [
                ("/topics/t/partitions/0", "{", "not JSON"), ("/topics/t/partitions/x", "{}", "whole number"),
                ("/topics/t/partitions/0", "{\"acks\":\"some\"}", "acks is 0, 1 or all"),
                ("/topics/t/partitions/0", "{\"records\":[]}", "1 to 1000 messages"),
                ("/topics/t/partitions/0", "{\"records\":[{}]}", "a record's value is a string"),
                ("/topics/t/partitions/0", "{\"records\":[{\"value\":\"\"}],\"producer\":{}}", "a producer has an id"),
                ("/fetch", "{}", "a fetch has wait"), ("/fetch", fetch("[]"), "1 to 1000 partitions"),
                ("/fetch", #"{"group": "g", "wait": 0, "partitions": []}"#, "a fetch of a group has"),
                ("/fetch", fetch("[{}]"), "a partition of a fetch has"),
                ("/fetch", fetch("[\(position(0)),\(position(1))]"), "each partition once"),
                ("/consumers/g", "{}", "member and topic"), ("/consumers/g/offsets", "{}", "a commit has"),
                ("/consumers/g/heartbeat", "{}", "a heartbeat has"),
                (
                    "/topics/t/partitions/0",
                    "{\"records\":[{\"value\":\"\"}],\"producer\":{\"id\":\"x\",\"sequence\":9223372036854775807}}",
                    "0 to 2^53"
                ),
            ] {
                let answer = try await stage.send(.post, path, body, to: "broker")
                XCTAssertEqual(answer.status, 400, "\(path) \(body)")
                let reason = answer.json["error"]?.string ?? ""
                XCTAssertTrue(reason.contains(part), reason)
            }
        }
    }

    // The largest and the smallest numbers in every place: an answer that names what is wrong, and a broker that goes on.
    func testNumbersBeyondAllBoundsAreRefusedAndStopNothing() throws {
        try run { stage in
            let largest = Int.max
            let join = try await stage.send(.post, "/consumers/g", #"{"member": "m", "topic": "t"}"#, to: "broker")
            let generation = try XCTUnwrap(join.json["generation"]?.integer)
            func commit(_ partition: Int, _ offset: Int) -> String {
                #"{"member": "m", "generation": \#(generation), "topic": "t", "partition": \#(partition), "offset": \#(offset)}"#
            }
            func produce(_ sequence: Int) -> String {
                #"{"producer": {"id": "p", "sequence": \#(sequence)}, "records": [{"value": "a"}, {"value": "b"}]}"#
            }
            func fetch(_ partition: Int, offset: Int = 0, max: Int = 1, wait: Int = 0) -> String {
                #"{"wait": \#(wait), "partitions": [{"topic": "t", "partition": \#(partition), "offset": \#(offset), "max": \#(max)}]}"#
            }
            let long = String(repeating: "m", count: 129)
            for (method, path, body, status) in [
                (.post, "/topics/t/partitions/-1", produce(0), 404),
                (.post, "/topics/t/partitions/\(largest)", produce(0), 404),
                (.post, "/topics/t/partitions/\(largest)0", produce(0), 400),
                (.post, "/topics/t/partitions/0", produce(largest), 400),
                (.post, "/topics/t/partitions/0", produce(1 << 53), 409),
                (.post, "/fetch", fetch(0, offset: largest), 200), (.post, "/fetch", fetch(0, offset: -1), 400),
                (.post, "/fetch", fetch(-largest), 404), (.post, "/fetch", fetch(0, max: largest), 200),
                (.post, "/fetch", fetch(0, max: 0), 200), (.post, "/fetch", fetch(0, max: -1), 400),
                (.post, "/fetch", fetch(0, wait: -1), 400), (.post, "/fetch", fetch(0, wait: largest), 200),
                (.post, "/consumers/g/offsets", commit(0, largest), 416),
                (.post, "/consumers/g/offsets", commit(-1, 0), 400),
                (.post, "/consumers/g/offsets", commit(largest, 0), 404),
                (.post, "/consumers/g", #"{"member": "\#(long)", "topic": "t"}"#, 400),
            ] as [(HTTPRequest.Method, String, String, Int)] {
                let answer = try await stage.send(method, path, body, to: "broker")
                XCTAssertEqual(answer.status, status, "\(method) \(path) \(body.prefix(90)): \(answer.json)")
            }
            for path in [
                "/flats/SD0/readings?from=\(largest)&to=\(largest)&limit=\(largest)", "/flats/SD0/readings?limit=0",
            ] {
                let answer = try await stage.send(.get, path)
                XCTAssertEqual(answer.status, 200, path)
            }
            let health = try await stage.send(.get, "/health", to: "broker")
            XCTAssertEqual(health.status, 200)
        }
    }
}
