import Faults
import NIOCore
import Randomness
import XCTest

/// Byte-exact and time-exact: a chain is a value, and time is a number.
final class ToxicChainTests: XCTestCase {
    private let millisecond: UInt64 = 1_000_000

    /// Feeds items at their times (ms) and tells, in words, what left and when (ms).
    private func drain(
        _ chain: inout ToxicChain, feeding items: [(time: UInt64, item: ToxicItem)] = [], until end: UInt64 = 1_000_000
    ) -> [String] {
        var log: [String] = []
        var rest = items[...]
        var now: UInt64 = 0
        while true {
            while let next = rest.first, next.time * millisecond <= now {
                chain.receive(next.item, at: now)
                rest.removeFirst()
            }
            while let item = chain.take(at: now) { log.append("\(Double(now) / 1e6) \(describe(item))") }
            let wakes = [chain.nextWake, rest.first.map { $0.time * millisecond }].compactMap { $0 }
            guard let next = wakes.min(), next <= end * millisecond else { return log }
            now = next
        }
    }

    private func describe(_ item: ToxicItem) -> String {
        switch item {
        case .data(let buffer): "\(buffer.readableBytes)"
        case .end: "end"
        case .close: "close"
        case .reset: "reset"
        }
    }

    private func data(_ count: Int) -> ToxicItem { .data(ByteBuffer(repeating: 0x61, count: count)) }

    private func chain(_ kinds: Toxic.Kind..., seed: Seed = 1) -> ToxicChain {
        let toxics = kinds.enumerated().map { Toxic("toxic \($0)", $1) }
        return ToxicChain(toxics, random: RandomStream(seed: seed), now: 0)
    }

    func testLatencyDelaysEachPieceFromWhenItCame() {
        var chain = chain(.latency(latency: .milliseconds(100), jitter: .zero))
        let items = [(0, data(10)), (30, data(10)), (60, data(10)), (60, .end)] as [(UInt64, ToxicItem)]
        XCTAssertEqual(drain(&chain, feeding: items), ["100.0 10", "130.0 10", "160.0 10", "160.0 end"])
    }

    // A chain of two must add up in a stream too, where Toxiproxy loses the queueing time.
    func testChainedLatenciesAddUp() {
        var chain = chain(
            .latency(latency: .milliseconds(100), jitter: .zero), .latency(latency: .milliseconds(100), jitter: .zero))
        XCTAssertEqual(
            drain(&chain, feeding: [(0, data(1)), (30, data(1)), (60, data(1))]), ["200.0 1", "230.0 1", "260.0 1"])
    }

    func testJitterStaysInItsRangeAndNeverReorders() {
        var chain = chain(.latency(latency: .milliseconds(100), jitter: .milliseconds(50)))
        let items = (1...500).map { (time: UInt64($0), item: data($0)) }
        let log = drain(&chain, feeding: items).map { $0.split(separator: " ") }
        XCTAssertEqual(log.map { Int($0[1]) }, Array(1...500))
        let delays = log.enumerated().map { (Double($1[0]) ?? 0) - Double($0 + 1) }
        XCTAssertTrue(delays.allSatisfy { $0 >= 50 && $0 < 150 })
        XCTAssertGreaterThan(Set(delays).count, 20)
    }

    // 1000 bytes at 10 kB/s take 100 ms, delay first, then data; more goes in tenths of a second.
    func testBandwidthDelaysFirstAndCutsTenthsOfASecond() {
        var chain = chain(.bandwidth(bytesPerSecond: 10_000))
        chain.receive(data(500), at: 0)
        chain.receive(data(2500), at: 0)
        chain.receive(.end, at: 0)
        XCTAssertEqual(drain(&chain), ["50.0 500", "150.0 1000", "250.0 1000", "300.0 500", "300.0 end"])
    }

    func testBandwidthZeroStallsAndLosesNothing() {
        var chain = chain(.bandwidth(bytesPerSecond: 0))
        chain.receive(data(5), at: 0)
        chain.receive(.end, at: 0)
        XCTAssertEqual(drain(&chain), [])
        chain.remove("toxic 0", at: 7 * millisecond)
        XCTAssertEqual(chain.take(at: 7 * millisecond), data(5))
        XCTAssertEqual(chain.take(at: 7 * millisecond), .end)
    }

    func testSlowCloseDelaysTheEndOnly() {
        var chain = chain(.slowClose(delay: .seconds(1)))
        XCTAssertEqual(drain(&chain, feeding: [(0, data(5)), (10, .end)]), ["0.0 5", "1010.0 end"])
    }

