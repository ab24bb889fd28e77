/// Where a service listens: a host's name (or address) and a port.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// A name that the resolver knows, or an address.
    public var host: String
    /// The TCP port; 0 lets a listener choose one.
    public var port: Int

    /// Makes an endpoint of its parts.
    public init(_ host: String, _ port: Int) {
        self.host = host
        self.port = port
    }

    /// Host and port, as in `server:443`.
    public var description: String { "\(host):\(port)" }
}
