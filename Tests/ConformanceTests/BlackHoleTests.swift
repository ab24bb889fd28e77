import Glibc
import NIOCore
import NIOPosix
import Ports
import SimulatedWorld
import SimulationKernel
import SocketWorld
import XCTest

/// A connection attempt that nobody answers: a full backlog on kernel sockets, a black hole in the simulation.
final class BlackHoleTests: XCTestCase {
    private let options = DialOptions(timeout: .milliseconds(300))

    private func failure(_ ports: any Ports, _ endpoint: Endpoint) async -> DialError? {
        do {
            let channel = try await ports.dial(endpoint, options: options) { $0.eventLoop.makeSucceededVoidFuture() }
                .get()
            try await channel.close()
            return nil
        } catch {
            return error as? DialError
        }
    }

    func testAnAttemptThatNobodyAnswersTimesOutOnKernelSockets() async throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutableBytes(of: &address) { bytes -> Int in
            guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                bind(listener, pointer, length) == 0, listen(listener, 0) == 0,
                getsockname(listener, pointer, &length) == 0
            else { return 0 }
            return Int(UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self)))
        }
        try XCTSkipIf(port == 0, "no port could be listened on")
        // Nobody accepts: these fill the queue of one, and what comes behind them is not answered.
        var fillers: [Int32] = []
        defer { fillers.forEach { close($0) } }
        for _ in 0..<4 {
            let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            fillers.append(filler)
            withUnsafeBytes(of: &address) { bytes in
                guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return }
                _ = connect(filler, pointer, length)
            }
        }
        let ports = RealPorts(eventLoop: MultiThreadedEventLoopGroup.singleton.next())
        let endpoint = Endpoint("127.0.0.1", port)
        let failure = await failure(ports, endpoint)
        XCTAssertEqual(failure, .timedOut(endpoint, after: .milliseconds(300)))
    }

    func testAnAttemptThatNobodyAnswersTimesOutInTheSimulation() throws {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        try network.host("server") { ports in
            _ = try await ports.listen(Endpoint("server", 80), options: .init()) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.get()
            try network.setBlackHole(host: "server", port: 80, true)
        }
        var result: DialError?
        try network.host("client") { ports in
            try await Task.sleep(for: .seconds(1))
            result = await self.failure(ports, Endpoint("server", 80))
        }
        XCTAssertEqual(try simulation.run(for: .seconds(5)).stopReason, .finished)
        XCTAssertEqual(result, .timedOut(Endpoint("server", 80), after: .milliseconds(300)))
    }
}
