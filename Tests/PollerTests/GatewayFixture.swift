import HTTP
import HTTPTypes
import Pipeline
import Ports
import SimulatedWorld
import SimulationKernel
import XCTest

/// A gateway before a service that answers as it is told.
enum GatewayFixture {
    typealias Get = @Sendable (String) async throws -> Int

    static func run(upstream: HTTPResponder, _ script: @escaping @Sendable (Get) async throws -> Void) throws {
        let simulation = Simulation(seed: 1)
        let network = try Network(simulation)
        let box = Box()
        try network.host("service") { ports in
            _ = try await HTTPServer.start(ports, at: Endpoint("service", 80), responder: upstream)
        }
        try network.host("gateway") { ports in
            _ = try await Gateway.start(
                ports, at: Endpoint("gateway", 80), options: Gateway.Options(upstream: Endpoint("service", 80)))
        }
        try network.host("client") { box.ports = $0 }
        try simulation.run {
            try await Task.sleep(for: .milliseconds(1))
            let client = try await HTTPClient.make(try XCTUnwrap(box.ports), options: .standard)
            try await script { path in
                let request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: path)
                return try await client.send(request, to: Endpoint("gateway", 80)).response.status.code
            }
            await client.shutDown()
        }.get()
    }

    private final class Box: @unchecked Sendable {
        var ports: SimulatedPorts?
    }
}
