import AsyncHTTPClient
import Glibc
import Hummingbird
import NIOCore
import NIOPosix
import SimulatedWorld
import SimulationKernel

// What cannot work in a simulation, each way in a process of its own: `refused client-bootstrap`, and so on. A strict run that
// says so by name ends with 3, one that noticed nothing with 0; a trap ends the process.

let ways: [String: @Sendable (SimulatedPorts) async throws -> Void] = [
    "client-bootstrap": { ports in
        _ = try await ClientBootstrap(group: ports.eventLoop).connect(host: "127.0.0.1", port: 9).get()
    },
    "hummingbird-application": { _ in
        let router = Router()
        router.get("/") { _, _ in "hello" }
        try await Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)))
            .run()
    },
    "hummingbird-application-on-loop": { ports in
        let router = Router()
        router.get("/") { _, _ in "hello" }
        try await Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            eventLoopGroupProvider: .shared(ports.eventLoop)
        ).run()
    },
    "async-http-client": { _ in
        _ = try await HTTPClient.shared.execute(HTTPClientRequest(url: "http://127.0.0.1:9/"), timeout: .seconds(1))
    },
    "async-http-client-on-loop": { ports in
        let client = HTTPClient(eventLoopGroupProvider: .shared(ports.eventLoop))
        _ = try await client.execute(HTTPClientRequest(url: "http://127.0.0.1:9/"), timeout: .seconds(1))
    },
    "event-loop-group": { _ in _ = MultiThreadedEventLoopGroup(numberOfThreads: 1) },
]

guard CommandLine.arguments.count == 2, let way = ways[CommandLine.arguments[1]] else {
    fatalError("refused takes one of \(ways.keys.sorted().joined(separator: ", "))")
}
let simulation = Simulation(seed: 42)
let network = try Network(simulation)
try network.host("tested") { ports in try await way(ports) }
let outcome = try simulation.run(for: .seconds(10))
print(outcome)
exit(outcome.violations.isEmpty ? 0 : 3)
