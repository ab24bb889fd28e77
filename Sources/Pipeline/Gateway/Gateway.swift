import Documents
import Durations
public import HTTP
import HTTPTypes
import Measurements
import NIOCore
public import Ports

/// The landscape's front door: it routes clients to services, and says whether the system is well.
///
/// `/health`, `/ready`, `/flats/{flat}/measurements`, `/freshness`, `/freshness/{flat}`, and, where there is a storage,
/// `/flats/{flat}/readings` and `/flats/{flat}/latest`.
public struct Gateway: Sendable {
    /// How the gateway behaves.
    public struct Options: Sendable {
        /// The service that knows measurements and their ages.
        public var upstream: Endpoint
        /// The service that keeps readings; nil routes none.
        public var storage: Endpoint?
        /// How long it may take to answer.
        public var timeout: Duration = .seconds(5)
        /// Lets requests ask to be answered late.
        public var injection: LatencyInjection = .off
        /// Hears what happens to it.
        package var reach: Waypoint.Listener = Waypoint.unheard

        /// Routes to a service.
        public init(upstream: Endpoint) {
            self.upstream = upstream
        }
    }

    /// Where it answers.
    public let server: HTTPServer
    private let client: HTTPClient

    /// Starts answering.
    ///
    /// - Throws: ``ListenError``.
    public static func start(_ ports: any Ports, at endpoint: Endpoint, options: Options) async throws -> Gateway {
        let timeout = TimeAmount.nanoseconds(options.timeout.nanoseconds)
        let client = try await HTTPClient.make(
            ports,
            options: HTTPClient.Options(
                connect: timeout, firstByte: timeout, total: timeout, connectionsMax: 64, waitingMax: 1000,
                bodyBytesMax: 16 << 20, idle: .seconds(60)))
        var router = HTTPRouter()
        router.on(.get, "/health") { _, _, _ in HTTPReply(json: ["status": "up"]) }
        for path in ["/ready", "/freshness", "/freshness/{flat}", "/flats/{flat}/measurements"] {
            router.on(.get, path) { request, _, _ in await forward(request, to: options.upstream, client, options) }
        }
        for path in ["/flats/{flat}/readings", "/flats/{flat}/latest"] {
            guard let storage = options.storage else { break }
            router.on(.get, path) { request, _, _ in await forward(request, to: storage, client, options) }
        }
        let server = try await HTTPServer.start(
            ports, at: endpoint, responder: options.injection.around(router.responder))
        return Gateway(server: server, client: client)
    }

    /// Lets requests in flight end and closes.
    public func shutDown() async {
        await server.shutDown()
        await client.shutDown()
    }

    private static func forward(
        _ request: HTTPRequest, to upstream: Endpoint, _ client: HTTPClient, _ options: Options
    ) async -> HTTPReply {
        var forwarded = HTTPRequest(method: .get, scheme: nil, authority: nil, path: request.path ?? "/")
        forwarded.headerFields[.accept] = request.headerFields[.accept]
        do throws(HTTPFailure) {
            let (response, body) = try await client.send(forwarded, to: upstream)
            if response.status.kind == .serverError { options.reach(.gatewayForwardedError) }
            var reply = HTTPReply(HTTPResponse(status: response.status), body: body)
            reply.response.headerFields[.contentType] = response.headerFields[.contentType]
            return reply
        } catch {
            let isLate =
                error == .timedOut(.waiting) || error == .timedOut(.connecting) || error == .timedOut(.receiving)
            options.reach(isLate ? .gatewayLate : .gatewayError)
            return HTTPReply(json: ["error": .string("\(error)")], isLate ? .gatewayTimeout : .badGateway)
        }
    }
}
