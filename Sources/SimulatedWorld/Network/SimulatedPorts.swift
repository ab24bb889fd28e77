public import NIOCore
public import Ports
import SimulationKernel

/// A simulated host's way to the network: one for each incarnation.
public final class SimulatedPorts: Ports, @unchecked Sendable {
    private let network: Network
    private let stack: NetworkStack
    private let loop: SimulatedEventLoop
    private let bootCount: Int

    init(network: Network, stack: NetworkStack) {
        self.network = network
        self.stack = stack
        loop = SimulatedEventLoop(host: stack.host, simulation: network.simulation)
        bootCount = stack.host.bootCount
        stack.loop = loop
    }

    /// The event loop of the host's incarnation.
    public var eventLoop: any EventLoop { loop }

    private var isAlive: Bool { stack.isUp && stack.host.bootCount == bootCount && !network.simulation.isEnding }

    /// Connects over the simulated links.
    public func dial(
        _ endpoint: Endpoint, options: DialOptions,
        initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        let promise = loop.makePromise(of: (any Channel).self)
        loop.execute { [self] in
            guard isAlive else { return promise.fail(DialError.hostDown(endpoint)) }
            guard (1...65_535).contains(endpoint.port) else {
                return promise.fail(DialError.failed(endpoint, reason: "a port is a number from 1 to 65535"))
            }
            guard let server = network.resolve(endpoint.host) else {
                return promise.fail(DialError.unknownHost(endpoint.host))
            }
            dial(endpoint, server, options, initializer, promise)
        }
        return promise.futureResult
    }

    private func dial(
        _ endpoint: Endpoint, _ server: NetworkStack, _ options: DialOptions,
        _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>,
        _ promise: EventLoopPromise<any Channel>
    ) {
        let deadline = UncheckedBox(Deadline())
        let attempt = ConnectAttempt(stack: stack, network: network) { [self] result in
            loop.run {
                deadline.value.scheduled?.cancel()
                switch result {
                case .success(let end):
                    let channel = SimulatedChannel(end: end, loop: loop, network: network)
                    channel.start(security: options.tls, serverName: endpoint.host, initializer: initializer, promise)
                case .failure(.refused): promise.fail(DialError.refused(endpoint))
                case .failure(.timedOut): promise.fail(DialError.timedOut(endpoint, after: .seconds(127)))
                }
            }
        }
        let box = UncheckedBox(attempt)
        deadline.value.scheduled = loop.scheduleTask(in: options.timeout) {
            guard !box.value.isOver else { return }
            box.value.cancel()
            promise.fail(DialError.timedOut(endpoint, after: options.timeout))
        }
        network.connect(from: stack, to: server, port: endpoint.port, attempt: attempt)
    }

    private final class Deadline {
        var scheduled: Scheduled<Void>?
    }

    /// Listens on the simulated host.
    public func listen(
        _ endpoint: Endpoint, options: ListenOptions,
        initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Listener> {
        loop.submit { [self] in
            guard isAlive else { throw ListenError.hostDown(endpoint) }
            guard (0...65_535).contains(endpoint.port) else {
                throw ListenError.failed(endpoint, reason: "a port is a number from 0 to 65535")
            }
            let listener = stack.listen(port: endpoint.port, backlog: options.backlog) { [self] end in
                loop.run {
                    let channel = SimulatedChannel(end: end, loop: loop, network: network)
                    channel.start(security: options.tls, serverName: nil, initializer: initializer, nil)
                }
            }
            guard let listener else { throw ListenError.inUse(endpoint) }
            let bound = Endpoint(stack.host.name, listener.port)
            return SimulatedListener(endpoint: bound, loop: loop) { [self] in
                stack.stopListening(port: listener.port)
            }
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
