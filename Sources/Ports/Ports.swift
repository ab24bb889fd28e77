public import NIOCore

/// How tested code reaches the network: one for a simulated host, one for the real machine.
///
/// Both hand out NIO channels, so that handlers, codecs and timeouts are the same in both.
public protocol Ports: Sendable {
    /// The event loop for what the caller does; its channels run on it.
    var eventLoop: any EventLoop { get }

    /// Connects to a service.
    ///
    /// - Parameters:
    ///   - endpoint: Where it listens.
    ///   - options: How long to wait, whether to use TLS.
    ///   - initializer: Adds the channel's handlers; runs on its event loop, before it is registered.
    /// - Returns: The connected channel; fails with ``DialError`` when there is none.
    func dial(
        _ endpoint: Endpoint, options: DialOptions,
        initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel>

    /// Listens for connections.
    ///
    /// - Parameters:
    ///   - endpoint: Where; port 0 lets the system choose.
    ///   - options: The backlog, whether to use TLS.
    ///   - initializer: Adds the handlers of an accepted channel; runs on its event loop, before it is registered.
    /// - Returns: The listener; fails with ``ListenError`` when the port is taken.
    func listen(
        _ endpoint: Endpoint, options: ListenOptions,
        initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Listener>
}

/// Something that accepts connections.
public protocol Listener: Sendable {
    /// Where it listens, with the port that was chosen.
    var endpoint: Endpoint { get }

    /// Stops accepting; accepted channels stay.
    func close() -> EventLoopFuture<Void>
}

/// How to connect.
public struct DialOptions: Sendable {
    /// How long the connection may take to be there; the system's own limit is 127 s.
    public var timeout: TimeAmount
    /// Adds TLS in front of the other handlers; nil connects in the clear.
    public var tls: (any ChannelSecurity)?

    /// Waits 10 s, as NIO does, in the clear.
    public init(timeout: TimeAmount = .seconds(10), tls: (any ChannelSecurity)? = nil) {
        self.timeout = timeout
        self.tls = tls
    }
}

/// How to listen.
public struct ListenOptions: Sendable {
    /// Connections that may wait to be accepted.
    public var backlog: Int
    /// Adds TLS in front of the other handlers; nil accepts in the clear.
    public var tls: (any ChannelSecurity)?

    /// A backlog of 256, in the clear.
    public init(backlog: Int = 256, tls: (any ChannelSecurity)? = nil) {
        self.backlog = backlog
        self.tls = tls
    }
}

/// Adds the handlers of a security layer to a channel that is being made.
public protocol ChannelSecurity: Sendable {
    /// Secures a channel towards a server that must prove to be `serverName`.
    func secureClient(_ channel: any Channel, serverName: String) throws
    /// Secures an accepted channel.
    func secureServer(_ channel: any Channel) throws
}

/// Why there is no connection.
public enum DialError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No such name.
    case unknownHost(String)
    /// The host answered that nobody listens there.
    case refused(Endpoint)
    /// No answer in time.
    case timedOut(Endpoint, after: TimeAmount)
    /// The network says that there is no way to the host.
    case unreachable(Endpoint)
    /// The caller's own host is down.
    case hostDown(Endpoint)
    /// Every local port is connected to the endpoint, or was less than a minute ago (`EADDRNOTAVAIL`).
    case noPortLeft(Endpoint)
    /// Anything else, in the system's words.
    case failed(Endpoint, reason: String)

    /// What happened, with the endpoint.
    public var description: String {
        switch self {
        case .unknownHost(let name): "no host is called '\(name)'"
        case .refused(let endpoint): "\(endpoint) refused the connection"
        case .timedOut(let endpoint, let limit): "\(endpoint) did not answer within \(limit.nanoseconds / 1_000_000) ms"
        case .unreachable(let endpoint): "there is no way to \(endpoint)"
        case .hostDown(let endpoint): "the host that connects to \(endpoint) is down"
        case .noPortLeft(let endpoint):
            "no local port is left for \(endpoint): all are connected to it, or were less than a minute ago (EADDRNOTAVAIL)"
        case .failed(let endpoint, let reason): "no connection to \(endpoint): \(reason)"
        }
    }
}

/// Why nobody can listen there.
public enum ListenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Somebody listens there already.
    case inUse(Endpoint)
    /// The host that would listen is down.
    case hostDown(Endpoint)
    /// Anything else, in the system's words.
    case failed(Endpoint, reason: String)

    /// What happened, with the endpoint.
    public var description: String {
        switch self {
        case .inUse(let endpoint): "somebody listens on \(endpoint) already"
        case .hostDown(let endpoint): "the host that should listen on \(endpoint) is down"
        case .failed(let endpoint, let reason): "cannot listen on \(endpoint): \(reason)"
        }
    }
}
