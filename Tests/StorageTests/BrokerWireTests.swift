import Documents
import NIOCore
import XCTest

@testable import Pipeline

/// What travels to and from the broker is written and read without a tree of values, and is what the tree says.
final class BrokerWireTests: XCTestCase {
    private static let partition: TopicPartition = TopicPartition("prod-\"measurements\"", 3)
    private static let messages: [BrokerMessage] = [
        BrokerMessage(key: "SD0", value: #"{"flat":"SD0","room":"Küche\n","value":21.79}"#),
        BrokerMessage(key: "", value: "\u{1}\u{7f}\t\\ é 🌡️"), BrokerMessage(key: "\"", value: ""),
    ]

    private static func tree(_ json: ByteBuffer) throws -> Value { try JSONReader.read(json.readableBytesView) }

    private func assertIsWhatTheTreeSays(_ json: ByteBuffer, line: UInt = #line) throws {
        XCTAssertEqual(String(buffer: json), JSONWriter.write(try Self.tree(json)), line: line)
    }

    func testWhatIsWrittenIsReadBack() throws {
        for producer in [nil, BrokerProducer(id: "poller/7f", sequence: 1 << 53)] {
            let request = ProduceRequest(messages: Self.messages, producer: producer, acks: .leader)
            try assertIsWhatTheTreeSays(request.json)
            let read = try ProduceRequest(json: request.json)
            XCTAssertEqual(read.messages, Self.messages)
            XCTAssertEqual(read.producer, producer)
            XCTAssertEqual(read.acks, .leader)
        }
        for member in [nil, BrokerFetch.Membership(group: "g", member: "m\\", generation: 4)] {
            let positions = [
                BrokerFetch.Position(Self.partition, offset: 7, max: 500),
                BrokerFetch.Position(TopicPartition("t", 0), offset: 0, max: 0),
            ]
            let fetch = BrokerFetch(positions, wait: .milliseconds(1_500), membership: member)
            try assertIsWhatTheTreeSays(fetch.json)
            XCTAssertEqual(try BrokerFetch(json: fetch.json, recordsMax: 1000), fetch)
            XCTAssertEqual(try BrokerFetch(json: fetch.json, recordsMax: 10).positions[0].max, 10)
        }
        let commit = CommitRequest(member: "m", generation: 2, partition: Self.partition, offset: 12)
        try assertIsWhatTheTreeSays(commit.json)
        let read = try CommitRequest(json: commit.json)
        XCTAssertEqual(
            [read.member, "\(read.generation)", "\(read.partition)", "\(read.offset)"],
            ["m", "2", "\(Self.partition)", "12"])
    }

    func testAnAnswerToAFetchIsReadBackAndLeavesOutWhatHasNothing() throws {
        let records = Self.messages.enumerated().map {
            BrokerRecord(offset: Int64($0), message: $1, time: 1_600_000_000_000)
        }
        let empty = TopicPartition("t", 0)
        let late = TopicPartition("t", 1)
        let fetch = BrokerFetch(
            [empty, Self.partition, late].map { BrokerFetch.Position($0, offset: 0, max: 9) }, wait: .zero)
        var results: [TopicPartition: PartitionFetch] = [
            empty: .records(FetchedRecords(records: [], latest: 0)),
            Self.partition: .records(FetchedRecords(records: records, latest: 3)),
            late: .outOfRange(earliest: 5, latest: 9),
        ]
        let answer = fetch.answer(results)
        try assertIsWhatTheTreeSays(answer)
        results[empty] = nil
        XCTAssertEqual(try BrokerFetch.results(answer), results)
    }

    // Each part is taken out, and given another kind, in turn.
    func testWhatLacksAPartIsRefused() throws {
        func broken(_ json: ByteBuffer) throws -> [ByteBuffer] {
            let tree = try XCTUnwrap(try Self.tree(json).object)
            return tree.keys.flatMap { name in
                [nil, Value.array([]), .object([:]), .null].filter { $0?.kind != tree[name]?.kind }.map { value in
                    var changed = tree
                    changed[name] = value
                    return ByteBuffer(string: JSONWriter.write(.object(changed)))
                }
            }
        }
        let commit = CommitRequest(member: "m", generation: 2, partition: Self.partition, offset: 12)
        for json in try broken(commit.json) {
            XCTAssertThrowsError(try CommitRequest(json: json), String(buffer: json))
        }
        let fetch = BrokerFetch(
            [], wait: .zero, membership: BrokerFetch.Membership(group: "g", member: "m", generation: 4))
        for json in try broken(fetch.json) where try Self.tree(json)["group"] != nil {
            XCTAssertThrowsError(try BrokerFetch(json: json, recordsMax: 1), String(buffer: json))
        }
        let part = #"{"topic":"t","partition":0,"offset":0,"max":1}"#
        for (old, new) in [("\"t\"", "1"), ("\"offset\":0", "\"offset\":-1"), ("\"max\":1", "\"x\":1"), (part, "7")] {
            let json = "{\"wait\":0,\"partitions\":[\(part.replacing(old, with: new))]}"
            XCTAssertThrowsError(try BrokerFetch(json: ByteBuffer(string: json), recordsMax: 1), json)
        }
        for json in [
            "", "{", "[]{}", "{\"acks\":\"2\"}", "{\"records\":[{\"key\":\"k\"}]}", "{\"records\":[1]}",
            "{\"records\":[],\"producer\":{\"id\":\"\",\"sequence\":0}}",
            "{\"records\":[],\"producer\":{\"id\":\"p\",\"sequence\":-1}}", "{\"producer\":7}",
        ] {
            XCTAssertThrowsError(try ProduceRequest(json: ByteBuffer(string: json)), json)
        }
        for json in ["", "null", "{}", "{\"partitions\":{}}", "{\"partitions\":[{}]}"] {
            XCTAssertThrowsError(try BrokerFetch.results(ByteBuffer(string: json)), json)
        }
    }
}