    func testTimeoutDropsDataAndClosesAfterTheLastOfIt() {
        var chain = chain(.timeout(.milliseconds(100)))
        XCTAssertEqual(drain(&chain, feeding: [(60, data(5))]), ["160.0 close"])

        var idle = self.chain(.timeout(.milliseconds(100)))
        XCTAssertEqual(drain(&idle), ["100.0 close"])

        var endless = self.chain(.timeout(.zero))
        endless.receive(data(5), at: 0)
        XCTAssertEqual(drain(&endless), [])
        endless.remove("toxic 0", at: millisecond)
        XCTAssertEqual(endless.take(at: millisecond), .close)
    }

    func testLimitTimeLetsDataPassUntilItsTimeAndEndsWithIt() {
        var chain = chain(.limitTime(.milliseconds(100)))
        XCTAssertEqual(
            drain(&chain, feeding: [(10, data(5)), (99, data(6)), (150, data(7))]), ["10.0 5", "99.0 6", "100.0 close"])
        var ended = self.chain(.limitTime(.milliseconds(100)))
        XCTAssertEqual(drain(&ended, feeding: [(10, data(5)), (20, .end)]), ["10.0 5", "20.0 end"])
    }

    func testAChainTellsWhatItsToxicsHitAndWhetherMoreMayCome() {
        var chain = ToxicChain(
            [Toxic("slow", .bandwidth(bytesPerSecond: 1)), Toxic("spared", .noop, toxicity: .zero)],
            random: RandomStream(seed: 1), now: 0)
        XCTAssertTrue(chain.hasRoom)
        chain.receive(data(70_000), at: 0)
        chain.receive(.end, at: 0)
        XCTAssertFalse(chain.hasRoom)
        XCTAssertEqual(chain.hits(of: "slow"), 2)
        XCTAssertNil(chain.hits(of: "spared"))
        XCTAssertNil(chain.hits(of: "unknown"))
        chain.remove("slow", at: 1)
        XCTAssertTrue(chain.hasRoom)
        chain.remove("spared", at: 1)
        XCTAssertFalse(chain.hasToxics)
    }

    func testTheEndOfTheStreamPassesATimeoutAtOnce() {
        var chain = chain(.timeout(.seconds(10)))
        chain.receive(.end, at: 5 * millisecond)
        XCTAssertEqual(chain.take(at: 5 * millisecond), .end)
    }

    func testResetPeerWaitsForDataOrEnd() {
        var idle = chain(.resetPeer(after: .milliseconds(50)))
        XCTAssertEqual(drain(&idle), [])
        var data = self.chain(.resetPeer(after: .milliseconds(50)))
        XCTAssertEqual(drain(&data, feeding: [(10, self.data(5)), (20, self.data(5))]), ["60.0 reset"])
        var end = self.chain(.resetPeer(after: .zero))
        XCTAssertEqual(drain(&end, feeding: [(10, .end)]), ["10.0 reset"])
    }

    func testAResetThatHasBegunIsNotTakenBack() {
        var chain = chain(.resetPeer(after: .seconds(5)))
        chain.receive(data(5), at: 0)
        chain.remove("toxic 0", at: millisecond)
        XCTAssertEqual(chain.take(at: millisecond), .reset)
        var updated = self.chain(.resetPeer(after: .seconds(5)))
        updated.receive(data(5), at: 0)
        updated.update(Toxic("toxic 0", .noop), at: millisecond)
        XCTAssertEqual(drain(&updated), ["5000.0 reset"])
    }

    func testSlicerCutsNearTheAverageAndPausesBehindEachPiece() {
        var chain = chain(.slicer(averageSize: 100, sizeVariation: 20, delay: .milliseconds(1)))
        chain.receive(data(1000), at: 0)
        chain.receive(data(50), at: 0)
        let log = drain(&chain).map { $0.split(separator: " ") }
        let sizes = log.compactMap { Int($0[1]) }
        XCTAssertEqual(sizes.reduce(0, +), 1050)
        XCTAssertTrue(sizes.dropLast().allSatisfy { $0 > 20 && $0 <= 120 }, "\(sizes)")
        XCTAssertEqual(log.compactMap { Double($0[0]) }, (0..<sizes.count).map(Double.init))
    }

    func testSlicesAreTheSameBytesInTheSameOrder() {
        var chain = chain(.slicer(averageSize: 7, sizeVariation: 3, delay: .zero))
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        chain.receive(.data(ByteBuffer(bytes: bytes)), at: 0)
        var seen: [UInt8] = []
        while case .data(let piece)? = chain.take(at: 0) { seen += Array(piece.readableBytesView) }
        XCTAssertEqual(seen, bytes)
    }

