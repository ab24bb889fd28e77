import Faults
import NIOCore
import Ports
import SimulatedWorld
import SimulationKernel
import XCTest

/// How bytes flow: bandwidth, queues, windows, acknowledgements, resets.
final class FlowTests: XCTestCase {
    // A slow link lets bytes through as they leave, not in pieces of 64 KiB.
    func testBandwidthMetersBytes() throws {
        try NetworkScript.run { script in
            let channel = try await script.dial()
            try script.link().setOptions(.init(latency: .fixed(.milliseconds(1)), bytesPerSecond: 10))
            channel.writeAndFlush(ByteBuffer(repeating: 1, count: 100_000), promise: nil)
            for seconds in [10, 100, 890] {
                let before = script.server.receivedBytes
                try await Task.sleep(for: .seconds(seconds))
                let bytes = script.server.receivedBytes - before
                XCTAssertTrue((seconds * 9...seconds * 11).contains(bytes), "\(bytes) bytes in \(seconds) s")
            }
        }
        try NetworkScript.run { script in
            let channel = try await script.dial()
            try script.link().setOptions(.init(latency: .fixed(.milliseconds(1)), bytesPerSecond: 10_000))
            channel.writeAndFlush(ByteBuffer(repeating: 1, count: 200_000), promise: nil)
            try await Task.sleep(for: .seconds(25))
            XCTAssertEqual(script.server.receivedBytes, 200_000)
            XCTAssertEqual(try XCTUnwrap(script.server.received.last).at, 20, accuracy: 0.2)
            let gaps = zip(script.server.received.dropFirst(), script.server.received).map { $0.at - $1.at }
            XCTAssertLessThanOrEqual(gaps.max() ?? .infinity, 0.2)
        }
    }

    // 100,000 writes of 2 bytes at 3 GB/s take 67 us together, although each takes less than a nanosecond.
    func testSmallWritesAreNotFree() throws {
        try NetworkScript.run { script in
            let channel = try await script.dial()
            try await Task.sleep(for: .milliseconds(10))
            try script.link().setOptions(.init(latency: .fixed(.zero), bytesPerSecond: 3_000_000_000))
            let start = script.seconds
            for _ in 0..<100_000 { channel.write(ByteBuffer(repeating: 1, count: 2), promise: nil) }
            channel.flush()
            try await Task.sleep(for: .milliseconds(1))
            XCTAssertEqual(script.server.receivedBytes, 200_000)
            XCTAssertEqual(try XCTUnwrap(script.server.received.last).at - start, 66.7e-6, accuracy: 0.1e-6)
        }
    }

    // Twenty connections and a queue for seven packets: the link is used to the full, and none of them starves.
    func testAFullQueueRecovers() throws {
        try NetworkScript.run { script in
            var channels: [any Channel] = []
            for _ in 0..<20 { channels.append(try await script.dial()) }
            try script.link().setOptions(
                .init(latency: .fixed(.milliseconds(10)), bytesPerSecond: 100_000, queueBytesMax: 10_000))
            let start = script.seconds
            for channel in channels {
                channel.writeAndFlush(ByteBuffer(repeating: 1, count: 100_000), promise: nil)
            }
            try await Task.sleep(for: .seconds(10))
            XCTAssertGreaterThan(script.server.receivedBytes, 900_000)
            try await Task.sleep(for: .seconds(14))
            XCTAssertEqual(script.server.receivedBytes, 2_000_000)
            XCTAssertLessThan(try XCTUnwrap(script.server.received.last).at - start, 23)
        }
    }

    // With enough behind it, a lost packet is sent again after a round trip and not after the timer's 200 ms.
    func testALossWithinAStreamIsNoticedByWhatFollows() throws {
        try NetworkScript.run(seed: 5) { script in
            let channel = try await script.dial()
            try script.link().setOptions(
                .init(latency: .fixed(.milliseconds(2)), bytesPerSecond: 1_000_000, loss: Ratio(1, outOf: 50)))
            let start = script.seconds
            channel.writeAndFlush(ByteBuffer(repeating: 1, count: 1_000_000), promise: nil)
            try await Task.sleep(for: .seconds(20))
            XCTAssertEqual(script.server.receivedBytes, 1_000_000)
            // 100 packets of 10 kB, two of which are lost: by timers alone it would be 1.4 s.
            XCTAssertLessThan(try XCTUnwrap(script.server.received.last).at - start, 1.2)
        }
    }

    // Data that arrived is read before the reset, though nobody had asked for it.
    func testWhatHasArrivedIsReadBeforeAReset() throws {
        try NetworkScript.run { script in
            let channel = try await script.dial(autoRead: false)
            try await Task.sleep(for: .milliseconds(10))
            let other = try XCTUnwrap(script.server.channels.first)
            try await other.writeAndFlush(ByteBuffer(repeating: 3, count: 100_000))
            try await Task.sleep(for: .milliseconds(60))
            XCTAssertEqual(script.client.receivedBytes, 0)
            resetConnection(other)
            try await channel.closeFuture.get()
            XCTAssertEqual(script.client.receivedBytes, 100_000)
            XCTAssertEqual(script.client.errors.count, 1)
        }
    }

