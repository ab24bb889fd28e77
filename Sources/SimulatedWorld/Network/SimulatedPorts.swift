public import NIOCore
public import Ports
import SimulationKernel

/// A simulated host's way to the network: one for each incarnation.
public final class SimulatedPorts: Ports, @unchecked Sendable {
    private let host: NetworkHost
    private let loop: SimulatedEventLoop
    /// Nil when the incarnation's memory has been given back.
    private var network: Network?

    init(network: Network, host: NetworkHost) {
        self.network = network
        self.host = host
        loop = SimulatedEventLoop(host: host.host, world: network.world)
        host.host.onUnwind { [self] in
            loop.unwind()
            self.network = nil
        }
    }

    /// The event loop of the host's incarnation.
    public var eventLoop: any EventLoop { loop }

    /// The network of a living incarnation.
    private var livingNetwork: Network? { loop.isLiving ? network : nil }

    /// Connects over the simulated links.
    ///
    /// - Returns: The connected channel. Fails with ``DialError``; with ``DialError/hostDown(_:)``, at once, when the
    ///   incarnation of these ports is no more.
    public func dial(
        _ endpoint: Endpoint, options: DialOptions,
        initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        guard livingNetwork != nil else { return DeadEventLoop.shared.makeFailedFuture(DialError.hostDown(endpoint)) }
        let promise = loop.makePromise(of: (any Channel).self)
        loop.execute { [self] in
            guard let network = livingNetwork else { return promise.fail(DialError.hostDown(endpoint)) }
            guard (1...65_535).contains(endpoint.port) else {
                return promise.fail(DialError.failed(endpoint, reason: "a port is a number from 1 to 65535"))
            }
            guard let server = network.resolve(endpoint.host) else {
                return promise.fail(DialError.unknownHost(endpoint.host))
            }
            dial(endpoint, server, network, options, initializer, promise)
        }
        return promise.futureResult
    }

    private func dial(
        _ endpoint: Endpoint, _ server: NetworkHost, _ network: Network, _ options: DialOptions,
        _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>,
        _ promise: EventLoopPromise<any Channel>
    ) {
        let attempt = UncheckedTransfer(Attempt())
        let connection = network.connect(from: host, to: server, port: endpoint.port) { [loop] result in
            loop.run {
                attempt.value.timeout?.cancel()
                switch result {
                case .success(let end):
                    let channel = SimulatedChannel(end: end, loop: loop, network: network)
                    channel.start(security: options.tls, serverName: endpoint.host, initializer: initializer, promise)
                case .failure(.refused): promise.fail(DialError.refused(endpoint))
                case .failure(.timedOut):
                    let limit = TimeAmount.nanoseconds(Int64(TCPTimings.connectTimeout))
                    promise.fail(DialError.timedOut(endpoint, after: limit))
                case .failure(.abandoned): promise.fail(DialError.hostDown(endpoint))
                }
            }
        }
        guard let connection else { return promise.fail(DialError.noPortLeft(endpoint)) }
        let connectionBox = UncheckedTransfer(connection)
        attempt.value.timeout = loop.scheduleTask(in: options.timeout) {
            connectionBox.value.cancel()
            promise.fail(DialError.timedOut(endpoint, after: options.timeout))
        }
    }

    private final class Attempt {
        var timeout: Scheduled<Void>?
    }

    /// Listens on the simulated host.
    ///
    /// - Returns: The listener. Fails with ``ListenError``; with ``ListenError/hostDown(_:)``, at once, when the
    ///   incarnation of these ports is no more.
    public func listen(
        _ endpoint: Endpoint, options: ListenOptions,
        initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Listener> {
        guard livingNetwork != nil else { return DeadEventLoop.shared.makeFailedFuture(ListenError.hostDown(endpoint)) }
        return loop.submit { [self] in
            guard let network = livingNetwork else { throw ListenError.hostDown(endpoint) }
            guard (0...65_535).contains(endpoint.port) else {
                throw ListenError.failed(endpoint, reason: "a port is a number from 0 to 65535")
            }
            let listener = host.listen(port: endpoint.port, backlog: options.backlog) { [loop] end in
                loop.run {
                    let channel = SimulatedChannel(end: end, loop: loop, network: network)
                    channel.start(security: options.tls, serverName: nil, initializer: initializer, nil)
                }
            }
            guard let listener else { throw ListenError.inUse(endpoint) }
            let bound = Endpoint(host.name, listener.port)
            return SimulatedListener(endpoint: bound, loop: loop) { [host] in host.stopListening(listener) }
        }
    }
}

/// A port of a simulated host.
private final class SimulatedListener: Listener, @unchecked Sendable {
    let endpoint: Endpoint
    private let loop: SimulatedEventLoop
    private let stop: () -> Void

    init(endpoint: Endpoint, loop: SimulatedEventLoop, stop: @escaping () -> Void) {
        self.endpoint = endpoint
        self.loop = loop
        self.stop = stop
    }

    func close() -> EventLoopFuture<Void> {
        loop.submit { [self] in stop() }
    }
}
