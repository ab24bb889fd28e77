import Glibc
import NIOCore

/// A listening socket whose queue can be closed: then attempts to connect are not answered.
///
/// The system answers an attempt before anybody accepts, as long as there is room in the queue. A black hole is a queue
/// without room: its length is set to nothing, and a connection of our own fills it.
final class ListeningSocket {
    /// Connections that may wait to be accepted; the system cuts it to its own limit.
    static let backlog: Int32 = 4096

    private let descriptor: Int32
    /// Where it listens.
    let address: SocketAddress
    /// Our own connections that fill the queue.
    private var fillers: [Int32] = []
    /// Addresses of fillers that nobody has accepted yet.
    private var fillerNames: Set<SocketAddress> = []

    /// Opens and binds a socket, and listens.
    ///
    /// - Throws: ``ProxyError`` in Go's words.
    init(_ wanted: SocketAddress) throws(ProxyError) {
        let text = ListenAddress.text(wanted)
        var wanted = wanted
        let isAny = wanted.ipAddress == "::"
        var descriptor = Self.open(wanted)
        if descriptor < 0, isAny, let port = wanted.port, let any = try? SocketAddress(ipAddress: "0.0.0.0", port: port)
        {
            // A machine without IPv6.
            wanted = any
            descriptor = Self.open(wanted)
        }
        guard descriptor >= 0 else { throw Self.error(text, "socket") }
        guard unsafe wanted.withSockAddr({ unsafe bind(descriptor, $0, socklen_t($1)) }) == 0 else {
            let error = Self.error(text, "bind")
            close(descriptor)
            throw error
        }
        guard listen(descriptor, Self.backlog) == 0, let bound = Self.name(of: descriptor) else {
            let error = Self.error(text, "listen")
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        address = bound
    }

    /// Gives the socket to a channel, which closes it.
    var handle: Int32 { descriptor }

    private static func open(_ address: SocketAddress) -> Int32 {
        let family = address.protocol == .inet6 ? AF_INET6 : AF_INET
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { return descriptor }
        var one: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        if family == AF_INET6 {
            // All addresses are those of IPv4, too.
            var only: Int32 = address.ipAddress == "::" ? 0 : 1
            unsafe setsockopt(
                descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &only, socklen_t(MemoryLayout<Int32>.size))
        }
        return descriptor
    }

    private static func error(_ address: String, _ call: String) -> ProxyError {
        let code = errno
        let reason = unsafe String(cString: strerror(code))
        return ProxyError(500, "listen tcp \(address): \(call): \(reason.prefix(1).lowercased() + reason.dropFirst())")
    }

    private static func name(of descriptor: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutablePointer(to: &storage) { pointer -> SocketAddress? in
            let isKnown = unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length) == 0
            }
            guard isKnown else { return nil }
            switch Int32(unsafe pointer.pointee.ss_family) {
            case AF_INET:
                return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    unsafe SocketAddress($0.pointee)
                }
            case AF_INET6:
                return unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    unsafe SocketAddress($0.pointee)
                }
            default: return nil
            }
        }
    }

    // MARK: The black hole

    /// Whether attempts to connect are not answered.
    private(set) var isQueueClosed: Bool = false

    /// Lets no attempt be answered any more; whoever accepts must have stopped.
    func closeQueue() {
        isQueueClosed = true
        listen(descriptor, 0)
        guard let target = reachable else { return }
        // One is enough; a second makes sure when the first found somebody else's place free.
        for _ in 0..<2 {
            let filler = Self.open(target)
            guard filler >= 0 else { continue }
            fillers.append(filler)
            _ = unsafe target.withSockAddr { unsafe connect(filler, $0, socklen_t($1)) }
            if let name = Self.name(of: filler) { fillerNames.insert(name) }
        }
    }

    /// Answers attempts again: those that waited are answered when they ask again.
    func openQueue() {
        isQueueClosed = false
        for filler in fillers { close(filler) }
        fillers = []
        listen(descriptor, Self.backlog)
    }

    /// Forgets a filler that was accepted; false for a connection of somebody else.
    func takeFiller(_ peer: SocketAddress?) -> Bool {
        guard !fillerNames.isEmpty, let peer else { return false }
        return fillerNames.remove(peer) != nil
    }

    /// Closes our own connections; the socket itself is its channel's.
    func end() {
        for filler in fillers { close(filler) }
        fillers = []
    }

    /// The address by which this machine reaches the socket.
    private var reachable: SocketAddress? {
        guard let port = address.port else { return nil }
        switch address.ipAddress {
        case "0.0.0.0": return try? SocketAddress(ipAddress: "127.0.0.1", port: port)
        case "::": return try? SocketAddress(ipAddress: "::1", port: port)
        default: return address
        }
    }
}
