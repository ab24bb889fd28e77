public import Documents
import HTTP
import HTTPTypes
public import NIOCore
import NIOPosix
public import Ports
public import Randomness
import SocketWorld

/// A proxy for TCP that breaks connections on demand, with Toxiproxy's HTTP API and the toxics of the simulation.
///
/// Each proxy lives on one event loop with all its connections; what the API changes reaches all of them in one turn, and the
/// API waits for nobody who does not read. The seed fixes the draws of each connection by its number.
public final class FaultProxyServer: Sendable {
    /// How it runs.
    public struct Options: Sendable {
        /// Where the API listens; port 0 chooses one.
        public var endpoint: Endpoint
        /// What all draws follow from.
        public var seed: Seed
        /// Proxies to begin with, as the API's `populate` takes them.
        public var configuration: Value?
        /// Called when something has changed, with all proxies as a configuration has them.
        public var onChange: (@Sendable (Value) -> Void)?

        /// Makes options of their parts.
        public init(
            endpoint: Endpoint = Endpoint("127.0.0.1", 8474), seed: Seed, configuration: Value? = nil,
            onChange: (@Sendable (Value) -> Void)? = nil
        ) {
            self.endpoint = endpoint
            self.seed = seed
            self.configuration = configuration
            self.onChange = onChange
        }
    }

    /// Where the API listens.
    public var endpoint: Endpoint { server.endpoint }
    private let server: HTTPServer
    private let registry: ProxyRegistry

    private init(server: HTTPServer, registry: ProxyRegistry) {
        self.server = server
        self.registry = registry
    }

    /// How long a request may take: then it is answered with 503, as with Toxiproxy.
    private static let requestTime: TimeAmount = .seconds(25)

    /// Begins to serve.
    ///
    /// - Parameters:
    ///   - options: Where, and with what.
    ///   - group: The event loops; proxies are spread over them.
    /// - Returns: The server, with its API listening.
    /// - Throws: ``ProxyError`` for what is wrong with the configuration, `ListenError` where the API cannot listen.
    public static func start(_ options: Options, on group: any EventLoopGroup) async throws -> FaultProxyServer {
        let loops = Array(group.makeIterator())
        let registry = ProxyRegistry(loops: loops, seed: options.seed, onChange: options.onChange)
        if let configuration = options.configuration {
            let failure = await registry.populate(try ProxyRequest.list(configuration)).failure
            if let failure {
                await registry.shutDown()
                throw failure
            }
        }
        let loop = group.next()
        let api = ProxyAPI(
            registry: registry, requestIDs: RequestIDs(prefix: UInt64(NIODeadline.now().uptimeNanoseconds)))
        let server: HTTPServer
        do {
            server = try await HTTPServer.start(
                RealPorts(eventLoop: loop), at: options.endpoint,
                responder: .asynchronous { request, body in
                    await within(requestTime, on: loop) { await api.respond(request, body) } ?? late
                })
        } catch {
            await registry.shutDown()
            throw error
        }
        return FaultProxyServer(server: server, registry: registry)
    }

    private static let late: HTTPReply = HTTPReply(
        .serviceUnavailable, text: "<html><head><title>Timeout</title></head><body><h1>Timeout</h1></body></html>",
        type: "text/html; charset=utf-8")

    /// What a body gives, or nil when it takes longer than it may: then it goes on, and nobody waits for it.
    static func within<Result: Sendable>(
        _ time: TimeAmount, on loop: any EventLoop, _ body: @escaping @Sendable () async -> Result
    ) async -> Result? {
        let promise = loop.makePromise(of: Result?.self)
        let result = loop.makePromise(of: Result.self)
        result.completeWithTask { await body() }
        loop.execute {
            var isDone = false
            let timer = loop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: time) {
                if !isDone { promise.succeed(nil) }
                isDone = true
            }
            result.futureResult.assumeIsolatedUnsafeUnchecked().whenSuccess { result in
                timer.cancel()
                if !isDone { promise.succeed(result) }
                isDone = true
            }
        }
        return try? await promise.futureResult.get()
    }

    /// All proxies, as a configuration has them.
    public func configuration() async -> Value { .array(await registry.all().map(\.configuration)) }

    /// Stops the API, when what it is answering is answered, and then all proxies.
    public func shutDown() async {
        await server.shutDown()
        await registry.shutDown()
    }
}
