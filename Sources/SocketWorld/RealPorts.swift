import Glibc
public import NIOCore
import NIOPosix
public import Ports

/// The real machine's way to the network: NIO's sockets.
public struct RealPorts: Ports {
    private let loop: any EventLoop

    /// Uses an event loop of NIO's.
    public init(eventLoop: any EventLoop) {
        loop = eventLoop
    }

    /// The event loop of everything that is made here.
    public var eventLoop: any EventLoop { loop }

    /// Connects a socket.
    public func dial(
        _ endpoint: Endpoint, options: DialOptions,
        initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .connectTimeout(options.timeout)
            .channelInitializer { channel in
                do {
                    try options.tls?.secureClient(channel, serverName: endpoint.host)
                } catch {
                    return channel.eventLoop.makeFailedFuture(error)
                }
                return initializer(channel)
            }
            .connect(host: endpoint.host, port: endpoint.port)
            .flatMapErrorThrowing { error in throw Self.dialError(error, endpoint, options) }
    }

    /// Listens on a socket.
    public func listen(
        _ endpoint: Endpoint, options: ListenOptions,
        initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Listener> {
        ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: Int32(options.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                do {
                    try options.tls?.secureServer(channel)
                } catch {
                    return channel.eventLoop.makeFailedFuture(error)
                }
                return initializer(channel)
            }
            .bind(host: endpoint.host, port: endpoint.port)
            .map { RealListener(channel: $0, host: endpoint.host) }
            .flatMapErrorThrowing { error in throw Self.listenError(error, endpoint) }
    }

    private static func dialError(_ error: any Error, _ endpoint: Endpoint, _ options: DialOptions) -> any Error {
        var causes: [any Error] = [error]
        if let error = error as? NIOConnectionError {
            if let resolution = error.dnsAError ?? error.dnsAAAAError, error.connectionErrors.isEmpty {
                _ = resolution
                return DialError.unknownHost(endpoint.host)
            }
            causes += error.connectionErrors.map(\.error)
        }
        for cause in causes {
            switch cause {
            case ChannelError.connectTimeout(let limit): return DialError.timedOut(endpoint, after: limit)
            case let error as IOError where error.errnoCode == ECONNREFUSED: return DialError.refused(endpoint)
            case let error as IOError where error.errnoCode == EADDRNOTAVAIL: return DialError.noPortLeft(endpoint)
            case let error as IOError where error.errnoCode == ETIMEDOUT:
                return DialError.timedOut(endpoint, after: options.timeout)
            case let error as IOError where [EHOSTUNREACH, ENETUNREACH].contains(error.errnoCode):
                return DialError.unreachable(endpoint)
            default: continue
            }
        }
        return DialError.failed(endpoint, reason: "\(causes.last ?? error)")
    }

    private static func listenError(_ error: any Error, _ endpoint: Endpoint) -> any Error {
        if let error = error as? IOError, error.errnoCode == EADDRINUSE { return ListenError.inUse(endpoint) }
        return ListenError.failed(endpoint, reason: "\(error)")
    }
}

/// A listening socket.
private struct RealListener: Listener {
    let channel: any Channel
    let host: String

    var endpoint: Endpoint { Endpoint(host, channel.localAddress?.port ?? 0) }

    func close() -> EventLoopFuture<Void> {
        channel.close()
    }
}
