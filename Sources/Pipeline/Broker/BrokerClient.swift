import Documents
import Durations
import HTTP
import HTTPTypes
import NIOCore
public import Ports

/// How services reach a broker: ours by HTTP, or another by its own protocol.
public protocol BrokerClient: Sendable {
    /// Appends messages to a partition; returns whether they were new.
    func produce(
        _ messages: [BrokerMessage], to partition: TopicPartition, from producer: BrokerProducer?, acks: BrokerAcks
    ) async throws(BrokerError) -> Bool
    /// Gives records of partitions, and where there are none waits until there are, as long as the fetch says.
    func fetch(_ fetch: BrokerFetch) async throws(BrokerError) -> [TopicPartition: PartitionFetch]
    /// Joins a group, or says that the member is still there.
    func join(_ group: String, member: String, topic: String) async throws(BrokerError) -> GroupAssignment
    /// Says that a member is still there.
    func heartbeat(_ group: String, member: String, generation: Int) async throws(BrokerError)
    /// Notes where a group goes on.
    func commit(
        _ group: String, member: String, generation: Int, _ partition: TopicPartition, _ offset: Int64
    ) async throws(BrokerError)
}

extension BrokerClient {
    /// Gives records of one partition from an offset on, without waiting for any.
    ///
    /// - Throws: ``BrokerError``.
    public func fetch(
        _ partition: TopicPartition, from offset: Int64, max: Int
    ) async throws(BrokerError) -> FetchedRecords {
        let results = try await fetch(
            BrokerFetch([BrokerFetch.Position(partition, offset: offset, max: max)], wait: .zero))
        switch results[partition] {
        case .records(let fetched)?: return fetched
        case .outOfRange(let earliest, let latest)?: throw .offsetOutOfRange(earliest: earliest, latest: latest)
        case nil: return FetchedRecords(records: [], latest: offset)
        }
    }
}

/// Reaches ``BrokerService``.
public struct HTTPBrokerClient: BrokerClient {
    private let client: HTTPClient
    private let endpoint: Endpoint

    /// How long a request may take.
    private static let timeout: TimeAmount = .seconds(10)

    /// Reaches a broker through `ports`.
    ///
    /// - Throws: What keeps the client from being made.
    public static func make(_ ports: any Ports, endpoint: Endpoint) async throws -> HTTPBrokerClient {
        let options = HTTPClient.Options(
            connect: timeout, firstByte: timeout, total: timeout, connectionsMax: 8, waitingMax: 1000,
            bodyBytesMax: BrokerService.bodyBytesMax, idle: .seconds(60))
        return HTTPBrokerClient(client: try await HTTPClient.make(ports, options: options), endpoint: endpoint)
    }

    /// Closes its connections.
    public func shutDown() async { await client.shutDown() }

    /// Posts a request; the body of the answer, if it is a success.
    private func post(_ path: String, _ body: ByteBuffer) async throws(BrokerError) -> ByteBuffer {
        let request = HTTPRequest(method: .post, scheme: nil, authority: nil, path: path)
        let (response, answer): (HTTPResponse, ByteBuffer)
        do throws(HTTPFailure) {
            (response, answer) = try await client.send(request, body: body, to: endpoint)
        } catch {
            throw .unreachable(error.description)
        }
        guard response.status.code != 200 else { return answer }
        throw BrokerError(json: Self.value(answer), status: response.status.code)
    }

    private static func value(_ answer: ByteBuffer) -> Value {
        (try? JSONReader.read(answer.readableBytesView)) ?? .null
    }

    /// Appends messages to a partition; returns whether they were new.
    ///
    /// - Throws: ``BrokerError``.
    public func produce(
        _ messages: [BrokerMessage], to partition: TopicPartition, from producer: BrokerProducer?, acks: BrokerAcks
    ) async throws(BrokerError) -> Bool {
        let request = ProduceRequest(messages: messages, producer: producer, acks: acks)
        let answer = Self.value(try await post(path(partition), request.json))
        guard let isDuplicate = answer["duplicate"]?.bool else { throw .notUnderstood }
        return !isDuplicate
    }

