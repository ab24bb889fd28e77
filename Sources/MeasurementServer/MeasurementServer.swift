public import Documents
public import HTTP
public import HTTPTypes
public import Measurements
import NIOCore
public import Ports
public import Randomness

/// A mock of the measurement server: flats with rooms and devices, answers by the contract, and faults on demand.
///
/// It serves simulated links and sockets alike. `/_windkanal/…` is its admin API, by which an experiment's HTTP actions inject faults and take
/// them back (docs/measurement-server.md).
public struct MeasurementServer: Sendable {
    /// What it serves, and how.
    public struct Options: Sendable {
        /// What answers look like.
        public var contract: MeasurementContract = .ieeFlat
        /// The number of flats; they are called `SD0`, `SD1`, ...
        public var flats: Int = 20
        /// Rooms of each flat.
        public var rooms: Int = 4
        /// The user's name and password; nil asks for none.
        public var credentials: Credentials?
        /// Measured values in place of the model's: what they do not say is not said.
        public var series: MeasuredSeries?
        /// How late answers are without any fault.
        public var latency: DurationDistribution = .fixed(.milliseconds(20))
        /// Requests and limits of the server.
        public var http: HTTPServer.Options = .standard
        /// Hears of schedules and of requests that they hit, on the server's event loop.
        public var observer: @Sendable (MeasurementServerEvent) -> Void = { _ in }

        /// Twenty flats of four rooms.
        public init() {}
    }

    /// A user's name and password.
    public struct Credentials: Hashable, Sendable, CustomStringConvertible {
        /// The name.
        public let user: String
        let password: String

        /// Makes credentials of their parts.
        public init(user: String, password: String) {
            self.user = user
            self.password = password
        }

        /// The field of requests that have them.
        public var authorization: HTTPField { HTTPClient.basicAuthorization(user: user, password: password) }

        /// The name alone.
        public var description: String { user }
    }

    /// Where it listens.
    public let server: HTTPServer
    private let state: NIOLoopBound<ServerState>
    private let loop: any EventLoop

    /// The names of so many flats.
    public static func flatNames(_ count: Int) -> [String] { (0..<count).map { "SD\($0)" } }

    /// Starts to serve.
    ///
    /// - Parameters:
    ///   - ports: How it reaches the network.
    ///   - endpoint: Where it listens.
    ///   - seed: What its values and draws follow from.
    ///   - options: What it serves.
    /// - Returns: The server, listening.
    /// - Throws: ``ListenError``.
    public static func start(
        _ ports: any Ports, at endpoint: Endpoint, seed: Seed, options: Options = Options()
    ) async throws -> MeasurementServer {
        let loop = ports.eventLoop
        let state = try await loop.submit {
            NIOLoopBound(ServerState(seed: seed, options: options, loop: loop), eventLoop: loop)
        }
        .get()
        let server = try await HTTPServer.start(
            ports, at: endpoint, options: options.http,
            responder: .immediate { request, body in state.value.answer(request, body) })
        return MeasurementServer(server: server, state: state, loop: loop)
    }

    /// Lets a schedule begin now for `*`, a flat or a room, or, with nil, takes the one back that there is; from anywhere.
    ///
    /// One that cannot be read, as ``DeviceSchedule/init(_:)`` tells, changes nothing.
    public func setSchedule(_ document: Value?, of target: String) {
        let state = state
        loop.execute { state.value.setSchedule(document, of: target) }
    }

    /// Stops serving.
    public func shutDown() async { await server.shutDown() }
}
