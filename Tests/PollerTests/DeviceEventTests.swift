import Documents
import MeasurementServer
import Measurements
import Pipeline
import Ports
import Randomness
import SimulatedSQLite
import SimulatedWorld
import SimulationKernel
import XCTest

/// Events of devices through the broker: device-create-event, first fetch, device-created-event.
final class DeviceEventTests: XCTestCase {
    private final class Box: @unchecked Sendable {
        var poller: Poller?
        var ports: SimulatedPorts?
    }

    private struct Stage: Sendable {
        let broker: HTTPBrokerClient
        let restartPoller: @Sendable () -> Void
        let flats: @Sendable () async -> [String]

        func send(_ topic: String, _ action: String, _ flat: String, _ more: String = "") async throws {
            let event =
                "{\"id\":\"1\",\"type\":\"event\",\"action\":\"\(action)\",\"data\":{\"flatId\":\"\(flat)\"\(more)}}"
            _ = try await broker.produce(
                [BrokerMessage(key: flat, value: event)], to: TopicPartition(topic, 0), from: nil, acks: .all)
        }

        /// The answers so far: flat, status and rooms.
        func answers() async throws -> [String] {
            let fetched = try await broker.fetch(TopicPartition("device-created-event", 0), from: 0, max: 100)
            return try fetched.records.map { record in
                let data = try XCTUnwrap(try JSONReader.read(record.message.value.utf8)["data"])
                let rooms = (data["rooms"]?.array ?? []).compactMap(\.integer)
                return "\(data["flatId"]?.string ?? "") \(data["devicesStatus"]?.string ?? "") \(rooms)"
            }
        }
    }

    private func run(_ script: @escaping @Sendable (Stage) async throws -> Void) throws {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        let vfs = SQLiteVFS(Disk(RandomStream(seed: 1)), wall: { WallClock.milliseconds })
        let box = Box()
        try network.host("server") { ports in
            var options = MeasurementServer.Options()
            options.flats = 3
            options.rooms = 2
            _ = try await MeasurementServer.start(ports, at: Endpoint("server", 80), seed: 1, options: options)
        }
        try network.host("broker") { ports in
            let file = vfs.location("broker.db", sleep: { try await Task.sleep(for: $0) })
            let broker = try await Broker(file, topics: DeviceEventListener.topics())
            try await BrokerService.start(ports, at: Endpoint("broker", 80), broker: broker).run()
        }
        let host = try network.host("poller") { ports in
            let poller = try await Poller.make(
                ports, options: Poller.Options(profile: .bulkhead, endpoint: Endpoint("server", 80), flats: []),
                sink: RecordingSink())
            box.poller = poller
            let broker = try await HTTPBrokerClient.make(ports, endpoint: Endpoint("broker", 80))
            await withDiscardingTaskGroup { group in
                group.addTask { await poller.run() }
                group.addTask { await DeviceEventListener(poller, broker: broker).run() }
            }
        }
        try network.host("client") { box.ports = $0 }
        nonisolated(unsafe) let poller = host
        try simulation.run {
            try await Task.sleep(for: .milliseconds(100))
            let broker = try await HTTPBrokerClient.make(try XCTUnwrap(box.ports), endpoint: Endpoint("broker", 80))
            try await script(
                Stage(
                    broker: broker, restartPoller: { poller.restart() },
                    flats: { await box.poller?.ages.flats.map(\.flat).sorted() ?? [] }))
            await broker.shutDown()
        }.get()
    }

    func testACreatedFlatIsFetchedAndAnswered() throws {
        try run { stage in
            try await stage.send("device-create-event", "CreateDevice", "SD1")
            try await stage.send("device-create-event", "CreateDevice", "XX9")
            try await Task.sleep(for: .seconds(100))
            let answers = try await stage.answers()
            XCTAssertEqual(answers, ["SD1 CREATED [1, 2]", "XX9 FAILED []"])
        }
    }

    // What was committed is heard again and answered no more; what was deleted stays deleted.
    func testAPollerThatBeginsAnewKnowsItsFlats() throws {
        try run { stage in
            for flat in ["SD0", "SD1", "SD2"] { try await stage.send("device-create-event", "CreateDevice", flat) }
            try await stage.send("device-delete-event", "DeleteDevice", "SD1")
            try await stage.send("device-pull-event", "PullStateChangeDevice", "SD2", ",\"pull\":false")
            _ = try await stage.broker.produce(
                [BrokerMessage(key: "", value: "no event")], to: TopicPartition("device-create-event", 0), from: nil,
                acks: .all)
            try await Task.sleep(for: .seconds(90))
            let before = await stage.flats()
            XCTAssertEqual(before, ["SD0"])
            stage.restartPoller()
            try await Task.sleep(for: .seconds(30))
            let after = await stage.flats()
            XCTAssertEqual(after, ["SD0"])
            let answers = try await stage.answers()
            XCTAssertEqual(answers.count, 3)
        }
    }
}
