import Faults
import NIOCore
import Ports
import SimulatedWorld
import SimulationKernel
import XCTest

/// The digest tells runs apart by everything that could differ in them.
final class DigestTests: XCTestCase {
    /// Each variant twice, and both pairwise: equal runs have one digest, and every variant its own.
    private func assertEachDiffers<Variant>(
        _ variants: [Variant], line: UInt = #line, _ run: (Variant) throws -> TraceDigest
    ) throws {
        var digests: [TraceDigest] = []
        for variant in variants {
            let digest = try run(variant)
            XCTAssertEqual(digest, try run(variant), "\(variant) differs from its twin", line: line)
            XCTAssertFalse(digests.contains(digest), "\(variant) is not seen", line: line)
            digests.append(digest)
        }
    }

    func testADrawOfANamedStreamIsSeen() throws {
        try assertEachDiffers([0, 1, 2]) { draws in
            let simulation = Simulation(seed: 1)
            return try simulation.run {
                var stream = try simulation.stream("s")
                for _ in 0..<draws { _ = stream.next() }
            }.digest
        }
        try assertEachDiffers(["a", "b"]) { label in
            let simulation = Simulation(seed: 1)
            return try simulation.run {
                var fork = try simulation.stream("s").fork(label)
                _ = fork.index(below: 1)
            }.digest
        }
    }

    func testTheContentsOfWhatIsSentAreSeen() throws {
        try assertEachDiffers([[1, 2, 3], [3, 2, 1], [1, 2, 4]] as [[UInt8]]) { bytes in
            try NetworkScript.run { script in
                let channel = try await script.dial()
                try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
                try await Task.sleep(for: .seconds(1))
            }.digest
        }
        // Long ones differ in one byte anywhere.
        try assertEachDiffers([-1, 0, 40, 77, 99]) { place in
            var bytes = [UInt8](repeating: 7, count: 100)
            if place >= 0 { bytes[place] = 8 }
            return try NetworkScript.run { script in
                let channel = try await script.dial()
                try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
                try await Task.sleep(for: .seconds(1))
            }.digest
        }
    }

    func testEveryChangeOfTheNetworkIsSeen() throws {
        let changes: [(String, (NetworkScript) throws -> Void)] = [
            ("nothing", { _ in }),
            ("latency", { try $0.link().setOptions(.init(latency: .fixed(.milliseconds(2)))) }),
            ("loss", { try $0.link().setOptions(.init(latency: .fixed(.milliseconds(1)), loss: .one)) }),
            ("queue", { try $0.link().setOptions(.init(latency: .fixed(.milliseconds(1)), queueBytesMax: 7)) }),
            ("cut", { try $0.link().cut() }),
            ("hold", { try $0.link().hold() }),
            ("toxic", { try $0.link().setToxic(.init("t", .noop)) }),
            ("other toxic", { try $0.link().setToxic(.init("t", .latency(latency: .seconds(1), jitter: .zero))) }),
            ("black hole", { try $0.network.setBlackHole(host: "server", port: 80, true) }),
            ("refusing", { try $0.network.setRefusing(host: "server", port: 80, true) }),
            ("late accept", { try $0.network.delayAccept(host: "server", port: 80, by: .seconds(1)) }),
            ("later accept", { try $0.network.delayAccept(host: "server", port: 80, by: .seconds(2)) }),
            ("resolver", { $0.network.failResolution(of: "server") }),
            ("resolver again", { $0.network.restoreResolution(of: "server") }),
        ]
        try assertEachDiffers(Array(changes.indices)) { index in
            try NetworkScript.run { script in
                try changes[index].1(script)
                try await Task.sleep(for: .seconds(1))
            }.digest
        }
    }
}
