import Glibc
public import NIOCore

/// A channel whose connection can be reset.
public protocol ResettableChannel: Channel {
    /// Ends the connection with a reset, on the channel's event loop: what was not sent yet is dropped, and the peer sees
    /// an error.
    func resetConnection()
}

/// Ends a channel's connection with a reset, on simulated links and on sockets; from anywhere.
public func resetConnection(_ channel: any Channel) {
    guard channel.eventLoop.inEventLoop else { return channel.eventLoop.execute { resetConnection(channel) } }
    if let channel = channel as? any ResettableChannel { return channel.resetConnection() }
    guard let socket = channel as? any SocketOptionProvider else { return channel.close(promise: nil) }
    // A socket that lingers for no time at all resets when it is closed; handlers such as TLS must not say goodbye before.
    socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in
        channel._channelCore.close0(error: ChannelError.ioOnClosedChannel, mode: .all, promise: nil)
    }
}
