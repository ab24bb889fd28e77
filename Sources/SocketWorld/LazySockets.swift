public import NIOCore
import NIOPosix
import Synchronization

/// Sockets on an event loop that is made when the first is asked for: what never needs the network does not pay for a thread.
public final class LazySockets: Sendable {
    private let group: Mutex<MultiThreadedEventLoopGroup?> = Mutex(nil)

    /// Makes nothing yet.
    public init() {}

    /// The event loop of all these sockets.
    public var eventLoop: any EventLoop {
        group.withLock { group in
            let existing = group ?? MultiThreadedEventLoopGroup(numberOfThreads: 1)
            group = existing
            return existing.next()
        }
    }

    /// The way to the network.
    public var ports: RealPorts { RealPorts(eventLoop: eventLoop) }
}
