import Documents
public import HTTP
import HTTPTypes
import NIOCore
public import Ports

/// The broker as a service, with an HTTP API in the manner of Kafka's REST proxy (docs/broker.md).
///
/// `POST /topics/{topic}/partitions/{partition}`, `POST /fetch`, `POST /consumers/{group}`, `POST /consumers/{group}/heartbeat`, `POST /consumers/{group}/offsets`, `/health`, `/ready`,
/// `/metrics`.
public struct BrokerService: Sendable {
    /// The broker.
    public let broker: Broker
    /// Where it answers.
    public let server: HTTPServer

    /// The longest body of a request and of an answer.
    public static let bodyBytesMax: Int = 16 << 20
    /// Records that one answer has at most.
    public static let recordsMax: Int = 1000

    /// Starts answering.
    ///
    /// - Throws: ``ListenError``.
    public static func start(_ ports: any Ports, at endpoint: Endpoint, broker: Broker) async throws -> BrokerService {
        var options = HTTPServer.Options.standard
        options.bodyBytesMax = bodyBytesMax
        return BrokerService(
            broker: broker,
            server: try await HTTPServer.start(
                ports, at: endpoint, options: options, responder: router(broker).responder))
    }

    /// Serves until the broker stops.
    ///
    /// - Throws: The reason. The process is to end with it: only a new one may open the file again.
    public func run() async throws {
        let reason = try await broker.untilStopped()
        await server.shutDown()
        throw reason
    }

    private static func router(_ broker: Broker) -> HTTPRouter {
        var router = HTTPRouter()
        for path in ["/health", "/ready"] {
            router.on(.get, path) { _, _, _ in
                let isUp = await broker.isUp
                return HTTPReply(json: ["status": isUp ? "up" : "down"], isUp ? .ok : .serviceUnavailable)
            }
        }
        router.on(.get, "/metrics") { _, _, _ in
            HTTPReply(.ok, text: await broker.counters.text, type: "text/plain; version=0.0.4")
        }
        router.on(.post, "/topics/{topic}/partitions/{partition}") { _, parameters, body in
            await answer { () throws(BrokerError) in try await produce(body, try partition(parameters), broker) }
        }
        router.on(.post, "/fetch") { _, _, body in
            await answer { () throws(BrokerError) in try await fetch(body, broker) }
        }
        router.on(.post, "/consumers/{group}") { _, parameters, body in
            await answer { () throws(BrokerError) in try await join(body, parameters["group"] ?? "", broker) }
        }
        router.on(.post, "/consumers/{group}/heartbeat") { _, parameters, body in
            await answer { () throws(BrokerError) in try await heartbeat(body, parameters["group"] ?? "", broker) }
        }
        router.on(.post, "/consumers/{group}/offsets") { _, parameters, body in
            await answer { () throws(BrokerError) in try await commit(body, parameters["group"] ?? "", broker) }
        }
        return router
    }

    private static func answer(_ work: () async throws(BrokerError) -> Value) async -> HTTPReply {
        do throws(BrokerError) {
            return HTTPReply(json: try await work())
        } catch {
            let status: HTTPResponse.Status =
                switch error {
                case .unknownTopic: .notFound
                case .offsetOutOfRange: HTTPResponse.Status(code: 416)
                case .outOfOrder, .fenced: .conflict
                case .refused: .badRequest
                case .persistence(.unknownOutcome): .internalServerError
                case .persistence, .unreachable: .serviceUnavailable
                }
            return HTTPReply(json: error.json, status)
        }
    }

    private static func partition(_ parameters: [String: String]) throws(BrokerError) -> TopicPartition {
        guard let topic = parameters["topic"], let number = parameters["partition"].flatMap({ Int($0) }) else {
            throw .refused("a partition is a whole number")
        }
        return TopicPartition(topic, number)
    }

    private static func json(_ body: ByteBuffer) throws(BrokerError) -> Value {
        do {
            return try JSONReader.read(body.readableBytesView)
        } catch {
            throw .refused("the body is not JSON: \(error)")
        }
    }

    private static func produce(
        _ body: ByteBuffer, _ partition: TopicPartition, _ broker: Broker
    ) async throws(BrokerError) -> Value {
        let json = try json(body)
        guard let acks = BrokerAcks(rawValue: json["acks"]?.string ?? "all") else {
            throw .refused("acks is 0, 1 or all")
        }
        var messages: [BrokerMessage] = []
        for record in json["records"]?.array ?? [] {
            guard let value = record["value"]?.string else { throw .refused("a record's value is a string") }
            messages.append(BrokerMessage(key: record["key"]?.string ?? "", value: value))
        }
        var producer: BrokerProducer?
        if let given = json["producer"] {
            guard let id = given["id"]?.string, (1...128).contains(id.utf8.count),
                let sequence = given["sequence"]?.integer,
                (0...1 << 53).contains(sequence)
            else { throw .refused("a producer has an id of 1 to 128 bytes and a sequence from 0 to 2^53") }
            producer = BrokerProducer(id: id, sequence: Int64(sequence))
        }
        guard acks != .none else {
            // Nobody waits for what comes of it.
            Task { [messages, producer] in
                try? await broker.produce(messages, to: partition, from: producer, acks: acks)
            }
            return ["duplicate": false]
        }
        let offset = try await broker.produce(messages, to: partition, from: producer, acks: acks)
        return ["offset": offset.map { .integer(Int($0)) } ?? .null, "duplicate": .bool(offset == nil)]
    }

