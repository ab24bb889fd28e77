import NIOCore

/// Addresses that a toxic is limited to: single ones, and networks such as `10.0.0.0/8`.
struct PeerSet: Hashable, Sendable {
    /// An address' bytes, and how many bits of them count.
    private struct Network: Hashable, Sendable {
        let bytes: [UInt8]
        let bits: Int

        func contains(_ address: [UInt8]) -> Bool {
            guard address.count == bytes.count else { return false }
            let whole = bits / 8
            guard address[..<whole] == bytes[..<whole] else { return false }
            let mask = bits % 8 == 0 ? 0 : UInt8(truncatingIfNeeded: 0xff00 >> (bits % 8))
            return mask == 0 || address[whole] & mask == bytes[whole] & mask
        }
    }

    /// As they were written.
    let texts: [String]
    private let networks: [Network]

    /// Reads addresses and networks.
    ///
    /// - Throws: ``ProxyError`` with the first that is neither.
    init(_ texts: [String]) throws(ProxyError) {
        var networks: [Network] = []
        for text in texts {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let bytes = Self.bytes(of: try? SocketAddress(ipAddress: String(parts[0]), port: 0)) else {
                throw Self.invalid(text)
            }
            var bits = bytes.count * 8
            if parts.count == 2 {
                guard let count = Int(parts[1]), (0...bits).contains(count) else { throw Self.invalid(text) }
                bits = count
            }
            networks.append(Network(bytes: bytes, bits: bits))
        }
        self.texts = texts
        self.networks = networks
    }

    private static func invalid(_ text: String) -> ProxyError {
        ProxyError(400, "the peer '\(text)' is neither an address nor a network such as 10.0.0.0/8")
    }

    /// Whether a client's address is among them.
    func contains(_ address: SocketAddress?) -> Bool {
        guard let bytes = Self.bytes(of: address) else { return false }
        return networks.contains { $0.contains(bytes) }
    }

    /// The bytes of an address; IPv4 in IPv6's clothes is IPv4.
    private static func bytes(of address: SocketAddress?) -> [UInt8]? {
        switch address {
        // Where the address lies in the system's structures.
        case .v4(let address): return unsafe withUnsafeBytes(of: address.address) { unsafe Array($0[4..<8]) }
        case .v6(let address):
            let bytes = unsafe withUnsafeBytes(of: address.address) { unsafe Array($0[8..<24]) }
            let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
            return bytes.starts(with: mapped) ? Array(bytes[12...]) : bytes
        case .unixDomainSocket, nil: return nil
        }
    }
}
