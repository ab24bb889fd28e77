import XCTest

@testable import Randomness

final class RandomStreamTests: XCTestCase {
    // The published results of the reference implementations: any other generator fails here.
    func testSplitMix64GivesItsPublishedNumbers() {
        var generator = SplitMix64(state: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        XCTAssertEqual(expected.map { _ in generator.next() }, expected)
    }

    func testXoshiro256StarStarGivesItsPublishedNumbers() {
        var stream = RandomStream(key: StreamKey(low: 0, high: 0), state: (1, 2, 3, 4))
        let expected: [UInt64] = [
            11520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360,
            607_988_272_756_665_600, 16_172_922_978_634_559_625, 8_476_171_486_693_032_832,
            10_595_114_339_597_558_777, 2_904_607_092_377_533_576,
        ]
        XCTAssertEqual(expected.map { _ in stream.next() }, expected)
    }

    func testSipHashGivesItsPublishedVectors() {
        let key = StreamKey(low: 0x0706_0504_0302_0100, high: 0x0f0e_0d0c_0b0a_0908)
        let expected = [
            "a3817f04ba25a8e66df67214c7550293", "da87c1d86b99af44347659119b22fc45",
            "8177228da4a45dc7fca38bdef60affe4", "9c70b60c5267a94e5f33b6b02985ed51",
        ]
        for (length, text) in expected.enumerated() {
            let hash = SipHash.hash((0..<length).map { UInt8($0) }, key: key)
            let bytes = [hash.low, hash.high].flatMap { word in
                (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
            }
            XCTAssertEqual(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(), text)
        }
    }

    // These are our own published vectors (docs/randomness.md): if they change, every recorded seed means another run.
    func testTheStreamsOfASeedNeverChange() {
        var root = RandomStream(seed: 42)
        var link = RandomStream(seed: 42).fork("network/link poller→server")
        XCTAssertEqual([root.next(), root.next()], [3_885_012_506_802_037_670, 12_621_631_357_529_884_756])
        XCTAssertEqual([link.next(), link.next()], [17_486_365_325_030_481_647, 8_292_278_933_812_194_141])
    }

    // A device more must shift nobody else's draws: a fork may depend on the label alone.
    func testAForkDoesNotDependOnWhatWasDrawn() {
        let untouched = RandomStream(seed: 7)
        var drawn = untouched
        for _ in 0..<1000 { _ = drawn.next() }
        var left = untouched.fork("a").fork("b")
        var right = drawn.fork("a").fork("b")
        XCTAssertEqual((0..<10).map { _ in left.next() }, (0..<10).map { _ in right.next() })
    }

    func testDifferentLabelsSeedsAndPathsGiveDifferentStreams() {
        let streams = [
            RandomStream(seed: 1), RandomStream(seed: 2), RandomStream(seed: 1).fork("a"),
            RandomStream(seed: 1).fork("b"),
            RandomStream(seed: 1).fork("ab"), RandomStream(seed: 1).fork("a").fork("b"), RandomStream(seed: 1).fork(""),
        ]
        XCTAssertEqual(
            Set(
                streams.map { stream in
                    var stream = stream; return stream.next()
                }
            ).count, streams.count)
    }

    // Exact bounds of a chi-square test would be flaky with a random seed; this seed is fixed, so the result is too.
    func testDrawsBelowABoundAreUniform() {
        var stream = RandomStream(seed: 3)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[stream.index(below: 7)] += 1 }
        for count in counts { XCTAssertEqual(Double(count), 10_000, accuracy: 300) }
        XCTAssertEqual(stream.next(below: 1), 0)
    }

    func testAChanceIsAFractionAndAlwaysOneDraw() {
        var stream = RandomStream(seed: 4)
        var other = stream
        var hits = 0
        for _ in 0..<20_000 { hits += stream.chance(Ratio(1, outOf: 20)) ? 1 : 0 }
        XCTAssertEqual(Double(hits), 1000, accuracy: 100)
        XCTAssertFalse((0..<100).contains { _ in other.chance(.zero) })
        XCTAssertTrue((0..<100).allSatisfy { _ in other.chance(.one) })
    }

    func testAPermutationKeepsAllElements() {
        var stream = RandomStream(seed: 5)
        let permuted = stream.permuted(Array(0..<50))
        XCTAssertEqual(permuted.sorted(), Array(0..<50))
        XCTAssertNotEqual(permuted, Array(0..<50))
    }

    func testASeedIsReadAndWrittenAsANumber() throws {
        XCTAssertEqual(Seed("18446744073709551615")?.value, .max)
        XCTAssertNil(Seed("18446744073709551616"))
        XCTAssertNil(Seed("-1"))
        XCTAssertEqual(String(describing: Seed(12)), "12")
    }
}
