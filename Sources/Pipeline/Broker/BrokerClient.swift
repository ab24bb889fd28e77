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

    private func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: Value? = nil
    ) async throws(BrokerError) -> Value {
        let request = HTTPRequest(method: method, scheme: nil, authority: nil, path: path)
        let payload = body.map { ByteBuffer(string: JSONWriter.write($0)) } ?? ByteBuffer()
        let (response, bytes): (HTTPResponse, ByteBuffer)
        do throws(HTTPFailure) {
            (response, bytes) = try await client.send(request, body: payload, to: endpoint)
        } catch {
            throw .unreachable(error.description)
        }
        let json = (try? JSONReader.read(bytes.readableBytesView)) ?? .null
        guard response.status.code != 200 else { return json }
        throw BrokerError(json: json, status: response.status.code)
    }

    /// Appends messages to a partition; returns whether they were new.
    ///
    /// - Throws: ``BrokerError``.
    public func produce(
        _ messages: [BrokerMessage], to partition: TopicPartition, from producer: BrokerProducer?, acks: BrokerAcks
    ) async throws(BrokerError) -> Bool {
        var body: Value = [
            "acks": .string(acks.rawValue),
            "records": .array(messages.map { ["key": .string($0.key), "value": .string($0.value)] }),
        ]
        if let producer {
            let json: Value = ["id": .string(producer.id), "sequence": .integer(Int(producer.sequence))]
            body.set(Pointer(tokens: ["producer"]), to: json)
        }
        let answer = try await send(.post, path(partition), body)
        guard let isDuplicate = answer["duplicate"]?.bool else { throw .notUnderstood }
        return !isDuplicate
    }

    /// Gives records of partitions, and where there are none waits until there are, as long as the fetch says.
    ///
    /// - Throws: ``BrokerError``.
    public func fetch(_ fetch: BrokerFetch) async throws(BrokerError) -> [TopicPartition: PartitionFetch] {
        var body: Value.Object = [
            "wait": .integer(Int(fetch.wait.milliseconds)),
            "partitions": .array(
                fetch.positions.map { position in
                    [
                        "topic": .string(position.partition.topic),
                        "partition": .integer(position.partition.partition),
                        "offset": .integer(Int(position.offset)), "max": .integer(position.max),
                    ]
                }),
        ]
        if let member = fetch.membership {
            body["group"] = .string(member.group)
            body["member"] = .string(member.member)
            body["generation"] = .integer(member.generation)
        }
        let answer = try await send(.post, "/fetch", .object(body))
        guard let list = answer["partitions"]?.array else { throw .notUnderstood }
        var results: [TopicPartition: PartitionFetch] = [:]
        for value in list {
            guard let topic = value["topic"]?.string, let number = value["partition"]?.integer,
                let latest = value["latest"]?.offset
            else { throw .notUnderstood }
            if let list = value["records"]?.array {
                let records = list.compactMap(BrokerRecord.init(json:))
                guard records.count == list.count else { throw .notUnderstood }
                results[TopicPartition(topic, number)] = .records(FetchedRecords(records: records, latest: latest))
            } else {
                guard let earliest = value["earliest"]?.offset else { throw .notUnderstood }
                results[TopicPartition(topic, number)] = .outOfRange(earliest: earliest, latest: latest)
            }
        }
        return results
    }

    /// Joins a group, or says that the member is still there.
    ///
    /// - Throws: ``BrokerError``.
    public func join(_ group: String, member: String, topic: String) async throws(BrokerError) -> GroupAssignment {
        let answer = try await send(
            .post, "/consumers/\(group)", ["member": .string(member), "topic": .string(topic)])
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
        let body: Value = ["member": .string(member), "generation": .integer(generation)]
        _ = try await send(.post, "/consumers/\(group)/heartbeat", body)
    }

    /// Notes where a group goes on.
    ///
    /// - Throws: ``BrokerError``, ``BrokerError/fenced`` when the group has gone on without the member.
    public func commit(
        _ group: String, member: String, generation: Int, _ partition: TopicPartition, _ offset: Int64
    ) async throws(BrokerError) {
        let body: Value = [
            "member": .string(member), "generation": .integer(generation), "topic": .string(partition.topic),
            "partition": .integer(partition.partition), "offset": .integer(Int(offset)),
        ]
        _ = try await send(.post, "/consumers/\(group)/offsets", body)
    }

    private func path(_ partition: TopicPartition) -> String {
        "/topics/\(partition.topic)/partitions/\(partition.partition)"
    }
}

extension BrokerRecord {
    /// The record as the broker's answers have it.
    var json: Value {
        [
            "offset": .integer(Int(offset)), "key": .string(message.key), "value": .string(message.value),
            "time": .integer(Int(time)),
        ]
    }

    init?(json: Value) {
        guard let offset = json["offset"]?.offset, let key = json["key"]?.string, let value = json["value"]?.string,
            let time = json["time"]?.integer
        else { return nil }
        self.init(offset: offset, message: BrokerMessage(key: key, value: value), time: Int64(time))
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
    fileprivate static let notUnderstood: BrokerError = .unreachable("its answer is not understood")

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
