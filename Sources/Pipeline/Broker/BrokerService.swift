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

    private static func answer(_ work: () async throws(BrokerError) -> ByteBuffer) async -> HTTPReply {
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
    ) async throws(BrokerError) -> ByteBuffer {
        let request = try ProduceRequest(json: body)
        guard request.acks != .none else {
            // Nobody waits for what comes of it.
            Task {
                try? await broker.produce(request.messages, to: partition, from: request.producer, acks: request.acks)
            }
            return .json { $0.member("duplicate", false) }
        }
        let offset = try await broker.produce(
            request.messages, to: partition, from: request.producer, acks: request.acks)
        return .json { json in
            json.member("offset", offset)
            json.member("duplicate", offset == nil)
        }
    }

    private static func fetch(_ body: ByteBuffer, _ broker: Broker) async throws(BrokerError) -> ByteBuffer {
        let fetch = try BrokerFetch(json: body, recordsMax: recordsMax)
        return fetch.answer(try await broker.fetch(fetch))
    }

    private static func join(
        _ body: ByteBuffer, _ group: String, _ broker: Broker
    ) async throws(BrokerError) -> ByteBuffer {
        let json = try json(body)
        guard let member = json["member"]?.string, (1...128).contains(member.utf8.count),
            let topic = json["topic"]?.string
        else { throw .refused("member and topic are strings, the first of 1 to 128 bytes") }
        let assignment = try await broker.join(group, member: member, topic: topic)
        return .json { json in
            json.member("generation", assignment.generation)
            json.name("partitions")
            json.array(assignment.positions.sorted { $0.key < $1.key }) { json, entry in
                json.object { json in
                    json.member("partition", entry.key)
                    json.member("committed", entry.value.committed)
                    json.member("earliest", Int(entry.value.earliest))
                    json.member("latest", Int(entry.value.latest))
                }
            }
        }
    }

    private static func heartbeat(
        _ body: ByteBuffer, _ group: String, _ broker: Broker
    ) async throws(BrokerError) -> ByteBuffer {
        let json = try json(body)
        guard let member = json["member"]?.string, let generation = json["generation"]?.integer else {
            throw .refused("a heartbeat has member and generation")
        }
        try await broker.heartbeat(group, member: member, generation: generation)
        return .json { $0.member("generation", generation) }
    }

    private static func commit(
        _ body: ByteBuffer, _ group: String, _ broker: Broker
    ) async throws(BrokerError) -> ByteBuffer {
        let request = try CommitRequest(json: body)
        try await broker.commit(
            group, member: request.member, generation: request.generation, request.partition, request.offset)
        return .json { $0.member("offset", Int(request.offset)) }
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