    func testLimitDataPassesExactlyItsBytesAndCloses() {
        var chain = chain(.limitData(bytes: 100))
        let items = [(0, data(60)), (1, data(60)), (2, data(60))] as [(UInt64, ToxicItem)]
        XCTAssertEqual(drain(&chain, feeding: items), ["0.0 60", "1.0 40", "1.0 close"])

        var exact = self.chain(.limitData(bytes: 60))
        exact.receive(data(60), at: 0)
        XCTAssertEqual(drain(&exact), ["0.0 60", "0.0 close"])

        var none = self.chain(.limitData(bytes: 0))
        none.receive(data(1), at: 0)
        XCTAssertEqual(drain(&none), ["0.0 close"])
    }

    func testPacketLossDropsItsShareOfPieces() {
        var chain = chain(.packetLoss(rate: Ratio(1, outOf: 4), correlation: .zero))
        for _ in 0..<4000 { chain.receive(data(1), at: 0) }
        XCTAssertEqual(Double(drain(&chain).count), 3000, accuracy: 120)
    }

    // One draw for each connection and toxic, compared with the toxicity in force: an update moves a share of
    // connections, and a neighbour's change moves none.
    func testToxicityIsAShareOfConnections() {
        func count(_ toxicity: Ratio) -> Int {
            (0..<2000).filter { seed in
                let toxic = Toxic("lag", .latency(latency: .seconds(1), jitter: .zero), toxicity: toxicity)
                var chain = ToxicChain([toxic], random: RandomStream(seed: Seed(UInt64(seed))), now: 0)
                chain.receive(data(1), at: 0)
                return chain.take(at: 0) == nil
            }.count
        }
        XCTAssertEqual(count(.zero), 0)
        XCTAssertEqual(count(.one), 2000)
        XCTAssertEqual(Double(count(Ratio(1, outOf: 2))), 1000, accuracy: 90)
    }

    func testAToxicThatIsAddedActsOnWhatComesLater() {
        var chain = ToxicChain([], random: RandomStream(seed: 1), now: 0)
        XCTAssertEqual(drain(&chain, feeding: [(0, data(1))]), ["0.0 1"])
        chain.add(Toxic("lag", .latency(latency: .milliseconds(10), jitter: .zero)), at: millisecond)
        XCTAssertEqual(drain(&chain, feeding: [(2, data(2))]), ["12.0 2"])
    }

    // On an update the piece that is held leaves at once, the rest waits by the new value from when it came.
    func testAnUpdatePlansWhatIsHeldAnew() {
        var chain = chain(.latency(latency: .seconds(1), jitter: .zero))
        for time in [0, 10, 20] as [UInt64] { chain.receive(data(Int(time) + 1), at: time * millisecond) }
        XCTAssertTrue(
            chain.update(Toxic("toxic 0", .latency(latency: .milliseconds(100), jitter: .zero)), at: 50 * millisecond))
        XCTAssertEqual(chain.take(at: 50 * millisecond), data(1))
        XCTAssertNil(chain.take(at: 50 * millisecond))
        XCTAssertEqual(chain.take(at: 110 * millisecond), data(11))
        XCTAssertEqual(chain.take(at: 120 * millisecond), data(21))
        XCTAssertFalse(chain.update(Toxic("nobody", .noop), at: 0))
    }

    func testARemovalLetsEverythingGoInOrder() {
        var chain = chain(.latency(latency: .seconds(1), jitter: .zero), .slowClose(delay: .milliseconds(5)))
        chain.receive(data(1), at: 0)
        chain.receive(data(2), at: 0)
        chain.receive(.end, at: 0)
        XCTAssertTrue(chain.remove("toxic 0", at: 10 * millisecond))
        XCTAssertEqual(chain.take(at: 10 * millisecond), data(1))
        XCTAssertEqual(chain.take(at: 10 * millisecond), data(2))
        XCTAssertNil(chain.take(at: 10 * millisecond))
        XCTAssertEqual(chain.take(at: 15 * millisecond), .end)
        XCTAssertFalse(chain.remove("toxic 0", at: 0))
    }

    func testImpossibleToxicsAreNamed() {
        let invalid: [Toxic] = [
            Toxic("a", .slicer(averageSize: 0, sizeVariation: 0, delay: .zero)),
            Toxic("b", .slicer(averageSize: 10, sizeVariation: 10, delay: .zero)),
            Toxic("c", .latency(latency: .seconds(-1), jitter: .zero)), Toxic("d", .noop, toxicity: Ratio(3, outOf: 2)),
            Toxic("e", .packetLoss(rate: Ratio(2, outOf: 1), correlation: .zero)), Toxic("f", .timeout(.seconds(-1))),
        ]
        for toxic in invalid { XCTAssertTrue(toxic.validationError?.contains("'\(toxic.name)'") ?? false, "\(toxic)") }
        XCTAssertNil(Toxic("g", .bandwidth(bytesPerSecond: 0)).validationError)
    }
}
