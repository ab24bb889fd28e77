import Faults
import NIOCore
import Randomness

/// A client's connection and the one to the server that goes with it; touched on its proxy's event loop only.
final class ProxyConnection: @unchecked Sendable {
    /// Counts the connections of its proxy, from 1.
    let number: UInt64
    /// The client's address.
    let client: SocketAddress?
    let proxy: Proxy
    /// Reads from the client; nil when the connection is over.
    private(set) var upstream: Relay?
    /// Reads from the server; nil when the connection is over.
    private(set) var downstream: Relay?
    /// The server is there.
    private(set) var isStarted: Bool = false
    /// A toxic has closed or reset the connection: what comes now is dropped.
    private(set) var isSevered: Bool = false
    private var isOver: Bool = false
    private var linger: Scheduled<Void>?

    /// How long a connection goes on to read that a toxic has closed: so its end is seen as one, and not as a reset.
    private static let lingerTime: TimeAmount = .seconds(1)
    /// How long one may take that does not read what it was sent.
    private static let writeTime: TimeAmount = .seconds(5)

    init(number: UInt64, client: SocketAddress?, proxy: Proxy) {
        self.number = number
        self.client = client
        self.proxy = proxy
        upstream = Relay(.upstream, of: self)
        downstream = Relay(.downstream, of: self)
    }

    /// The event loop of both channels.
    var loop: any EventLoop { proxy.loop }

    /// The connection's own random numbers.
    var random: RandomStream { proxy.random(of: number) }

    private var relays: [Relay] { [upstream, downstream].compactMap(\.self) }

    /// The relay of a direction; nil when the connection is over.
    func relay(_ stream: ToxicStream) -> Relay? { stream == .upstream ? upstream : downstream }

    /// Begins to relay: both channels are there.
    func start(_ client: any Channel, _ server: any Channel) throws {
        isStarted = true
        // Both have their toxics before the first byte moves.
        for stream in ToxicStream.allCases { relay(stream)?.start(proxy.toxics(of: stream, for: self.client)) }
        for channel in [client, server] { try channel.syncOptions?.setOption(.autoRead, value: true) }
    }

    /// A channel has closed.
    func channelClosed() {
        guard relays.allSatisfy(\.isGone) || !isStarted else { return }
        end()
    }

    /// Forgets everything; the channels are closed, or close now.
    private func end() {
        guard !isOver else { return }
        isOver = true
        linger?.cancel()
        proxy.forget(self)
        for relay in relays {
            relay.dropPath()
            relay.close()
        }
        upstream = nil
        downstream = nil
    }

    /// Closes both channels at once: what was not written is lost.
    func close() {
        for relay in relays { relay.close() }
        end()
    }

    /// Closes both channels behind what was written; the other direction ends behind what its toxics hold.
    func sever(by stream: ToxicStream) {
        guard !isSevered, !isOver else { return }
        isSevered = true
        for relay in relays {
            relay.finish(atOnce: relay.stream == stream)
            relay.readIfPending()
        }
        linger = closeLater(Self.lingerTime) { $0.isWritable }
    }

    private func closeLater(_ time: TimeAmount, _ condition: @escaping (Relay) -> Bool) -> Scheduled<Void> {
        loop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: time) { [self] in
            for relay in relays where condition(relay) { relay.close() }
            if !isOver { linger = closeLater(Self.writeTime) { _ in true } }
        }
    }

    /// Resets both channels.
    func reset() {
        guard !isOver else { return }
        isSevered = true
        for relay in relays { relay.reset() }
    }
}
