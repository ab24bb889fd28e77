import Glibc
import NIOCore

/// Options of a channel that change nothing which can be seen in a simulation: each keeps its own value.
struct ChannelOptionStore {
    private var entries: [(option: Any, value: Any)] = []

    mutating func set<Option: ChannelOption>(_ option: Option, _ value: Option.Value) {
        if let index = index(of: option) { entries[index].value = value } else { entries.append((option, value)) }
    }

    /// What an option was set to, or is at the beginning; nil for those that a socket channel does not have either.
    func value<Option: ChannelOption>(of option: Option) -> Any? {
        index(of: option).map { entries[$0].value } ?? Self.initialValue(of: option)
    }

    private func index<Option: ChannelOption>(of option: Option) -> Int? {
        entries.firstIndex { ($0.option as? Option) == option }
    }

    /// What NIO's socket channels on Linux answer when nobody has set the option.
    private static func initialValue<Option: ChannelOption>(of option: Option) -> Any? {
        switch option {
        case let option as ChannelOptions.Types.SocketOption:
            socketOption(.init(rawValue: CInt(option.level)), .init(rawValue: option.name))
        case is ChannelOptions.Types.AllocatorOption: ByteBufferAllocator()
        case is ChannelOptions.Types.RecvAllocatorOption: AdaptiveRecvByteBufferAllocator()
        case is ChannelOptions.Types.WriteSpinOption: UInt(16)
        case is ChannelOptions.Types.ConnectTimeoutOption: TimeAmount?.some(.seconds(10))
        default: nil
        }
    }

    private static func socketOption(_ level: NIOBSDSocket.OptionLevel, _ name: NIOBSDSocket.Option) -> Any? {
        let value: Int32? =
            switch (level, name) {
            case (.socket, .so_keepalive), (.socket, .so_reuseaddr), (.socket, .so_error), (.socket, .so_broadcast): 0
            // The kernel doubles what tcp_rmem and tcp_wmem say.
            case (.socket, .so_rcvbuf): 131_072
            case (.socket, .so_sndbuf): 87_040
            // NIO asks for it on every channel.
            case (.tcp, .tcp_nodelay): 1
            default: nil
            }
        return value.map { SocketOptionValue($0) }
    }
}