    /// Gives records of partitions, and where there are none waits until there are, as long as the fetch says.
    ///
    /// - Throws: ``BrokerError``.
    public func fetch(_ fetch: BrokerFetch) async throws(BrokerError) -> [TopicPartition: PartitionFetch] {
        try BrokerFetch.results(try await post("/fetch", fetch.json))
    }

    /// Joins a group, or says that the member is still there.
    ///
    /// - Throws: ``BrokerError``.
    public func join(_ group: String, member: String, topic: String) async throws(BrokerError) -> GroupAssignment {
        let request = ByteBuffer.json { json in
            json.member("member", member)
            json.member("topic", topic)
        }
        let answer = Self.value(try await post("/consumers/\(group)", request))
        guard let generation = answer["generation"]?.integer, let list = answer["partitions"]?.array else {
            throw .notUnderstood
        }
        var positions: [Int: PartitionPosition] = [:]
        for position in list {
            let committed = position["committed"] ?? .null
            guard let number = position["partition"]?.integer, (0..<BrokerLog.partitionsMax).contains(number),
                let earliest = position["earliest"]?.offset, let latest = position["latest"]?.offset,
                committed.isNull || committed.offset != nil
            else { throw .notUnderstood }
            positions[number] = PartitionPosition(committed: committed.offset, earliest: earliest, latest: latest)
        }
        return GroupAssignment(generation: generation, positions: positions)
    }

    /// Says that a member is still there.
    ///
    /// - Throws: ``BrokerError``, ``BrokerError/fenced`` when the group has gone on without the member.
    public func heartbeat(_ group: String, member: String, generation: Int) async throws(BrokerError) {
        let request = ByteBuffer.json { json in
            json.member("member", member)
            json.member("generation", generation)
        }
        _ = try await post("/consumers/\(group)/heartbeat", request)
    }

    /// Notes where a group goes on.
    ///
    /// - Throws: ``BrokerError``, ``BrokerError/fenced`` when the group has gone on without the member.
    public func commit(
        _ group: String, member: String, generation: Int, _ partition: TopicPartition, _ offset: Int64
    ) async throws(BrokerError) {
        let request = CommitRequest(member: member, generation: generation, partition: partition, offset: offset)
        _ = try await post("/consumers/\(group)/offsets", request.json)
    }

    private func path(_ partition: TopicPartition) -> String {
        "/topics/\(partition.topic)/partitions/\(partition.partition)"
    }
}

extension BrokerError {
    /// The error as the broker's answers have it: a code that programs understand, and words.
    var json: Value {
        var json: Value.Object = ["error": .string(description), "code": .string(code)]
        switch self {
        case .offsetOutOfRange(let earliest, let latest):
            json["earliest"] = .integer(Int(earliest))
            json["latest"] = .integer(Int(latest))
        case .outOfOrder(let expected): json["expected"] = .integer(Int(expected))
        case .unknownTopic, .fenced, .refused, .persistence, .unreachable: break
        }
        return .object(json)
    }

    private var code: String {
        switch self {
        case .unknownTopic: "unknown_topic"
        case .offsetOutOfRange: "offset_out_of_range"
        case .outOfOrder: "out_of_order"
        case .fenced: "fenced"
        case .refused: "refused"
        case .persistence, .unreachable: "unavailable"
        }
    }

    /// An answer that is a success, and not of this API: nothing is taken for done.
    static let notUnderstood: BrokerError = .unreachable("its answer is not understood")

    init(json: Value, status: Int) {
        let reason = json["error"]?.string ?? "the broker answered \(status)"
        switch json["code"]?.string {
        case "unknown_topic": self = .unknownTopic(reason)
        case "offset_out_of_range":
            guard let earliest = json["earliest"]?.offset, let latest = json["latest"]?.offset else {
                self = .notUnderstood
                return
            }
            self = .offsetOutOfRange(earliest: earliest, latest: latest)
        case "out_of_order": self = json["expected"]?.offset.map { .outOfOrder(expected: $0) } ?? .notUnderstood
        case "fenced": self = .fenced
        case "refused": self = .refused(reason)
        default: self = .unreachable(reason)
        }
    }
}

extension Value {
    /// An offset in a partition, or a message's number; nil if no partition has so many.
    fileprivate var offset: Int64? {
        guard let number = integer, (0...Int(BrokerLog.sequenceMax)).contains(number) else { return nil }
        return Int64(number)
    }
}