    // Data arrives, and its acknowledgements do not: the sender's machine cannot know, and gives up after 924.6 s.
    func testWhatIsNeverAcknowledgedTimesOutAlthoughItArrives() throws {
        try NetworkScript.run { script in
            let channel = try await script.dial()
            try script.link("server", "client").cut()
            let start = script.seconds
            channel.writeAndFlush(ByteBuffer(string: "heard"), promise: nil)
            try await channel.closeFuture.get()
            XCTAssertEqual(script.server.receivedBytes, 5)
            XCTAssertTrue(script.client.errors.first?.contains("errno: 110") ?? false, "\(script.client.errors)")
            XCTAssertEqual(script.seconds - start, 924.601, accuracy: 0.01)
        }
    }

    // The peer's own data carries the acknowledgement: a lost one alone is no reason to give up.
    func testALostAcknowledgementIsMadeGoodByTheNext() throws {
        try NetworkScript.run { script in
            let channel = try await script.dial()
            let back = try script.link("server", "client")
            back.cut()
            channel.writeAndFlush(ByteBuffer(string: "heard"), promise: nil)
            try await Task.sleep(for: .milliseconds(100))
            back.heal()
            try await Task.sleep(for: .seconds(2000))
            XCTAssertTrue(channel.isActive)
            XCTAssertEqual(script.network.report().joined().contains("sent again"), false)
        }
    }

    /// Fills the window towards a server that does not read, cuts the way back, lets the server read all.
    private func readsBehindACut(
        _ script: NetworkScript, whileCut: (any Channel) async throws -> Void
    ) async throws {
        let channel = try await script.dial()
        try await Task.sleep(for: .milliseconds(10))
        let server = try XCTUnwrap(script.server.channels.first)
        try await server.setOption(.autoRead, value: false).get()
        channel.writeAndFlush(ByteBuffer(repeating: 1, count: 2_000_000), promise: nil)
        try await Task.sleep(for: .seconds(1))
        try script.link("server", "client").cut()
        try await server.setOption(.autoRead, value: true).get()
        try await whileCut(channel)
    }

    // The news of room is lost: probes grow apart, and end with the connection.
    func testProbesOfAWindowBackOffAndTimeOut() throws {
        let outcome = try NetworkScript.run { script in
            try await self.readsBehindACut(script) { channel in
                let start = script.seconds
                try await channel.closeFuture.get()
                XCTAssertEqual(script.seconds - start, 924.6, accuracy: 1)
                try await Task.sleep(for: .seconds(40_000))
            }
        }
        XCTAssertLessThan(outcome.events, 1000)
    }

    func testAProbeFindsTheRoomThatNobodyTold() throws {
        try NetworkScript.run { script in
            try await self.readsBehindACut(script) { channel in
                try await Task.sleep(for: .seconds(10))
                XCTAssertLessThan(script.server.receivedBytes, 2_000_000)
                try script.link("server", "client").heal()
                try await Task.sleep(for: .seconds(30))
                XCTAssertEqual(script.server.receivedBytes, 2_000_000)
                XCTAssertTrue(channel.isActive)
            }
        }
    }

    func testAHeldWindowUpdateArrivesAfterTheRelease() throws {
        try NetworkScript.run { script in
            let channel = try await script.dial()
            try await Task.sleep(for: .milliseconds(10))
            let server = try XCTUnwrap(script.server.channels.first)
            try await server.setOption(.autoRead, value: false).get()
            channel.writeAndFlush(ByteBuffer(repeating: 1, count: 700_000), promise: nil)
            try await Task.sleep(for: .milliseconds(50))
            let back = try script.link("server", "client")
            back.hold()
            try await server.setOption(.autoRead, value: true).get()
            try await Task.sleep(for: .milliseconds(50))
            XCTAssertLessThan(script.server.receivedBytes, 700_000)
            back.release()
            try await Task.sleep(for: .milliseconds(3))
            XCTAssertEqual(script.server.receivedBytes, 700_000)
        }
    }

    // Each socket option keeps its own value.
    func testOptionsHaveTheirOwnValues() throws {
        try NetworkScript.run { script in
            let channel = try await script.dial()
            let standard = try await channel.getOption(.socketOption(.so_rcvbuf)).get()
            try await channel.setOption(.socketOption(.so_keepalive), value: 1).get()
            try await channel.setOption(.socketOption(.so_sndbuf), value: 4096).get()
            let (keepAlive, received, sent) = try await (
                channel.getOption(.socketOption(.so_keepalive)).get(),
                channel.getOption(.socketOption(.so_rcvbuf)).get(),
                channel.getOption(.socketOption(.so_sndbuf)).get()
            )
            XCTAssertEqual([keepAlive, received, sent], [1, standard, 4096])
            let spin = try await channel.getOption(.writeSpin).get()
            XCTAssertEqual(spin, 16)
            try await channel.setOption(.writeSpin, value: 3).get()
            let spun = try await channel.getOption(.writeSpin).get()
            XCTAssertEqual(spun, 3)
            _ = try await channel.getOption(.allocator).get()
        }
    }
}
