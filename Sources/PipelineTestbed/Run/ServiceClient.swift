import Documents
import HTTP
import HTTPTypes
import Measurements
import NIOCore
import Ports
import SimulatedTestbed
import Testbed

/// Asks the services from outside, as their users do.
struct ServiceClient {
    private let client: HTTPClient
    /// How often something is asked for before it counts as not answered; a second between.
    let attemptsMax: Int

    /// Makes a client on the driver's machine; nil before that runs.
    static func make(_ pipeline: SimulatedPipeline, attemptsMax: Int) async throws -> ServiceClient? {
        guard let ports = pipeline.deployment.ports else { return nil }
        return ServiceClient(client: try await HTTPClient.make(ports), attemptsMax: attemptsMax)
    }

    func shutDown() async { await client.shutDown() }

    /// The readings of an answer that is a success; nil if there is none.
    func readings(_ path: String, of service: ServiceName) async throws -> [Reading]? {
        guard let body = try await get(path, of: service), let json = try? JSONReader.read(body.readableBytesView)
        else { return nil }
        return try? json["readings"]?.array?.map { try Reading(json: $0) }
    }

    /// The body of an answer that is a success; nil if there is none after all attempts.
    func get(_ path: String, of service: ServiceName, _ authorization: HTTPField? = nil) async throws -> ByteBuffer? {
        var request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: path)
        if let authorization { request.headerFields[.authorization] = authorization.value }
        let endpoint = Endpoint(service.rawValue, ServiceDefinition.usualPort)
        for attempt in 1...attemptsMax {
            if let answer = try? await client.send(request, to: endpoint), answer.response.status == .ok {
                return answer.body
            }
            if attempt < attemptsMax { try await Task.sleep(for: .seconds(1)) }
        }
        return nil
    }
}
