import XCTest

@testable import Pipeline

final class PartitionTests: XCTestCase {
    // The vectors of Kafka's own tests (UtilsTest.testMurmur2): its default partitioner takes the same partitions.
    func testTheHashIsThatOfKafka() {
        let vectors: [(key: String, hash: Int32)] = [
            ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107), ("", 275_646_681),
        ]
        for (key, hash) in vectors { XCTAssertEqual(Int32(bitPattern: Murmur2.hash(key.utf8)), hash, key) }
        // Without its sign, -973,932,308 is 1,173,551,340.
        XCTAssertEqual(TopicPartition.of(key: "21", topic: "t", partitions: 1000).partition, 340)
    }

    /// How many keys fall into each partition.
    private func spread(_ keys: [String], over partitions: Int) -> [Int] {
        var counts = Array(repeating: 0, count: partitions)
        for key in keys { counts[TopicPartition.of(key: key, topic: "t", partitions: partitions).partition] += 1 }
        return counts
    }

    // Ten flats of a landscape, a thousand, and names of any kind: no partition is left out, and none has most of them.
    func testKeysAreSpreadOverAllPartitions() {
        let flats = (0..<1000).map { "SD\($0)" }
        // A fixed walk through 64 bits, so that the names are the same in every run.
        var state: UInt64 = 1
        let names = (0..<1000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return String(state, radix: 36)
        }
        for partitions in [2, 4, 8] {
            let few = spread(Array(flats.prefix(10)), over: partitions)
            XCTAssertGreaterThanOrEqual(few.count { $0 > 0 }, min(partitions, 5), "\(few)")
            XCTAssertLessThanOrEqual(few.max() ?? 10, 7, "\(few)")
            for keys in [flats, names] {
                let fair = 1000 / partitions
                for count in spread(keys, over: partitions) {
                    XCTAssertTrue((fair * 3 / 4...fair * 5 / 4).contains(count), "\(count) of \(fair)")
                }
            }
        }
    }

    func testAKeyHasAPartitionHoweverManyThereAre() {
        for partitions in [-1, 0, 1] {
            XCTAssertEqual(TopicPartition.of(key: "SD0", topic: "t", partitions: partitions).partition, 0)
        }
    }
}
