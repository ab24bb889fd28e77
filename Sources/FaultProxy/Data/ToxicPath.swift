import Faults
import NIOCore

/// The toxics of one direction of a connection, on the event loop's clock.
final class ToxicPath: NIOScheduledCallbackHandler {
    /// The longest piece that is handed to toxics at once, as with Toxiproxy.
    static let chunk: Int = 32 * 1024

    private var chain: ToxicChain
    private let relay: Relay
    private var timer: NIOScheduledCallback?
    private var timerIsDueAt: UInt64 = .max
    private var isDraining: Bool = false
    private var isStopped: Bool = false

    init(_ toxics: [Toxic], relay: Relay) {
        self.relay = relay
        chain = ToxicChain(toxics, random: relay.random, now: Self.now)
    }

    private static var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

    /// Whether more may come.
    var mayReceive: Bool { relay.canDeliver && chain.hasRoom }

    /// What reached a toxic while it acted; nil where it does not act.
    func hits(of name: String) -> UInt64? { chain.hits(of: name) }

    func receive(_ item: ToxicItem) {
        chain.receive(item, at: Self.now)
        drain()
    }

    /// Takes data in pieces of its own: what toxics hold must not keep a whole read buffer.
    func receive(pieces buffer: inout ByteBuffer) {
        while let piece = buffer.readSlice(length: min(buffer.readableBytes, Self.chunk)), piece.readableBytes > 0 {
            receive(.data(ByteBuffer(piece.readableBytesView)))
        }
    }

    /// Changes the toxics.
    func change(_ body: (inout ToxicChain, UInt64) -> Void) {
        body(&chain, Self.now)
        drain()
        if !chain.hasToxics, chain.isEmpty { relay.dropPath() }
    }

    /// Hands on what has left by now, as far as it can be written, and wakes for the next.
    func drain() {
        // What is written may make the channel say that it is writable.
        guard !isDraining else { return }
        isDraining = true
        while !isStopped, relay.canDeliver, let item = chain.take(at: Self.now) { relay.deliver(item) }
        isDraining = false
        setTimer()
        relay.readIfPending()
    }

    private func setTimer() {
        guard !isStopped else { return }
        // Where the channel cannot be written to, it says when it can.
        let due = relay.canDeliver ? chain.nextWake ?? .max : .max
        guard due != timerIsDueAt || (timer == nil) != (due == .max) else { return }
        timer?.cancel()
        timer = nil
        timerIsDueAt = due
        guard due != .max else { return }
        timer = try? relay.connection.loop.assumeIsolatedUnsafeUnchecked().scheduleCallback(
            at: .uptimeNanoseconds(due), handler: self)
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        timer = nil
        timerIsDueAt = .max
        drain()
        if !chain.hasToxics, chain.isEmpty { relay.dropPath() }
    }

    /// Wakes no more.
    func stop() {
        isStopped = true
        timer?.cancel()
        timer = nil
    }
}
