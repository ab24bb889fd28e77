import Pipeline
import SimulatedTestbed
import SimulatedWorld
import Testbed

/// No service has more connections to another than its pools may have.
final class ConnectionLimits: Invariant {
    let name: String = "connections stay within their limits"
    private let deployment: SimulatedDeployment
    private let limits: [Limit]

    private struct Limit {
        let client: String
        let server: String
        let count: Int
    }

    /// Connections of a pool to a broker, of the ingester's to the storage, and of the gateway's to each service behind it.
    private static let toBroker: Int = 8
    private static let toStorage: Int = 4
    private static let ofGateway: Int = 64

    init(_ pipeline: SimulatedPipeline) {
        typealias Name = PipelineServices.Name
        deployment = pipeline.deployment
        func names(_ service: ServiceName) -> [String] {
            pipeline.deployment.processes.filter { $0.service == service }.map(\.name)
        }
        var limits = [
            Limit(
                client: Name.poller.rawValue, server: Name.measurementServer.rawValue,
                count: Poller.connectionsMax(of: pipeline.scenario.profile)),
            Limit(client: Name.poller.rawValue, server: Name.broker.rawValue, count: Self.toBroker),
            Limit(client: Name.gateway.rawValue, server: Name.poller.rawValue, count: Self.ofGateway),
            Limit(client: Name.gateway.rawValue, server: Name.storage.rawValue, count: Self.ofGateway),
        ]
        for ingester in names(Name.ingester) {
            limits.append(Limit(client: ingester, server: Name.broker.rawValue, count: Self.toBroker))
            limits.append(Limit(client: ingester, server: Name.storage.rawValue, count: Self.toStorage))
        }
        self.limits = limits
    }

    func check(at moment: CheckMoment) -> [InvariantFinding] {
        limits.compactMap { limit in
            let count = deployment.network.openConnections(from: limit.client, to: limit.server)
            guard count > limit.count else { return nil }
            return InvariantFinding(
                "\(limit.client) has \(count) connections to \(limit.server), and may have \(limit.count)",
                entities: [limit.client])
        }
    }
}
