import Glibc
import NIOCore
import NIOPosix

/// Where to listen, as Go reads it: host and port, each of which may be missing.
struct ListenAddress: Hashable, Sendable {
    /// The address as the system has it.
    let socketAddress: SocketAddress

    /// Finds what a text such as `localhost:0` or `:3306` means; names are looked up on a thread of their own.
    ///
    /// - Throws: ``ProxyError`` in Go's words.
    static func resolve(_ text: String) async throws(ProxyError) -> ListenAddress {
        let (host, port) = try split(text)
        if port.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) {
            guard let number = Int(port.isEmpty ? "0" : port), number <= 65_535 else {
                throw ProxyError(500, "address \(port): invalid port")
            }
            let literal = host.isEmpty ? "::" : host
            if let address = try? SocketAddress(ipAddress: literal, port: number) {
                return ListenAddress(socketAddress: address)
            }
        }
        let found: [SocketAddress]?
        do {
            found = try await NIOThreadPool.singleton.runIfActive { lookUp(host, port) }
        } catch {
            throw ProxyError(500, "lookup \(host): \(error)")
        }
        guard let found else { throw ProxyError(500, "lookup tcp/\(port): unknown port") }
        // IPv4 comes first, as with Go.
        guard let address = found.first(where: { $0.protocol == .inet }) ?? found.first else {
            throw ProxyError(500, "lookup \(host): no such host")
        }
        return ListenAddress(socketAddress: address)
    }

    /// Host and port of a text, as Go's `SplitHostPort` finds them.
    static func split(_ text: String) throws(ProxyError) -> (host: String, port: String) {
        if text.isEmpty { return ("", "") }
        guard let colon = text.lastIndex(of: ":") else {
            throw ProxyError(500, "address \(text): missing port in address")
        }
        var host = String(text[..<colon])
        if host.hasPrefix("[") {
            guard host.hasSuffix("]") else { throw ProxyError(500, "address \(text): missing ']' in address") }
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            throw ProxyError(500, "address \(text): too many colons in address")
        }
        return (host, String(text[text.index(after: colon)...]))
    }

    /// Asks the resolver; nil where it does not know the port.
    private static func lookUp(_ host: String, _ port: String) -> [SocketAddress]? {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host.isEmpty ? nil : host, port.isEmpty ? "0" : port, &hints, &list)
        defer { if let first = unsafe list { unsafe freeaddrinfo(first) } }
        guard status == 0 else { return status == EAI_SERVICE ? nil : [] }
        var addresses: [SocketAddress] = []
        var entry = unsafe list
        while let info = unsafe entry {
            if let pointer = unsafe info.pointee.ai_addr {
                switch unsafe info.pointee.ai_family {
                case AF_INET:
                    unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                        unsafe addresses.append(SocketAddress($0.pointee))
                    }
                case AF_INET6:
                    unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                        unsafe addresses.append(SocketAddress($0.pointee))
                    }
                default: break
                }
            }
            unsafe entry = info.pointee.ai_next
        }
        return addresses
    }

    /// Host and port as Go writes them, as in `127.0.0.1:3306` and `[::]:3306`.
    static func text(_ address: SocketAddress?) -> String {
        guard let address, let host = address.ipAddress, let port = address.port else { return "" }
        return address.protocol == .inet6 ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