    private static func fetch(_ body: ByteBuffer, _ broker: Broker) async throws(BrokerError) -> Value {
        let json = try json(body)
        guard let wait = json["wait"]?.integer, wait >= 0, let list = json["partitions"]?.array else {
            throw .refused("a fetch has wait, in ms, and partitions")
        }
        var positions: [BrokerFetch.Position] = []
        for value in list {
            guard let topic = value["topic"]?.string, let number = value["partition"]?.integer,
                let offset = value["offset"]?.integer, offset >= 0, let max = value["max"]?.integer, max >= 0
            else { throw .refused("a partition of a fetch has topic, partition, offset and max") }
            positions.append(
                BrokerFetch.Position(
                    TopicPartition(topic, number), offset: Int64(offset), max: min(max, recordsMax)))
        }
        guard Set(positions.map(\.partition)).count == positions.count else {
            throw .refused("a fetch has each partition once")
        }
        var membership: BrokerFetch.Membership?
        if let group = json["group"] {
            guard let group = group.string, let member = json["member"]?.string,
                let generation = json["generation"]?.integer
            else { throw .refused("a fetch of a group has group, member and generation") }
            membership = BrokerFetch.Membership(group: group, member: member, generation: generation)
        }
        let results = try await broker.fetch(
            BrokerFetch(positions, wait: .milliseconds(min(wait, 1 << 30)), membership: membership))
        var answers: [Value] = []
        for partition in positions.map(\.partition) {
            guard let result = results[partition] else { continue }
            var answer: Value.Object = [
                "topic": .string(partition.topic), "partition": .integer(partition.partition),
            ]
            switch result {
            case .records(let fetched):
                // Most partitions have nothing most of the time.
                if fetched.records.isEmpty { continue }
                answer["records"] = .array(fetched.records.map(\.json))
                answer["latest"] = .integer(Int(fetched.latest))
            case .outOfRange(let earliest, let latest):
                answer["earliest"] = .integer(Int(earliest))
                answer["latest"] = .integer(Int(latest))
            }
            answers.append(.object(answer))
        }
        return ["partitions": .array(answers)]
    }

    private static func join(_ body: ByteBuffer, _ group: String, _ broker: Broker) async throws(BrokerError) -> Value {
        let json = try json(body)
        guard let member = json["member"]?.string, (1...128).contains(member.utf8.count),
            let topic = json["topic"]?.string
        else { throw .refused("member and topic are strings, the first of 1 to 128 bytes") }
        let assignment = try await broker.join(group, member: member, topic: topic)
        let partitions = assignment.positions.sorted { $0.key < $1.key }.map { number, position -> Value in
            [
                "partition": .integer(number), "committed": position.committed.map { .integer(Int($0)) } ?? .null,
                "earliest": .integer(Int(position.earliest)), "latest": .integer(Int(position.latest)),
            ]
        }
        return ["generation": .integer(assignment.generation), "partitions": .array(partitions)]
    }

    private static func heartbeat(
        _ body: ByteBuffer, _ group: String, _ broker: Broker
    ) async throws(BrokerError) -> Value {
        let json = try json(body)
        guard let member = json["member"]?.string, let generation = json["generation"]?.integer else {
            throw .refused("a heartbeat has member and generation")
        }
        try await broker.heartbeat(group, member: member, generation: generation)
        return ["generation": .integer(generation)]
    }

    private static func commit(
        _ body: ByteBuffer, _ group: String, _ broker: Broker
    ) async throws(BrokerError) -> Value {
        let json = try json(body)
        guard let member = json["member"]?.string, let generation = json["generation"]?.integer,
            let topic = json["topic"]?.string, let number = json["partition"]?.integer,
            let offset = json["offset"]?.integer, offset >= 0
        else { throw .refused("a commit has member, generation, topic, partition and offset") }
        try await broker.commit(
            group, member: member, generation: generation, TopicPartition(topic, number), Int64(offset))
        return ["offset": .integer(offset)]
    }
}

extension BrokerCounters {
    /// Prometheus' text format.
    fileprivate var text: String {
        var metrics = MetricsText()
        metrics.counter("broker_appended", appended, "Messages that were appended.")
        metrics.counter("broker_duplicates", duplicates, "Messages that a producer sent again.")
        metrics.counter("broker_fetched", fetched, "Records that were given.")
        metrics.counter("broker_commits", commits, "Commits of groups.")
        return metrics.text
    }
}
